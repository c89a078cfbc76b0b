"""One metric of many jobs in one plot; one line stands out at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure
from markupsafe import Markup

from workbench.domain.train import scale_of
from workbench.ui import format as fmt
from workbench.ui.components.curve import AT
from workbench.ui.components.markup import html, show
from workbench.ui.components.plot_style import Anchor, styled
from workbench.ui.theme import CARD_SX


class LineBundle(pn.viewable.Viewer):
    """Draw a line per job; `labels` names the jobs, `colors` tells them apart in every plot alike."""

    def __init__(self, title: str, *, axis: str = "step", log: bool = False, height: int = 280) -> None:
        super().__init__()
        self.axis, self._ids = axis, []
        self._scale = None if log else scale_of(title)
        self.source = ColumnDataSource({"xs": [], "ys": [], "label": [], "color": []})
        self.figure = styled(
            figure(
                title=title, height=height, sizing_mode="stretch_width", tools="pan,box_zoom,xwheel_zoom,reset,save",
                min_border=8, active_scroll=None, x_axis_type="datetime" if axis == "time" else "linear",
                y_axis_type="log" if log else "linear",
            )
        )  # fmt: skip
        self.figure.xaxis.axis_label = "Time, UTC" if axis == "time" else fmt.words(axis)
        lines = self.figure.multi_line(
            "xs", "ys", source=self.source, line_color="color", line_width=1.5, line_alpha=0.75, hover_line_color="color",
            hover_line_width=3.5, hover_line_alpha=1, nonselection_line_alpha=0.1, selection_line_width=3.5,
            selection_line_alpha=1, name="lines",
        )  # fmt: skip
        self._anchor = Anchor(self.figure, positive=log)
        self.figure.add_tools(
            HoverTool(tooltips=[("", "@label"), ("value", "$y{0.0000}")], renderers=[lines], line_policy="nearest")
        )
        self._note = html("", css=".note { padding: 0 8px 4px 56px; }")
        plot = pn.pane.Bokeh(self.figure, sizing_mode="stretch_width", margin=0)
        self._layout = pmui.Column(
            plot, self._note, sx={**CARD_SX, "bgcolor": "background.paper", "p": 1}, margin=0, sizing_mode="stretch_width"
        )

    def update(
        self,
        curves: Mapping[str, Sequence[Any]],
        labels: Mapping[str, str],
        colors: Mapping[str, str],
        totals: Mapping[str, Mapping[str, int]],
    ) -> None:
        """Show these curves, points by job id."""
        drawn = [point for points in curves.values() for point in points]
        ends = fmt.still((point["value"] for point in drawn), self._scale)
        self._anchor.hold(next((self._x(point) for point in drawn), None), ends)
        self._ids = list(curves)
        self.source.data = {
            "xs": [[self._x(p) for p in curves[id]] for id in self._ids],
            "ys": [[fmt.plotted(p["value"]) for p in curves[id]] for id in self._ids],
            "label": [labels[id] for id in self._ids],
            "color": [colors[id] for id in self._ids],
        }
        show(self._note, _told(totals))

    def light(self, id: str) -> None:
        """Let the line of a job stand out; an empty id lets all lines be alike."""
        self.source.selected.indices = [self._ids.index(id)] if id in self._ids else []

    def _x(self, point: Mapping[str, Any]) -> Any:
        found = point.get(AT[self.axis])
        return fmt.instant(found) if self.axis == "time" else fmt.plotted(found)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _told(totals: Mapping[str, Mapping[str, int]]) -> Markup:
    """Return what the plot leaves out."""
    words = []
    if any(told["shown"] != told["total"] for told in totals.values()):
        words.append("Not every point is drawn; lows and highs stay. Open a job to zoom into its curve.")
    if any(told["not_finite"] for told in totals.values()):
        words.append("Gaps are values that are no numbers.")
    return Markup('<div class="note faint small">{}</div>').format(" ".join(words)) if words else Markup("")
