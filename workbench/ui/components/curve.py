"""Curves of a running job: only new points travel, and a zoom asks for the range anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple

import panel as pn
import panel_material_ui as pmui
from bokeh.events import RangesUpdate, Reset
from bokeh.models import ColumnDataSource, CrosshairTool, HoverTool
from bokeh.plotting import figure
from markupsafe import Markup

from workbench.domain.train import scale_of
from workbench.ui import format as fmt
from workbench.ui.components.markup import html, show
from workbench.ui.components.plot_style import Anchor, styled
from workbench.ui.theme import CARD_SX, ERROR, LINES

Point = Mapping[str, Any]
Zoomed = Callable[[int | None, int | None], None]
TAIL = 6
DOT = 4
FEW = 80  # of more points only the line is drawn
AXES = ("step", "epoch", "time")
AT = {"step": "step", "epoch": "epoch", "time": "at"}
COLUMNS = ("x", "y", "step", "epoch")


class Counted(NamedTuple):
    """How many of a curve's points are drawn, and how many are no numbers."""

    shown: int
    total: int
    not_finite: int = 0


class Curve(pn.viewable.Viewer):
    """Draw several series of one measure in one plot, such as training and validation loss.

    `series` names them: metric name -> label. Points are dicts with step, value, epoch and at, thinned by
    the service so that extremes stay. `zoomed(start, stop)` hears which steps are in sight, None for all.
    Plots that share `x_range` and `cross` move and point together.
    """

    def __init__(
        self,
        title: str,
        series: Mapping[str, str],
        *,
        axis: str = "step",
        log: bool = False,
        height: int = 260,
        x_range: Any = None,
        cross: Any = None,
        zoomed: Zoomed | None = None,
    ) -> None:
        super().__init__()
        self.axis = axis
        self._labels = dict(series)
        self._log = log
        self._zoomed = zoomed
        self._drawn: dict[str, list[tuple[Any, Any]]] = {name: [] for name in series}
        self._points: dict[str, Sequence[Point]] = {}
        self._counts: dict[str, Counted] = {}
        self.sources = {name: ColumnDataSource({column: [] for column in COLUMNS}) for name in series}
        self._dots: dict[str, Any] = {}
        self.odd = ColumnDataSource({"x": [], "word": [], "step": []})
        self.figure = _frame(title, axis, log, height, x_range)
        for (name, label), color in zip(series.items(), LINES, strict=False):
            self._draw_line(name, label, color)
        self.figure.vspan(x="x", source=self.odd, line_color=ERROR.ink, line_dash="dotted", line_width=1.5, name="odd")
        self._anchor = Anchor(self.figure, positive=log)
        self._furnish(cross)
        self._note = html("", css=".note { padding: 0 8px 4px 56px; }")
        plot = pn.pane.Bokeh(self.figure, sizing_mode="stretch_width", margin=0)
        self._layout = pmui.Column(
            plot, self._note, sx={**CARD_SX, "bgcolor": "background.paper", "p": 1}, margin=0, sizing_mode="stretch_width"
        )

    def _furnish(self, cross: Any) -> None:
        """Add what follows the pointer, and hear what is in sight."""
        lines = [renderer for renderer in self.figure.renderers if renderer.name in self.sources]
        sides = cycle(("left", "right"))
        for line in lines:
            tips = [("", self._labels[line.name]), *_TIPS]
            # One on each side of the pointer: on the same side they would cover each other.
            self.figure.add_tools(HoverTool(tooltips=tips, mode="vline", renderers=[line], visible=False, attachment=next(sides)))
        self.figure.add_tools(HoverTool(tooltips=_ODD_TIPS, renderers=[r for r in self.figure.renderers if r.name == "odd"]))
        if cross is not None:
            self.figure.add_tools(CrosshairTool(overlay=cross))
        legend = self.figure.legend
        legend.visible = len(self._labels) > 1
        legend.click_policy = "hide"
        legend.border_line_alpha = 0
        legend.background_fill_alpha = 0.7
        legend.label_text_font_size = "12px"
        if self._zoomed is not None:
            self.figure.on_event(RangesUpdate, self._moved)
            self.figure.on_event(Reset, lambda event: self._zoomed(None, None))

    def _draw_line(self, name: str, label: str, color: str) -> None:
        source = self.sources[name]
        self.figure.line("x", "y", source=source, line_width=1.5, color=color, legend_label=label, name=name)
        dots = self.figure.scatter("x", "y", source=source, size=DOT, color=color, alpha=0.6)
        self._dots[name] = dots

    def update(self, points: Mapping[str, Sequence[Point]], counts: Mapping[str, Counted] | None = None) -> None:
        """Show these points; where they continue what is drawn, only the new ones are sent."""
        for name, found in points.items():
            if name in self.sources:
                self._points[name] = found
                self._continue(name, found)
                self._widen(found)
                self._dots[name].glyph.size = DOT if not found[FEW:] else 0
        self._counts |= {name: told for name, told in (counts or {}).items() if name in self.sources}
        self._hold()
        self._mark()
        show(self._note, _told([(self._labels[name], told) for name, told in self._counts.items()], self._log))

    def _widen(self, points: Sequence[Point]) -> None:
        """Keep a value that never changes readable: without this the axis spans two around it, however small it is."""
        if not self._log:
            self.figure.y_range.default_span = fmt.span([p["value"] for p in points[-1:]])

    def _hold(self) -> None:
        """Show a share that never changes on the whole scale, not on one that reaches beyond it."""
        if not self._points:
            return
        drawn = [point for points in self._points.values() for point in points]
        ends = [] if self._log else fmt.still((point["value"] for point in drawn), scale_of(next(iter(self._labels))))
        self._anchor.hold(next((self._x(point) for point in drawn), None), ends)

    def _mark(self) -> None:
        """Mark where a value is no number."""
        found = [point for points in self._points.values() for point in points if point.get("word")]
        marks = {"x": [self._x(p) for p in found], "word": [p["word"] for p in found], "step": [p["step"] for p in found]}
        if marks != dict(self.odd.data):
            self.odd.data = marks

    def _continue(self, name: str, points: Sequence[Point]) -> None:
        old, new = self._drawn[name], _signature(points)
        self._drawn[name] = new
        if old == new:
            return
        kept = old[:-TAIL]
        if kept and new[: len(kept)] == kept and len(new) >= len(old):
            # The last bucket of a thinned curve changes while it fills: its points are mended, the rest is added.
            changed = slice(len(kept), len(old))
            self.sources[name].patch({column: [(changed, values)] for column, values in self._columns(points[changed]).items()})
            self.sources[name].stream(self._columns(points[len(old) :]))
        else:
            self.sources[name].data = self._columns(points)

    def _columns(self, points: Sequence[Point]) -> dict[str, list[Any]]:
        return {
            "x": [self._x(p) for p in points],
            "y": [fmt.plotted(p["value"]) for p in points],
            "step": [p["step"] for p in points],
            "epoch": [p.get("epoch") for p in points],
        }

    def _x(self, point: Point) -> Any:
        found = point.get(AT[self.axis])
        return fmt.instant(found) if self.axis == "time" else fmt.plotted(found)

    def _moved(self, event: Any) -> None:
        """Say which steps are in sight."""
        if event.x0 is None or event.x1 is None:
            return
        if self.axis == "step":
            self._zoomed(math.floor(event.x0), math.ceil(event.x1))
            return
        low, high = (fmt.instant(event.x0), fmt.instant(event.x1)) if self.axis == "time" else (event.x0, event.x1)
        steps = sorted(p["step"] for points in self._points.values() for p in points if low <= self._x(p) <= high)
        if steps:
            self._zoomed(steps[0], steps[-1])

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


