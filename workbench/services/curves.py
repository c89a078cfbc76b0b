"""Curves of jobs: thinned in SQL so that every extreme stays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from workbench.domain.jobs import MetricName, MetricSeries
from workbench.store import Database

# What people look at first; the rest follows by name.
FOREMOST = ("train_loss", "val_loss", "loss", "train_accuracy", "val_accuracy", "accuracy")
# What JSON has no number for travels as its word.
WORDS = {math.inf: "Infinity", -math.inf: "-Infinity"}

_NAMED = "job_id in ({jobs}) and name in ({names})"
# Each bucket keeps its lowest and its highest point and one that is no number; the first and the last point
# always stay. Buckets hold a power of two of steps and begin at multiples of it, so that a curve that grows
# changes at its end only, until it is thinned further. Curves are numbered first: grouping by text is slow.
_THINNED = """
with wanted as materialized (
    select job_id, name, row_number() over () as curve
    from (select unnest(?::varchar[]) as job_id), (select unnest(?::varchar[]) as name)
),
mine as materialized (
    select curve, m.rowid as place, step, case when isfinite(value) then value end as value
    from metrics m join wanted using (job_id, name) where {range}
),
facts as materialized (
    select curve, count(*) as n, count(*) - count(value) as odd, min(step) as low_step, max(step) as high_step,
        arg_min(place, step) as first_place, arg_max(place, step) as last_place
    from mine group by curve
),
picked as (
    select arg_min(place, value) as low, arg_max(place, value) as high, min(place) filter (value is null) as odd
    from mine join facts using (curve) where n > ?
    group by curve, step // power(2, ceil(log2(greatest(1, (high_step - low_step + 1) / ?))))::bigint
),
kept as (
    select unnest([low, high, odd]) as place from picked
    union select unnest([first_place, last_place]) from facts
    union select place from mine join facts using (curve) where n <= ?
)
select job_id, name, step, value, epoch, logged_at, n, odd
from metrics m join wanted using (job_id, name) join facts using (curve)
where m.rowid in (select place from kept)
order by curve, step, logged_at, m.rowid
"""
_FOUND = """
select distinct name from metrics where job_id = ? and contains(lower(name), lower(?))
"""
_ORDERED = "order by coalesce(list_position({foremost}, name), 1000), name"
_NAMES = f"select name, count(*) over () as found from ({_FOUND}) {_ORDERED} limit ? offset ?"
_TOLD = """
select name, count(*) as total, min(step) as first_step, max(step) as last_step, arg_max(value, step) as last,
    min(value) filter (isfinite(value)) as lowest, max(value) filter (isfinite(value)) as highest,
    count(*) filter (not isfinite(value)) as not_finite
from metrics where {where} group by all
"""
_LATEST = "select job_id, name, arg_max(value, step) as value from metrics where {where} group by all"


def points(
    db: Database,
    job_ids: Sequence[str],
    names: Sequence[str],
    max_points: int,
    *,
    start: int | None = None,
    stop: int | None = None,
) -> pa.Table:
    """Return job_id, name, step, value, epoch, logged_at, n (points in all) and odd (those that are no number).

    About `max_points` come per curve, those of steps from `start` to `stop` alone where given.
    """
    limits = [(f"step {sign} ?", step) for sign, step in ((">=", start), ("<=", stop)) if step is not None]
    sql = _THINNED.format(range=" and ".join(["true", *(condition for condition, _ in limits)]))
    buckets = max(1, (max_points - 4) // 2)
    params = [list(job_ids), list(names), *(step for _, step in limits), max_points, buckets, max_points]
    return db.arrow(sql, params)


def series(
    db: Database, job_id: str, names: Sequence[str], max_points: int, *, start: int | None = None, stop: int | None = None
) -> tuple[MetricSeries, ...]:
    """Return the curves of a job, in the order of the names."""
    found: dict[str, dict[str, Any]] = {}
    if names:
        for row in points(db, [job_id], names, max_points, start=start, stop=stop).to_pylist():
            curve = found.setdefault(row["name"], {"points": [], "total": row["n"], "not_finite": row["odd"]})
            curve["points"].append(point(row))
    return tuple(MetricSeries(name=name, shown=len(found[name]["points"]), **found[name]) for name in names if name in found)


def point(row: dict[str, Any]) -> dict[str, Any]:
    """Return a point as it is sent; one that is no number has the word for it beside its null."""
    value = row["value"]
    sound = value is not None and math.isfinite(value)
    told = {"step": row["step"], "value": value if sound else None, "epoch": row["epoch"], "at": row["logged_at"]}
    return told if sound else {**told, "word": WORDS.get(value, "NaN")}


def names(db: Database, job_id: str, search: str, *, limit: int, offset: int = 0) -> tuple[list[str], int]:
    """Return some names of a job's metrics, what people look at first in front, and how many match in all."""
    sql = _NAMES.format(foremost=f"[{', '.join(repr(name) for name in FOREMOST)}]")
    rows = db.tuples(sql, [job_id, search, limit, offset])
    total = rows[0][1] if rows else db.value(f"select count(*) from ({_FOUND})", [job_id, search])
    return [name for name, _ in rows], total


def described(db: Database, job_id: str, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Return what was measured under each name, in the order of the names."""
    if not wanted:
        return []
    where, values = _of([job_id], wanted)
    found = {row["name"]: row for row in db.rows(_TOLD.format(where=where), values)}
    kept = set(MetricName.own_fields())
    return [{k: finite(v) for k, v in found[name].items() if k in kept} for name in wanted if name in found]


def finite(value: Any) -> Any:
    """Return a value, None for a number that JSON cannot say."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def latest(db: Database, job_ids: Sequence[str], wanted: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Return the last value of each named metric by job."""
    found: dict[str, dict[str, float | None]] = {id: {} for id in job_ids}
    if job_ids:
        where, values = _of(job_ids, wanted)
        for job_id, name, value in db.tuples(_LATEST.format(where=where), values):
            found[job_id][name] = finite(value)
    return found


def _of(job_ids: Sequence[str], wanted: Sequence[str]) -> tuple[str, list[Any]]:
    marks = {"jobs": ", ".join("?" * len(job_ids)), "names": ", ".join("?" * len(wanted))}
    return _NAMED.format(**marks), [*job_ids, *wanted]
