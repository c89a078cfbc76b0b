"""The look that all plots share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.models import BasicTicker, BasicTickFormatter, ColumnDataSource, CustomJSTickFormatter

from workbench.ui.theme import PLACEHOLDER

# Of steps in the hundred thousands more would run into each other where a plot is narrow.
FEW_TICKS = 4
# What is neither so small nor so large that nobody would count its digits.
_GROUPED = """
const size = Math.abs(tick)
if (size >= 1e12 || (size && size < 1e-6)) { return tick.toExponential(2) }
return (tick + 0).toLocaleString("en-US", {maximumFractionDigits: 10}).replaceAll(",", "\u202f")
"""


class Anchor:
    """Give an empty plot its first ranges.

    A plot that cannot set its ranges never counts as drawn, the page never as ready, and Panel then
    drops what a page that is not ready would show.
    """

    def __init__(self, *figures: Any, positive: bool = False) -> None:
        self._source = ColumnDataSource({"x": [0, 1], "y": [1, 10] if positive else [0, 1]})
        for found in figures:
            found.scatter("x", "y", source=self._source, size=1, alpha=0)

    def lift(self) -> None:
        """Let the data decide from now on."""
        self.hold(None, [])

    def hold(self, x: Any, ends: Sequence[float]) -> None:
        """Keep these values of the other axis in sight at `x`, beside the data."""
        wanted = {"x": [x for _ in ends], "y": list(ends)}
        if wanted != dict(self._source.data):
            self._source.data = wanted


def counted(found: Any) -> Any:
    """Write large numbers on the axes as everywhere, with thin spaces: never `100000`, `1.000e+5` or `100,000`."""
    for axis in (*found.xaxis, *found.yaxis):
        if isinstance(axis.formatter, BasicTickFormatter):
            axis.formatter = CustomJSTickFormatter(code=_GROUPED)
    return found


def styled(found: Any) -> Any:
    """Make a figure calm: no frame, faint grid, tools only under the pointer."""
    found.toolbar.logo = None
    found.toolbar.autohide = True
    found.outline_line_color = None
    found.grid.grid_line_alpha = 0.35
    found.grid.grid_line_color = PLACEHOLDER
    found.background_fill_alpha = 0
    found.border_fill_alpha = 0
    found.title.text_font_size = "12px"
    for axis in found.xaxis:
        if isinstance(axis.ticker, BasicTicker):
            axis.ticker.desired_num_ticks = FEW_TICKS
    return counted(found)
