"""Requests, latency and errors of an endpoint over one shared time axis, with the deployments in it."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, HoverTool, LabelSet
from bokeh.plotting import figure

from workbench.ui import format as fmt
from workbench.ui.components.plot_style import Anchor, styled
from workbench.ui.theme import STEP, TRAIN_LINE, VALIDATION_LINE

FAILED = "#c4476b"
HEIGHT = 15 * STEP
LABEL_HEIGHT = 8 * STEP
NAMES = ("at", "end", "requests", "errors", "p50", "p95", "error_rate")
TOLD = ("p50", "p95")


class TimeSeriesPlot(pn.viewable.Viewer):
    """Draw the slices of a time series answer; hovering and zooming move all plots together."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.buckets = ColumnDataSource({name: [] for name in (*NAMES, *map(_told, TOLD))})
        self.deployments = ColumnDataSource({"at": [], "version": [], "words": [], "y": []})
        self._requests = self._frame("Requests")
        self._latency = self._frame("Latency, ms", x_range=self._requests.x_range)
        self._errors = self._frame("Error rate", x_range=self._requests.x_range)
        self._draw()
        self._anchor = Anchor(self._requests, self._latency, self._errors)
        # Below the last plot only, and there once there are times: an empty axis of time begins in 1970.
        for each in (self._requests, self._latency, self._errors):
            each.xaxis.visible = False
        # One pane per plot: a Bokeh layout that appears later is measured before its plots are made.
        plots = (self._requests, self._latency, self._errors)
        panes = [pn.pane.Bokeh(plot, sizing_mode="stretch_width", margin=0) for plot in plots]
        self._layout = pmui.Column(*panes, margin=0, sizing_mode="stretch_width")

    def _frame(self, title: str, **options: Any) -> Any:
        found = figure(
            x_axis_type="datetime", height=HEIGHT, sizing_mode="stretch_width", tools="xpan,xbox_zoom,xwheel_zoom,reset",
            min_border_left=56, min_border_right=STEP, title=title, **options,
        )  # fmt: skip
        found.y_range.start = 0
        return styled(found)

    def _draw(self) -> None:
        bars = {"left": "at", "right": "end", "source": self.buckets, "bottom": 0, "line_width": 0}
        self._requests.quad(top="requests", fill_color=TRAIN_LINE, fill_alpha=0.75, name="requests", **bars)
        self._requests.quad(top="errors", fill_color=FAILED, name="errors", **bars)
        for name, color in (("p95", VALIDATION_LINE), ("p50", TRAIN_LINE)):
            self._latency.line("at", name, source=self.buckets, color=color, line_width=2, legend_label=name)
            self._latency.scatter("at", name, source=self.buckets, color=color, size=5, name=name)
        self._errors.quad(top="error_rate", fill_color=FAILED, fill_alpha=0.75, name="error_rate", **bars)
        self._errors.yaxis.formatter = CustomJSTickFormatter(code="return (tick * 100).toFixed(1) + ' %'")
        self._errors.yaxis.ticker.desired_num_ticks = 3
        self._latency.legend.orientation = "horizontal"
        self._latency.legend.location = "top_left"
        self._latency.legend.label_text_font_size = "12px"
        self._latency.legend.border_line_alpha = 0
        self._latency.legend.background_fill_alpha = 0
        for each in (self._requests, self._latency, self._errors):
            each.vspan(x="at", source=self.deployments, line_color="#3d9a5b", line_dash="dashed", line_width=1.5)
            tool = HoverTool(tooltips=_TIPS, formatters={"@at": "datetime"}, mode="vline", renderers=each.renderers[:1])
            each.add_tools(tool)
        labels = LabelSet(
            x="at",
            y="y",
            text="version",
            source=self.deployments,
            x_offset=4,
            y_offset=2,
            text_font_size="11px",
            text_color="#3d9a5b",
            y_units="screen",
        )
        self._requests.add_layout(labels)

    def update(self, series: Any) -> None:
        """Show another answer."""
        rows = series.buckets
        self._anchor.lift()
        self._errors.xaxis.visible = True
        self.buckets.data = {
            "at": [b.bucket_at for b in rows],
            "end": [b.until for b in rows],
            **{name: [fmt.plotted(getattr(b, name)) for b in rows] for name in NAMES[2:]},
            **{_told(name): [str(fmt.milliseconds(getattr(b, name))) for b in rows] for name in TOLD},
        }
        found = series.deployments
        self.deployments.data = {
            "at": [d.logged_at for d in found],
            "version": [d.model_version for d in found],
            "words": [f"{d.action} {d.model_version} {d.actor}" for d in found],
            "y": [LABEL_HEIGHT for _ in found],
        }

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


_TIPS = [
    ("", "@at{%d %b %H:%M} UTC"),
    ("requests", "@requests"),
    ("errors", "@errors"),
    ("p50", "@p50_told{safe}"),
    ("p95", "@p95_told{safe}"),
]


def _told(name: str) -> str:
    """Return the column that has a figure in words: a slice without requests has none."""
    return f"{name}_told"
