"""The look that all plots share."""

from __future__ import annotations

from typing import Any

from workbench.ui.theme import PLACEHOLDER


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
    return found
