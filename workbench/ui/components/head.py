"""What stands above a view: its title where it has a page, how things stand, and its one primary action."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui.components.markup import html, show
from workbench.ui.theme import MIDDLE


def head(view: Any, *title: Any) -> pmui.Row:
    """Return the line above a view; its sentence follows the view."""
    sentence = html()

    def say(*events: Any) -> None:
        show(sentence, Markup('<div class="faint cut">{}</div>').format(view.sentence))

    say()
    view.param.watch(say, "sentence")
    primary = view.primary()
    return pmui.Row(
        pmui.Column(*title, sentence, margin=0, sizing_mode="stretch_width"),
        *([primary] if primary is not None else []),
        sx={**MIDDLE, "gap": 2, "minHeight": "48px"},
        margin=0,
        sizing_mode="stretch_width",
    )
