"""The filters that hold, each with a way to take it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from workbench.ui.theme import FONT, PRIMARY

_CSS = f"""
div {{ display: flex; gap: 6px; flex-wrap: wrap; }}
button {{ all: unset; cursor: pointer; box-sizing: border-box; height: 26px; padding: 0 10px; border-radius: 13px; max-width: 100%;
  font: 12px/26px {FONT}; color: var(--mui-palette-primary-main, {PRIMARY}); overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  background: color-mix(in srgb, var(--mui-palette-primary-main, {PRIMARY}) 12%, transparent); }}
button::after {{ content: "  ×"; }}
button:focus-visible {{ outline: 2px solid var(--mui-palette-primary-main, {PRIMARY}); outline-offset: 2px; }}
"""


class ActiveFilters(JSComponent):
    """Show filters as chips; a click takes one back."""

    filters = param.List([], doc="Filters that hold: name and label.")

    _esm = """
export function render({model, el}) {
  const line = document.createElement("div")
  el.append(line)
  const draw = () => line.replaceChildren(...model.filters.map(({name, label}) => {
    const chip = document.createElement("button")
    chip.textContent = label
    chip.title = `Take back: ${label}`
    chip.onclick = () => model.send_msg(name)
    return chip
  }))
  draw()
  model.on("filters", draw)
}
"""
    _stylesheets = [_CSS]

    def __init__(self, on_drop: Callable[[str], None], **params: Any) -> None:
        super().__init__(**{"margin": 0, "sizing_mode": "stretch_width", **params})
        self._on_drop = on_drop

    def _handle_msg(self, data: Any) -> None:
        self._on_drop(str(data))
