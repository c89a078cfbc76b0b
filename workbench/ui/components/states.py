"""What a part shows when there is nothing to show yet: loading, empty, failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.errors import NotFound
from workbench.ui import format as fmt
from workbench.ui.components.markup import html
from workbench.ui.theme import CARD_SX, ERROR, STEP, tone_of


def skeleton(height: int = 96) -> pn.viewable.Viewable:
    """Return a grey shape of the size of what is being loaded."""
    return pmui.Skeleton(height=height, sizing_mode="stretch_width", variant="rounded", margin=0)


def empty_state(
    sentence: str,
    *,
    action: str | None = None,
    href: str | None = None,
    on_click: Callable[[Any], Any] | None = None,
    beside: Sequence[Any] = (),
) -> pn.viewable.Viewable:
    """Return one sentence and the button that fills the place, with other ways `beside` it."""
    words = html(Markup('<div class="faint text">{}</div>').format(sentence), sizing_mode=None)
    buttons = [pmui.Button(label=action, href=href, on_click=on_click, variant="contained", margin=0)] if action else []
    ways = [pmui.Row(*buttons, *beside, margin=0, sx={"gap": 2, "flexWrap": "wrap"})] if beside else buttons
    return pmui.Column(
        words, *ways, sx={**CARD_SX, "borderStyle": "dashed", "p": 3, "gap": 2}, margin=0, sizing_mode="stretch_width"
    )


class ErrorState(pn.viewable.Viewer):
    """Say what failed, which thing, what to do next, and under which request id."""

    def __init__(self, error: BaseException, *, retry: Callable[[], Any] | None = None, what: str = "", **params: Any) -> None:
        super().__init__(**params)
        parts: list[Any] = [html(error_markup(error, what))]
        if retry is not None:
            parts.append(
                pmui.Button(
                    label="Try again", icon="refresh", variant="outlined", size="small", margin=0, on_click=lambda event: retry()
                )
            )
        line = {"borderColor": "error.main", "borderLeftWidth": 4}
        self._layout = pmui.Column(*parts, sx={**CARD_SX, **line, "gap": 1}, margin=0, sizing_mode="stretch_width")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def error_markup(error: BaseException, what: str = "") -> Markup:
    """Return an error's message, hints and request id."""
    head = Markup('<div class="title ink-{}">{}</div>').format(ERROR.name, what) if what else Markup("")
    body = Markup('<div class="text">{}</div>').format(getattr(error, "message", None) or f"{type(error).__name__}: {error}")
    details = getattr(error, "details", None)
    more = Markup('<div class="faint text">{}</div>').format(details) if details else Markup("")
    request_id = getattr(error, "request_id", None)
    trace = Markup('<div class="faint small">Request {}</div>').format(fmt.short_id(request_id)) if request_id else Markup("")
    return Markup("{}{}{}{}").format(head, body, more, trace)


class Elsewhere(pn.viewable.Viewer):
    """Stand in for parts of a page once there is no such thing to show, with the way to the page that has it."""

    def __init__(self, *parts: pn.viewable.Viewable, **params: Any) -> None:
        super().__init__(**params)
        self._parts = parts
        self._box = pmui.Column(margin=0, sizing_mode="stretch_width", visible=False)

    def refuse(self, error: BaseException) -> bool:
        """Hide the parts when there is no such thing; return True when the error is told here, as it names that page."""
        if not isinstance(error, NotFound):
            return False
        for part in self._parts:
            part.visible = False
        href = error.context.get("href")
        if href:
            self._box.objects = [empty_state(error.message, action=error.context["label"], href=f".{href}")]
        self._box.visible = bool(href)
        return self._box.visible

    def __panel__(self) -> pn.viewable.Viewable:
        return self._box


class StatusChip(pn.viewable.Viewer):
    """Show a state as color, icon and word."""

    def __init__(self, state: str | None = None, label: str | None = None, **params: Any) -> None:
        super().__init__(**params)
        self._pane = html(fmt.chip(state, label), sizing_mode=None, height=3 * STEP)

    def update(self, state: str | None, label: str | None = None, hover: str | None = None) -> None:
        """Show another state."""
        self._pane.object = str(fmt.tone_chip(tone_of(state), label or fmt.words(state or "unknown"), hover=hover))

    def __panel__(self) -> pn.viewable.Viewable:
        return self._pane
