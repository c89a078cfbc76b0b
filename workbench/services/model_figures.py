"""Everything a version shows beside what is stored: measured figures, gate, endpoints, actions."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from workbench.domain.models import MODEL_STAGES, Gate, readable_size
from workbench.services.request_figures import by_version

if TYPE_CHECKING:
    from workbench.domain.models import TestRun
    from workbench.services.models import ModelsService


def presented(models: ModelsService, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of versions with every derived value filled in."""
    models.app.endpoints.flush()
    ids = [row["id"] for row in rows]
    with models.db.read():
        figures = by_version(models.db, ids, models.clock.now())
        runs = models.tests.latest(ids)
        served = _served(models, ids)
        stacks = {row["name"]: models.log.stack(row["name"]) for row in rows if row["status"] == "production"}
    return [
        {
            **row,
            **_figures(figures.get(row["id"], {}), runs.get(row["id"])),
            "size": readable_size(row["size_bytes"]),
            "gate": (gate := models.tests.gate(runs.get(row["id"]))),
            "endpoints": tuple(served.get(row["id"], ())),
            "actions": MODEL_STAGES.actions(row, roles=models.roles, blocked=_blocked(row, gate, stacks)),
        }
        for row in rows
    ]


def _figures(measured: dict[str, Any], run: TestRun | None) -> dict[str, Any]:
    """Take latency, throughput and error rate from the last day's requests, else from the last test run."""
    tested = run.figures if run and run.figures else {}
    recent = bool(measured.get("requests"))
    return {
        "latency": measured["latency"] if recent else tested.get("latency_ms"),
        "throughput": measured["throughput"] if recent else tested.get("throughput"),
        "error_rate": measured["error_rate"] if recent else tested.get("error_rate"),
        "uptime": measured.get("uptime"),
        "inference_count": measured.get("inference_count", 0),
    }


def _served(models: ModelsService, ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    sql = "select model_version_id, name from endpoints where status = 'serving' and list_contains(?, model_version_id) order by name"
    for version, endpoint in models.db.tuples(sql, [ids]):
        found.setdefault(version, []).append(endpoint)
    return found


def _blocked(row: dict[str, Any], gate: Gate, stacks: dict[str, list[str]]) -> dict[str, str]:
    reasons = {}
    if not gate.open:
        reasons["deploy"] = gate.reason or "The gate is shut."
    if row["status"] == "production" and len(stacks.get(row["name"], ())) < 2:
        reasons["rollback"] = "This is the first version in production; there is none to go back to."
    return reasons


_CSV = {
    "Model Name": "name",
    "Version": "version",
    "Status": "status",
    "Accuracy": "accuracy",
    "Latency (ms)": "latency",
    "Framework": "framework",
    "Uptime (%)": "uptime",
}


def as_csv(rows: list[dict[str, Any]]) -> str:
    """Return presented rows as CSV for people: no cell is read as a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_CSV)
    writer.writerows([_cell(row[name]) for name in _CSV.values()] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
