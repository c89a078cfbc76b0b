"""Studies: search the settings of a trainer by trials, and train the best."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from workbench.contract import Field, Page, PageNumber, PageSize, command, query
from workbench.domain.jobs import JobEvent
from workbench.domain.lifecycle import offered
from workbench.domain.plain import plain
from workbench.domain.studies import STUDY, Study, StudyCoordinates, StudyDetails, StudyImportance, Trial
from workbench.domain.train import TrainingJob, direction
from workbench.errors import InvalidTransition, NotFound, did_you_mean
from workbench.services import job_pages, study_figures, study_space, training_plan
from workbench.services.answering import answered
from workbench.services.job_lists import By, Descending, Label, Since, Until, narrowed
from workbench.services.jobs import QUEUE_PLACES, RUNNERS, Reason, derived
from workbench.services.service import Service
from workbench.services.study_lead import StudyLead
from workbench.services.training_arguments import (
    TRAINERS,
    BaseModelName,
    Labels,
    ModelName,
    Ratio,
    TrainerName,
    TrainingSheetId,
    Words,
)
from workbench.store.tables import Records
from workbench.trainers.protocol import Trainer

SETTLED = "study_id = ? and outcome = 'succeeded'"
REQUEST = ("n_trials", "parallel", "seed", "pruning", "metric", "search_space")

Space = Annotated[
    dict[str, Any] | None,
    Field(
        description="Settings to search: name -> {low, high, log} or {choices}; what is left out is the trainer's own. "
        "None: the whole space the trainer suggests."
    ),
]
StudySort = Annotated[
    Literal[
        "created_at", "started_at", "completed_at", "duration_seconds", "model_name", "status", "progress_percent", "best_value"
    ],
    Field(description="Property to sort by; a study without it comes last."),
]
TrialSort = Annotated[
    Literal["number", "value", "state", "duration_seconds", "completed_at"],
    Field(description="Property to sort by; a trial without it comes last."),
]


class StudyService(Service, training_plan.Examined):
    """Make studies, follow their trials, train what they found."""

    namespace = "studies"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.records = Records(self.db, Study, topic="jobs")
        self.details = Records(self.db, StudyDetails, topic="jobs")
        self.trial_records = Records(self.db, Trial, topic="jobs")
        self.lead = StudyLead(app)

    def start(self) -> None:
        """Take up the studies an earlier owner left."""
        self.lead.start()

    def close(self) -> None:
        """Leave the studies to the next owner."""
        self.lead.close()

    @command("POST", "/training/studies", roles=TRAINERS, status=201, transaction=False, label="Tune", further="faults_of")
    def create(
        self,
        training_sheet_id: TrainingSheetId,
        model_name: ModelName,
        base_model: BaseModelName,
        *,
        trainer: TrainerName = None,
        n_trials: Annotated[int, Field(ge=1, le=1000, description="Trials to make in all.")] = 20,
        metric: Annotated[
            str | None, Field(description="Figure on the held-out pairs to go by; none: the trainer's usual one.")
        ] = None,
        search_space: Space = None,
        training_config: Annotated[dict[str, Any], Field(description="Settings that stay the same in every trial.")] = {},  # noqa: B006 - never changed
        train_val_split: Ratio = 0.8,
        parallel: Annotated[int, Field(ge=1, description="Trials at the same time, at most as many as jobs may run.")] = 1,
        pruning: Annotated[bool, Field(description="End trials early that fall behind the median of the others.")] = True,
        seed: Annotated[
            int, Field(ge=0, le=2**32 - 1, description="Makes the choice of settings repeatable, with one trial at a time.")
        ] = 42,
        timeout_seconds: Annotated[
            float | None, Field(gt=0, description="Seconds the search may take; then the best so far is kept.")
        ] = None,
        labels: Labels = {},  # noqa: B006
    ) -> Study:
        """Start a study: trainings with different settings on the same pairs, to find the best settings.

        Everything is checked before anything is stored, as for a training job. The first trial takes the
        settings as they are without a search, where they lie inside the space. Trials register no model
        version; `train_best` trains the best settings again, as a job that does.
        """
        request = {
            "training_sheet_id": training_sheet_id, "model_name": model_name.strip(), "base_model": base_model,
            "trainer": trainer, "train_val_split": train_val_split, "training_config": training_config,
            "n_trials": n_trials, "parallel": parallel, "seed": seed, "pruning": pruning, "metric": metric,
            "search_space": search_space,
        }  # fmt: skip
        return self._create(request, labels=labels, timeout_seconds=timeout_seconds)

    @query("GET", "/training/studies", key="studies", topics=("jobs",))
    def list(
        self,
        *,
        training_sheet_id: Annotated[str | None, Field(description="Only studies on this training sheet.")] = None,
        status: Literal["pending", "queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        search: Annotated[str, Field(max_length=200, description="Part of the model's name.")] = "",
        base_model: Annotated[str | None, Field(description="Only studies that start from it.")] = None,
        created_by: By = None,
        since: Since = None,
        until: Until = None,
        label: Label = None,
        sort: StudySort = "created_at",
        descending: Descending = True,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[Study]:
        """List the studies, the newest first."""
        equals = {
            "training_sheet_id": training_sheet_id, "status": status, "base_model": base_model, "created_by": created_by,
        }  # fmt: skip
        wanted = narrowed(
            equals, search=("model_name", search), since=since, until=until, label=label, sort=sort, descending=descending
        )
        with self.db.read():
            found = self.records.page(wanted.where, wanted.params, order=wanted.order, page=page, page_size=page_size)
            found.rows = self._present(found.rows)
        return found

    @query("GET", "/training/studies/{study_id}", topics=("jobs",))
    def get(self, study_id: str) -> Study:
        """Return one study with its best trial so far."""
        return self._shown(self._found(study_id))

    @query("GET", "/training/studies/{study_id}/trials", key="trials", topics=("jobs",))
    def trials(
        self,
        study_id: str,
        *,
        state: Annotated[
            Literal["pending", "queued", "running", "succeeded", "pruned", "failed", "cancelled"] | None,
            Field(description="Only trials in this state."),
        ] = None,
        sort: TrialSort = "number",
        descending: Descending = False,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[Trial]:
        """List the trials of a study: what each tried and what came of it."""
        with self.db.read():
            study = self._found(study_id)
            where = "study_id = ?" + (" and state = ?" if state else "")
            order = f"{sort} {'desc' if descending else 'asc'} nulls last, number"
            params = [study.id, *([state] if state else [])]
            found = self.trial_records.page(where, params, order=order, page=page, page_size=page_size)
            found.rows = [{**row, "best": row["number"] == study.best_trial} for row in found.rows]
        return found

    @query("GET", "/training/studies/{study_id}/importance", topics=("jobs",))
    def importance(self, study_id: str) -> StudyImportance:
        """Return how much each setting decides whether a trial is among the best."""
        study = self._found(study_id)
        return study_figures.importance(study, self.trial_records.list(SETTLED, [study.id], order="number"))

    @query("GET", "/training/studies/{study_id}/coordinates", topics=("jobs",))
    def coordinates(self, study_id: str) -> StudyCoordinates:
        """Return every trial that came to a figure over all settings at once, ready to be drawn."""
        study = self._found(study_id)
        return study_figures.coordinates(study, self.trial_records.list(SETTLED, [study.id], order="number"))

    @command("POST", "/training/studies/{study_id}/cancel", roles=RUNNERS, label="Cancel", confirm=STUDY.moves["cancel"].confirm)
    def cancel(self, study_id: str, *, reason: Reason = "") -> Study:
        """Cancel a study with all its trials; what was found stays to be looked at."""
        STUDY.require("cancel", (study := self._found(study_id)).status, lambda: self._shown(study).actions)
        self.app.jobs.ask_cancel(study_id, reason)
        return self.get(study_id)

    @command("POST", "/training/studies/{study_id}/stop", roles=RUNNERS, label="Stop and keep the best")
    def stop(self, study_id: str) -> Study:
        """End a running study early: living trials are cancelled, the best so far is its result."""
        STUDY.require("stop", (study := self._found(study_id)).status, lambda: self._shown(study).actions)
        self.app.jobs.ask_stop(study_id)
        return self.get(study_id)

    @command("POST", "/training/studies/{study_id}/retry", roles=TRAINERS, status=201, transaction=False, label="Retry")
    def retry(self, study_id: str) -> Study:
        """Make a new study like one that failed or was cancelled, on the pairs as they are now."""
        study = self._found(study_id)
        STUDY.require("retry", study.status, lambda: self._shown(study).actions)
        return self._create(study.spec, labels=study.labels, timeout_seconds=study.timeout_seconds, parent_id=study.id)

    @command(
        "POST", "/training/studies/{study_id}/train-best", roles=TRAINERS, status=201, transaction=False, label="Train the best"
    )
    def train_best(
        self,
        study_id: str,
        *,
        trial: Annotated[int | None, Field(ge=1, description="Number of another trial to take the settings of.")] = None,
        model_name: Annotated[
            str | None,
            Field(min_length=1, max_length=200, description="Another name for the model; none: the study's."),
            AfterValidator(plain),
        ] = None,
        register_to_uc: Annotated[bool, Field(description="Keep catalog and schema with the registered version.")] = False,
        uc_catalog: Words = None,
        uc_schema: Words = None,
        labels: Labels = {},  # noqa: B006
    ) -> TrainingJob:
        """Start a training job with the best settings found, on the pairs as they are now.

        Where the pairs have not changed since, its split and its figures are those of the trial.
        """
        study = self._found(study_id)
        number = self._tried(study, trial)
        job = self.app.training.records.find(id=self.trial_records.find(study_id=study.id, number=number).id)
        request = {
            **{name: job.spec[name] for name in training_plan.REQUEST}, "training_config": job.training_config,
            "model_name": (model_name or study.model_name).strip(), "register_to_uc": register_to_uc,
            "uc_catalog": uc_catalog, "uc_schema": uc_schema,
        }  # fmt: skip
        origin = {"tuned_by": study.id, "trial": number}
        return self.app.training.make(request, labels=labels, parent_id=study.id, origin=origin)

    def _tried(self, study: Study, number: int | None) -> int:
        """Return the number of the trial whose settings are wanted."""
        if number is None:
            if study.best_trial is None:
                raise InvalidTransition(
                    "The study has no best trial: none has succeeded. Wait for one, or name a trial by its number.",
                    current=study.status,
                    allowed=offered(self._shown(study).actions),
                )
            return study.best_trial
        if not self.trial_records.exists(study_id=study.id, number=number):
            raise NotFound(f"Study {study.id} has no trial {number}.", kind="trial", id=str(number))
        return number

    def _create(
        self,
        request: Mapping[str, Any],
        *,
        labels: Mapping[str, str],
        timeout_seconds: float | None,
        parent_id: str | None = None,
    ) -> Study:
        plan = training_plan.planned(self.app, request, further=self.further(request))
        space, _ = study_space.completed(plan.choice.trainer, request["search_space"], request["training_config"])
        metric = request["metric"] or plan.choice.trainer.measures[0]
        details = StudyDetails(
            id=self.clock.new_id("job"),
            training_sheet_name=plan.sheet.name,
            **{**plan.choice.facts(), "training_config": dict(request["training_config"])},
            **plan.pairs.counts(),
            **{name: request[name] for name in ("training_sheet_id", "model_name", "train_val_split")},
            **{**{name: request[name] for name in REQUEST}, "metric": metric, "search_space": space},
            direction=direction(metric),
        )
        self.app.training.work.freeze(details.id, plan.pairs.prepared())
        spec = {**request, "trainer": details.trainer, "metric": metric}
        with self.db.write():
            self.details.insert(details)
            self.app.training.work.keep_pairs(details.id, plan.pairs)
            self.app.engine.submit(
                "study", id=details.id, name=f"Tune {details.model_name}", spec=spec, created_by=self.actor, parent_id=parent_id,
                labels=dict(labels), sample=plan.sheet.sample, timeout_seconds=timeout_seconds,
            )  # fmt: skip
            self.app.engine.ledger.note(details.id, *plan.warnings(), *_notes(details))
            study = self.get(details.id)
            self.db.on_commit(lambda: self.lead.take(study))
            return answered(study)

    def further(self, request: Mapping[str, Any]) -> training_plan.Further:
        """Return what finds the faults of the search."""

        def found(worker: Trainer) -> builtins.list[dict[str, Any]]:
            faults = study_space.completed(worker, request["search_space"], request["training_config"])[1]
            return faults + self._faults(worker, request)

        return found

    def _faults(self, worker: Trainer, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what is wrong with the fields that only a study has."""
        faults, most, metric = [], self.settings.max_jobs, request["metric"]
        if request["parallel"] > most:
            words = f"must be at most {most}: so many jobs run at the same time here"
            faults.append({"field": "parallel", "message": words, "value": request["parallel"]})
        if metric is not None and metric not in worker.measures:
            words = (
                f"is not measured by {worker.name}.{did_you_mean(metric, worker.measures)} Known are {', '.join(worker.measures)}"
            )
            faults.append({"field": "metric", "message": words, "value": metric})
        return faults

    def _found(self, study_id: str) -> Study:
        study = self.records.find(id=study_id)
        if study is None:
            raise job_pages.missing(self.db, "study", study_id)
        return study

    def _shown(self, study: Study) -> Study:
        return Study(**self._present([study.values()])[0])

    def _present(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        found = [dict(row) for row in rows]
        places = dict(self.db.tuples(QUEUE_PLACES)) if any(row["status"] == "queued" for row in found) else {}
        for row in found:
            none = {"train_best": "No trial has succeeded yet."} if row["best_trial"] is None else {}
            row |= derived(row, self.clock.now(), places, {}, roles=self.roles, lifecycle=STUDY, blocked=none)
        return found


def _notes(details: StudyDetails) -> list[JobEvent]:
    most = study_space.size(details.search_space)
    if most is None or most >= details.n_trials:
        return []
    words = f"The space holds {most} combinations, fewer than {details.n_trials} trials: each is tried once."
    return [JobEvent(type="log", message=words)]
