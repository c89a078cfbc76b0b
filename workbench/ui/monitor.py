"""Monitor: how endpoints do, what they were asked, and what people say about the answers."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.improve import Feedback
from workbench.ui import format as fmt
from workbench.ui.components.asked import Asked
from workbench.ui.components.cards import card, line, stack
from workbench.ui.components.chips import FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import Column, column
from workbench.ui.components.drawer import DetailDrawer
from workbench.ui.components.figures import Figure, figure_row
from workbench.ui.components.states import empty_state, skeleton
from workbench.ui.components.table import DataTable
from workbench.ui.components.tie import tie
from workbench.ui.components.time_series import TimeSeriesPlot
from workbench.ui.endpoint import request_columns
from workbench.ui.feedback import FeedbackView
from workbench.ui.request import RequestView
from workbench.ui.view import View

WINDOWS = {"1\u00a0h": "1", "6\u00a0h": "6", "24\u00a0h": "24", "7\u00a0d": "168"}
TABS = ("requests", "feedback")
OUTCOMES = ("ok", "error")
SENTIMENTS = Feedback.param["sentiment"].objects
NO_REQUESTS = "No requests in this window."


class MonitorView(View):
    """Show one endpoint's figures, series, requests and feedback."""

    url = ("endpoint", "hours", "tab", "outcome", "sentiment", "converted", "search", "request", "feedback")

    endpoint = param.String("", doc="Name of the endpoint shown.")
    hours = param.Selector(default="24", objects=list(WINDOWS.values()), doc="Hours back from now.")
    tab = param.Selector(default="requests", objects=list(TABS), doc="List that is shown.")
    outcome = param.String("", doc="Only requests that ended so: ok or error.")
    sentiment = param.String("", doc="Only feedback of this kind.")
    converted = param.String("", doc="Only feedback that became a pair (true), or did not (false).")
    search = param.String("", doc="Part of a prompt, an answer or an error.")
    request = param.String("", doc="Id of the request that is open.")
    feedback = param.String("", doc="Id of the feedback that is open.")

    def build(self) -> list[Any]:
        """Return the choice of endpoint and window, figures, plot and lists."""
        self._chips = FilterChips(sizing_mode=None)
        windows = pmui.RadioButtonGroup(options=WINDOWS, value=self.hours, size="small", margin=0, css_classes=["window"])
        tie(windows, self, value="hours")
        bind_chips(self._chips, self, ["endpoint"])
        self.param.watch(lambda *events: self._follow(), ["endpoint", "hours"])
        self._metrics: Any = None
        self._health: Any = None
        self._listed = ""
        self._figures, self._plot, self._lists = stack(skeleton(96)), TimeSeriesPlot(), stack()
        # The plot is part of the page from the start: one that comes later is measured before it is made.
        self._watched = stack(self._figures, card("", self._plot, name="series"), self._lists)
        self._ask_metrics = Asked(self, self.ws.monitoring.metrics, self._take_metrics)
        self._ask_health = Asked(self, self.ws.monitoring.health, self._take_health)
        self._ask_series = Asked(self, self.ws.monitoring.timeseries, self._plot.update)
        self.watch(self.ws.endpoints.list, self._take_names, page_size=100)
        self._empty = stack()
        requests = DetailDrawer(self, lambda id: RequestView(self.ws, request_id=id), name="request", width=640)
        feedback = DetailDrawer(self, lambda id: FeedbackView(self.ws, feedback_id=id), name="feedback", width=560)
        asked = (self._ask_metrics, self._ask_health, self._ask_series)
        return [line(self._chips, windows, gap=2), self._watched, stack(self._empty, *asked, gap=0), requests, feedback]

    def _take_names(self, page: Any) -> None:
        self._watched.visible = bool(page.total)
        if not page.total:
            self._empty.objects = [_nothing()]
            return
        self._empty.objects = []
        self._chips.groups = [chip_group("endpoint", "Endpoint", [endpoint.name for endpoint in page])]
        if self.endpoint:
            self._follow()
        else:
            self.endpoint = page[0].name

    def _follow(self) -> None:
        """Ask about the chosen endpoint and window."""
        if not self.endpoint:
            return
        window = {"endpoint": self.endpoint, "window_hours": int(self.hours)}
        self._ask_metrics.ask(**window)
        self._ask_series.ask(**window)
        self._ask_health.ask(endpoint=self.endpoint)
        if self._listed != self.endpoint:
            self._listed = self.endpoint
            self._lists.objects = [self._tabs()]

    def _tabs(self) -> Any:
        lists = (EndpointRequests(self.ws, parent=self), EndpointFeedback(self.ws, parent=self))
        tabs = pmui.Tabs(
            *((fmt.words(name), each) for name, each in zip(TABS, lists, strict=True)),
            active=TABS.index(self.tab),
            margin=0,
            sizing_mode="stretch_width",
        )
        tabs.param.watch(lambda event: self.param.update(tab=TABS[event.new]), "active")
        return tabs

    def _take_metrics(self, found: Any) -> None:
        self._metrics = found
        self._draw()

    def _take_health(self, found: Any) -> None:
        self._health = found
        self._draw()

    def _draw(self) -> None:
        if self._metrics is not None and self._health is not None:
            self._figures.objects = [figure_row(_golden(self._metrics, self._health))]


def _golden(told: Any, health: Any) -> list[Figure]:
    reasons = " ".join(health.reasons)
    return [
        Figure("Requests", fmt.integer(told.requests), note=Markup("since {}").format(fmt.moment(told.since))),
        Figure("p95", fmt.milliseconds(told.p95, reason=NO_REQUESTS), note=_median(told)),
        Figure("Error rate", fmt.percent(told.error_rate, reason=NO_REQUESTS), note=fmt.plural(told.errors, "error")),
        Figure(
            "Health",
            fmt.integer(health.score, reason=reasons),
            note=Markup("{} {}").format(fmt.chip(health.label), reasons),
            hover=reasons,
        ),
    ]


def _median(told: Any) -> Markup:
    return Markup("median {}").format(fmt.milliseconds(told.p50, reason=NO_REQUESTS))


def _nothing() -> Any:
    return empty_state("No endpoint answers yet, so there is nothing to watch.", action="Deploy a model", href="./models")


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
