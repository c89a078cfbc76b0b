"""Have a page dark where its visitor's system is, unless the visitor chose otherwise."""

from __future__ import annotations

from typing import Any

import param
from panel.custom import JSComponent


class PreferredTheme(JSComponent):
    """Turn the page dark when its visitor had it so in this tab, or the system prefers it and nobody chose.

    What the address says comes first; what is chosen on the page is kept for the tab.
    """

    dark = param.Boolean(False, doc="True once the page was turned dark by itself.")

    _esm = """
const KEPT = "workbench.theme"
export function render({model, view}) {
  const page = view.model.document.roots().map((root) => root.data).find((data) => data && "dark_theme" in data.properties)
  if (!page) { return }
  const system = () => window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
  const asked = new URLSearchParams(window.location.search).get("theme")
  const wished = asked || window.sessionStorage.getItem(KEPT) || system()
  let chosen = true
  // What hangs on the page itself, such as the words under the pointer, goes by this.
  const mark = () => document.documentElement.toggleAttribute("data-dark", page.dark_theme)
  mark()
  const follow = () => {
    if (chosen) { window.sessionStorage.setItem(KEPT, page.dark_theme ? "dark" : "light") }
    mark()
  }
  page.properties.dark_theme.change.connect(follow)
  model.on("remove", () => page.properties.dark_theme.change.disconnect(follow))
  if (wished !== "dark" || page.dark_theme) { return }
  setTimeout(() => {
    chosen = false
    model.dark = true
    page.dark_theme = true
    chosen = true
  }, 0)
}
"""

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, sizing_mode="fixed", styles={"position": "absolute"}, **params)
