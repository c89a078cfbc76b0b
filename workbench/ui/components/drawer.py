"""Details at the right edge; what is open is part of the address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from workbench.ui.components.states import skeleton


class DetailDrawer(pn.viewable.Viewer):
    """Open details for whatever id a view's parameter holds; an empty one closes it.

    `draw(id)` returns the detail view of the id; the one shown before is closed.
    """

    def __init__(
        self, view: param.Parameterized, draw: Callable[[str], Any], *, name: str = "selected", width: int = 560
    ) -> None:
        super().__init__()
        self._view, self._draw, self._name = view, draw, name
        self._shown: Any = None
        self._body = pmui.Column(skeleton(240), margin=0, sizing_mode="stretch_width", sx={"px": 3, "pb": 3, "gap": 2})
        self._close = pmui.IconButton(icon="close", margin=0, description="Close", css_classes=["close-drawer"])
        self._close.on_click(lambda event: self._clear())
        line = {"justifyContent": "flex-end", "px": 1, "pt": 1}
        bar = pmui.Row(self._close, margin=0, sx=line, sizing_mode="stretch_width")
        self.drawer = pmui.Drawer(bar, self._body, anchor="right", size=width, open=False, sx={"maxWidth": "100vw"})
        self.drawer.param.watch(self._toggled, "open")
        view.param.watch(lambda event: self._follow(), name)
        self._follow()

    def _follow(self) -> None:
        chosen = getattr(self._view, self._name)
        if self._shown is not None:
            self._shown.close()
            self._shown = None
        if chosen:
            self._shown = self._draw(chosen)
            self._body.objects = [self._shown]
        self.drawer.open = bool(chosen)

    def _toggled(self, event: Any) -> None:
        if not event.new:
            self._clear()

    def _clear(self) -> None:
        setattr(self._view, self._name, "")

    def __panel__(self) -> pn.viewable.Viewable:
        return self.drawer
