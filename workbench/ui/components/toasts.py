"""Say briefly that something was done, with a way back where there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panel.custom import JSComponent


class Toasts(JSComponent):
    """Stack short messages at the lower edge; never used for errors that need reading."""

    _esm = """
export function render({model, el}) {
  const stack = document.createElement("div")
  stack.className = "stack"
  stack.setAttribute("role", "status")
  el.append(stack)
  model.on("msg:custom", ({id, text, undo, seconds}) => {
    const toast = document.createElement("div")
    toast.className = "toast"
    const words = document.createElement("span")
    words.textContent = text
    toast.append(words)
    if (undo) {
      const button = document.createElement("button")
      button.textContent = undo
      button.onclick = () => { model.send_msg({undo: id}); toast.remove() }
      toast.append(button)
    }
    stack.append(toast)
    setTimeout(() => toast.remove(), seconds * 1000)
  })
}
"""
    _stylesheets = [
        """
/* Above the bar of actions that stays at the lower edge of a page. */
.stack { position: fixed; left: 50%; bottom: 80px; transform: translateX(-50%); z-index: 2000; display: flex;
  flex-direction: column; gap: 8px; align-items: center; }
/* On a phone that bar is higher, and what was just done may have to be done again: they stand below the head there. */
@media (max-width: 600px) { .stack { left: 16px; right: 16px; top: 64px; bottom: auto; transform: none; } }
.toast { display: flex; gap: 16px; align-items: center; padding: 10px 16px; border-radius: 8px;
  font: 14px/1.4 Roboto, Arial, sans-serif;
  background: #1b2430; color: #fff; box-shadow: 0 4px 16px rgba(0, 0, 0, .25); }
.toast button { all: unset; cursor: pointer; font-weight: 700; color: #8ab6ff; }
.toast button:focus-visible { outline: 2px solid #8ab6ff; outline-offset: 4px; }
"""
    ]

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, sizing_mode="fixed", styles={"position": "absolute"}, **params)
        self._undo: dict[int, Callable[[], None]] = {}
        self._last = 0

    def say(self, text: str, *, undo: Callable[[], None] | None = None, seconds: float = 6) -> None:
        """Show a message; with `undo` it carries a button that calls back."""
        self._last += 1
        if undo is not None:
            self._undo[self._last] = undo
        label = "Undo" if undo else None
        self._send_msg({"id": self._last, "text": text, "undo": label, "seconds": seconds})

    def _handle_msg(self, data: Any) -> None:
        undo = self._undo.pop(data.get("undo", 0), None)
        if undo is not None:
            undo()
