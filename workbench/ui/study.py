"""One study: how far it is, what it tried, which settings matter, what is best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import param
from markupsafe import Markup

from workbench.domain.studies import Trial
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.bars import PARTS_CSS, Share, meter, parts_bar
from workbench.ui.components.cards import card, columns_of, stack
from workbench.ui.components.columns import Column, column, columns
from workbench.ui.components.markup import html, show
from workbench.ui.components.progress import ProgressPanel
from workbench.ui.components.states import Elsewhere
from workbench.ui.components.study_plots import CoordinatesPlot, HistoryPlot
from workbench.ui.components.table import DataTable
from workbench.ui.components.timeline import Moment, Timeline
from workbench.ui.url import page_href
from workbench.ui.view import View

WIDTHS = "minmax(0, 1fr) minmax(280px, 340px)"


class StudyView(View):
    """Show one study, live."""

    study_id = param.String("", doc="Id of the study.")
    on_made = param.Callable(None, allow_None=True, doc="Called with the id of the training job made of the best settings.")
    on_again = param.Callable(None, allow_None=True, doc="Called with the id of the study that a retry made.")

    def build(self) -> list[Any]:
        """Return head, plots, what matters, trials."""
        self._title, self._progress, self._failure = html(""), ProgressPanel(), html("")
        self._actions = ActionBar(toasts=self.toasts, first="train_best")
        self._best, self._counts, self._facts, self._space = html(""), html("", css=PARTS_CSS), html(""), html("")
        self._matters = html("")
        self._history, self._coordinates, self._timeline = HistoryPlot(), CoordinatesPlot(), Timeline()
        self._head = card(
            "", columns_of(self._title, self._actions, widths="minmax(0, 1fr) auto"), self._progress, self._failure, name="study"
        )
        top = self.live(self.ws.studies.get, self._draw, study_id=self.study_id, height=88)
        rest = stack(columns_of(self._left(), self._right(), widths=WIDTHS), self._below())
        elsewhere = Elsewhere(rest)
        top.refuse = elsewhere.refuse
        return [elsewhere, top, rest]

    def _left(self) -> Any:
        # What a trial says while it runs changes none of this: the study speaks when one has ended.
        about = {"about": self.study_id}
        self.watch(self.ws.jobs.metrics, lambda found: self._history.update(found.metrics), job_id=self.study_id, **about)
        self.watch(self.ws.studies.coordinates, self._coordinates.update, study_id=self.study_id, **about)
        return stack(card("", self._history, name="history"), card("", self._coordinates, name="coordinates"))

    def _right(self) -> Any:
        matters = self.live(
            self.ws.studies.importance, self._draw_importance, about=self.study_id, study_id=self.study_id, height=60
        )
        return stack(
            card("Best so far", self._best, name="best"),
            card("Trials", self._counts, name="counts"),
            card("What matters", matters, name="importance"),
            card("Searched", self._space, name="space"),
        )

    def _below(self) -> Any:
        trials = DataTable(
            self, self.ws.studies.trials, trial_columns(), filters={"study_id": self.study_id}, page_size=20,
            on_open=lambda id: self.on_made(id) if self.on_made is not None else None,
        )  # fmt: skip
        latest = {"about": self.study_id, "latest_first": True, "progress": False, "page_size": 100}
        events = self.live(self.ws.jobs.events, self._draw_events, job_id=self.study_id, height=60, **latest)
        facts = card("Settings of the study", self._facts, name="settings")
        happened = card("What happened", events, name="events")
        return stack(card("All trials", trials, name="trials"), columns_of(happened, facts, widths=WIDTHS))

    def _draw(self, study: Any) -> Any:
        title = Markup('<span style="font-size:18px;font-weight:700">{}</span> <span class="faint">{}</span>')
        show(self._title, title.format(study.model_name, fmt.short_id(study.id)))
        self._progress.update(study)
        self._actions.update(study.actions, lambda name: self._run(study, name))
        show(self._failure, _failure(study))
        show(self._best, _best(study))
        show(self._counts, parts_bar(_shares(study)))
        show(self._space, fmt.facts((fmt.words(name), _searched(entry)) for name, entry in study.search_space.items()))
        show(self._facts, fmt.facts(_settings(study)))
        return self._head

    def _run(self, study: Any, name: str) -> Any:
        made = run_on(self.ws, study)(name)
        land = self.on_made if hasattr(made, "training_config") and hasattr(made, "model_version_id") else self.on_again
        if land is not None and made.id != study.id:
            land(made.id)
        return made

    def _draw_importance(self, found: Any) -> Any:
        bars = fmt.facts((fmt.words(each.name), meter(each.share_percent)) for each in found.importances)
        show(self._matters, Markup('<div class="faint">{}</div>').format(found.reason) if found.reason else bars)
        return self._matters

    def _draw_events(self, page: Any) -> Any:
        self._timeline.update([Moment(e.logged_at, e.new_status, e.message) for e in page])
        return self._timeline


def trial_columns() -> tuple[Column, ...]:
    """Return the columns of the trials of a study."""
    return (
        Column("number", "Trial", _numbered, whole=True, align="right", sortable=True, doc=Trial.param.number.doc),
        *columns(Trial, "state"),
        Column("params", "Tried", _tried, whole=True, doc=Trial.param.params.doc),
        column(Trial, "value"),
        column(Trial, "progress_percent"),
        column(Trial, "duration_seconds", title="Took"),
        Column("id", "Job", _job),
    )


def _numbered(row: Any) -> Markup:
    return Markup("<b>{}</b>{}").format(fmt.integer(row["number"]), Markup(" \N{BLACK STAR}") if row["best"] else "")


def _tried(row: Any) -> Markup:
    """Return the settings tried, and below them why it came to nothing."""
    line = Markup('<span class="faint">{}</span> {}')
    parts = Markup(" \N{MIDDLE DOT} ").join(
        line.format(fmt.words(name), fmt.value(value)) for name, value in row["params"].items()
    )
    why = Markup('<div class="faint small">{}</div>').format(row["reason"]) if row["reason"] else ""
    return Markup("{}{}").format(parts, why)


def _job(id: str) -> Markup:
    return fmt.short_id(id, href=page_href("train", {"job": id}))


def _failure(study: Any) -> Markup:
    if not (study.error_message or study.cancel_reason):
        return Markup("")
    return Markup('<div class="text ink-error"><b>{}</b> {}</div>').format(study.error_message or "", study.cancel_reason or "")


def _best(study: Any) -> Markup:
    if study.best_trial is None:
        return Markup('<div class="faint">No trial has succeeded yet.</div>')
    figure = Markup(
        '<div class="figure">{}</div><div class="small faint" style="padding-bottom:8px">{} of trial {}, {} is better</div>'
    )
    told = figure.format(fmt.number(study.best_value, 4), fmt.words(study.metric), study.best_trial, study.direction)
    facts = fmt.facts((fmt.words(name), fmt.value(value)) for name, value in study.best_config.items())
    return Markup("{}{}").format(told, facts)


def _shares(study: Any) -> list[Share]:
    return [
        Share("succeeded", study.trials_succeeded),
        Share("pruned", study.trials_pruned),
        Share("cancelled", study.trials_cancelled),
        Share("living", study.trials_living),
        Share("failed", study.trials_failed),
    ]


def _searched(entry: dict[str, Any]) -> Markup:
    if entry.get("choices") is not None:
        return fmt.value(entry["choices"])
    scale = Markup(' <span class="faint">logarithmic</span>') if entry["log"] else ""
    return Markup("{} to {}{}").format(fmt.plain(entry["low"]), fmt.plain(entry["high"]), scale)


def _settings(study: Any) -> Sequence[tuple[str, Any]]:
    fixed = [(fmt.words(name), fmt.value(value)) for name, value in study.training_config.items()]
    return [
        ("Training sheet", fmt.link(study.training_sheet_name, page_href("label", {"sheet": study.training_sheet_id}))),
        ("Pairs", fmt.plural(study.total_pairs, "pair")),
        ("Held out", fmt.plural(study.val_pairs, "pair")),
        ("Base model", study.base_model),
        *fixed,
        ("Goes by", fmt.words(study.metric)),
        ("At the same time", fmt.plural(study.parallel, "trial")),
        ("Pruning", fmt.value(study.pruning)),
        ("Seed", fmt.plain(study.seed)),
        ("At most", fmt.duration(study.timeout_seconds, reason="No limit of time.")),
        ("Created", Markup("{} by {}").format(fmt.moment(study.created_at), study.created_by)),
    ]
