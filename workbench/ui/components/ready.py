"""Tell Python when the browser has attached, and bring the page's own small elements along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

_ELEMENTS = (Path(__file__).parent / "elements.js").read_text()


class Ready(JSComponent):
    """Send one message once a browser shows the view.

    What Python changes before that moment is lost for good, so live parts start from here; they end
    when the last browser is gone.
    """

    attached = param.Boolean(False, doc="True once Python has heard of a browser.")
    cell = param.Boolean(False, doc="True in a notebook cell, where no page is beside this one.")

    _esm = (
        _ELEMENTS
        + """
export function render({model, view}) {
  register()
  // What arrives before every neighbor is mounted is dropped by it. Timers also run in hidden tabs, frames do not.
  const settled = (tries, calm) => {
    const still = calm + (view.root.has_finished() ? 1 : 0)
    if (still > 2 || tries > 1500) { tell(0) } else { setTimeout(() => settled(tries + 1, still), 20) }
  }
  // A notebook may show the view before its line to Python is open, and a message sent too early is lost.
  const tell = (times) => {
    if (model.attached || times > 60) { return }
    model.send_msg("ready")
    setTimeout(() => tell(times + 1), 1000)
  }
  settled(0, 0)
  // In a notebook the addresses of pages lead nowhere: the tab opens at once, its address follows from Python.
  const visits = []
  const visit = (event) => {
    const link = event.composedPath().find((node) => node.tagName === "A" && (node.getAttribute("href") || "").startsWith("./"))
    // Of a view and the views inside it one is enough.
    if (!link || event.defaultPrevented) { return }
    event.preventDefault()
    visits.push(window.open("", "_blank"))
    model.send_msg({visit: link.getAttribute("href")})
  }
  if (model.cell) { view.root.el.addEventListener("click", visit, true) }
  model.on("msg:custom", ({address}) => { const tab = visits.shift(); if (tab) { tab.location = address } })
}
"""
    )

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, sizing_mode="fixed", styles={"position": "absolute"}, **params)
        self._waiting: list[Callable[[], None]] = []
        self._leaving: list[Callable[[], None]] = []
        self.gone = False
        self.visit: Callable[[str], str] | None = None

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Call once when a browser has attached, or at once if one has."""
        if self.attached:
            callback()
        else:
            self._waiting.append(callback)

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Call once when no browser shows the view any more."""
        self._leaving.append(callback)

    def _handle_msg(self, data: Any) -> None:
        if isinstance(data, dict) and self.visit is not None:
            self._send_msg({"address": self.visit(str(data["visit"]))})
            return
        if data == "ready" and not self.attached:
            self.attached = True
            waiting, self._waiting = self._waiting, []
            for callback in waiting:
                callback()

    def _cleanup(self, root: Any = None) -> None:
        super()._cleanup(root)
        if root is not None and not self._models:
            self.leave()

    def leave(self) -> None:
        """Release what the view holds."""
        if self.gone:
            return
        self.gone = True
        leaving, self._leaving = self._leaving, []
        for callback in leaving:
            callback()


def session_document() -> Any | None:
    """Return the document of the session a page belongs to, or None in a notebook cell.

    While a cell answers a click Panel names a document for it too, but nothing follows what it is asked to do next.
    """
    document = pn.state.curdoc
    return document if document is not None and document.session_context is not None else None


def left(document: Any, error: BaseException) -> bool:
    """Return whether an error means no more than that the tab has left: it reached for what its document lost with it."""
    lost = isinstance(error, AttributeError) and any(error.obj is part for part in (document, document.callbacks, document.models))
    return lost and document.session_context is None


def release_with_session(callback: Callable[[], None]) -> None:
    """Call when the session of the page being built is destroyed; outside a page do nothing."""
    if session_document() is not None:
        pn.state.on_session_destroyed(lambda context: callback())
