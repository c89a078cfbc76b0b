"""What the request log says: figures, time series, health and the requests themselves."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from workbench.contract import Field, Page, PageNumber, PageSize, query
from workbench.domain.monitor import DeployMarker, EndpointMetrics, Health, TimeBucket, TimeSeries, health_label, health_score
from workbench.domain.serving import RequestLog
from workbench.errors import NotFound
from workbench.services.request_figures import buckets, of_endpoint, rounded
from workbench.services.service import Service
from workbench.store import Records

ROOT = "/monitoring/{endpoint}"
EndpointName = Annotated[str, Field(description="Name of the endpoint.")]
WindowHours = Annotated[int, Field(ge=1, le=168, description="Hours back from now.")]
_EPOCH = dt.datetime(1970, 1, 1)
_WIDTHS = ((1, 60), (6, 300), (24, 1800), (72, 3600), (168, 7200))
_TOPICS = ("requests", "endpoints", "models")


class MonitoringService(Service):
    """Measure endpoints; every figure comes from stored requests."""

    namespace = "monitoring"

    @query("GET", ROOT + "/metrics", topics=_TOPICS)
    def metrics(self, endpoint: EndpointName, *, window_hours: WindowHours = 24) -> EndpointMetrics:
        """Return requests, latency, errors, tokens, cost and uptime of a window; null where nothing was measured."""
        since, until = self._window(endpoint, window_hours)
        return EndpointMetrics(
            endpoint=endpoint,
            window_hours=window_hours,
            since=since,
            until=until,
            source=_source(endpoint, since, until),
            **of_endpoint(self.db, endpoint, since, until),
        )

    @query("GET", ROOT + "/timeseries", topics=_TOPICS)
    def timeseries(self, endpoint: EndpointName, *, window_hours: WindowHours = 24) -> TimeSeries:
        """Return the window in slices, empty ones included, with the moments of deployments."""
        since, until = self._window(endpoint, window_hours)
        width = next(width for hours, width in _WIDTHS if window_hours <= hours)
        first, last = (int((moment - _EPOCH).total_seconds()) // width * width for moment in (since, until))
        found = buckets(self.db, endpoint, since, until, width)
        return TimeSeries(
            endpoint=endpoint,
            window_hours=window_hours,
            bucket_seconds=width,
            buckets=[_bucket(second, width, found.get(second)) for second in range(first, last + 1, width)],
            deployments=self._deployments(endpoint, since),
            source=_source(endpoint, since, until),
        )

    @query("GET", ROOT + "/health", topics=_TOPICS)
    def health(self, endpoint: EndpointName) -> Health:
        """Return the health of the last 24 hours with its reasons; unknown without traffic."""
        since, until = self._window(endpoint, 24)
        seen = of_endpoint(self.db, endpoint, since, until)
        success = None if seen["error_rate"] is None else 100 * (1 - seen["errors"] / seen["requests"])
        score = health_score(success_percent=success)
        return Health(
            endpoint=endpoint,
            score=score,
            label=health_label(score),
            reasons=_reasons(seen, success),
            source={**_source(endpoint, since, until), "requests": seen["requests"], "errors": seen["errors"]},
        )

    @query("GET", ROOT + "/logs", key="logs", topics=("requests",))
    def logs(
        self,
        endpoint: EndpointName,
        *,
        outcome: Annotated[Literal["all", "ok", "error"], Field(description="error: status 400 and more.")] = "all",
        search: Annotated[str, Field(description="Part of the prompt, the answer or the error.")] = "",
        model_version: Annotated[str, Field(description="Exact version that answered.")] = "",
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[RequestLog]:
        """List requests, the newest first."""
        self._known(endpoint)
        clauses: list[tuple[str, tuple[Any, ...]]] = [("endpoint = ?", (endpoint,))]
        if outcome != "all":
            clauses.append((f"status_code {'<' if outcome == 'ok' else '>='} 400", ()))
        if search:
            columns = ("inputs", "coalesce(prediction, '')", "coalesce(error, '')")
            clauses.append((f"({' or '.join(f'contains(lower({c}), lower(?))' for c in columns)})", (search,) * 3))
        if model_version:
            clauses.append(("model_version = ?", (model_version,)))
        where = " and ".join(text for text, _ in clauses)
        params = [value for _, values in clauses for value in values]
        return Records(self.db, RequestLog).page(where, params, order="logged_at desc, id desc", page=page, page_size=page_size)

    @query("GET", "/requests/{request_id}", topics=("requests",))
    def request(self, request_id: Annotated[str, Field(description="Id of the request.")]) -> RequestLog:
        """Return one request as the log keeps it."""
        self.app.endpoints.flush()
        row = self.db.row("select * from requests where id = ? limit 1", [request_id])
        if row is None:
            raise NotFound.of("request", request_id)
        return RequestLog(**row)

    def _window(self, endpoint: str, hours: int) -> tuple[dt.datetime, dt.datetime]:
        self._known(endpoint)
        until = self.clock.now()
        return until - dt.timedelta(hours=hours), until

    def _known(self, endpoint: str) -> None:
        """Write what waits in the log, then refuse a name that neither serves nor ever served."""
        self.app.endpoints.flush()
        sql = "select 1 from endpoints where id = $name union all (select 1 from requests where endpoint = $name limit 1)"
        if self.db.value(sql, {"name": endpoint}) is None:
            raise NotFound.of("endpoint", endpoint, [row[0] for row in self.db.tuples("select name from endpoints")])

    def _deployments(self, endpoint: str, since: dt.datetime) -> list[DeployMarker]:
        sql = (
            "select logged_at, model_version, action, actor from stage_history "
            "where endpoint = ? and logged_at > ? and action <> 'stop' order by seq"
        )
        return [DeployMarker(**row) for row in self.db.rows(sql, [endpoint, since])]


def _source(endpoint: str, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    return {"table": "requests", "endpoint": endpoint, "after": since.isoformat() + "Z", "until": until.isoformat() + "Z"}


def _bucket(second: int, width: int, row: dict[str, Any] | None) -> TimeBucket:
    moment = _EPOCH + dt.timedelta(seconds=second)
    span = {"bucket_at": moment, "until": moment + dt.timedelta(seconds=width)}
    if row is None:
        return TimeBucket(**span)
    p50, p95, p99 = (rounded(q, 3) for q in row["quantiles"])
    errors, requests = row["errors"], row["requests"]
    return TimeBucket(
        **span, requests=requests, errors=errors, error_rate=rounded(errors / requests, 4), p50=p50, p95=p95, p99=p99
    )


def _reasons(seen: dict[str, Any], success: float | None) -> list[str]:
    if success is None:
        return ["No requests in the last 24 hours."]
    told = f"{success:.1f} % of {seen['requests']} requests in the last 24 hours succeeded"
    cost = 0.5 * (100 - success)
    return [f"{told}: {cost:.1f} points off." if cost else f"{told}.", "Alerts and drift are not measured; nothing is taken off."]
