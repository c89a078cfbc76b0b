"""The jobs that run, under the button that counts them."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.markup import html, show
from workbench.ui.theme import STEP

_HEAD = Markup('<div style="display:flex;gap:8px"><b class="cut" style="flex:1">{}</b><span>{}</span></div>')


class RunningJobs(pn.viewable.Viewer):
    """Count the running jobs; list them with progress and cancel while somebody looks.

    Every word of every job brings a new answer, so a closed list is not drawn, and an open one keeps its rows.
    """

    def __init__(self, ws: Any, toasts: Any) -> None:
        super().__init__()
        self._ws, self._toasts = ws, toasts
        self._jobs: Any = None
        self._rows: dict[str, JobLine] = {}
        self._rest = html("")
        self.list = pmui.Column(width=360, margin=2 * STEP, sx={"gap": 2})
        self.popup = pmui.Popup(self.list, anchor_origin={"horizontal": "left", "vertical": "bottom"})
        self.button = pmui.Button(
            label="",
            icon="autorenew",
            size="small",
            variant="text",
            visible=False,
            attached=[self.popup],
            margin=0,
            css_classes=["running-jobs"],
        )
        self.button.on_click(lambda event: self.popup.param.update(open=True))
        self.popup.param.watch(lambda event: self._draw(), "open")

    def update(self, jobs: Any) -> None:
        """Show another answer."""
        self._jobs = jobs
        self.button.param.update(label=str(fmt.plural(jobs.total, "job")), visible=bool(jobs.total))
        self._draw()

    def _draw(self) -> None:
        if not self.popup.open or self._jobs is None:
            return
        rows = {job.id: self._rows.get(job.id) or JobLine(self._ws, job, self._toasts) for job in self._jobs}
        for job in self._jobs:
            rows[job.id].update(job)
        self._rows = rows
        shown = [row.layout for row in rows.values()]
        everything = fmt.link(Markup("All {}").format(fmt.plural(self._jobs.total, "running job")), "./jobs?status=running")
        show(self._rest, everything if shown else Markup('<span class="faint">No job runs.</span>'))
        shown.append(self._rest)
        if self.list.objects != shown:
            self.list.objects = shown

    def __panel__(self) -> pn.viewable.Viewable:
        return self.button


class JobLine:
    """Show one running job."""

    def __init__(self, ws: Any, job: Any, toasts: Any) -> None:
        self._head = html("")
        self._bar = pmui.LinearProgress(variant="determinate", margin=0, sizing_mode="stretch_width")
        self._actions = ActionBar((), run_on(ws, job), toasts=toasts, size="small")
        self.layout = pmui.Column(self._head, self._bar, self._actions, margin=0, sx={"gap": 1}, sizing_mode="stretch_width")

    def update(self, job: Any) -> None:
        """Show how far it is."""
        name = fmt.link(job.name or job.kind, f"./jobs?job={job.id}")
        show(self._head, _HEAD.format(name, fmt.percentage(job.progress_percent)))
        self._bar.value = fmt.bar(job.progress_percent)
        self._actions.update([a for a in job.actions or () if a.name == "cancel"])
