"""Curves of a running job: only new points travel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure

from workbench.ui import format as fmt
from workbench.ui.components.plot_style import Anchor, styled
from workbench.ui.theme import CARD_SX, TRAIN_LINE, VALIDATION_LINE

COLORS = (TRAIN_LINE, VALIDATION_LINE, "#3d9a5b", "#a05cc4", "#c4476b", "#5c8a9e")
Point = Mapping[str, Any]
TAIL = 4


class Curve(pn.viewable.Viewer):
    """Draw several series of one measure in one plot, such as training and validation loss.

    `series` names them: metric name -> label. Points are dicts with step, value and epoch, thinned by
    the service so that extremes stay; `axis` is `step` or `epoch`.
    """

    def __init__(self, title: str, series: Mapping[str, str], *, axis: str = "step", height: int = 260, **params: Any) -> None:
        super().__init__(**params)
        self.axis = axis
        self._drawn: dict[str, list[tuple[Any, Any]]] = {name: [] for name in series}
        self._points: dict[str, Sequence[Point]] = {}
        self.sources = {name: ColumnDataSource({"x": [], "y": [], "step": [], "epoch": []}) for name in series}
        self.figure = _frame(title, fmt.words(axis), height)
        for (name, label), color in zip(series.items(), COLORS, strict=False):
            self._draw_line(name, label, color)
        self._anchor = Anchor(self.figure)
        self.figure.add_tools(HoverTool(tooltips=_TIPS, mode="vline", renderers=self.figure.renderers[:1]))
        self.figure.legend.location = "top_right"
        self.figure.legend.click_policy = "hide"
        self.figure.legend.border_line_alpha = 0
        self.figure.legend.label_text_font_size = "12px"
        plot = pn.pane.Bokeh(self.figure, sizing_mode="stretch_width", margin=0)
        self._layout = pmui.Column(
            plot, sx={**CARD_SX, "bgcolor": "background.paper", "p": 1}, margin=0, sizing_mode="stretch_width"
        )

    def _draw_line(self, name: str, label: str, color: str) -> None:
        source = self.sources[name]
        self.figure.line("x", "y", source=source, line_width=2, color=color, legend_label=label, name=name)
        self.figure.scatter("x", "y", source=source, size=4, color=color, legend_label=label, alpha=0.6)

    def update(self, points: Mapping[str, Sequence[Point]]) -> None:
        """Show these points; where they continue what is drawn, only the new ones are sent."""
        for name, found in points.items():
            if name in self.sources:
                self._anchor.lift()
                self._points[name] = found
                self._continue(name, found)

    def use_axis(self, axis: str) -> None:
        """Draw over another axis."""
        self.axis = axis
        self.figure.xaxis.axis_label = fmt.words(axis)
        for name, found in self._points.items():
            self._drawn[name] = []
            self.sources[name].data = self._columns(found)
            self._drawn[name] = _signature(found)

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
        nan = float("nan")
        return {
            "x": [p.get(self.axis) for p in points],
            "y": [nan if p["value"] is None else p["value"] for p in points],
            "step": [p["step"] for p in points],
            "epoch": [p.get("epoch") for p in points],
        }

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


_TIPS = [("", "$name"), ("step", "@step"), ("epoch", "@epoch"), ("value", "@y{0.0000}")]


def _signature(points: Sequence[Point]) -> list[tuple[Any, Any]]:
    return [(p["step"], p["value"]) for p in points]


def _frame(title: str, label: str, height: int) -> Any:
    found = figure(
        title=title, height=height, sizing_mode="stretch_width", tools="pan,box_zoom,wheel_zoom,reset,save", min_border=8
    )
    found.xaxis.axis_label = label
    return styled(found)
