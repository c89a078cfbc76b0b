"""Ask a query once there is something to ask about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.ui.view import Part, View


class Asked(pn.viewable.Viewer):
    """Follow a query from the first `ask` on; shows nothing but its errors.

    `refuse(error)` returns True for an error that it has shown in a better place.
    """

    def __init__(
        self,
        view: View,
        call: Callable[..., Any],
        take: Callable[[Any], None],
        *,
        refuse: Callable[[BaseException], bool] | None = None,
        about: str | None = None,
    ) -> None:
        super().__init__()
        self._about = about
        self._refuse = refuse
        self._view, self._call, self._take = view, call, take
        self._part: Part | None = None
        self._box = pmui.Column(margin=0, sizing_mode="stretch_width")

    def ask(self, **arguments: Any) -> None:
        """Ask with these arguments and no others."""
        if self._part is not None:
            self._part.replace(**arguments)
            return
        self._part = self._view.watch(self._call, self._take, about=self._about, **arguments)
        self._part.refuse = self._refuse
        self._box.objects = [self._part]
        self._part.start()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._box
