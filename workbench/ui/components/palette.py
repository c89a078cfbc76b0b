"""Go to anything by its name, and see the keys of the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from workbench.ui.theme import FONT, MARKUP_CSS, PRIMARY, RADIUS

# Keys that every page listens to.
GENERAL = (("Ctrl+K", "Go to a sheet, template, job, model, endpoint or pair"), ("/", "Search on this page"), ("?", "These keys"))
_LINE = "var(--mui-palette-divider, #dfe5ec)"
_CSS = f"""
.veil {{ position: fixed; inset: 0; z-index: 1500; background: rgba(10, 15, 22, .45); display: flex; justify-content: center;
  align-items: flex-start; padding: 10vh 16px 16px; }}
.veil[hidden] {{ display: none; }}
.box {{ background: var(--mui-palette-background-paper, #fff); border: 1px solid {_LINE}; border-radius: {RADIUS}px;
  width: min(640px, 100%);
  max-height: 76vh; display: flex; flex-direction: column; overflow: hidden; outline: none; box-shadow: 0 12px 40px rgba(0, 0, 0, .3); }}
.box[data-shows=find] .keys, .box[data-shows=keys] .find {{ display: none; }}
.find {{ display: flex; flex-direction: column; min-height: 0; }}
input {{ all: unset; box-sizing: border-box; padding: 14px 18px; font: 16px/1.4 {FONT}; border-bottom: 1px solid {_LINE}; width: 100%; }}
ul {{ list-style: none; margin: 0; padding: 4px; overflow: auto; }}
li a {{ display: flex; gap: 12px; padding: 8px 14px; border-radius: 8px; color: inherit; align-items: baseline; }}
li a:hover {{ text-decoration: none; }}
li[aria-selected=true] a, li a:hover {{ background: color-mix(in srgb, var(--mui-palette-primary-main, {PRIMARY}) 14%, transparent); }}
.label, .detail {{ font-size: 12px; color: var(--mui-palette-text-secondary, #566272); flex: none; }}
.label {{ width: 92px; }} .name {{ flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
p {{ margin: 0; padding: 8px 18px 12px; font-size: 13px; }} p:empty {{ display: none; }}
.keys {{ padding: 18px; overflow: auto; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; margin: 12px 0 0; }} dd {{ margin: 0; }}
dt {{ display: flex; gap: 4px; }}
kbd {{ font: 11px/18px ui-monospace, Menlo, Consolas, monospace; padding: 0 6px; border-radius: 4px; border: 1px solid {_LINE};
  border-bottom-width: 2px; background: var(--mui-palette-background-default, #f5f7fa); }}
"""


class Palette(JSComponent):
    """Open with Ctrl-K to find things, with `?` to see the keys; `search(words)` answers what to show.

    The answer is a list of {label, name, detail, href} and a sentence to stand below it.
    """

    keys = param.List([], doc="Keys of the page: key and what it does.")

    _esm = (Path(__file__).parent / "palette.js").read_text()
    _stylesheets = [MARKUP_CSS, _CSS]

    def __init__(self, search: Callable[[str], tuple[list[dict[str, Any]], str]], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, sizing_mode="fixed", styles={"position": "absolute"}, **params)
        self._search = search

    def _handle_msg(self, data: Any) -> None:
        items, words = self._search(str(data["q"])) if data["q"] else ([], "")
        self._send_msg({"n": data["n"], "items": items, "words": words})


class PaletteButton(JSComponent):
    """Open the search from the bar, for whoever does not know the keys."""

    _esm = """
export function render({el}) {
  const button = document.createElement("button")
  button.className = "go"
  button.setAttribute("aria-label", "Search everything (Ctrl-K)")
  const glass = "M7 1.5a5.5 5.5 0 104 9.2l3 3 1-1-3-3A5.5 5.5 0 007 1.5zm0 1.5a4 4 0 110 8 4 4 0 010-8z"
  button.innerHTML = `<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="${glass}"/></svg>
    <span>Search everything</span><kbd>Ctrl K</kbd>`
  button.onclick = () => window.dispatchEvent(new CustomEvent("workbench:find"))
  el.append(button)
}
"""
    _stylesheets = [
        f"""
button {{ all: unset; box-sizing: border-box; cursor: pointer; display: inline-flex; gap: 8px; align-items: center; height: 32px;
  padding: 0 10px; border: 1px solid {_LINE}; border-radius: 8px; font: 13px/1 {FONT}; white-space: nowrap;
  color: var(--mui-palette-text-secondary, #566272); }}
button:hover, button:focus-visible {{ border-color: var(--mui-palette-primary-main, {PRIMARY}); }}
svg {{ fill: currentColor; }}
kbd {{ font: 11px/16px ui-monospace, Menlo, Consolas, monospace; opacity: .8; }}
@media (max-width: 760px) {{ span, kbd {{ display: none; }} }}
"""
    ]

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"margin": 0, "sizing_mode": None, **params})
