"""The names of lines beside plots of many: what the pointer is on stands out in all of them."""

from __future__ import annotations

from typing import Any

import param
from panel.custom import JSComponent

from workbench.ui.theme import FONT, PRIMARY

_CSS = f"""
.legend {{ font: 13px/1.4 {FONT}; color: var(--mui-palette-text-primary, inherit); max-height: 420px; overflow-y: auto; }}
.entry {{ display: flex; gap: 8px; align-items: baseline; padding: 4px 8px; border-radius: 6px; cursor: default; }}
.entry:hover, .entry.on {{ background: color-mix(in srgb, var(--mui-palette-primary-main, {PRIMARY}) 10%, transparent); }}
.entry i {{ flex: none; width: 14px; height: 4px; border-radius: 2px; align-self: center; }}
.entry a {{ color: inherit; text-decoration: none; min-width: 0; overflow-wrap: anywhere; }}
.entry a:hover {{ text-decoration: underline; }}
"""


class LineNames(JSComponent):
    """Name the lines of plots; `lit` is the id of the one under the pointer."""

    # Not called a legend: panel-material-ui takes whatever ends in that word for one of Bokeh's and fails to color it.

    entries = param.List([], doc="Lines: id, label, color, href.")
    lit = param.String("", doc="Id of the line under the pointer.")

    _esm = """
export function render({model, el}) {
  const list = document.createElement("div")
  list.className = "legend"
  el.append(list)
  const draw = () => {
    list.replaceChildren(...model.entries.map((line) => {
      const entry = document.createElement("div")
      entry.className = "entry"
      const dot = document.createElement("i")
      dot.style.background = line.color
      const label = document.createElement(line.href ? "a" : "span")
      if (line.href) { label.href = line.href }
      label.textContent = line.label
      entry.append(dot, label)
      entry.onmouseenter = () => { model.lit = line.id }
      entry.onmouseleave = () => { if (model.lit === line.id) { model.lit = "" } }
      return entry
    }))
  }
  draw()
  model.on("entries", draw)
}
"""
    _stylesheets = [_CSS]

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"margin": 0, "sizing_mode": "stretch_width", **params})
