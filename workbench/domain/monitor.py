"""What the request log says about an endpoint."""

from __future__ import annotations

from typing import ClassVar

import param

from workbench.domain.record import Items, Json, Record, Time


class EndpointMetrics(Record):
    """Figures of one endpoint over a window, all from the request log."""

    kind = "endpoint_metrics"

    endpoint = param.String("", doc="Endpoint.")
    window_hours = param.Integer(24, doc="Length of the window in hours.")
    since = Time(None, allow_None=True, doc="Start of the window.")
    until = Time(None, allow_None=True, doc="End of the window.")
    requests = param.Integer(0, doc="Requests in the window.")
    errors = param.Integer(0, doc="Requests with a status of 400 or more.")
    throughput = param.Number(None, allow_None=True, doc="Requests per second since the first one in the window.")
    p50 = param.Number(None, allow_None=True, doc="Median latency in ms.")
    p95 = param.Number(None, allow_None=True, doc="95th percentile of latency in ms.")
    p99 = param.Number(None, allow_None=True, doc="99th percentile of latency in ms.")
    error_rate = param.Number(None, allow_None=True, doc="Share of failed requests, 0-1; null without requests.")
    tokens_in = param.Integer(None, allow_None=True, doc="Tokens read; null when the model counts none.")
    tokens_out = param.Integer(None, allow_None=True, doc="Tokens written; null when the model counts none.")
    cost = param.Number(None, allow_None=True, doc="Cost in USD; null when the model has no price.")
    uptime = param.Number(None, allow_None=True, doc="Percent of minutes with requests in which one was served.")
    mean_confidence = param.Number(None, allow_None=True, doc="Mean confidence of the answers, 0-1.")
    last_request_at = Time(None, allow_None=True, doc="When the last request came.")
    source = Json({}, doc="Stored rows the figures come from: table and filter.")


class TimeBucket(Record):
    """Figures of one slice of time."""

    kind = "time_bucket"
    wire_names: ClassVar[dict[str, str]] = {"bucket_at": "at"}

    bucket_at = Time(None, allow_None=True, doc="Start of the slice.")
    until = Time(None, allow_None=True, doc="End of the slice.")
    requests = param.Integer(0, doc="Requests in the slice.")
    errors = param.Integer(0, doc="Failed requests in the slice.")
    error_rate = param.Number(None, allow_None=True, doc="Share of failed requests; null without requests.")
    p50 = param.Number(None, allow_None=True, doc="Median latency in ms; null without requests.")
    p95 = param.Number(None, allow_None=True, doc="95th percentile of latency in ms.")
    p99 = param.Number(None, allow_None=True, doc="99th percentile of latency in ms.")


class DeployMarker(Record):
    """A moment when an endpoint began to serve another version."""

    kind = "deploy_marker"
    wire_names: ClassVar[dict[str, str]] = {"logged_at": "at"}

    logged_at = Time(None, allow_None=True, doc="When.")
    model_version = param.String("", doc="Version served from then on.")
    action = param.String("", doc="deploy, rollback or serve.")
    actor = param.String("", doc="Who did it.")


class TimeSeries(Record):
    """Slices of a window with the deployments in it."""

    kind = "time_series"

    endpoint = param.String("", doc="Endpoint.")
    window_hours = param.Integer(24, doc="Length of the window in hours.")
    bucket_seconds = param.Integer(0, doc="Length of a slice.")
    buckets = Items(item_type=TimeBucket, doc="Every slice of the window, empty ones included.")
    deployments = Items(item_type=DeployMarker, doc="Changes of the version served.")
    source = Json({}, doc="Stored rows the figures come from: table and filter.")


class Health(Record):
    """How well an endpoint does, from 0 to 100, with the reasons."""

    kind = "health"

    endpoint = param.String("", doc="Endpoint.")
    score = param.Number(None, allow_None=True, doc="0-100; null without traffic.")
    label = param.String("unknown", doc="healthy, degraded, warning, critical or unknown.")
    reasons = Items(item_type=str, doc="What the score is made of, in words.")
    source = Json({}, doc="Stored rows the score comes from.")


DRIFT_PENALTY = {"critical": 30.0, "high": 20.0, "medium": 10.0}


def health_score(*, success_percent: float | None, alerts: int = 0, drift: str | None = None) -> float | None:
    """Return 100 - 0.5*(100 - success %) - 10*alerts - drift penalty, within 0-100; null without traffic."""
    if success_percent is None:
        return None
    score = 100 - 0.5 * (100 - success_percent) - 10 * alerts - DRIFT_PENALTY.get(drift or "", 0.0)
    return round(max(0.0, min(100.0, score)), 1)


def health_label(score: float | None) -> str:
    """Return the word for a score: healthy from 90, degraded from 70, warning from 50, else critical."""
    if score is None:
        return "unknown"
    return next((label for floor, label in ((90, "healthy"), (70, "degraded"), (50, "warning")) if score >= floor), "critical")
