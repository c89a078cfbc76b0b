"""One model version: figures, tests, history, lineage, and a place to try it."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.models import TestCase
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.cards import leaf, stack
from workbench.ui.components.figures import Figure, figure_row
from workbench.ui.components.lineage import LineageGraph
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import empty_state
from workbench.ui.components.timeline import Moment, Timeline
from workbench.ui.components.try_it import TryIt
from workbench.ui.view import View

UNMEASURED = "Not measured yet."
NO_TRAFFIC = "No request and no test run yet."
CASES_CSS = """
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; font-size: 12px; padding: 4px 8px 4px 0; color: var(--mui-palette-text-secondary, #566272); }
td { padding: 6px 8px 6px 0; border-top: 1px solid var(--mui-palette-divider, #dfe5ec); vertical-align: top; }
td.mono { overflow-wrap: anywhere; }
"""


class ModelView(View):
    """Show one version with everything known about it."""

    model_id = param.String("", doc="Id of the version.")

    def build(self) -> list[Any]:
        """Return the head and a tab for each side of the version."""
        self._head, self._gate = html(""), html("")
        self._figures = stack()
        self._actions = ActionBar(toasts=self.toasts)
        self._metrics, self._signature = html(""), html("")
        self._cases, self._history, self._graph = html("", css=CASES_CSS), Timeline(), LineageGraph()
        self._try = stack()
        self._tried: tuple[str, ...] | None = None
        self._body = stack(self._head, self._gate, self._actions, self._figures)
        head = self.live(self.ws.models.get, self._draw, model_id=self.model_id, height=200)
        tests = self.live(self.ws.models.test_runs, self._draw_tests, model_id=self.model_id, page_size=1, height=120)
        history = self.live(self.ws.models.history, self._draw_history, model_id=self.model_id, height=120)
        lineage = self.live(self.ws.lineage.get, self._draw_lineage, kind="model", id=self.model_id, height=200)
        tabs = pmui.Tabs(
            ("Figures", leaf(self._metrics)),
            ("Tests", leaf(tests)),
            ("History", leaf(history)),
            ("Lineage", leaf(lineage)),
            ("Try it", leaf(self._signature, self._try)),
            margin=0,
            sizing_mode="stretch_width",
        )
        return [head, tabs]

    def _draw(self, version: Any) -> Any:
        title = Markup(
            '<div style="display:flex;gap:8px;align-items:center"><span style="font-size:18px;font-weight:700">{} {}</span>{}{}</div>'
        )
        show(self._head, title.format(version.name, version.version, fmt.chip(version.status), fmt.short_id(version.id)))
        show(self._gate, _gate(version.gate))
        self._actions.update(version.actions, run_on(self.ws, version))
        self._figures.objects = [figure_row(_figures(version))]
        show(self._metrics, fmt.facts(_facts(version)))
        show(self._signature, _signature(version))
        self._offer(version)
        return self._body

    def _offer(self, version: Any) -> None:
        """Let the version answer through the first endpoint that serves it."""
        if self._tried == version.endpoints:
            return
        self._tried = version.endpoints
        if version.endpoints:
            self._try.objects = [TryIt(self.ws, endpoint=version.endpoints[0], example=version.input_example)]
        else:
            href = f"./deploy?dialog=serve&model_version_id={version.id}"
            self._try.objects = [empty_state("No endpoint serves this version.", action="Serve it", href=href)]

    def _draw_tests(self, page: Any) -> Any:
        if not page.total:
            return empty_state("The tests have not run. Run them with the button above.")
        show(self._cases, _report(page[0]))
        return self._cases

    def _draw_history(self, page: Any) -> Any:
        self._history.update([Moment(c.logged_at, c.to_stage, _change(c), c.actor) for c in page])
        return self._history

    def _draw_lineage(self, lineage: Any) -> Any:
        self._graph.update(lineage)
        return self._graph


def _gate(gate: Any) -> Markup:
    when = Markup(" {}").format(fmt.moment(gate.tested_at)) if gate.tested_at else ""
    reason = Markup(' <span class="faint">{}</span>').format(gate.reason) if gate.reason else ""
    return Markup("<div>{}{}{}</div>").format(fmt.flag(gate.open, gate.label), when, reason)


def _figures(version: Any) -> list[Figure]:
    return [
        Figure("Accuracy", fmt.percent(version.accuracy, reason=UNMEASURED), hover="On held-out pairs"),
        Figure("Latency", fmt.milliseconds(version.latency, reason=NO_TRAFFIC), hover="Median per request"),
        Figure("Errors", fmt.percent(version.error_rate, reason=NO_TRAFFIC), hover="Share of failed requests"),
    ]


def _facts(version: Any) -> list[tuple[str, Any]]:
    told = [(fmt.words(name), fmt.value(value)) for name, value in version.metrics.items() if not isinstance(value, (dict, list))]
    return [
        ("Mean confidence", fmt.percent(version.ai_confidence, reason=UNMEASURED)),
        ("Throughput", fmt.per_second(version.throughput, reason=NO_TRAFFIC)),
        ("Uptime", fmt.percentage(version.uptime, reason="No requests yet.")),
        ("Requests", fmt.integer(version.inference_count)),
        *told,
        ("Framework", version.framework),
        ("Size", fmt.text(version.size, reason=UNMEASURED)),
        ("Training job", fmt.short_id(version.job_id, href=f"./train?job={version.job_id}")),
        ("In production since", fmt.moment(version.deployed_at, reason="It was never in production.")),
        ("Version before", fmt.text(version.previous_version, reason="There was none.")),
        ("Notes", fmt.text(version.notes, reason="None.")),
        ("Content", fmt.short_id(version.content_hash)),
    ]


def _signature(version: Any) -> Markup:
    told = [(fmt.words(name), fmt.value(value)) for name, value in version.signature.items() if value]
    return Markup("<details><summary>Signature</summary>{}</details>").format(fmt.facts(told))


def _report(run: Any) -> Markup:
    words = run.passed or run.message or ""
    line = Markup('<div style="padding-bottom:8px"><b>{}</b> <span class="faint">{} {}</span></div>')
    head = line.format(words, fmt.moment(run.completed_at, reason="It still runs."), run.created_by)
    rows = Markup("").join(_case(case) for case in run.cases)
    table = Markup(
        "<table><tr><th>Case</th><th></th><th>Seen</th><th class=num>Measured</th><th class=num>Bound</th></tr>{}</table>"
    )
    return Markup("{}{}").format(head, table.format(rows))


def _case(case: TestCase) -> Markup:
    return Markup('<tr><td class="mono">{}</td><td>{}</td><td>{}</td><td class="num">{}</td><td class="num">{}</td></tr>').format(
        case.name,
        fmt.chip(case.outcome),
        case.message,
        fmt.number(case.observed, reason="This case measures nothing."),
        fmt.number(case.bound, reason="This case has no bound."),
    )


def _change(change: Any) -> Markup:
    forced = Markup(" <b>forced</b>") if change.forced else ""
    where = Markup(" at {}").format(change.endpoint) if change.endpoint else ""
    why = Markup(' <span class="faint">{}</span>').format(change.reason) if change.reason else ""
    return Markup("{}{}{}{}").format(fmt.words(change.action), where, forced, why)
