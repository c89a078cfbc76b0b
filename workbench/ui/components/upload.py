"""Send a file to the API straight from the browser, beside the page's own connection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from workbench.contract import answers, codec
from workbench.domain.jobs import Job
from workbench.errors import WorkbenchError, rebuild
from workbench.ui.theme import FONT, PRIMARY

_CSS = f"""
label {{ display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 4px; min-height: 104px;
  box-sizing: border-box; padding: 16px; text-align: center; cursor: pointer; border-radius: 10px;
  font: 14px/1.5 {FONT}; color: var(--mui-palette-text-primary, #1b2430);
  border: 1.5px dashed var(--mui-palette-divider, #b8c2cd); }}
label:hover, label.over, label:focus-within {{ border-color: var(--mui-palette-primary-main, {PRIMARY});
  background: color-mix(in srgb, var(--mui-palette-primary-main, {PRIMARY}) 5%, transparent); }}
input {{ position: absolute; opacity: 0; width: 1px; height: 1px; }}
.faint {{ font-size: 12px; color: var(--mui-palette-text-secondary, #566272); }}
progress {{ width: 100%; height: 6px; accent-color: var(--mui-palette-primary-main, {PRIMARY}); }}
"""


class Upload(JSComponent):
    """Let people choose or drop one file; `send(fields)` posts it with form fields.

    `on_chosen(filename)` is called when a file was chosen, `on_done(answer)` with the JSON answer,
    `on_started(job)` with the job that takes a large file in, and `on_error(error)` with the error the API named.
    """

    path = param.String("", doc="Where the file goes, below /api/v1.")
    accept = param.String("", doc="File name endings offered first.")
    hint = param.String("", doc="Words below the invitation.")

    _esm = (Path(__file__).parent / "upload.js").read_text()
    _stylesheets = [_CSS]

    def __init__(
        self,
        *,
        on_chosen: Callable[[str], None],
        on_done: Callable[[dict[str, Any]], None],
        on_error: Callable[[WorkbenchError], None],
        on_started: Callable[[Job], None] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(**{"margin": 0, "sizing_mode": "stretch_width", **params})
        self._on_chosen, self._on_done, self._on_error = on_chosen, on_done, on_error
        self._on_started = on_started

    def send(self, fields: dict[str, Any]) -> None:
        """Post the chosen file with form fields."""
        self._send_msg({"fields": fields})

    def _handle_msg(self, data: Any) -> None:
        if "chosen" in data:
            self._on_chosen(str(data["chosen"]))
        elif "answer" in data:
            self._answered(data["answer"], data["status"])
        elif "fault" in data:
            self._on_error(rebuild(data["fault"]))

    def _answered(self, answer: dict[str, Any], status: int) -> None:
        if status == answers.STARTED and self._on_started is not None:
            self._on_started(codec.decode_record(Job, answer))
        else:
            self._on_done(answer)
