"""One endpoint: what it serves, how it does, a place to try it, what it served, what it was asked."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.serving import RequestLog
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.cards import leaf, stack
from workbench.ui.components.columns import Column, column
from workbench.ui.components.figures import Figure, figure_row
from workbench.ui.components.markup import html, show
from workbench.ui.components.table import DataTable
from workbench.ui.components.timeline import Moment, Timeline
from workbench.ui.components.try_it import TryIt
from workbench.ui.view import View

NO_REQUESTS = "No requests in the last 24 hours."


class EndpointView(View):
    """Show one endpoint, live."""

    endpoint = param.String("", doc="Name of the endpoint.")

    def build(self) -> list[Any]:
        """Return the head, the figures and a tab for each side."""
        self._head, self._facts = html(""), html("")
        self._actions = ActionBar(toasts=self.toasts)
        self._top = stack(self._head, self._actions)
        self._try, self._history = stack(), Timeline()
        self._serving: str | None = None
        head = self.live(self.ws.endpoints.get, self._draw, name=self.endpoint, height=96)
        figures = self.live(self.ws.endpoints.metrics, self._draw_figures, name=self.endpoint, height=96)
        history = self.live(self.ws.endpoints.history, self._draw_history, name=self.endpoint, height=120)
        logs = DataTable(self, self.ws.monitoring.logs, request_columns(), page_size=15, filters={"endpoint": self.endpoint})
        tabs = pmui.Tabs(
            ("Try it", leaf(self._try)),
            ("Requests", leaf(logs)),
            ("History", leaf(history)),
            ("Settings", leaf(self._facts)),
            margin=0,
            sizing_mode="stretch_width",
        )
        return [head, figures, tabs]

    def _draw(self, found: Any) -> Any:
        title = Markup(
            '<div style="display:flex;gap:8px;align-items:center"><span style="font-size:18px;font-weight:700">{}</span>{}</div>'
        )
        serves = fmt.link(f"{found.model_name} {found.model_version}", f"./models?model={found.model_version_id}")
        below = Markup('<div class="faint">Serves {} {} {}</div>').format(serves, fmt.chip(found.stage), found.message or "")
        show(self._head, Markup("{}{}").format(title.format(found.name, fmt.chip(found.status)), below))
        self._actions.update(found.actions, run_on(self.ws, found))
        show(self._facts, fmt.facts(_facts(found)))
        if self._serving != found.model_version_id:
            self._serving = found.model_version_id
            self._try.objects = [TryIt(self.ws, endpoint=found.name, example=found.input_example)]
        return self._top

    def _draw_figures(self, found: Any) -> Any:
        href = f"./monitor?endpoint={self.endpoint}"
        return figure_row(
            [
                Figure("Requests, 24 h", fmt.integer(found.requests), href=href),
                Figure("p95", fmt.milliseconds(found.p95, reason=NO_REQUESTS), href=href),
                Figure("Errors", fmt.percent(found.error_rate, reason=NO_REQUESTS), href=href),
            ]
        )

    def _draw_history(self, page: Any) -> Any:
        self._history.update([Moment(c.logged_at, c.to_stage, _change(c), c.actor) for c in page])
        return self._history


def request_columns() -> tuple[Column, ...]:
    """Return the columns of a request log."""
    return (
        column(RequestLog, "logged_at", title="When"),
        Column("status_code", "Status", whole=True, show=_status),
        column(RequestLog, "inputs", title="Asked"),
        Column("prediction", "Answered", whole=True, show=_answered),
        Column("confidence", "Confidence", lambda value: fmt.percent(value, reason="The model gave none."), align="right"),
        column(RequestLog, "latency_ms", title="Took"),
        column(RequestLog, "model_version", title="Version"),
    )


def _status(row: Any) -> Markup:
    return fmt.flag(not row["error"], str(row["status_code"]), hover=row["error"])


def _answered(row: Any) -> Markup:
    return Markup("<b>{}</b>").format(fmt.text(row["prediction"], reason=row["error"]))


def _facts(found: Any) -> list[tuple[str, Any]]:
    return [
        ("Address", Markup('<span class="mono">{}</span>').format(found.url)),
        ("Follows", fmt.choice(found.follows)),
        ("Guardrails", fmt.value(found.guardrails)),
        ("Made", fmt.moment(found.created_at)),
        ("By", found.created_by),
        ("Changed", fmt.moment(found.updated_at)),
    ]


def _change(change: Any) -> Markup:
    why = Markup(' <span class="faint">{}</span>').format(change.reason) if change.reason else ""
    return Markup("{} {} {}{}").format(fmt.words(change.action), change.model_name, change.model_version, why)
