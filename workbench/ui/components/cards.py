"""Boxes with a title that group what belongs together."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui

from workbench.ui.components.markup import html, span
from workbench.ui.theme import CARD_SX, MIDDLE


def card(title: str, *parts: Any, aside: Any = None, name: str = "") -> pmui.Column:
    """Return a card: its title, something small beside it, and what it holds."""
    words = html(span(title, "title"), sizing_mode="stretch_width")
    head = words if aside is None else pmui.Row(words, aside, margin=0, sizing_mode="stretch_width", sx=MIDDLE)
    return pmui.Column(
        *([head] if title else []),
        *parts,
        sx={**CARD_SX, "bgcolor": "background.paper", "gap": 1.5, "minWidth": 0},
        margin=0,
        sizing_mode="stretch_width",
        css_classes=[f"card-{name}"] if name else [],
    )


def columns_of(*parts: Any, widths: str, narrow: str = "minmax(0, 1fr)") -> pmui.Column:
    """Return parts side by side with CSS grid widths; below each other on a narrow screen."""
    shape = {"display": "grid", "gap": 2, "alignItems": "start", "gridTemplateColumns": {"xs": narrow, "lg": widths}}
    return pmui.Column(*parts, margin=0, sizing_mode="stretch_width", sx=shape)


def stack(*parts: Any, gap: float = 2) -> pmui.Column:
    """Return parts below each other."""
    return pmui.Column(*parts, margin=0, sizing_mode="stretch_width", sx={"gap": gap, "minWidth": 0})


def leaf(*parts: Any) -> pmui.Column:
    """Return what one tab holds, at a distance from its title."""
    return pmui.Column(*parts, margin=0, sizing_mode="stretch_width", sx={"gap": 2, "pt": 2, "minWidth": 0})


def line(*parts: Any, gap: float = 1) -> pmui.Row:
    """Return parts on one line that wraps."""
    shape = {**MIDDLE, "gap": gap, "flexWrap": "wrap"}
    return pmui.Row(*parts, margin=0, sizing_mode="stretch_width", sx=shape)
