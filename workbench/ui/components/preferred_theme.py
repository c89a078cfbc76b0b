"""Have a page dark where its visitor's system is, unless the visitor chose otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent


class PreferredTheme(JSComponent):
    """Call back once when a light page should be dark: its visitor had it so in this tab, or the system prefers it.

    What the address says comes first; what is chosen on the page is kept for the tab.
    """

    dark = param.Boolean(False, doc="True while the page is dark.")

    _esm = """
const KEPT = "workbench.theme"
export function render({model}) {
  const asked = new URLSearchParams(window.location.search).get("theme")
  const system = () => window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
  const wished = asked || window.sessionStorage.getItem(KEPT) || system()
  if (wished === "dark" && !model.dark) { setTimeout(() => model.send_msg("dark"), 0) }
  model.on("dark", () => window.sessionStorage.setItem(KEPT, model.dark ? "dark" : "light"))
}
"""

    def __init__(self, on_dark: Callable[[], None], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, sizing_mode="fixed", styles={"position": "absolute"}, **params)
        self._on_dark = on_dark

    def _handle_msg(self, data: Any) -> None:
        self._on_dark()
