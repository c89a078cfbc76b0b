"""One pair as people see it: prompt, response, source row, history, and the fields to write in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from panel.custom import Child, JSComponent

from workbench.ui.components.pair_markup import CSS
from workbench.ui.components.ready import session_document
from workbench.ui.theme import FONT, MARKUP_CSS, PRIMARY, RADIUS

_LINE = "var(--mui-palette-divider, #dfe5ec)"
_PAPER = "var(--mui-palette-background-paper, #fff)"
_MAIN = f"var(--mui-palette-primary-main, {PRIMARY})"
_CSS = f"""
:host {{ container-type: inline-size; }}
.desk {{ --tall: clamp(120px, 27vh, 480px); display: grid; gap: 16px;
  grid-template-columns: minmax(0, 2fr) minmax(0, 1fr) minmax(0, 1fr);
  align-items: start; }}
.desk.cell {{ --tall: 150px; }}
section {{ background: {_PAPER}; border: 1px solid {_LINE};
  border-radius: {RADIUS}px; padding: 16px;
  min-width: 0;
  box-sizing: border-box; }}
.read, .rows, .entries {{ max-height: var(--tall); overflow: auto; }}
.rows, .entries {{ max-height: calc(var(--tall) * 1.6); }}
.side {{ display: grid; gap: 16px; min-width: 0; }}
.words {{ max-height: var(--tall); overflow: auto; }}
.guide summary {{ display: list-item; margin: 0; cursor: pointer; }}
.guide summary:focus-visible {{ outline: 2px solid {_MAIN}; outline-offset: 2px; }}
section[hidden] {{ display: none; }}
.read:focus-visible, .rows:focus-visible, .entries:focus-visible, .words:focus-visible {{
  outline: 2px solid {_MAIN}; outline-offset: 2px; }}
