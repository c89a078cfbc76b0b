"""Models: every version with what was measured, its gate and its stage."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.models import ModelVersion
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.cards import card, columns_of, line, stack
from workbench.ui.components.chips import FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import Column, column, columns
from workbench.ui.components.drawer import DetailDrawer
from workbench.ui.components.figures import Figure, figure_row
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.components.tie import tie
from workbench.ui.model import ModelView
from workbench.ui.view import View

STAGES = ModelVersion.param["status"].objects
LAYOUTS = ("cards", "table")
UNMEASURED = "Not measured yet."


class ModelsView(View):
    """Show the registry as cards or as a table; a version opens at the right."""

    url = ("model", "layout", "status", "search", "page")

    model = param.String("", doc="Id of the version that is open.")
    layout = param.Selector(default="cards", objects=list(LAYOUTS), doc="How the versions are shown.")
    status = param.String("", doc="Only versions of this stage.")
    search = param.String("", doc="Part of the name or the version.")
    page = param.Integer(1, bounds=(1, None), doc="Page of the table.")

    def build(self) -> list[Any]:
        """Return summary, filters, versions and the drawer."""
        self._summary, self._area = stack(), stack()
        self._cards: dict[str, ModelCard] = {}
        self._grid = pmui.Column(margin=0, sizing_mode="stretch_width", sx=GRID)
        chips = bind_chips(FilterChips(groups=[chip_group("status", "Stage", STAGES)], sizing_mode=None), self, ["status"])
        ways = pmui.RadioButtonGroup(options={fmt.words(w): w for w in LAYOUTS}, value=self.layout, size="small", margin=0)
        tie(ways, self, value="layout")
        table = DataTable(
            self, self.ws.models.list, model_columns(), on_open=self._open, empty=_nothing, page=self.page, page_size=25,
            filters=self._narrowed(),
        )  # fmt: skip
        cards = self.live(self.ws.models.list, self._draw_cards, page_size=60, height=240, **self._narrowed())
        tie(table, self, "page")
        self.param.watch(lambda *events: self._narrow(table, cards), ["status", "search"])
        self._ways = {"cards": cards, "table": table}
        self.param.watch(lambda *events: self._arrange(), "layout")
        self._arrange()
        summary = self.live(self.ws.models.summary, self._draw_summary, height=96)
        drawer = DetailDrawer(self, lambda id: ModelView(self.ws, model_id=id), name="model", width=720)
        return [summary, line(search_field(self, label="Search name or version"), chips, ways, gap=2), self._area, drawer]

    def _arrange(self) -> None:
        self._area.objects = [self._ways[self.layout]]

    def _open(self, model_id: str) -> None:
        self.model = model_id

    def _narrowed(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("status", "search") if getattr(self, name)}

    def _narrow(self, table: DataTable, cards: Any) -> None:
        table.filters = self._narrowed()
        cards.replace(page_size=60, **self._narrowed())

    def _draw_summary(self, found: Any) -> Any:
        self.sentence = Markup("{} in production, {} in all").format(
            fmt.plural(found.deployments, "version"), fmt.integer(found.total)
        )
        return figure_row(
            [
                Figure("Versions", fmt.integer(found.total)),
                Figure("In production", fmt.integer(found.deployments)),
                Figure(
                    "Mean accuracy",
                    fmt.percent(found.mean_accuracy, reason=UNMEASURED),
                    hover="Held-out pairs, archived left out",
                ),
                Figure("Mean latency", fmt.milliseconds(found.mean_latency, reason=UNMEASURED), hover="Median per request"),
            ]
        )

    def _draw_cards(self, page: Any) -> Any:
        if not page.total:
            return _nothing() if not self._narrowed() else html(Markup('<div class="faint">No version fits the filters.</div>'))
        shown = {}
        for version in page:
            shown[version.id] = self._cards.get(version.id) or ModelCard(self, version)
            shown[version.id].update(version)
        self._cards = shown
        boxes = [each.box for each in shown.values()]
        if self._grid.objects != boxes:
            self._grid.objects = boxes
        return self._grid


GRID = {"display": "grid", "gridTemplateColumns": "repeat(auto-fill, minmax(300px, 1fr))", "gap": 2}


class ModelCard:
    """One version as a card, updated in place."""

    def __init__(self, view: ModelsView, version: Any) -> None:
        self._view = view
        self._head, self._figures, self._gate = html(""), html("", css=_FIGURES), html("")
        self._actions = ActionBar(toasts=view.toasts, size="small")
        details = pmui.Button(label="Details", variant="text", size="small", margin=0, css_classes=["open-model"])
        details.on_click(lambda event: view._open(version.id))
        below = columns_of(self._actions, details, widths="minmax(0, 1fr) auto", narrow="minmax(0, 1fr) auto")
        self.box = card("", self._head, self._figures, self._gate, below, name=f"model-{version.id}")

    def update(self, version: Any) -> None:
        """Show the version as it is now."""
        show(self._head, _head(version))
        show(self._figures, three_figures(version))
        show(self._gate, gate_line(version))
        self._actions.update([a for a in version.actions if a.enabled], run_on(self._view.ws, version))


_FIGURES = """
.three { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; }
.three .figure { font-size: 20px; }
"""


def _head(version: Any) -> Markup:
    return Markup(
        '<div style="display:flex;gap:8px;align-items:center"><b class="cut" style="flex:1">{}'
        ' <span class="faint" style="font-weight:400">{}</span></b>{}</div><div class="small faint cut">{} · {}</div>'
    ).format(version.name, version.version, fmt.chip(version.status), version.framework, fmt.moment(version.created_at))


def three_figures(version: Any) -> Markup:
    """Return the three measured figures of a version."""
    told = (
        ("Accuracy", fmt.percent(version.accuracy, reason=UNMEASURED)),
        ("Latency", fmt.milliseconds(version.latency, reason="No request and no test run yet.")),
        ("Errors", fmt.percent(version.error_rate, reason="No request and no test run yet.")),
    )
    cells = Markup("").join(
        Markup('<div><div class="small faint">{}</div><div class="figure">{}</div></div>').format(*t) for t in told
    )
    return Markup('<div class="three">{}</div>').format(cells)


def gate_line(version: Any) -> Markup:
    """Return the state of the gate in one line."""
    gate = version.gate
    when = Markup(" {}").format(fmt.moment(gate.tested_at)) if gate.tested_at else ""
    return Markup('<div class="small">{}{}</div>').format(gate_chip(gate), when)


def gate_chip(gate: Any) -> Markup:
    """Return the result of the last test run, colored by whether the gate is open."""
    return fmt.flag(gate.open, gate.label, hover=gate.reason)


def model_columns() -> tuple[Column, ...]:
    """Return the columns of a list of versions."""
    return (
        column(ModelVersion, "name", title="Model", show=lambda name: Markup("<b>{}</b>").format(name)),
        column(ModelVersion, "version"),
        column(ModelVersion, "status", title="Stage", show=fmt.chip),
        column(ModelVersion, "accuracy", show=lambda value: fmt.percent(value, reason=UNMEASURED)),
        Column("latency", "Latency", lambda value: fmt.milliseconds(value, reason=UNMEASURED), align="right"),
        Column("error_rate", "Errors", lambda value: fmt.percent(value, reason=UNMEASURED), align="right"),
        Column("inference_count", "Requests", fmt.integer, align="right"),
        Column("gate", "Gate", _gate_cell),
        *columns(ModelVersion, "deployed_at", titles={"deployed_at": "In production since"}),
    )


def _gate_cell(gate: Any) -> Markup:
    told = gate if isinstance(gate, dict) else gate.values()
    return fmt.flag(told["open"], told["label"], hover=told["reason"])


def _nothing() -> Any:
    return empty_state(
        "No model version yet. A training job that succeeds registers one.", action="Train one", href="./train?dialog=create"
    )
