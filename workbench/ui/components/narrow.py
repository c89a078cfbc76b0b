"""Tell Python that a browser is narrow, such as a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panel.custom import JSComponent


class NarrowSignal(JSComponent):
    """Call back once when the page opens in a window too narrow for navigation beside the content."""

    _esm = """
export function render({model}) {
  if (window.matchMedia("(max-width: 599px)").matches) { setTimeout(() => model.send_msg("narrow"), 0) }
}
"""

    def __init__(self, on_narrow: Callable[[], None], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, sizing_mode="fixed", styles={"position": "absolute"}, **params)
        self._on_narrow = on_narrow

    def _handle_msg(self, data: Any) -> None:
        self._on_narrow()
