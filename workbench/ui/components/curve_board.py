"""All that one job measures: a plot per measure, with a choice of metrics, axis and scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.models import DataRange1d, Span
from markupsafe import Markup

from workbench.domain.jobs import MetricName
from workbench.errors import NotFound
from workbench.ui import format as fmt
from workbench.ui.components.asked import Asked
from workbench.ui.components.cards import line, stack
from workbench.ui.components.columns import Column, columns
from workbench.ui.components.curve import AXES, Counted, Curve
from workbench.ui.components.later import Later
from workbench.ui.components.markup import html, show
from workbench.ui.components.table import DataTable
from workbench.ui.theme import PLACEHOLDER
from workbench.ui.view import View

NOTHING = Markup('<div class="faint">Nothing was measured yet.</div>')
FIRST = 6
POINTS = 1200
_SIDES = {"train": "training", "val": "validation"}


class CurveBoard(pn.viewable.Viewer):
    """Draw the metrics of a job, live: the first few, or the chosen ones of however many there are."""

    def __init__(self, view: View, job_id: str, *, height: int = 240) -> None:
        super().__init__()
        self._job_id, self._height = job_id, height
        self._chosen: list[str] = []
        self._first: list[str] = []
        self._steps: dict[str, int] = {}
        self._curves: dict[str, Curve] = {}
        self._shape: Any = None
        self._look: Any = None
        self._found: Any = None
        self._axis = pmui.RadioButtonGroup(
            options={fmt.words(a): a for a in AXES}, value="step", size="small", margin=0, css_classes=["axis"]
        )
        self._log = pmui.Checkbox(label="Log scale", value=False, size="small", margin=0, css_classes=["log-scale"])
        self._more = pmui.Button(
            label="Choose metrics", icon="tune", variant="text", size="small", margin=0, css_classes=["choose-metrics"]
        )
        self._count = html("", sizing_mode=None)
        hidden = stack()
        hidden.visible = False
        picker = Later(view, lambda: self._picker(view), place=hidden)
        self._more.on_click(lambda event: picker.turn())
        self._plots, self._nothing = stack(), html("")
        self._bar = line(self._axis, self._log, self._more, self._count, gap=2)
        self._bar.visible = False
        self._asked = Asked(view, view.ws.jobs.metrics, self._take, about=job_id)
        names = view.watch(view.ws.jobs.metric_names, self._learn, about=job_id, job_id=job_id, page_size=FIRST)
        names.refuse = lambda error: isinstance(error, NotFound)  # whoever shows the job says that there is none
        for widget in (self._axis, self._log):
            widget.param.watch(lambda event: self._redraw(), "value")
        self._layout = stack(self._bar, picker, self._nothing, self._plots, self._asked)

    def _picker(self, view: View) -> Any:
        search = pmui.TextInput(placeholder="Search metrics", label="", size="small", width=240, margin=0, css_classes=["search"])
        table = self._names = DataTable(
            view, view.ws.jobs.metric_names, metric_columns(), key="name", selectable=True, page_size=10, about=self._job_id,
            filters={"job_id": self._job_id},
        )  # fmt: skip
        search.param.watch(lambda event: table.param.update(filters={"job_id": self._job_id, "search": event.new}), "value")
        table.param.watch(lambda event: self._choose(event.new), "selected")
        return stack(search, table)

    def _learn(self, page: Any) -> None:
        """Take the first names as the choice until somebody chooses."""
        before, self._first = self._first, [row["name"] for row in page.rows]
        self._bar.visible = bool(page.total)
        show(self._nothing, "" if page.total else NOTHING)
        show(self._count, Markup('<span class="faint small">{}</span>').format(fmt.plural(page.total, "metric")))
        if not self._chosen and self._first != before:
            self._ask()

    def _choose(self, names: list[str]) -> None:
        self._chosen, self._shape = names, None
        self._ask()

    def _ask(self) -> None:
        names = self._chosen or self._first
        if names:
            self._asked.ask(job_id=self._job_id, names=names, max_points=POINTS, **self._steps)

    def _zoom(self, start: int | None, stop: int | None) -> None:
        """Ask for the steps in sight, with as many points as the whole had."""
        self._steps = {} if start is None else {"start": start, "stop": stop}
        self._ask()

    def _take(self, found: Any) -> None:
        self._found = found
        names = measures(series.name for series in found.metrics)
        shape = (self._axis.value, self._log.value, names)
        # A range in sight may hold no point of a metric: its plot stays.
        fresh = shape[:2] != (self._shape or ())[:2] or not _within(names, self._shape[2])
        if fresh:
            self._shape = shape
            self._build(names, shape[:2])
        points = {series.name: series.points for series in found.metrics}
        counts = {series.name: Counted(series.shown, series.total, series.not_finite) for series in found.metrics}
        for curve in self._curves.values():
            mine = {name: points.get(name, []) for name in curve.sources}
            curve.update(mine, {name: told for name, told in counts.items() if name in mine})
        if fresh:  # a plot that is on the page already hears of its points before the page knows the plot
            self._plots.objects = list(self._curves.values())

    def _build(self, names: Mapping[str, Mapping[str, str]], look: tuple[str, bool]) -> None:
        """Make the plots that are new; the others stay as they are, for a plot taken away while it draws complains."""
        if look != self._look:
            self._look, self._curves = look, {}
            self._shared = DataRange1d()
            self._cross = Span(dimension="height", line_color=PLACEHOLDER, line_dash="dashed", line_width=1)
        self._curves = {measure: self._curve(measure, labels) for measure, labels in names.items()}

    def _curve(self, measure: str, labels: Mapping[str, str]) -> Curve:
        known = self._curves.get(measure)
        if known is not None and set(labels) <= set(known.sources):
            return known
        axis, log = self._look
        return Curve(
            fmt.words(measure), labels, axis=axis, log=log, height=self._height, x_range=self._shared, cross=self._cross,
            zoomed=self._zoom,
        )  # fmt: skip

    def _redraw(self) -> None:
        self._shape, self._steps = None, {}
        self._ask()
        if self._found is not None:
            self._take(self._found)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def measures(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return metric names by what they measure: `train_loss` and `val_loss` share the plot `loss`."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        side, _, rest = name.partition("_")
        if side in _SIDES and rest:
            # The other side has its line before it has a point: the plot need not be made anew.
            found.setdefault(rest, {}).update({f"{each}_{rest}": label for each, label in _SIDES.items()})
        else:
            found.setdefault(name, {})[name] = fmt.words(name).lower()
    return found


def _within(names: Mapping[str, Any], drawn: Mapping[str, Any]) -> bool:
    return all(set(labels) <= set(drawn.get(measure, ())) for measure, labels in names.items())


def metric_columns() -> tuple[Column, ...]:
    """Return the columns of a list of metrics."""
    return columns(
        MetricName, "name", "last", "lowest", "highest", "total", "not_finite",
        titles={"name": "Metric", "total": "Points", "not_finite": "No numbers"},
    )  # fmt: skip
