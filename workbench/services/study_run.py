"""One running study: what its trials measured is taken in, the next ones are made, the end is found."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.domain.jobs import TERMINAL, Job, JobEvent
from workbench.domain.studies import Study, Trial, TrialDetails
from workbench.domain.train import TrainingDetails, measure
from workbench.services.study_search import Known, Search
from workbench.services.training_plan import REQUEST
from workbench.store.tables import Records
from workbench.trainers import trainer

if TYPE_CHECKING:
    from workbench.services.application import Application

FAILURES = 3
PRUNED = "pruned"
FELL_BEHIND = "It fell behind the median of the others."
STOPPED = "The study was stopped."
OUT_OF_TIME = "The study ran out of time."
_VALUES = """
select job_id, coalesce(epoch, step) as step, arg_max(value, logged_at) as value from metrics
where name = ? and list_contains(?, job_id) group by all order by all
"""
_LATEST = "select arg_max(value, step) from metrics where job_id = ? and name = ?"
_LAST_ENDED = """
select outcome, if(coalesce(error_code, 'JOB_FAILED') = 'JOB_FAILED', reason, error_code) as cause, reason, error_code
from trial_details join jobs using (id)
where study_id = ? and outcome is not null and outcome <> 'cancelled' order by settled_at desc, number desc limit ?
"""
_OPEN = "study_id = ? and outcome is null"
_COUNTED = """
update jobs set done = ?, progress_percent = greatest(progress_percent, ?), eta_seconds = ?, message = ?, updated_at = ?,
    version = version + 1
