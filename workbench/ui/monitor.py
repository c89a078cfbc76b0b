"""Monitor: how endpoints do, what they were asked, and what people say about the answers."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.improve import Feedback
from workbench.ui import format as fmt
from workbench.ui.components.cards import card, line, stack
from workbench.ui.components.chips import FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import Column, column
from workbench.ui.components.drawer import DetailDrawer
from workbench.ui.components.figures import Figure, figure_row
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.components.tie import tie
from workbench.ui.components.time_series import TimeSeriesPlot
from workbench.ui.endpoint import request_columns
from workbench.ui.feedback import FeedbackView
from workbench.ui.request import RequestView
from workbench.ui.view import View

WINDOWS = {"1\u00a0h": "1", "6\u00a0h": "6", "24\u00a0h": "24", "7\u00a0d": "168"}
OUTCOMES = ("ok", "error")
SENTIMENTS = Feedback.param["sentiment"].objects
NO_REQUESTS = "No requests in this window."


class MonitorView(View):
    """Show one endpoint's figures, series, requests and feedback."""

    url = ("endpoint", "hours", "tab", "outcome", "sentiment", "converted", "search", "request", "feedback")

    endpoint = param.String("", doc="Name of the endpoint shown.")
    hours = param.Selector(default="24", objects=list(WINDOWS.values()), doc="Hours back from now.")
    tab = param.Selector(default="requests", objects=["requests", "feedback"], doc="List that is shown.")
    outcome = param.String("", doc="Only requests that ended so: ok or error.")
    sentiment = param.String("", doc="Only feedback of this kind.")
    converted = param.String("", doc="Only feedback that became a pair (true), or did not (false).")
    search = param.String("", doc="Part of a prompt, an answer or an error.")
    request = param.String("", doc="Id of the request that is open.")
    feedback = param.String("", doc="Id of the feedback that is open.")

    def build(self) -> list[Any]:
        """Return the choice of endpoint and window, and the place of what they show."""
        self._area = stack()
        self._chips = FilterChips(sizing_mode=None)
        windows = pmui.RadioButtonGroup(options=WINDOWS, value=self.hours, size="small", margin=0, css_classes=["window"])
        tie(windows, self, value="hours")
        bind_chips(self._chips, self, ["endpoint"])
        self.param.watch(lambda *events: self._show(), ["endpoint", "hours"])
        self._shown: tuple[str, str] | None = None
        names = self.live(self.ws.endpoints.list, self._draw_names, page_size=100, height=400)
        requests = DetailDrawer(self, lambda id: RequestView(self.ws, request_id=id), name="request", width=640)
        feedback = DetailDrawer(self, lambda id: FeedbackView(self.ws, feedback_id=id), name="feedback", width=560)
        return [line(self._chips, windows, gap=2), names, requests, feedback]

    def _draw_names(self, page: Any) -> Any:
        if not page.total:
            return empty_state("No endpoint answers yet, so there is nothing to watch.", action="Deploy a model", href="./models")
        self._chips.groups = [chip_group("endpoint", "Endpoint", [endpoint.name for endpoint in page])]
        if not self.endpoint:
            self.endpoint = page[0].name
        self._show()
        return self._area

    def _show(self) -> None:
        wanted = (self.endpoint, self.hours)
        if not self.endpoint or wanted == self._shown:
            return
        self._shown = wanted
        tabs = pmui.Tabs(
            ("Requests", EndpointRequests(self.ws, parent=self)),
            ("Feedback", EndpointFeedback(self.ws, parent=self)),
            active=["requests", "feedback"].index(self.tab),
            margin=0,
            sizing_mode="stretch_width",
        )
        tabs.param.watch(lambda event: self.param.update(tab=["requests", "feedback"][event.new]), "active")
        self._area.objects = [EndpointHealth(self.ws, endpoint=self.endpoint, hours=int(self.hours)), tabs]


