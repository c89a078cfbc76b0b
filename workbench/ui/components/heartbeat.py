"""Hear from an open browser page now and then, so that what it holds can be held for longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent


class Heartbeat(JSComponent):
    """Call back every so often while a browser shows the page; a closed page falls silent."""

    every_s = param.Integer(40, bounds=(1, None), doc="Seconds between two beats.")

    _esm = """
export function render({model}) {
  let gone = false
  const beat = () => {
    if (gone) { return }
    model.send_msg("beat")
    setTimeout(beat, model.every_s * 1000)
  }
  setTimeout(beat, model.every_s * 1000)
  model.on("remove", () => { gone = true })
}
"""

    def __init__(self, on_beat: Callable[[], None], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, sizing_mode="fixed", styles={"position": "absolute"}, **params)
        self._on_beat = on_beat

    def _handle_msg(self, data: Any) -> None:
        self._on_beat()
