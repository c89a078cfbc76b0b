"""What the words of a child mean: figures, events and points of journal records, and whether they make any sense."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from workbench.domain.jobs import JobEvent

PROGRESS_EVENT_SECONDS = 1.0
MOST_COUNTED = 2**63 - 1
# What goes into a column as it is.
_TEXTS = {
    "log": ("message",),
    "progress": ("message", "step"),
    "fact": ("name",),
    "started": ("worker",),
    "checkpoint": ("name",),
    "resumed": ("name", "job", "attempt"),
    "anew": ("message",),
}
_COUNTS = {"progress": ("done", "total"), "started": ("pid",), "checkpoint": ("step",), "resumed": ("step",)}


def senseless(record: dict[str, Any]) -> str | None:
    """Return why a record cannot be taken in, or None."""
    try:
        said = record["t"]
        texts = {name: record.get(name) for name in _TEXTS.get(said, ())}
        counts = {name: record.get(name) for name in _COUNTS.get(said, ())}
        if wrong := [name for name, value in texts.items() if value is not None and not isinstance(value, str)]:
            return f"{said} with {', '.join(wrong)} that is no text"
        if wrong := [name for name, value in counts.items() if value is not None and not _counted(value)]:
            return f"{said} with {', '.join(wrong)} that is no count"
        if said == "progress":
            figures(record, 0.0)
        elif said == "metrics" and record["rows"] and points("", record["rows"])["step"].null_count:
            return "metrics without a step"
        elif said == "fact" and not isinstance(record["value"], (str, int, float)):
            return "fact with a value that is no text"
        for event in events([record], 0.0)[0]:
            columns(event)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, OSError, RecursionError) as error:
        return f"{record.get('t')}: {type(error).__name__}: {error}"
    return None


def _counted(value: Any) -> bool:
    return isinstance(value, (int, float)) and abs(value) <= MOST_COUNTED


def points(job_id: str, rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Return the points of a job as rows of the table of metrics."""
    names, steps, values, epochs, times = zip(*rows, strict=True)
    count = len(rows)
    columns = {
        "job_id": pa.array([job_id] * count),
        "name": pa.array([str(n) for n in names], pa.string()),
        "step": pa.array(steps, pa.int64()),
        "epoch": pa.array(epochs, pa.int64()),
        "value": pa.array(values, pa.float64()),
        "logged_at": pa.array([int(t * 1e6) for t in times], pa.timestamp("us")),
    }
    return pa.table(columns)


def moment(seconds: float) -> dt.datetime:
    """Return seconds since the epoch as naive UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None)


def figures(progress: dict[str, Any] | None, begun: float, share: float = 1.0) -> list[Any]:
    """Return done, total, step, message, percent and seconds left of the latest progress; the child does a share of the work."""
    if progress is None:
        return [None] * 6
    done, total = progress["done"], progress.get("total")
    percent = share * min(100.0, 100.0 * done / total) if total else None
    # What an earlier attempt had done says nothing of the pace of this one.
    elapsed, since = progress["at"] - begun, done - progress.get("base", 0)
    eta = elapsed / since * (total / share - done) if total and since > 0 and elapsed >= 0.5 else None
    return [done, total, progress.get("step") or None, progress.get("message") or None, percent, eta]


def events(records: Sequence[dict[str, Any]], noted: float) -> tuple[list[JobEvent], float]:
    """Return the events of records; of progress only about one word a second is kept."""
    found = []
    for record in records:
        if record["t"] == "progress":
            finished = record.get("total") is not None and record["done"] >= record["total"]
            if not finished and record["at"] - noted < PROGRESS_EVENT_SECONDS:
                continue
            noted = record["at"]
        if event := _event(record):
            found.append(event)
    return found, noted


def _event(record: dict[str, Any]) -> JobEvent | None:
    at = moment(record["at"])
    if record["t"] == "progress":
        data = {name: record.get(name) for name in ("done", "total", "step")}
        return JobEvent(type="progress", message=record.get("message") or "", data=data, logged_at=at)
    if record["t"] == "log":
        data = record.get("data") or {}
        kind = "error" if data.get("level") == "error" else "log"
        return JobEvent(type=kind, message=record.get("message", ""), data=data, logged_at=at)
    if words := _word(record):
        return JobEvent(type="log", message=words, data={k: record.get(k) for k in ("name", "step")}, logged_at=at)
    return None


def _word(record: dict[str, Any]) -> str:
    """Return what is said of checkpoints."""
    if record["t"] == "checkpoint":
        return f"Saved the checkpoint {record['name']} at step {record['step']}."
    if record["t"] == "resumed":
        return f"Goes on from the checkpoint of step {record['step']} ({record['attempt'].replace('-', ' ')})."
    return record.get("message", "") if record["t"] == "anew" else ""


def columns(event: JobEvent) -> tuple[Any, ...]:
    """Return type, statuses, message and data of an event as its columns keep them."""
    data = None if event.data is None else json.dumps(finite(event.data), default=str, ensure_ascii=False)
    return event.type, event.old_status, event.new_status, event.message, data


def finite(value: Any) -> Any:
    """Return a JSON value with None for numbers that are not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value
