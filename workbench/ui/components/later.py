"""What is built when it is first to be seen: what nobody looks at asks nothing and weighs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.ui.components.cards import leaf, stack
from workbench.ui.view import View


class Later(pn.viewable.Viewer):
    """Keep a place for what `make` returns, an empty box; `show` builds it there and starts what is live in it."""

    def __init__(self, view: View, make: Callable[[], Any], *, place: Any = None) -> None:
        super().__init__()
        self._view = view
        self._make: Callable[[], Any] | None = make
        self._box = stack() if place is None else place

    def show(self) -> None:
        """Build it, unless that was done."""
        if self._make is None:
            return
        make, self._make = self._make, None
        known = tuple(self._view.parts)
        made = make()
        self._box.objects = [made]
        parts = made.parts if isinstance(made, View) else self._view.parts
        for part in parts:
            if part not in known:
                part.start()

    def turn(self) -> None:
        """Show a hidden box with what is built in it, or hide it again."""
        self.show()
        self._box.visible = not self._box.visible

    def __panel__(self) -> pn.viewable.Viewable:
        return self._box


def tabs_of(view: View, first: tuple[str, Any], **others: Callable[[], Any]) -> Any:
    """Return tabs of which the first is there at once, and the others, named as words, when they are opened."""
    later = [Later(view, make, place=leaf()) for make in others.values()]
    titles = [name.replace("_", " ") for name in others]
    tabs = pmui.Tabs(
        (first[0], leaf(first[1])),
        *zip(titles, later, strict=True),
        margin=0,
        sizing_mode="stretch_width",
        dynamic=False,
    )
    opened = dict(enumerate(later, start=1))
    tabs.param.watch(lambda event: opened[event.new].show() if event.new in opened else None, "active")
    return tabs