class EndpointHealth(View):
    """Show the four golden figures of an endpoint and their course."""

    endpoint = param.String("", doc="Name of the endpoint.")
    hours = param.Integer(24, doc="Hours back from now.")

    def build(self) -> list[Any]:
        """Return figures and plot."""
        self._metrics: Any = None
        self._health: Any = None
        self._figures = stack()
        self._plot = TimeSeriesPlot()
        figures = self.live(
            self.ws.monitoring.metrics, self._take_metrics, endpoint=self.endpoint, window_hours=self.hours, height=96
        )
        self.watch(self.ws.monitoring.health, self._take_health, endpoint=self.endpoint)
        self.watch(self.ws.monitoring.timeseries, self._plot.update, endpoint=self.endpoint, window_hours=self.hours)
        return [figures, card("", self._plot, name="series")]

    def _take_metrics(self, found: Any) -> Any:
        self._metrics = found
        self._draw()
        return self._figures

    def _take_health(self, found: Any) -> None:
        self._health = found
        self._draw()

    def _draw(self) -> None:
        told, health = self._metrics, self._health
        if told is None or health is None:
            return
        score = Figure(
            "Health",
            fmt.integer(health.score, reason=_joined(health.reasons)),
            note=Markup("{} {}").format(fmt.chip(health.label), _joined(health.reasons)),
            hover=_joined(health.reasons),
        )
        since = Markup("since {}").format(fmt.moment(told.since))
        requests = Figure("Requests", fmt.integer(told.requests), note=since)
        p95 = Figure(
            "p95", fmt.milliseconds(told.p95, reason=NO_REQUESTS), note=Markup("median {}").format(fmt.milliseconds(told.p50))
        )
        errors = Figure("Error rate", fmt.percent(told.error_rate, reason=NO_REQUESTS), note=fmt.plural(told.errors, "error"))
        self._figures.objects = [figure_row([requests, p95, errors, score])]


class EndpointRequests(View):
    """List the requests of the endpoint that the page shows."""

    parent = param.Parameter(doc="The page, which holds the filters.")

    def build(self) -> list[Any]:
        """Return filters and table."""
        page = self.parent
        chips = bind_chips(FilterChips(groups=[chip_group("outcome", "Outcome", OUTCOMES)], sizing_mode=None), page, ["outcome"])
        table = DataTable(
            self, self.ws.monitoring.logs, request_columns(), on_open=self._open, page_size=20, filters=self._narrowed(),
            empty=lambda: empty_state("No request yet.", action="Send one", href=f"./deploy?endpoint={page.endpoint}"),
        )  # fmt: skip
        page.param.watch(lambda *events: table.param.update(filters=self._narrowed()), ["outcome", "search"])
        return [line(search_field(page, label="Search prompts and answers"), chips, gap=2), table]

    def _open(self, request_id: str) -> None:
        self.parent.request = request_id

    def _narrowed(self) -> dict[str, Any]:
        page = self.parent
        return {"endpoint": page.endpoint, "outcome": page.outcome, "search": page.search}


class EndpointFeedback(View):
    """List what people say about the answers of the endpoint that the page shows."""

    parent = param.Parameter(doc="The page, which holds the filters.")

    def build(self) -> list[Any]:
        """Return figures, filters and table."""
        page = self.parent
        groups = [chip_group("sentiment", "Rating", SENTIMENTS), chip_group("converted", "Became a pair", ("true", "false"))]
        chips = bind_chips(FilterChips(groups=groups), page, ["sentiment", "converted"])
        table = DataTable(
            self, self.ws.feedback.list, feedback_columns(), on_open=self._open, page_size=20, filters=self._narrowed(),
            empty=lambda: empty_state("No feedback yet. Open a request to judge its answer."),
        )  # fmt: skip
        page.param.watch(lambda *events: table.param.update(filters=self._narrowed()), ["sentiment", "converted"])
        stats = self.live(self.ws.feedback.stats, self._draw_stats, endpoint=page.endpoint, height=96)
        return [stats, chips, table]

    def _open(self, feedback_id: str) -> None:
        self.parent.feedback = feedback_id

    def _narrowed(self) -> dict[str, Any]:
        page = self.parent
        converted = {"converted": page.converted} if page.converted else {}
        return {"endpoint": page.endpoint, "sentiment": page.sentiment, **converted}

    def _draw_stats(self, found: Any) -> Any:
        none = "No feedback in this time."
        return figure_row(
            [
                Figure("Judgments, 30 days", fmt.integer(found.total)),
                Figure("Positive", fmt.percent(found.positive_rate, reason=none)),
                Figure("Corrected", fmt.integer(found.corrected)),
                Figure("Back in review", fmt.integer(found.converted)),
            ]
        )


def feedback_columns() -> tuple[Column, ...]:
    """Return the columns of a list of feedback."""
    return (
        column(Feedback, "created_at", title="When"),
        column(Feedback, "sentiment", title="Rating", show=fmt.chip),
        column(Feedback, "prompt", title="Asked"),
        column(Feedback, "prediction", title="Answered"),
        column(Feedback, "corrected", show=lambda value: fmt.text(value, reason="No correction was given.")),
        column(Feedback, "comment", show=lambda value: fmt.text(value, reason="No comment.")),
        column(Feedback, "author", title="By"),
        column(
            Feedback, "pair_id", title="Pair", show=lambda value: fmt.short_id(value, reason="It was not sent back to review.")
        ),
    )


def _joined(reasons: Any) -> str:
    return " ".join(reasons)
