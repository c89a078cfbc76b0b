"""Let the browser's way back and forward lead a page to its earlier states."""

from __future__ import annotations

from typing import Any

from panel.custom import JSComponent


class PageHistory(JSComponent):
    """Follow the address when it is not the page that changed it.

    The page's own model of the address would add it to the history once more, and nothing would be left to go forward to.
    """

    _esm = """
export function render({model, view}) {
  const place = () => view.model.document.roots().find((one) => one.type.endsWith("Location"))
  const follow = () => {
    const found = place()
    if (!found || found.search === window.location.search) { return }
    window.history.pushState = () => {}
    try { found.search = window.location.search } finally { delete window.history.pushState }
  }
  window.addEventListener("popstate", follow)
  model.on("remove", () => window.removeEventListener("popstate", follow))
}
"""

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, sizing_mode="fixed", styles={"position": "absolute"}, **params)