_TIPS = [("step", "@step"), ("epoch", "@epoch"), ("value", "@y{0.0000}")]
_ODD_TIPS = [("", "@word"), ("step", "@step")]


def _signature(points: Sequence[Point]) -> list[tuple[Any, Any]]:
    return [(p["step"], p["value"]) for p in points]


def _told(counts: Sequence[tuple[str, Counted]], log: bool) -> Markup:
    """Return what the plot leaves out."""
    thinned = [(label, told) for label, told in counts if told.shown != told.total]
    lines = [Markup("{}: {} points").format(label, fmt.of(told.shown, told.total)) for label, told in thinned]
    words = [Markup("Shows {}; lows and highs stay, zooming in shows more.").format(Markup(", ").join(lines))] if lines else []
    words += [
        Markup("{}: {} no number, marked by a dotted line.").format(label, fmt.plural(told.not_finite, "point is", "points are"))
        for label, told in counts
        if told.not_finite
    ]
    words += [Markup(text) for text in ("A log scale cannot show zero and below.",) if log]
    return Markup('<div class="note faint small">{}</div>').format(Markup(" ").join(words)) if words else Markup("")


def _frame(title: str, axis: str, log: bool, height: int, x_range: Any) -> Any:
    ranges = {} if x_range is None else {"x_range": x_range}
    found = figure(
        title=title, height=height, sizing_mode="stretch_width", tools="xpan,xbox_zoom,xwheel_zoom,reset,save", min_border=8,
        active_scroll=None, x_axis_type="datetime" if axis == "time" else "linear", y_axis_type="log" if log else "linear",
        **ranges,
    )  # fmt: skip
    found.xaxis.axis_label = "Time, UTC" if axis == "time" else fmt.words(axis)
    return styled(found)
