"""One training job: how far it is, what it measures, what happened, where it leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.bars import PARTS_CSS, Share, parts_bar
from workbench.ui.components.cards import card, columns_of, stack
from workbench.ui.components.curve import Curve
from workbench.ui.components.lineage import LineageGraph
from workbench.ui.components.markup import html, show
from workbench.ui.components.progress import ProgressPanel
from workbench.ui.components.timeline import Moment, Timeline
from workbench.ui.view import View

LOSS = {"train_loss": "training", "val_loss": "validation"}
ACCURACY = {"train_accuracy": "training", "val_accuracy": "validation"}
WIDTHS = "minmax(220px, 260px) minmax(0, 1fr) minmax(200px, 240px)"
LOG_CSS = "pre { max-height: 240px; overflow: auto; }"


class TrainingJobView(View):
    """Show one training job, live."""

    job_id = param.String("", doc="Id of the job.")
    on_made = param.Callable(None, allow_None=True, doc="Called with the id of a job that a retry made.")

    def build(self) -> list[Any]:
        """Return head, curves, events, log, lineage."""
        self._head, self._progress, self._failure = html(""), ProgressPanel(), html("")
        self._actions = ActionBar(toasts=self.toasts, first="retry")
        self._facts, self._figures, self._split = html(""), html(""), html("", css=PARTS_CSS)
        self._artifacts = html("")
        self._loss, self._accuracy = Curve("Loss", LOSS, height=240), Curve("Accuracy", ACCURACY, height=240)
        self._timeline, self._log, self._graph = Timeline(), html("", css=LOG_CSS), LineageGraph()
        return [
            self.live(self.ws.training.get, self._draw_job, job_id=self.job_id, height=88),
            columns_of(self._left(), self._center(), self._right(), widths=WIDTHS),
        ]

    def _left(self) -> Any:
        return stack(
            card("Figures", self._figures, name="figures"),
            card("Pairs", self._split, name="pairs"),
            card("Settings", self._facts, name="settings"),
        )

    def _center(self) -> Any:
        self.watch(self.ws.jobs.metrics, self._take_curves, job_id=self.job_id, max_points=1000)
        events = self.live(self.ws.jobs.events, self._draw_events, job_id=self.job_id, height=120)
        log = self.live(self.ws.jobs.log, self._draw_log, job_id=self.job_id, max_bytes=20_000, height=60)
        return stack(self._loss, self._accuracy, card("What happened", events, name="events"), card("Log", log, name="log"))

    def _right(self) -> Any:
        lineage = self.live(self.ws.lineage.get, self._draw_lineage, kind="job", id=self.job_id, height=200)
        return stack(card("Result", self._artifacts, name="result"), card("Lineage", lineage, name="lineage"))

    def _draw_job(self, job: Any) -> Any:
        title = Markup('<span style="font-size:18px;font-weight:700">{}</span> <span class="faint">{}</span>')
        show(self._head, title.format(job.model_name, fmt.short_id(job.id)))
        self._progress.update(job)
        self._actions.update(job.actions, lambda name: self._run(job, name))
        show(self._failure, _failure(job))
        show(self._figures, fmt.facts(_figures(job)))
        show(self._split, parts_bar([Share("to learn from", job.train_pairs), Share("held out", job.val_pairs)]))
        show(self._facts, fmt.facts(_settings(job)))
        show(self._artifacts, _result(job))
        self._layout_head = getattr(self, "_layout_head", None) or card(
            "", columns_of(self._head, self._actions, widths="minmax(0, 1fr) auto"), self._progress, self._failure, name="job"
        )
        return self._layout_head

    def _run(self, job: Any, name: str) -> Any:
        made = run_on(self.ws, job)(name)
        if self.on_made is not None and made.parent_id == job.id and hasattr(made, "training_sheet_id"):
            self.on_made(made.id)
        return made

    def _take_curves(self, found: Any) -> None:
        points = {series.name: series.points for series in found.metrics}
        self._loss.update(points)
        self._accuracy.update(points)

    def _draw_events(self, page: Any) -> Any:
        self._timeline.update([Moment(e.logged_at, e.new_status, e.message) for e in page])
        return self._timeline

    def _draw_log(self, log: Any) -> Any:
        cut = Markup('<div class="faint small">The last of {}.</div>').format(fmt.size(log.size)) if log.truncated else ""
        empty = Markup('<div class="faint">The process wrote nothing.</div>')
        show(self._log, Markup("{}<pre>{}</pre>").format(cut, log.text) if log.text else empty)
        return self._log

    def _draw_lineage(self, lineage: Any) -> Any:
        self._graph.update(lineage)
        return self._graph


def _failure(job: Any) -> Markup:
    if not (job.error_message or job.cancel_reason):
        return Markup("")
    words = Markup('<div class="text ink-error"><b>{}</b> {}</div>').format(job.error_message or "", job.cancel_reason or "")
    details = Markup("<details><summary>Details</summary><pre>{}</pre></details>").format(job.error_details)
    return Markup("{}{}").format(words, details if job.error_details else "")


def _figures(job: Any) -> Sequence[tuple[str, Any]]:
    found = job.metrics
    none = "Not measured yet."
    return [
        ("Held-out accuracy", fmt.percent(found.val_accuracy, reason=none)),
        ("Held-out loss", fmt.number(found.val_loss, reason=none)),
        ("Training accuracy", fmt.percent(found.train_accuracy, reason=none)),
        ("Training loss", fmt.number(found.train_loss, reason=none)),
        ("Epochs", fmt.of(found.epochs_completed, job.total_epochs)),
        ("Took", fmt.duration(found.training_duration_seconds, reason="It has not started.")),
        ("Words read", fmt.integer(found.tokens_processed, reason=none)),
    ]


def _settings(job: Any) -> Sequence[tuple[str, Any]]:
    sheet = fmt.link(job.training_sheet_name, f"./label?sheet={job.training_sheet_id}")
    told = [(fmt.words(name), fmt.value(value)) for name, value in job.training_config.items()]
    return [
        ("Training sheet", sheet),
        ("Base model", job.base_model),
        ("Trainer", job.trainer),
        ("To learn from", fmt.percent(job.train_val_split)),
        *told,
        ("Created", fmt.moment(job.created_at)),
        ("By", job.created_by),
        ("Process", fmt.text(job.pid, reason="No process was started.")),
        ("Attempt", fmt.integer(job.attempt)),
    ]


def _result(job: Any) -> Markup:
    if not job.model_version_id:
        return Markup('<div class="faint">The model version appears here once the job has succeeded.</div>')
    model = fmt.link("Open the model version", f"./models?model={job.model_version_id}")
    parent = Markup("<div>Retry of {}</div>").format(fmt.short_id(job.parent_id, href=f"./train?job={job.parent_id}"))
    return Markup("<div>{}</div>{}").format(model, parent if job.parent_id else "")
