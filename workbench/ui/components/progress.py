"""How far a job is."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.markup import html, show


def waits(place: int | None) -> str:
    """Return the place in the queue as words; nothing for what does not wait."""
    return "" if place is None else f"place {place} in the queue"


class ProgressPanel(pn.viewable.Viewer):
    """Show state, step, share done and the time left of a job."""

    def __init__(self, job: Any = None, **params: Any) -> None:
        super().__init__(**params)
        self._line = html("")
        self._bar = pmui.LinearProgress(
            value=0, variant="determinate", margin=0, sizing_mode="stretch_width", sx={"height": 8, "borderRadius": 4}
        )
        self._layout = pmui.Column(self._line, self._bar, margin=0, sizing_mode="stretch_width", sx={"gap": 1})
        if job is not None:
            self.update(job)

    def update(self, job: Any) -> None:
        """Show where the job stands now."""
        words = waits(job.queue_position) or job.message or job.step or ""
        left = Markup("{} left").format(fmt.duration(job.eta_seconds)) if job.eta_seconds is not None else ""
        line = Markup(
            '<div style="display:flex;gap:12px;align-items:center">{}<span class="cut" style="flex:1">{}</span>'
            '<span class="faint">{}</span><b class="num">{}</b></div>'
        )
        show(self._line, line.format(fmt.chip(job.status), words, left, fmt.percentage(job.progress_percent)))
        self._bar.value = fmt.bar(job.progress_percent)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout
