"""What stands above a view: its title where it has a page, how things stand, and its one primary action."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui.components.markup import html, show
from workbench.ui.theme import MIDDLE, PHONE

# Where it is narrow the sentence is read in full, and on a phone what is wide beside it takes a line of its own.
_SENTENCE_CSS = "@media (max-width: 900px) { .cut { white-space: normal; } }"
_LINE = {**MIDDLE, "gap": 2, "minHeight": "48px", PHONE: {"flexWrap": "wrap", "& .told": {"flex": "1 1 200px"}}}


def head(view: Any, *title: Any) -> pmui.Row:
    """Return the line above a view; its sentence follows the view."""
    sentence = html(css=_SENTENCE_CSS)

    def say(*events: Any) -> None:
        show(sentence, Markup('<div class="faint cut">{}</div>').format(view.sentence))

    say()
    view.param.watch(say, "sentence")
    primary = view.primary()
    return pmui.Row(
        pmui.Column(*title, sentence, margin=0, sizing_mode="stretch_width", css_classes=["told"]),
        *([primary] if primary is not None else []),
        sx=_LINE,
        margin=0,
        sizing_mode="stretch_width",
    )
