"""Curves of jobs: thinned in SQL so that every extreme stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from workbench.domain.jobs import MetricSeries
from workbench.store import Database

# Each bucket keeps its lowest and its highest point; the first and the last point always stay. Buckets hold
# a power of two of points, so that a curve that grows changes at its end only, until it is thinned further.
_THINNED = """
with points as (
    select name, step, value, epoch, logged_at,
        row_number() over (partition by name order by step, logged_at) - 1 as i,
        count(*) over (partition by name) as n
    from metrics
    where job_id = ? and (? is null or name = ?) and (? is null or step >= ?) and (? is null or step <= ?)
),
bucketed as (
    select *, i // power(2, ceil(log2(greatest(1, n / ?))))::bigint as bucket from points
),
kept as (
    select *,
        row_number() over (partition by name, bucket order by value, i) = 1 as lowest,
        row_number() over (partition by name, bucket order by value desc, i) = 1 as highest
    from bucketed
)
select name, step, value, epoch, logged_at, n from kept
where n <= ? or lowest or highest or i = 0 or i = n - 1
order by name, i
"""
_LATEST = """
select job_id, name, arg_max(value, step) as value
from metrics
where list_contains(?, job_id) and list_contains(?, name)
group by all
"""


def points(
    db: Database, job_id: str, name: str | None, max_points: int, *, first: int | None = None, last: int | None = None
) -> pa.Table:
    """Return name, step, value, epoch, logged_at and n (points in all), at most about `max_points` per name."""
    buckets = max(1, (max_points - 2) // 2)
    params = [job_id, name, name, first, first, last, last, buckets, max_points]
    return db.arrow(_THINNED, params)


def series(db: Database, job_id: str, name: str | None, max_points: int) -> tuple[MetricSeries, ...]:
    """Return the curves of a job, one per name."""
    found: dict[str, dict[str, Any]] = {}
    for row in points(db, job_id, name, max_points).to_pylist():
        curve = found.setdefault(row["name"], {"name": row["name"], "points": [], "total": row["n"]})
        curve["points"].append({"step": row["step"], "value": row["value"], "epoch": row["epoch"], "at": row["logged_at"]})
    return tuple(MetricSeries(**curve) for curve in found.values())


def latest(db: Database, job_ids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Return the last value of each named metric by job."""
    found: dict[str, dict[str, float | None]] = {id: {} for id in job_ids}
    if job_ids:
        for job_id, name, value in db.tuples(_LATEST, [list(job_ids), list(names)]):
            found[job_id][name] = value
    return found
