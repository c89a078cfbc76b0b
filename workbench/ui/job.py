"""One job: how far it is, what it measures, what happened and what it wrote."""

from __future__ import annotations

from typing import Any

import param
from markupsafe import Markup

from workbench.domain.jobs import JobEvent
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.columns import Column, column, columns
from workbench.ui.components.curve_board import CurveBoard
from workbench.ui.components.job_log import JobLogPanel
from workbench.ui.components.later import tabs_of
from workbench.ui.components.markup import html, show
from workbench.ui.components.progress import ProgressPanel
from workbench.ui.components.table import DataTable
from workbench.ui.url import page_href
from workbench.ui.view import View


class JobView(View):
    """Show one job and follow it."""

    job_id = param.String("", doc="Job shown.")
    on_result = param.Callable(None, allow_None=True, doc="Called once with the result when the job has succeeded.")
    on_made = param.Callable(None, allow_None=True, doc="Called with the id of a job made from this one; empty once it is deleted.")

    def build(self) -> list[Any]:
        """Return head, curves, history and log."""
        self._title, self._facts, self._fault = html(""), html(""), html("")
        self._progress = ProgressPanel()
        self._actions = ActionBar(toasts=self.toasts, size="small")
        top = self.live(self.ws.jobs.get, self._draw, height=160, job_id=self.job_id)
        self.board = CurveBoard(self, self.job_id, height=220)
        events = DataTable(
            self,
            self.ws.jobs.events,
            _event_columns(),
            key="seq",
            filters={"job_id": self.job_id},
            page_size=20,
            about=self.job_id,
        )
        tabs = tabs_of(self, ("History", events), Log=lambda: JobLogPanel(self, self.job_id))
        return [top, self.board, self._facts, tabs]

    def _draw(self, job: Any) -> list[Any]:
        name = Markup('<div class="title" style="font-size:18px">{}</div><span class="faint">{}, {}</span>')
        show(self._title, name.format(job.name or job.kind, fmt.words(job.kind), fmt.short_id(job.id)))
        show(self._facts, fmt.facts(_facts(job)))
        show(self._fault, _fault(job))
        self._progress.update(job)
        self._actions.update(job.actions, self._runner(job))
        self._fault.visible = bool(job.error_message)
        if job.result and self.on_result is not None:
            land, self.on_result = self.on_result, None
            land(job.result)
        return [self._title, self._progress, self._fault, self._actions]

    def _runner(self, job: Any) -> Any:
        perform = run_on(self.ws, job)

        def run(name: str) -> Any:
            result = perform(name)
            made = "" if name == "delete" else getattr(result, "id", job.id)
            if made != job.id and self.on_made is not None:
                self.on_made(made)
            return result

        return run


def _event_columns() -> tuple[Column, ...]:
    return (column(JobEvent, "logged_at", title="When"), *columns(JobEvent, "type"), Column("message", "What", fmt.text))


def _facts(job: Any) -> list[tuple[str, Any]]:
    found = [
        ("Created", Markup("{} by {}").format(fmt.moment(job.created_at), job.created_by)),
        ("Started", fmt.moment(job.started_at, reason="It has not started.")),
        ("Took", fmt.duration(job.duration_seconds, reason="It has not started.")),
        ("Process", _process(job)),
    ]
    optional = [
        ("Queue", None if job.queue_position is None else Markup("place {}").format(fmt.integer(job.queue_position))),
        ("Tried again", job.retries and fmt.integer(job.retries)),
        ("Repeats", job.parent_id and fmt.short_id(job.parent_id, href=page_href("jobs", {"job": job.parent_id}))),
        ("Study", job.kind == "study" and fmt.link("Open the study", page_href("train", {"study": job.id}))),
        ("Cancelled because", job.cancel_reason),
        ("Labels", job.labels and fmt.value(job.labels)),
        ("Asked for", job.spec and fmt.value(job.spec)),
        ("Result", job.result and fmt.value(job.result)),
    ]
    return found + [(label, value) for label, value in optional if value]


def _process(job: Any) -> Markup:
    if job.pid is None:
        return fmt.unknown("It has no process.")
    return Markup("{} on {}, attempt {}").format(str(job.pid), job.worker or "this machine", fmt.integer(job.attempt))


def _fault(job: Any) -> Markup | str:
    if not job.error_message:
        return ""
    more = (
        Markup("<details><summary>Details</summary><pre>{}</pre></details>").format(job.error_details)
        if job.error_details
        else ""
    )
    return Markup('<div class="text"><b class="ink-error">{}</b> <span class="mono faint">{}</span></div>{}').format(
        job.error_message, job.error_code or "", more
    )
