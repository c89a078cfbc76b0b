"""One training job: how far it is, what it measures, what happened, where it leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.bars import PARTS_CSS, Share, parts_bar
from workbench.ui.components.cards import card, columns_of, line, stack
from workbench.ui.components.curve_board import CurveBoard
from workbench.ui.components.evaluate_dialog import EvaluateDialog
from workbench.ui.components.job_log import JobLogPanel
from workbench.ui.components.later import tabs_of
from workbench.ui.components.lineage import LineageGraph
from workbench.ui.components.markup import html, show
from workbench.ui.components.progress import ProgressPanel
from workbench.ui.components.states import Elsewhere
from workbench.ui.components.timeline import Moment, Timeline
from workbench.ui.predictions import PredictionsView
from workbench.ui.url import page_href
from workbench.ui.view import View

LEFT, RIGHT = "minmax(220px, 280px) minmax(0, 1fr)", "minmax(0, 1fr) minmax(200px, 240px)"


class TrainingJobView(View):
    """Show one training job, live."""

    job_id = param.String("", doc="Id of the job.")
    on_made = param.Callable(None, allow_None=True, doc="Called with the id of a job that a retry made; empty once it is deleted.")
    on_like = param.Callable(
        None, allow_None=True, doc="Called with this id and create or retry, to begin a form with its settings."
    )

    _predictions: View | None = None

    def build(self) -> list[Any]:
        """Return head, curves, predictions, events, log, lineage."""
        self._head, self._progress, self._failure = html(""), ProgressPanel(), html("")
        self._evaluate = EvaluateDialog(self, self.job_id)
        self._actions = ActionBar(toasts=self.toasts, first="retry", handlers={"evaluate": self._evaluate.open})
        self._facts, self._figures, self._split = html(""), html(""), html("", css=PARTS_CSS)
        self._artifacts = html("")
        self._timeline, self._graph = Timeline(), LineageGraph()
        self._like, self._again = self._copy("New from this", "create"), self._copy("Retry with changes", "retry")
        top = self.live(self.ws.training.get, self._draw_job, job_id=self.job_id, height=88)
        rest = columns_of(self._measured(), self._right(), widths=RIGHT)
        elsewhere = Elsewhere(rest)
        top.refuse = elsewhere.refuse
        return [elsewhere, top, rest, self._evaluate]

    def _copy(self, label: str, way: str) -> Any:
        button = pmui.Button(label=label, variant="text", margin=0, css_classes=[f"{way}-like"], visible=self.on_like is not None)
        button.on_click(lambda event: self.on_like(self.job_id, way))
        return button

    def close(self) -> None:
        """Release every live query, also those of the answers."""
        super().close()
        if self._predictions is not None:
            self._predictions.close()

    def _left(self) -> Any:
        return stack(
            card("Figures", self._figures, name="figures"),
            card("Pairs", self._split, name="pairs"),
            card("Settings", self._facts, name="settings"),
        )

    def _measured(self) -> Any:
        """Return figures and curves side by side, and below them what needs room."""
        curves = CurveBoard(self, self.job_id)
        return stack(columns_of(self._left(), curves, widths=LEFT), card("", self._below(), name="below"))

    def _below(self) -> Any:
        latest = {"about": self.job_id, "latest_first": True, "progress": False, "page_size": 100}
        events = self.live(self.ws.jobs.events, self._draw_events, job_id=self.job_id, height=120, **latest)
        return tabs_of(self, ("What happened", events), Answers=self._answers, Log=lambda: JobLogPanel(self, self.job_id))

    def _answers(self) -> View:
        self._predictions = PredictionsView(self.ws, frame=self, job_id=self.job_id)
        return self._predictions

    def _right(self) -> Any:
        lineage = self.live(self.ws.lineage.get, self._draw_lineage, kind="job", id=self.job_id, height=200)
        return stack(card("Result", self._artifacts, name="result"), card("Lineage", lineage, name="lineage"))

    def _draw_job(self, job: Any) -> Any:
        title = Markup('<span style="font-size:18px;font-weight:700">{}</span> <span class="faint">{}</span>')
        show(self._head, title.format(job.model_name, fmt.short_id(job.id)))
        self._progress.update(job)
        self._actions.update(job.actions, lambda name: self._run(job, name))
        self._again.visible = self.on_like is not None and any(a.name == "retry" and a.enabled for a in job.actions)
        show(self._failure, _failure(job))
        show(self._figures, fmt.facts(_figures(job)))
        show(self._split, parts_bar([Share("to learn from", job.train_pairs), Share("held out", job.val_pairs)]))
        show(self._facts, fmt.facts(_settings(job)))
        show(self._artifacts, _result(job))
        self._layout_head = getattr(self, "_layout_head", None) or card(
            "",
            columns_of(self._head, line(self._actions, self._again, self._like), widths="minmax(0, 1fr) auto"),
            self._progress,
            self._failure,
            name="job",
        )
        return self._layout_head

    def _run(self, job: Any, name: str) -> Any:
        made = run_on(self.ws, job)(name)
        if name == "delete" and self.on_made is not None:
            self.on_made("")
        elif self.on_made is not None and made.parent_id == job.id and hasattr(made, "training_sheet_id"):
            self.on_made(made.id)
        return made

    def _draw_events(self, page: Any) -> Any:
        self._timeline.update([Moment(e.logged_at, e.new_status, e.message) for e in page])
        return self._timeline

    def _draw_lineage(self, lineage: Any) -> Any:
        self._graph.update(lineage)
        return self._graph


def _failure(job: Any) -> Markup:
    if not (job.error_message or job.cancel_reason):
        return Markup("")
    failed = Markup('<div class="text ink-error"><b>{}</b></div>').format(job.error_message)
    why = Markup('<div class="text"><span class="faint">Cancelled because:</span> {}</div>').format(job.cancel_reason)
    details = Markup("<details><summary>Details</summary><pre>{}</pre></details>").format(job.error_details)
    told = ((failed, job.error_message), (why, job.cancel_reason), (details, job.error_details))
    return Markup("").join(markup for markup, known in told if known)


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
    study = job.spec.get("trial_of") or job.spec.get("tuned_by")
    trial = Markup("{} {}").format(fmt.link("Trial", page_href("train", {"study": study})), job.spec.get("trial"))
    return [
        *([("Study", trial)] if study else []),
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
    lines = [Markup('<div class="faint">The model version appears here once the job has succeeded.</div>')]
    if job.model_version_id:
        lines = [
            Markup("<div>{}</div>").format(
                fmt.link("Open the model version", page_href("models", {"model": job.model_version_id}))
            )
        ]
    if job.parent_id and "tuned_by" not in job.spec and "trial_of" not in job.spec:
        parent = fmt.short_id(job.parent_id, href=page_href("train", {"job": job.parent_id}))
        compare = fmt.link("compare", page_href("train", {"compare": f"{job.parent_id},{job.id}"}))
        lines.append(Markup("<div>Retry of {}, {}</div>").format(parent, compare))
    return Markup("").join(lines)
