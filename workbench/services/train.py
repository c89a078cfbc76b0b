"""Training: make a model version from the approved pairs of a training sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from workbench.contract import Deleted, Field, Page, PageNumber, PageSize, command, query
from workbench.domain.improve import Lineage
from workbench.domain.jobs import DELETE, TERMINAL, Job, JobEvent
from workbench.domain.train import (
    SUMMARY_METRICS,
    TRAINING,
    BaseModel,
    Comparison,
    Estimate,
    TrainingDetails,
    TrainingJob,
    TrainingJobMetrics,
)
from workbench.errors import NotReady
from workbench.services import curves, job_deletion, job_pages, study_space, training_compare, training_plan
from workbench.services.answering import answered
from workbench.services.job_lists import NO_TRIALS, By, Descending, Label, Since, TrainingSort, Trials, Until, narrowed
from workbench.services.jobs import QUEUE_PLACES, RUNNERS, NewLimit, Reason, Resume, TimeLimit, derived, refuse_to_resume
from workbench.services.predictions import PairPredictions
from workbench.services.training_arguments import (
    TRAINERS,
    BaseModelName,
    Config,
    Labels,
    ModelName,
    Ratio,
    TrainerName,
    TrainingSheetId,
    Words,
)
from workbench.services.training_place import surroundings
from workbench.services.training_plan import Examined, Plan
from workbench.services.training_work import TrainingWork
from workbench.store.tables import Records
from workbench.trainers import offers, trainers

NEWEST = "created_at desc, id"
SIDES = {"held_out": "", "train": " on what it learned from", "all": " on all its pairs"}


class TrainingService(PairPredictions, Examined):
    """Make training jobs, follow them, compare them."""

    namespace = "training"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.records = Records(self.db, TrainingJob, topic="jobs")
        self.details = Records(self.db, TrainingDetails, topic="jobs")
        self.work = TrainingWork(app)

    def start(self) -> None:
        """Look for trainers anew, and tell the engine how training and evaluation run."""
        trainers.cache_clear()
        self.work.register()

    @command("POST", "/training/jobs", roles=TRAINERS, status=201, transaction=False, label="Train", further="faults_of")
    def create(
        self,
        training_sheet_id: TrainingSheetId,
        model_name: ModelName,
        base_model: BaseModelName,
        *,
        trainer: TrainerName = None,
        train_val_split: Ratio = 0.8,
        training_config: Config = {},  # noqa: B006 - never changed
        register_to_uc: Annotated[bool, Field(description="Keep catalog and schema with the registered version.")] = False,
        uc_catalog: Words = None,
        uc_schema: Words = None,
        labels: Labels = {},  # noqa: B006
        timeout_seconds: TimeLimit = None,
    ) -> TrainingJob:
        """Start a training job; pairs, versions and split are frozen with it.

        Everything is checked before anything is stored: unknown training sheet, then every faulty
        field at once, then whether the pairs suffice.
        """
        request = {
            "training_sheet_id": training_sheet_id, "model_name": model_name.strip(), "base_model": base_model,
            "trainer": trainer, "train_val_split": train_val_split, "training_config": training_config,
            "register_to_uc": register_to_uc, "uc_catalog": uc_catalog, "uc_schema": uc_schema,
        }  # fmt: skip
        return self.make(request, labels=labels, timeout_seconds=timeout_seconds)

    @query("GET", "/training/jobs", key="jobs", topics=("jobs",))
    def list(
        self,
        *,
        training_sheet_id: Annotated[str | None, Field(description="Only jobs on this training sheet.")] = None,
        status: Literal["pending", "queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        search: Annotated[str, Field(max_length=200, description="Part of the model's name.")] = "",
        base_model: Annotated[str | None, Field(description="Only jobs that start from it.")] = None,
        created_by: By = None,
        since: Since = None,
        until: Until = None,
        label: Label = None,
        parent_id: Annotated[str | None, Field(description="Only jobs that belong to this one or repeat it.")] = None,
        trials: Trials = False,
        sort: TrainingSort = "created_at",
        descending: Descending = True,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[TrainingJob]:
        """List the training jobs, the newest first; a study stands for its trials, unless they are asked for."""
        equals = {
            "training_sheet_id": training_sheet_id, "status": status, "base_model": base_model, "created_by": created_by,
            "parent_id": parent_id,
        }  # fmt: skip
        wanted = narrowed(
            equals, search=("model_name", search), since=since, until=until, label=label, sort=sort, descending=descending,
            trials=trials or parent_id is not None,
        )  # fmt: skip
        return self._page(wanted.where, wanted.params, order=wanted.order, page=page, page_size=page_size)

    @query("GET", "/training/active", key="jobs", topics=("jobs",))
    def active(self, *, page: PageNumber = 1, page_size: PageSize = 50) -> Page[TrainingJob]:
        """List the training jobs that have not ended; the trials of a study are not among them."""
        return self._page(f"status in ('pending', 'queued', 'running') and {NO_TRIALS}", [], page=page, page_size=page_size)

    @query("GET", "/training/jobs/{job_id}", topics=("jobs",))
    def get(self, job_id: str) -> TrainingJob:
        """Return one training job."""
        return self._shown(self._found(job_id))

    @command("POST", "/training/jobs/{job_id}/poll", roles=RUNNERS, label="Refresh")
    def poll(self, job_id: str) -> TrainingJob:
        """Return a training job as it is now; one that has ended does not change."""
        job = self._found(job_id)
        if job.status not in TERMINAL:
            self.db.on_commit(self.app.engine.notice)
        return self._shown(job)

    @command("POST", "/training/jobs/{job_id}/cancel", roles=RUNNERS, label="Cancel", confirm="Cancel and discard the work?")
    def cancel(self, job_id: str, *, reason: Reason = "") -> TrainingJob:
        """Cancel a training job: a waiting one ends at once, a running one when its process is gone."""
        TRAINING.require("cancel", (job := self._found(job_id)).status, lambda: self._shown(job).actions)
        self.app.jobs.ask_cancel(job_id, reason)
        return self.get(job_id)

    @command("POST", "/training/jobs/{job_id}/stop", roles=RUNNERS, label="Stop and keep the best")
    def stop(self, job_id: str) -> TrainingJob:
        """End a running training early: the best so far is evaluated and registered."""
        TRAINING.require("stop", (job := self._found(job_id)).status, lambda: self._shown(job).actions)
        self.app.jobs.ask_stop(job_id)
        return self.get(job_id)

    @command("POST", "/training/jobs/{job_id}/retry", roles=TRAINERS, status=201, transaction=False, label="Retry")
    def retry(
        self,
        job_id: str,
        *,
        training_config: Config = {},  # noqa: B006
        resume: Resume = False,
        timeout_seconds: NewLimit = None,
    ) -> TrainingJob:
        """Make a new job like one that failed or was cancelled, with some settings changed if wished.

        A checkpoint is of use only to the same settings and pairs; with others the work begins anew.
        """
        job = self._found(job_id)
        TRAINING.require("retry", job.status, lambda: self._shown(job).actions)
        refuse_to_resume(job, resume)
        request, limit = training_plan.repeated(job, training_config), timeout_seconds or job.timeout_seconds
        return self.make(request, labels=job.labels, parent_id=job.id, resume=resume, timeout_seconds=limit)

    @command("POST", "/training/jobs/{job_id}/resume", roles=TRAINERS, status=201, transaction=False, label="Resume")
    def resume(self, job_id: str) -> TrainingJob:
        """Make a new job that goes on where the checkpoint of a failed one ends: a retry with `resume`."""
        return self.retry(job_id, resume=True)

    @command("DELETE", "/training/jobs/{job_id}", roles=TRAINERS, label="Delete", confirm=DELETE)
    def delete(self, job_id: str) -> Deleted:
        """Delete a training job that has ended, with all it wrote; refused while the version it made is in use."""
        job_deletion.delete(self.app, self._found(job_id).id)
        return Deleted(id=job_id)

    @query("GET", "/training/jobs/{job_id}/events", key="events", topics=("jobs",))
    def events(
        self,
        job_id: str,
        *,
        after: Annotated[int, Field(ge=0, description="Number of the last event you have.")] = 0,
        page: PageNumber = 1,
        page_size: PageSize = 200,
    ) -> Page[JobEvent]:
        """List what happened to a training job, the oldest first."""
        self._found(job_id)
        return self.app.jobs.events(job_id, after=after, page=page, page_size=page_size)

    @query("GET", "/training/jobs/{job_id}/metrics", topics=("jobs",))
    def metrics(self, job_id: str) -> TrainingJobMetrics:
        """Return the latest figures of a training job; its curves are with `jobs.metrics`."""
        return self.get(job_id).metrics

    @query("GET", "/training/jobs/{job_id}/lineage", topics=("jobs", "models", "endpoints"))
    def lineage(self, job_id: str) -> Lineage:
        """Return what a job was made from and what came of it."""
        return self.app.lineage.get("job", self._found(job_id).id)

    @command("POST", "/training/jobs/{job_id}/evaluate", roles=RUNNERS, status=202, transaction=False, label="Evaluate")
    def evaluate(
        self,
        job_id: str,
        *,
        training_sheet_id: Annotated[
            str | None, Field(description="Training sheet to ask about; none: the pairs of the job.")
        ] = None,
        side: Annotated[
            Literal["held_out", "train", "all"], Field(description="Which pairs of the job; another sheet is asked about whole.")
        ] = "held_out",
        timeout_seconds: TimeLimit = None,
    ) -> Job:
        """Ask the trained model about the job's own pairs, held out or learned from, or about the approved ones of another sheet.

        Predictions and losses are kept pair by pair; the losses order reviews.
        """
        job = self._found(job_id)
        sheet = self.app.training_sheets.live(training_sheet_id) if training_sheet_id else None
        TRAINING.require("evaluate", job.status, lambda: self._shown(job).actions)
        if not job.model_version_id:
            raise NotReady("The job has registered no model version to evaluate.", status=job.status)
        frozen = self.work.evaluation_pairs(job, training_sheet_id, side)
        if frozen.num_rows == 0:
            raise self.work.nothing_to_ask(training_sheet_id)
        id = self.clock.new_id("job")
        self.work.freeze(id, frozen)
        spec = {
            "training_job_id": job.id, "model_version_id": job.model_version_id, "training_sheet_id": training_sheet_id,
            "side": None if sheet else side, "majority": (job.result or {}).get("metrics", {}).get("majority_label"), "once": True,
        }  # fmt: skip
        name = f"Evaluate {job.model_name}" + (f" on {sheet.name}" if sheet else SIDES[side])
        with self.db.write():
            made = self.app.engine.submit(
                "evaluate", id=id, name=name, spec=spec, parent_id=job.id, created_by=self.actor, sample=job.sample,
                timeout_seconds=timeout_seconds,
            )  # fmt: skip
            return answered(self.app.jobs.shown(made))

    @query("GET", "/training/compare", topics=("jobs",))
    def compare(
        self,
        ids: Annotated[str, Field(min_length=1, max_length=10_000, description="Ids of the jobs, separated by commas.")],
        *,
        max_points: Annotated[int, Field(ge=4, le=10_000, description="Points per curve; fewer where curves are many.")] = 500,
        metrics: Annotated[
            list[str] | None, Field(max_length=20, description="Metrics whose curves to return; none: losses and accuracies.")
        ] = None,
        all_settings: Annotated[bool, Field(description="Also settings that are the same in every job.")] = False,
    ) -> Comparison:
        """Set up to 100 training jobs and external runs side by side: settings that differ, figures, winners, curves."""
        ids_wanted = training_compare.wanted_ids(ids)
        with self.db.read():
            found = {job.id: job for job in self._page("list_contains(?, id)", [ids_wanted], page=1, page_size=len(ids_wanted))}
            found |= {run.id: run for run in self._runs([id for id in ids_wanted if id not in found])}
            training_compare.require_all(self.db, ids_wanted, list(found))
            jobs = [found[id] for id in ids_wanted]
            return training_compare.compared(self.db, jobs, max_points, metrics=metrics, all_settings=all_settings)

    @query("POST", "/training/estimate", topics=("jobs", "pairs"))
    def estimate(
        self,
        training_sheet_id: TrainingSheetId,
        base_model: BaseModelName,
        *,
        trainer: TrainerName = None,
        train_val_split: Ratio = 0.8,
        training_config: Config = {},  # noqa: B006
    ) -> Estimate:
        """Tell what a training job would use, and what speaks against it, without making one."""
        sheet = self.app.training_sheets.live(training_sheet_id)
        request = {
            "base_model": base_model,
            "trainer": trainer,
            "train_val_split": train_val_split,
            "training_config": training_config,
        }
        choice = training_plan.chosen(self.app, {**request, "model_name": "estimate"})
        pairs = training_plan.eligible_pairs(self.db, sheet.id)
        advice = training_plan.hindrances(choice, sheet, pairs)
        if pairs.total:
            advice += training_plan.divided(pairs, train_val_split)
        size, threads = pairs.size(), self.app.engine.next_threads()
        told = choice.trainer.estimate(choice.config, size, base_model=base_model, threads=threads, given=choice.given)
        return Estimate(
            total_pairs=pairs.total,
            train_pairs=pairs.train_count,
            val_pairs=len(pairs.train) - pairs.train_count,
            excluded=pairs.excluded,
            classes=size.classes,
            threads=threads,
            ready=sheet.status == "ready" and not any(r.level == "blocking" for r in advice),
            recommendations=advice,
            **told,
        )

    @query("GET", "/training/base-models", key="base_models", topics=())
    def base_models(self) -> Page[BaseModel]:
        """List what a training may start from, with the settings of its trainer."""
        around = surroundings(self.app)
        rows = []
        for worker in around.trainers().values():
            told = {"search_space": study_space.completed(worker, None, {})[0], "measures": worker.measures}
            rows += [{**model.values(), **told} for model in offers(worker, around.place)]
        return Page(BaseModel, rows, total=len(rows), page_size=max(1, len(rows)))

    def make(
        self,
        request: Mapping[str, Any],
        *,
        labels: Mapping[str, str],
        origin: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> TrainingJob:
        """Make a job after every check; `origin` is kept beside the request and tells where its settings came from."""
        plan = training_plan.planned(self.app, request)
        details = _details(self.clock.new_id("job"), request, plan)
        self.work.freeze(details.id, plan.pairs.prepared())
        spec = {**request, "trainer": details.trainer, "training_config": details.training_config, **(origin or {})}
        with self.db.write():
            self.details.insert(details)
            self.work.keep_pairs(details.id, plan.pairs)
            self.app.engine.submit(
                "train", id=details.id, name=f"Train {details.model_name}", spec=spec, created_by=self.actor,
                labels=dict(labels), sample=plan.sheet.sample, **more,
            )  # fmt: skip
            self.app.engine.ledger.note(details.id, *plan.warnings())
            return answered(self.get(details.id))

    def _found(self, job_id: str) -> TrainingJob:
        job = self.records.find(id=job_id)
        if job is None:
            raise job_pages.missing(self.db, "train", job_id)
        return job

    def _page(self, where: str, params: Iterable[Any], *, page: int, page_size: int, order: str = NEWEST) -> Page[TrainingJob]:
        with self.db.read():
            found = self.records.page(where, list(params), order=order, page=page, page_size=page_size)
            found.rows = self._present(found.rows)
        return found

    def _runs(self, ids: Sequence[str]) -> list[TrainingJob]:
        """Return external runs as the training jobs they are to people; what they learned from nobody knows."""
        figures = curves.latest(self.db, ids, SUMMARY_METRICS)
        return [
            TrainingJob(
                **row,
                model_name=row["name"],
                training_config=row["spec"],
                metrics=_summary(row | {"current_epoch": None}, figures[row["id"]]),
            )
            for row in (self.app.jobs.runs(ids) if ids else ())
        ]

    def _shown(self, job: TrainingJob) -> TrainingJob:
        return TrainingJob(**self._present([job.values() | {"metrics": job.metrics and job.metrics.values()}])[0])

    def _present(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        found = [dict(row) for row in rows]
        figures = curves.latest(self.db, [row["id"] for row in found if row["metrics"] is None], SUMMARY_METRICS)
        places = dict(self.db.tuples(QUEUE_PLACES)) if any(row["status"] == "queued" for row in found) else {}
        held, now = job_deletion.of_rows(self.db, found), self.clock.now()
        for row in found:
            row |= derived(row, now, places, held, roles=self.roles, lifecycle=TRAINING)
            row["metrics"] = _summary(row, row["metrics"] or figures.get(row["id"], {}))
        return found


def _details(id: str, request: Mapping[str, Any], plan: Plan) -> TrainingDetails:
    kept = ("training_sheet_id", "model_name", "train_val_split", *training_plan.UC)
    return TrainingDetails(
        id=id,
        training_sheet_name=plan.sheet.name,
        total_epochs=plan.choice.config.get("epochs"),
        **plan.choice.facts(),
        **plan.pairs.counts(),
        **{name: request[name] for name in kept},
    )


def _summary(row: Mapping[str, Any], curve: Mapping[str, float | None]) -> dict[str, Any]:
    """Return the values of a TrainingJobMetrics, which becomes one when somebody asks for the record."""
    told = (row["result"] or {}).get("metrics", {})
    kept = {name: told[name] for name in ("val_loss", "val_accuracy") if type(told.get(name)) in (int, float)}
    return {
        **{name: curve.get(name) for name in SUMMARY_METRICS},
        **kept,
        "epochs_completed": row["current_epoch"] if row["started_at"] is not None else None,
        "training_duration_seconds": row["duration_seconds"],
        "tokens_processed": told.get("tokens_processed"),
        "cost_dbu": told.get("cost_dbu"),
    }
