"""Tell Python that a browser is narrow, such as a phone, whose navigation then stays out of sight until it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from workbench.ui.theme import NAVIGATION


class NarrowSignal(JSComponent):
    """Call back once when the page opens in a window too narrow for navigation beside the content.

    Until it was `closed`, after which it opens on demand, the navigation that the page came with is not shown there.
    """

    closed = param.Boolean(False, doc="True once the navigation was closed.")

    _esm = f"""
export function render({{model}}) {{
  if (window.matchMedia("(max-width: 599px)").matches) {{ setTimeout(() => model.send_msg("narrow"), 0) }}
  // It fades as it closes, for longer where the machine is busy: whoever asks for it touches something first.
  const show = () => document.documentElement.style.setProperty("{NAVIGATION}", "visible")
  const allow = () => ["pointerdown", "keydown"].forEach((touch) => window.addEventListener(touch, show, {{capture: true, once: true}}))
  model.on("closed", allow)
}}
"""

    def __init__(self, on_narrow: Callable[[], None], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, sizing_mode="fixed", styles={"position": "absolute"}, **params)
        self._on_narrow = on_narrow

    def _handle_msg(self, data: Any) -> None:
        self._on_narrow()
