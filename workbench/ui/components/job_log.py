"""What a job's process wrote: follows, earlier attempts, all of it as a file."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.cards import line, stack
from workbench.ui.components.markup import html, show
from workbench.ui.view import View

_CSS = "pre { max-height: 280px; overflow: auto; display: flex; flex-direction: column-reverse; }"
LATEST = "latest"
MOST_BYTES = 20_000


class JobLogPanel(pn.viewable.Viewer):
    """Show the end of a job's log, live; the newest line stays in sight."""

    def __init__(self, view: View, job_id: str) -> None:
        super().__init__()
        self._text, self._cut = html("", css=_CSS), html("", sizing_mode=None)
        self._attempt = pmui.Select(
            options={"Latest attempt": LATEST},
            value=LATEST,
            size="small",
            width=160,
            margin=0,
            visible=False,
            css_classes=["attempt"],
        )
        self._load = html("", sizing_mode=None)
        self._whole = stack(line(self._attempt, self._load, self._cut, gap=2), self._text, gap=1)
        self._arguments = {"job_id": job_id, "max_bytes": MOST_BYTES}
        self._part = view.live(view.ws.jobs.log, self._draw, height=48, about=job_id, **self._arguments)
        self._attempt.param.watch(self._turn, "value")

    def _turn(self, event: Any) -> None:
        chosen = {} if event.new == LATEST else {"attempt": event.new}
        self._part.replace(**self._arguments, **chosen)

    def _draw(self, log: Any) -> Any:
        options = {"Latest attempt": LATEST, **{f"Attempt {number}": number for number in log.attempts}}
        if options != self._attempt.options:
            self._attempt.param.update(options=options, visible=len(log.attempts) > 1)
        show(
            self._cut,
            Markup('<span class="faint small">The last of {}.</span>').format(fmt.size(log.size)) if log.truncated else "",
        )
        show(self._load, Markup('<a href=".{}" download>Download</a>').format(log.href) if log.text else "")
        empty = Markup('<div class="faint">The process wrote nothing.</div>')
        show(self._text, Markup("<pre><span>{}</span></pre>").format(log.text) if log.text else empty)
        return self._whole

    def __panel__(self) -> pn.viewable.Viewable:
        return self._part.box
