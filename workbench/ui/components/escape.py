"""Close a dialog by Escape, as everywhere else; a form that is open keeps what a stray click would lose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panel.custom import JSComponent


class EscapeKey(JSComponent):
    """Report Escape pressed in the dialog it stands in; the first one in a field only leaves the field.

    Until it is drawn the dialog closes by itself, also on a click beside it, when nothing can have been typed yet.
    """

    _esm = """
export function render({model, el}) {
  const clicked = ["checkbox", "radio", "button", "range"]
  const typing = (node) => node.tagName === "TEXTAREA" || (node.tagName === "INPUT" && !clicked.includes(node.type))
  const dialog = () => {
    for (let at = el; at; at = at.parentNode || at.host) { if (at.getAttribute?.("role") === "dialog") { return at } }
    return null
  }
  const onkey = (event) => {
    if (event.key !== "Escape" || event.isComposing) { return }
    const path = event.composedPath()
    const around = dialog()
    // What is open on top, such as the list of a choice, closes first.
    if (!around || !path.includes(around) || path.some((node) => node.getAttribute?.("aria-expanded") === "true")) { return }
    event.stopImmediatePropagation()
    const field = path.find(typing)
    if (field) { field.blur(); around.focus() } else { model.send_msg({}) }
  }
  const onclick = (event) => {
    const at = event.composedPath()[0]
    if (at.classList?.contains("MuiDialog-container") && at.contains(dialog())) { event.stopImmediatePropagation() }
  }
  window.addEventListener("keydown", onkey, true)
  window.addEventListener("click", onclick, true)
  model.on("remove", () => {
    window.removeEventListener("keydown", onkey, true)
    window.removeEventListener("click", onclick, true)
  })
}
"""

    def __init__(self, on_escape: Callable[[], None], **params: Any) -> None:
        super().__init__(**{"margin": 0, "width": 0, "height": 0, "sizing_mode": None, **params})
        self._on_escape = on_escape

    def _handle_msg(self, data: Any) -> None:
        self._on_escape()
