"""Figures over the request log, one statement per question."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.store import Database

DAY = dt.timedelta(hours=24)
UPTIME_SPAN = dt.timedelta(days=30)

_BY_VERSION = """
select
    model_version_id as id,
    count(*) as inference_count,
    count(*) filter (where logged_at > $day) as requests,
    quantile_cont(latency_ms, 0.5) filter (where logged_at > $day) as latency,
    avg(case when status_code >= 400 then 1.0 else 0.0 end) filter (where logged_at > $day) as error_rate,
    min(logged_at) filter (where logged_at > $day) as first_at,
    count(distinct date_trunc('minute', logged_at)) filter (where logged_at > $month) as minutes,
    count(distinct date_trunc('minute', logged_at)) filter (where logged_at > $month and status_code < 500) as served
from requests
where list_contains($ids, model_version_id)
group by 1
"""

_OF_ENDPOINT = """
select
    count(*) as requests,
    count(*) filter (where status_code >= 400) as errors,
    quantile_cont(latency_ms, [0.5, 0.95, 0.99]) as quantiles,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(cost) as cost,
    avg(confidence) as mean_confidence,
    min(logged_at) as first_at,
    max(logged_at) as last_at,
    count(distinct date_trunc('minute', logged_at)) as minutes,
    count(distinct date_trunc('minute', logged_at)) filter (where status_code < 500) as served
from requests
where endpoint = ? and logged_at > ? and logged_at <= ?
"""

_BY_ENDPOINT = """
select
    endpoint,
    count(*) as requests,
    quantile_cont(latency_ms, 0.95) as p95,
    avg(case when status_code >= 400 then 1.0 else 0.0 end) as error_rate
from requests
where list_contains($names, endpoint) and logged_at > $since
group by 1
"""

_BUCKETS = """
select
    (floor(epoch(logged_at) / $width) * $width)::bigint as second,
    count(*) as requests,
    count(*) filter (where status_code >= 400) as errors,
    quantile_cont(latency_ms, [0.5, 0.95, 0.99]) as quantiles
from requests
where endpoint = $endpoint and logged_at > $since and logged_at <= $until
group by 1
"""


def by_version(db: Database, ids: list[str], now: dt.datetime) -> dict[str, dict[str, Any]]:
    """Return inference_count, latency, throughput, error_rate and uptime of the versions that had requests."""
    if not ids:
        return {}
    rows = db.rows(_BY_VERSION, {"ids": ids, "day": now - DAY, "month": now - UPTIME_SPAN})
    return {row["id"]: _version_figures(row, now) for row in rows}


def _version_figures(row: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
    return {
        "inference_count": row["inference_count"],
        "requests": row["requests"],
        "latency": rounded(row["latency"], 3),
        "error_rate": rounded(row["error_rate"], 4),
        "throughput": rate(row["requests"], row["first_at"], now),
        "uptime": percent(row["served"], row["minutes"]),
    }


def by_endpoint(db: Database, names: list[str], since: dt.datetime) -> dict[str, dict[str, Any]]:
    """Return requests, p95 and error_rate of the endpoints that had requests since a moment."""
    rows = db.rows(_BY_ENDPOINT, {"names": names, "since": since}) if names else []
    return {
        row["endpoint"]: {"requests": row["requests"], "p95": rounded(row["p95"], 3), "error_rate": rounded(row["error_rate"], 4)}
        for row in rows
    }


def of_endpoint(db: Database, endpoint: str, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    """Return the figures of one endpoint in a window, null where there is nothing to measure."""
    row = db.row(_OF_ENDPOINT, (endpoint, since, until)) or {}
    p50, p95, p99 = (rounded(q, 3) for q in row["quantiles"] or (None,) * 3)
    return {
        "requests": row["requests"],
        "errors": row["errors"],
        "throughput": rate(row["requests"], row["first_at"], until),
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "error_rate": rounded(row["errors"] / row["requests"], 4) if row["requests"] else None,
        "tokens_in": row["tokens_in"],
        "tokens_out": row["tokens_out"],
        "cost": row["cost"],
        "mean_confidence": rounded(row["mean_confidence"], 4),
        "last_request_at": row["last_at"],
        "uptime": percent(row["served"], row["minutes"]),
    }


def buckets(db: Database, endpoint: str, since: dt.datetime, until: dt.datetime, width: int) -> dict[int, dict[str, Any]]:
    """Return the slices that had requests, by their start in seconds since 1970."""
    rows = db.rows(_BUCKETS, {"endpoint": endpoint, "since": since, "until": until, "width": width})
    return {row["second"]: row for row in rows}


def rate(requests: int, first_at: dt.datetime | None, until: dt.datetime) -> float | None:
    """Return requests per second since the first one, over at least one second."""
    if not requests or first_at is None:
        return None
    return rounded(requests / max(1.0, (until - first_at).total_seconds()), 4)


def percent(part: int, whole: int) -> float | None:
    """Return part of whole in percent, or nothing when there is no whole."""
    return round(100 * part / whole, 2) if whole else None


def rounded(value: float | None, digits: int) -> float | None:
    """Return the value with so many digits, or nothing."""
    return None if value is None else round(value, digits)
