"""Figures from stored requests: one row changes, the figure moves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.services import made
from workbench.domain.monitor import health_label, health_score
from workbench.errors import NotFound, ValidationError


@pytest.fixture
def served(local: Any) -> Any:
    made.deployed(local, made.version(local))
    return local


def log(ws: Any, *, latency: float = 10.0, status: int = 200, ago: float = 0.0, **facts: Any) -> str:
    """Store one request that came `ago` minutes before now."""
    app = ws.transport.app
    model = ws.models.list()[0]
    row = {"id": app.clock.new_id("request"), "endpoint": "topics", "model_name": model.name, "model_version": model.version}
    row |= {"model_version_id": model.id, "logged_at": app.clock.now() - dt.timedelta(minutes=ago), "latency_ms": latency}
    row |= {"status_code": status, "inputs": "q", "altered": False, "sample": True, **facts}
    with app.db.write():
        app.db.execute(f"insert into requests ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values()))
    return row["id"]


def test_without_traffic_everything_is_unknown(served: Any) -> None:
    figures = served.monitoring.metrics("topics")
    assert figures.requests == 0
    assert [figures.p50, figures.p95, figures.p99, figures.error_rate, figures.throughput, figures.uptime, figures.cost] == [None] * 7
    health = served.monitoring.health("topics")
    assert (health.score, health.label, health.reasons) == (None, "unknown", ("No requests in the last 24 hours.",))


def test_metrics_are_those_of_the_rows_in_the_window(served: Any) -> None:
    for latency in range(1, 101):
        log(served, latency=float(latency), ago=50)
    log(served, latency=9999.0, ago=60 * 30)
    figures = served.monitoring.metrics("topics")
    assert (figures.requests, figures.errors, figures.error_rate) == (100, 0, 0)
    assert (figures.p50, figures.p95, figures.p99) == (50.5, 95.05, 99.01)
    assert figures.throughput == pytest.approx(100 / 3000, abs=1e-4)
    assert figures.tokens_in is None and figures.cost is None
    assert figures.source["table"] == "requests"
    log(served, status=500, tokens_in=7, cost=0.5)
    moved = served.monitoring.metrics("topics")
    assert (moved.errors, moved.error_rate, moved.tokens_in, moved.cost) == (1, round(1 / 101, 4), 7, 0.5)
    assert moved.uptime == 50.0
    assert served.monitoring.metrics("topics", window_hours=168).requests == 102
    with pytest.raises(ValidationError):
        served.monitoring.metrics("topics", window_hours=169)


def test_health_follows_the_rows(served: Any) -> None:
    for _ in range(9):
        log(served)
    assert served.monitoring.health("topics").score == 100
    log(served, status=422)
    health = served.monitoring.health("topics")
    assert (health.score, health.label) == (95.0, "healthy")
    assert health.reasons[0] == "90.0 % of 10 requests in the last 24 hours succeeded: 5.0 points off."
    assert (health.source["requests"], health.source["errors"]) == (10, 1)
    for _ in range(40):
        log(served, status=500)
    assert served.monitoring.health("topics").label == "warning"


def test_health_formula() -> None:
    assert health_score(success_percent=None, alerts=3) is None
    assert health_score(success_percent=100) == 100
    assert health_score(success_percent=80, alerts=1, drift="high") == 60
    assert health_score(success_percent=0, alerts=9, drift="critical") == 0
    assert [health_label(s) for s in (None, 90, 89.9, 70, 69.9, 50, 49.9)] == [
        "unknown", "healthy", "degraded", "degraded", "warning", "warning", "critical",
    ]  # fmt: skip


def test_series_has_every_slice_and_the_deployments(served: Any) -> None:
    served.clock.advance(hours=2)
    log(served, ago=61)
    log(served, latency=30.0, status=500)
    series = served.monitoring.timeseries("topics", window_hours=6)
    assert series.bucket_seconds == 300 and len(series.buckets) == 73
    assert [b.requests for b in series.buckets if b.requests] == [1, 1]
    last = series.buckets[-1]
    assert (last.errors, last.error_rate, last.p50) == (1, 1.0, 30.0)
    empty = series.buckets[0]
    assert (empty.requests, empty.p50, empty.error_rate) == (0, None, None)
    assert [(d.action, d.model_version) for d in series.deployments] == [("serve", "1.0.0")]
    assert sum(b.requests for b in served.monitoring.timeseries("topics", window_hours=168).buckets) == 2


def test_logs_filter_search_and_page(served: Any) -> None:
    log(served, inputs="how do I draw", prediction="draw", ago=3)
    log(served, inputs="100% broken", status=500, error="RuntimeError: boom", ago=2)
    log(served, inputs="other", ago=1)
    assert [r.inputs for r in served.monitoring.logs("topics")] == ["other", "100% broken", "how do I draw"]
    assert [r.inputs for r in served.monitoring.logs("topics", outcome="error")] == ["100% broken"]
    assert served.monitoring.logs("topics", outcome="ok").total == 2
    assert served.monitoring.logs("topics", search="BOOM").total == 1
    assert served.monitoring.logs("topics", search="0%").total == 1
    page = served.monitoring.logs("topics", page=2, page_size=2)
    assert (page.total, [r.inputs for r in page]) == (3, ["how do I draw"])


def test_version_figures_come_from_requests_else_from_tests(served: Any) -> None:
    model = served.models.list()[0]
    assert (model.latency, model.throughput, model.error_rate, model.uptime, model.inference_count) == (1.5, 600.0, 0.0, None, 0)
    log(served, latency=8.0, ago=10)
    log(served, latency=12.0, status=500)
    moved = served.models.get(model.id)
    assert (moved.latency, moved.error_rate, moved.inference_count) == (10.0, 0.5, 2)
    assert moved.throughput == pytest.approx(2 / 600, abs=1e-4)
    assert moved.uptime == 50.0
    served.clock.advance(hours=25)
    old = served.models.get(model.id)
    assert (old.latency, old.inference_count, old.uptime) == (1.5, 2, 50.0)


def test_unknown_endpoint(served: Any) -> None:
    for call in (served.monitoring.metrics, served.monitoring.health, served.monitoring.timeseries, served.monitoring.logs):
        with pytest.raises(NotFound, match="Did you mean 'topics'"):
            call("topic")