.main > .over {{ margin-top: 12px; }}
.place {{ margin-bottom: 4px; }}
.notice:not(:empty) {{ margin: 8px 0; padding: 8px 12px; border-radius: 8px; background: var(--mui-palette-state-warningGround, #fdefd3);
  color: var(--mui-palette-state-warningInk, #744600); overflow-wrap: anywhere; }}
.notice button {{ margin: 6px 8px 0 0; }}
textarea {{ box-sizing: border-box; width: 100%; min-height: 64px; max-height: var(--tall); resize: none; overflow: auto;
  padding: 10px 12px;
  border-radius: 8px; font: 15px/1.5 {FONT}; color: var(--mui-palette-text-primary, #1b2430); border: 1px solid {_LINE};
  background: var(--mui-palette-background-default, #f5f7fa); unicode-bidi: plaintext; display: block; }}
textarea[hidden] {{ display: none; }}
textarea[aria-label=Notes] {{ min-height: 40px; font-size: 13px; padding: 8px 10px; max-height: 120px; }}
textarea:focus {{ outline: 2px solid {_MAIN}; outline-offset: -1px; background: {_PAPER}; }}
.changes {{ max-height: var(--tall); overflow: auto; }}
.changes:not(:empty) {{ margin-top: 12px; }}
.notes-title {{ margin-top: 12px; }}
.signals:not(:empty) {{ margin-top: 12px; padding-top: 8px; border-top: 1px solid {_LINE}; }}
button {{ all: unset; cursor: pointer; box-sizing: border-box; font: 700 13px/20px {FONT}; }}
button:focus-visible {{ outline: 2px solid {_MAIN}; outline-offset: 2px; border-radius: 6px; }}
.quiet, .notice button {{ color: {_MAIN}; font-size: 12px; text-transform: none; letter-spacing: 0; }}
.quiet:disabled {{ color: var(--mui-palette-text-disabled, #8a94a3); cursor: default; }}
.known {{ display: flex; gap: 8px; flex-wrap: wrap; align-items: center; }}
.aside {{ text-transform: none; letter-spacing: 0; font-weight: 400; }}
.choices:not(:empty) {{ display: flex; gap: 8px; flex-wrap: wrap; margin-top: 8px; }}
.choice {{ border: 1px solid {_LINE}; border-radius: 8px; padding: 5px 12px; display: inline-flex; gap: 8px; align-items: center; }}
.choice:hover {{ border-color: {_MAIN}; }}
.choice[aria-pressed=true] {{ background: color-mix(in srgb, {_MAIN} 14%, transparent); }}
@container (max-width: 980px) {{ .desk {{ grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); }} .main {{ grid-row: span 2; }} }}
@container (max-width: 640px) {{
  .desk {{ grid-template-columns: minmax(0, 1fr); --tall: 38vh; }} .main {{ grid-row: auto; }} section {{ padding: 12px; }}
  .quiet, .notice button {{ padding: 12px 10px; margin: -12px 0; }}
  .rows, .entries, .words {{ max-height: none; }} .choice {{ min-height: 44px; padding: 5px 16px; }}
}}
"""


class PairPane(JSComponent):
    """Show one pair at a time; what is typed is reported within a second, and at once on leaving.

    `on_typed(item, texts, version)` hears of typing, `on_submit(item, texts, version)` of Ctrl-Enter, both with the
    version of the pair that was seen, `on_do(item, name)` of a button in the notice, `on_choice(item, name)` of an
    answer of the closed set, `on_leave(item, name)` of leaving a field and `on_rest(item, sheet)` of a pair that stays on
    the screen for a while. `drawn` is the pair that stands in the
    browser, with its version: what is decided by keys and buttons is decided on that.
    """

    shown = param.Dict(
        {"item": "", "version": 0, "sheet": "", "texts": {}, "parts": {}, "choices": []}, doc="The pair and its surroundings."
    )
    guide = Child(doc="What reviewers should go by, beside the pair.")
    changes = param.Dict({"item": ""}, doc="What differs, as markup by field.")
    served = param.Boolean(False, doc="True in a page of its own, which has more height than a cell.")

    _esm = (Path(__file__).parent / "pair.js").read_text()
    _stylesheets = [MARKUP_CSS, CSS, _CSS]

    def __init__(
        self,
        *,
        on_typed: Callable[[str, dict[str, str], int], None],
        on_submit: Callable[[str, dict[str, str], int], None],
        on_do: Callable[[str, str], None],
        on_choice: Callable[[str, str], None],
        on_leave: Callable[[str, str], None],
        on_rest: Callable[[str, str], None],
        **params: Any,
    ) -> None:
        served = session_document() is not None
        super().__init__(**{"margin": 0, "sizing_mode": "stretch_width", "served": served, **params})
        self._told = {"do": on_do, "choice": on_choice, "leave": on_leave, "rest": on_rest}
        self._on_typed, self._on_submit = on_typed, on_submit
        self._drawn: tuple[str, str, int] = ("", "", 0)

    @property
    def drawn(self) -> tuple[str, int] | None:
        """Return the pair that the browser shows and its version, or None before it shows one."""
        _, item, version = self._drawn
        return (item, version) if item else None

    def show(self, shown: dict[str, Any]) -> None:
        """Show a pair; what is being typed into the same one stays."""
        if shown != self.shown:
            self.shown = shown

    def compare(self, item: str, **changes: str) -> None:
        """Show what differs in the fields of a pair."""
        self.changes = {"item": item, **changes}

    def keep(self, item: str, texts: dict[str, str]) -> None:
        """Tell the browser that these texts are kept, so that it need not remember them."""
        self._send_msg({"item": item, "kept": texts})

    def forget(self, item: str) -> None:
        """Put the stored texts back into the fields."""
        self._send_msg({"forget": item})

    def focus(self, name: str) -> None:
        """Put the cursor into a field: response, prompt or notes."""
        self._send_msg({"focus": name})

    def _handle_msg(self, data: Any) -> None:
        item = str(data["item"])
        for name, tell in self._told.items():
            if name in data:
                tell(item, str(data[name]))
                return
        if data.get("drawn"):
            # Messages are handled on several threads: an older one may come last.
            drawn = (str(data["sheet"]), item, int(data["version"]))
            if drawn[:2] != self._drawn[:2] or drawn > self._drawn:
                self._drawn = drawn
            return
        tell_texts = self._on_submit if data.get("submit") else self._on_typed
        tell_texts(item, {str(name): str(text) for name, text in data["texts"].items()}, int(data["version"]))
