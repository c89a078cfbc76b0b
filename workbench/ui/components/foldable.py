"""What a phone shows only when it is asked for, while wider windows always do."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.ui.theme import PHONE

_WIDE = "@media (min-width: 601px)"
_GAP = {"gap": 1.5}


class Foldable(pn.viewable.Viewer):
    """Hold parts that a button opens and closes on a phone; elsewhere there is no button."""

    def __init__(self, *parts: Any, label: str) -> None:
        super().__init__()
        self.button = pmui.Button(
            label=label, icon="tune", variant="outlined", margin=0, sizing_mode="stretch_width", css_classes=["unfold"],
            sx={PHONE: {"minHeight": "44px"}},
        )  # fmt: skip
        self.button.on_click(self._turn)
        only = {_WIDE: {"display": "none"}}
        head = pmui.Row(self.button, margin=0, sizing_mode="stretch_width", sx=only)
        self.body = pmui.Column(*parts, margin=0, sizing_mode="stretch_width")
        self._open = True
        self._turn()
        self._layout = pmui.Column(head, self.body, margin=0, sizing_mode="stretch_width", sx={PHONE: _GAP})

    def _turn(self, *events: Any) -> None:
        self._open = not self._open
        self.body.sx = _GAP if self._open else {**_GAP, PHONE: {"display": "none"}}
        self.button.icon = "expand_less" if self._open else "tune"

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout
