"""What a study found, as plots: the best over time, and every trial over all settings at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import panel as pn
from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper
from bokeh.plotting import figure

from workbench.ui import format as fmt
from workbench.ui.components.plot_style import Anchor, styled
from workbench.ui.theme import PLACEHOLDER, TRAIN_LINE, VALIDATION_LINE

TRIALS, BEST = "trials", "best"
# From the worst to the best.
SHADES = ("#c9d3df", "#b3c6de", "#94b2dc", "#6f99d8", "#4a80d3", "#2f6fd0")
TITLE = {"text_font_size": "12px", "text_color": PLACEHOLDER}


class HistoryPlot(pn.viewable.Viewer):
    """Draw the figure of each trial as it ended, and the best so far as a step line."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.sources = {name: ColumnDataSource({"x": [], "y": []}) for name in (TRIALS, BEST)}
        found = _frame("History", height=220, tools="pan,box_zoom,wheel_zoom,reset,save")
        found.step(
            "x", "y", source=self.sources[BEST], mode="after", line_width=2, color=VALIDATION_LINE, legend_label="best so far",
            name=BEST,
        )  # fmt: skip
        dots = found.scatter("x", "y", source=self.sources[TRIALS], size=7, color=TRAIN_LINE, legend_label="trial", name=TRIALS)
        found.add_tools(HoverTool(tooltips=[("ended as number", "@x"), ("value", "@y{0.0000}")], renderers=[dots]))
        found.xaxis.axis_label = "Trials ended"
        found.legend.location = "bottom_right"
        found.legend.border_line_alpha = 0
        found.legend.background_fill_alpha = 0.6
        found.legend.label_text_font_size = "12px"
        self._anchor = Anchor(found)
        self._pane = pn.pane.Bokeh(found, sizing_mode="stretch_width", margin=0)

    def update(self, series: Iterable[Any]) -> None:
        """Show the curves of a study's job: the figure, and `best_` before its name."""
        for curve in series:
            self._anchor.lift()
            name = BEST if curve.name.startswith(f"{BEST}_") else TRIALS
            self.sources[name].data = {"x": [p["step"] for p in curve.points], "y": [p["value"] for p in curve.points]}

    def __panel__(self) -> pn.viewable.Viewable:
        return self._pane


class CoordinatesPlot(pn.viewable.Viewer):
    """Draw every trial as a line across one axis per setting; the better, the darker."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.lines = ColumnDataSource({name: [] for name in ("xs", "ys", "trial", "value", "rank")})
        self.best = ColumnDataSource({"xs": [], "ys": []})
        self.axes = ColumnDataSource({"x": [], "top": [], "bottom": [], "name": [], "above": []})
        self.ticks = ColumnDataSource({"x": [], "y": [], "label": []})
        found = _frame("Settings of every trial", height=280, tools="save")
        found.segment("x", "bottom", "x", "top", source=self.axes, line_color=PLACEHOLDER)
        shades = LinearColorMapper(palette=SHADES, low=0, high=1)
        lines = found.multi_line(
            "xs", "ys", source=self.lines, line_color={"field": "rank", "transform": shades}, line_width=1.5, line_alpha=0.8,
            name="lines",
        )  # fmt: skip
        found.multi_line("xs", "ys", source=self.best, line_color=VALIDATION_LINE, line_width=3, name="best-line")
        found.text("x", "above", text="name", source=self.axes, text_align="center", text_baseline="bottom", **TITLE)
        found.text(
            "x", "y", text="label", source=self.ticks, x_offset=6, text_baseline="middle", text_font_size="11px",
            text_color=PLACEHOLDER,
        )  # fmt: skip
        found.add_tools(HoverTool(tooltips=[("trial", "@trial"), ("value", "@value{0.0000}")], renderers=[lines]))
        found.axis.visible = False
        found.grid.visible = False
        found.y_range.update(start=-0.08, end=1.2)
        found.x_range.update(range_padding=0.3)
        self._anchor = Anchor(found)
        self._pane = pn.pane.Bokeh(found, sizing_mode="stretch_width", margin=0)

    def update(self, found: Any) -> None:
        """Show other coordinates."""
        self._anchor.lift()
        places = list(range(len(found.axes)))
        self.axes.data = {
            "x": places,
            "top": [1 for _ in places],
            "bottom": [0 for _ in places],
            "name": [fmt.words(axis.name) for axis in found.axes],
            "above": [1.06 for _ in places],
        }
        ticks = [(place, tick) for place, axis in enumerate(found.axes) for tick in axis.ticks]
        self.ticks.data = {
            "x": [place for place, _ in ticks],
            "y": [tick.position for _, tick in ticks],
            "label": [tick.label for _, tick in ticks],
        }
        self.lines.data = {**_crossing(found.lines, places), **{name: _each(found.lines, name) for name in SHOWN}}
        self.best.data = _crossing([line for line in found.lines if line.best], places)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._pane


SHOWN = ("trial", "value", "rank")


def _crossing(lines: Sequence[Any], places: list[int]) -> dict[str, list[Any]]:
    return {"xs": [places for _ in lines], "ys": [list(line.positions) for line in lines]}


def _each(lines: Sequence[Any], name: str) -> list[Any]:
    return [getattr(line, name) for line in lines]


def _frame(title: str, **options: Any) -> Any:
    return styled(figure(title=title, sizing_mode="stretch_width", min_border=8, **options))
