"""The field a response is written in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from workbench.ui.theme import FONT, PRIMARY

_CSS = f"""
textarea {{ box-sizing: border-box; width: 100%; min-height: 72px; resize: none; overflow: hidden; padding: 10px 12px;
  border-radius: 8px; font: 15px/1.5 {FONT}; color: var(--mui-palette-text-primary, #1b2430);
  border: 1px solid var(--mui-palette-divider, #dfe5ec); background: var(--mui-palette-background-default, #f5f7fa); }}
textarea:focus {{ outline: 2px solid var(--mui-palette-primary-main, {PRIMARY}); outline-offset: -1px;
  background: var(--mui-palette-background-paper, #fff); }}
"""


class AnswerEditor(JSComponent):
    """Edit one text at a time; what is typed is reported within a second, and at once on leaving.

    `on_typed(item, text)` hears of typing, `on_submit(item, text)` of Ctrl-Enter. Escape leaves the field.
    """

    content = param.Dict({"item": "", "text": ""}, doc="The text, and which item it belongs to.")

    _esm = (Path(__file__).parent / "answer.js").read_text()
    _stylesheets = [_CSS]

    def __init__(self, *, on_typed: Callable[[str, str], None], on_submit: Callable[[str, str], None], **params: Any) -> None:
        super().__init__(**{"margin": 0, "sizing_mode": "stretch_width", **params})
        self._on_typed, self._on_submit = on_typed, on_submit

    def show(self, item: str, text: str) -> None:
        """Show the text of an item; what is being typed into the same item stays."""
        content = {"item": item, "text": text}
        if content != self.content:
            self.content = content

    def put(self, text: str) -> None:
        """Replace what is in the field, as if it had been typed."""
        self._send_msg({"put": text})

    def focus(self) -> None:
        """Put the cursor into the field."""
        self._send_msg({"focus": True})

    def _handle_msg(self, data: Any) -> None:
        tell = self._on_submit if data.get("submit") else self._on_typed
        tell(str(data["item"]), str(data["text"]))