where id = ? and status = 'running' returning version
"""


class StudyRun:
    """Lead one study; `tend` does what there is to do and says whether the study goes on."""

    def __init__(self, app: Application, study: Study) -> None:
        self.app = app
        self.db = app.db
        self.engine = app.engine
        self.id = study.id
        self.studies = Records(self.db, Study, topic="jobs")
        self.trials = Records(self.db, Trial, topic="jobs")
        self.details = Records(self.db, TrialDetails, topic="jobs")
        self.pruning = study.pruning
        self.search = self._search(study)
        self.exhausted = False
        self.late = False

    def tend(self, heard: Sequence[tuple[str, int, float]] = ()) -> bool:
        """Settle what ended, prune what falls behind, make what is next, or end the study."""
        self._hear(heard)
        open_trials = self.trials.list(_OPEN, [self.id], order="number")
        for trial in open_trials:
            if trial.completed_at is not None:
                self._settle(trial)
        living = {trial.id: trial for trial in open_trials if trial.completed_at is None}
        study = self.studies.get(self.id)
        if study.status in TERMINAL:
            return False
        ending = self._ending(study)
        if ending is None:
            self._begin(study)
            study = self.studies.get(self.id)
            if study.status in TERMINAL:
                return False
            complete = study.trials_made >= study.n_trials or self.exhausted
            return self._conclude(study, None) if complete and not self._living() else True
        for trial in living.values():
            self._end(trial.id, ending[1])
        return True if self._living() else self._conclude(study, ending)

    def seconds_left(self) -> float | None:
        """Return the seconds until the study runs out of time; None without a limit."""
        study = self.studies.get(self.id)
        if study.timeout_seconds is None or study.started_at is None:
            return None
        return study.timeout_seconds - (self.app.clock.now() - study.started_at).total_seconds()

    def _search(self, study: Study) -> Search:
        """Return the search as it stands by our own tables."""
        made = self.trials.list("study_id = ?", [study.id], order="number")
        values: dict[str, dict[int, float]] = {}
        last = {trial.id: trial.pruned_step or math.inf for trial in made}
        for job_id, step, value in self.db.tuples(_VALUES, [study.metric, list(last)]):
            if step <= last[job_id]:
                values.setdefault(job_id, {})[step] = value
        return Search(
            study.search_space,
            higher=study.direction == "higher",
            seed=study.seed,
            n_trials=study.n_trials,
            first=trainer(study.trainer).Config.complete(study.training_config)[0],
            known=[Known(t.number, t.params, t.outcome, t.value, values.get(t.id, {})) for t in made],
        )

    def _living(self) -> int:
        return self.details.count(_OPEN, [self.id])

    # What ended.

    def _settle(self, trial: Trial) -> None:
        """Take an ended trial into account: table, history, search."""
        job = self.engine.ledger.jobs.get(trial.id)
        study = self.studies.get(self.id)
        outcome, value, reason = self._judged(trial, job, study)
        now = self.app.clock.now()
        with self.db.write():
            self.details.update(trial.id, outcome=outcome, value=value, reason=reason, settled_at=now)
            study = self.studies.get(self.id)
            ended = study.trials_succeeded + study.trials_pruned + study.trials_failed + study.trials_cancelled
            words = _told(trial.number, outcome, value, reason, study)
            at = now.replace(tzinfo=dt.UTC).timestamp()
            points = [(f"best_{study.metric}", ended, study.best_value, None, at)] if study.best_value is not None else []
            if outcome == "succeeded":
                points.append((study.metric, ended, value, None, at))
            self.engine.ledger.add_points(self.id, points)
            self.db.execute(_COUNTED, [ended, *self._pace(study, ended), words, now, self.id])
            self.engine.ledger.note(
                self.id, JobEvent(type="log", message=words, data={"trial": trial.number, "job_id": trial.id})
            )
        if outcome != "failed":
            self.app.training.work.slim(job)
        self.search.tell(trial.number, outcome, value)

    def _judged(self, trial: Trial, job: Job, study: Study) -> tuple[str, float | None, str | None]:
        """Return what came of a trial, its figure and why."""
        if trial.pruned_step is not None:
            return "pruned", trial.value, trial.reason
        if job.status == "succeeded":
            told = (job.result or {}).get("metrics") or {}
            value = told.get(study.metric, self.db.value(_LATEST, [job.id, study.metric]))
            if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
                return "succeeded", float(value), None
            known = ", ".join(sorted(name for name, figure in told.items() if isinstance(figure, float)))
            words = f"The {measure(study.metric)} is not a finite number."
            if study.metric not in told:
                words = f"The training measured no {study.metric}, but {known}."
            return "failed", None, words
        if job.status == "cancelled":
            return "cancelled", None, job.cancel_reason
        return "failed", None, job.error_message

    def _pace(self, study: Study, ended: int) -> tuple[float, float | None]:
        """Return the percentage done and the seconds left at the pace so far."""
        if study.started_at is None:
            return 0.0, None
        elapsed = (self.app.clock.now() - study.started_at).total_seconds()
        left = elapsed / ended * (study.n_trials - ended) if elapsed > 0 else None
        return 100.0 * ended / study.n_trials, left

    # What goes on.

    def _hear(self, heard: Sequence[tuple[str, int, float]]) -> None:
        """Take in what trials measured, in its order; one that falls behind is pruned even where it has ended meanwhile.

        So the same study prunes the same trials at the same step, however fast its trials are.
        """
        living = {trial.id: trial for trial in self.trials.list(f"{_OPEN} and pruned_step is null", [self.id])} if heard else {}
        for id, step, value in heard:
            if id in living and self.search.report(living[id].number, step, value) and self.pruning:
                del living[id]
                self.details.update(id, pruned_step=step, value=value, reason=FELL_BEHIND)
                self._end(id, PRUNED)

    def _end(self, job_id: str, reason: str) -> None:
        """Cancel the job of a trial, unless it has ended or is ending."""
        with self.db.write():
            job = self.engine.ledger.jobs.get(job_id)
            if job.status not in TERMINAL and not job.cancel_requested:
                self.engine.request_cancel(job, reason)

    def _begin(self, study: Study) -> None:
        """Make trials until as many live as may."""
        if study.status != "running" and not self._started(study):
            return
        for number in range(study.trials_made + 1, min(study.n_trials, study.trials_made + study.parallel - self._living()) + 1):
            if not self._make(study, number):
                return

    def _started(self, study: Study) -> bool:
        """Say that the study runs, unless it was cancelled this moment."""
        moved = self.engine.ledger.move(
            self.id, ("pending", "queued"), "running", message="The study is running.", started_at=self.app.clock.now(),
            attempt=1, worker="owner", total=study.n_trials,
        )  # fmt: skip
        return moved is not None

    def _make(self, study: Study, number: int) -> bool:
        params = self.search.suggest(number)
        if params is None:
            self.exhausted = True
            words = "Every combination was tried."
            self.engine.ledger.note(self.id, JobEvent(type="log", message=words))
            return False
        config = trainer(study.trainer).Config.complete({**study.training_config, **params})[0]
        id = self.app.clock.new_id("job")
        self.app.training.work.share(study.id, id)
        details = TrainingDetails(
            id=id,
            training_config=config,
            total_epochs=config.get("epochs"),
            **{name: getattr(study, name) for name in SHARED},
        )
        request = {name: getattr(details, name) for name in REQUEST}
        with self.db.write():
            now = self.studies.get(self.id)
            if now.status in TERMINAL or self._ending(now) is not None:
                # Somebody ended the study while this trial was thought out: nobody would ever end the trial.
                self.db.on_commit(lambda: self.engine.remove([id]))
                return False
            self.app.training.details.insert(details)
            self.details.insert(TrialDetails(id=id, study_id=study.id, number=number, params=params))
            self.engine.submit(
                "train", id=id, name=f"Trial {number}: {study.model_name}", spec={**request, "trial_of": study.id, "trial": number},
                parent_id=study.id, created_by=study.created_by, sample=study.sample, priority=study.priority,
                idempotency_key=None,
            )  # fmt: skip
        return True

    # The end.

    def _ending(self, study: Study) -> tuple[str, str] | None:
        """Return how the study ends before its last trial, and what its living trials are told; None while it goes on."""
        if study.cancel_requested:
            return "cancelled", f"The study was cancelled{f': {study.cancel_reason}' if study.cancel_reason else '.'}"
        if (cause := self._same_cause()) is not None:
            return "failed", cause
        if study.stop_requested:
            return "stopped", STOPPED
        left = self.seconds_left()
        self.late = left is not None and left <= 0
        return ("late", OUT_OF_TIME) if self.late else None

    def _same_cause(self) -> str | None:
        rows = self.db.tuples(_LAST_ENDED, [self.id, FAILURES])
        same = len(rows) == FAILURES and {row[:2] for row in rows} == {("failed", rows[0][1])}
        return f"{FAILURES} trials in a row failed for the same reason: {rows[0][2]}" if same else None

    def _conclude(self, study: Study, ending: tuple[str, str] | None) -> bool:
        """Give the study its final state; returns False: it does not go on."""
        how, words = ending or ("complete", "")
        now = self.app.clock.now()
        common = {"completed_at": now, "eta_seconds": None}
        if how == "cancelled":
            self._move("cancelled", words, **common)
        elif how == "failed":
            self._move("failed", words, error_code=self._code(), error_message=words, **common)
        elif study.best_trial is None:
            code = "TIMEOUT" if how == "late" else "NO_TRIAL_SUCCEEDED"
            words = f"{words} No trial has succeeded: {_counted(study)}.".strip()
            self._move("failed", words, error_code=code, error_message=words, **common)
        else:
            words = f"{words} Trial {study.best_trial} is the best: {measure(study.metric)} {study.best_value:.4g}.".strip()
            self._move("succeeded", words, result=_result(study), progress_percent=100.0, **common)
        return False

    def _move(self, status: str, words: str, **changes: Any) -> None:
        self.engine.ledger.move(self.id, ("queued", "running"), status, message=words, latest=words, **changes)

    def _code(self) -> str:
        return self.db.tuples(_LAST_ENDED, [self.id, 1])[0][3] or "TRIALS_FAILED"


SHARED = (
    "training_sheet_id", "training_sheet_name", "model_name", "base_model", "trainer", "train_val_split", "total_pairs",
    "train_pairs", "val_pairs",
)  # fmt: skip


def _told(number: int, outcome: str, value: float | None, reason: str | None, study: Study) -> str:
    if outcome == "succeeded":
        better = ", the best so far" if study.best_trial == number else ""
        return f"Trial {number}: {measure(study.metric)} {value:.4g}{better}."
    words = f"Trial {number} {'failed' if outcome == 'failed' else f'was {outcome}'}."
    return f"{words} {reason or ''}".strip()


def _counted(study: Study) -> str:
    told = {"failed": study.trials_failed, "pruned": study.trials_pruned, "cancelled": study.trials_cancelled}
    return ", ".join(f"{count} {word}" for word, count in told.items() if count) or "none was made"


def _result(study: Study) -> dict[str, Any]:
    kept = ("metric", "direction", "best_trial", "best_value", "best_job_id", "best_config")
    counts = {word: getattr(study, f"trials_{word}") for word in ("made", "succeeded", "pruned", "failed", "cancelled")}
    return {**{name: getattr(study, name) for name in kept}, "trials": counts}
