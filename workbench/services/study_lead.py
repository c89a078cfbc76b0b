"""Who leads the studies: one thread of the owner, woken by what happens to a study or to one of its trials."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.contract.context import Context, use
from workbench.domain.jobs import ACTIVE, Job
from workbench.domain.studies import Study
from workbench.engine.ending import Ending
from workbench.services.study_run import StudyRun
from workbench.store.tables import Records

if TYPE_CHECKING:
    from workbench.services.application import Application

TRIAL = "trial_of"
_log = logging.getLogger(__name__)


class StudyLead:
    """Lead every study that has not ended, also those an earlier owner left behind.

    The engine's thread and commits only leave word here. What is known of a study is in its tables, so
    that a new owner goes on where the old one was.
    """

    def __init__(self, app: Application) -> None:
        self.app = app
        self.studies = Records(app.db, Study, topic="jobs")
        self._runs: dict[str, StudyRun] = {}
        self._metrics: dict[str, str] = {}
        self._due: set[str] = set()
        self._heard: dict[str, list[tuple[str, int, float]]] = defaultdict(list)
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._deafen: Callable[[], None] | None = None

    def start(self) -> None:
        """Take up the studies that have not ended, then wait for word."""
        # The view behind a study takes long to bind, and most workspaces have none to take up.
        for (study_id,) in self.app.db.tuples(
            "select id from jobs where kind = 'study' and completed_at is null order by created_at, id"
        ):
            self.take(self.studies.get(study_id))
        self._deafen = self.app.db.subscribe(self._follow)
        self._closing = False
        self._thread = threading.Thread(target=self._lead, name="study-lead", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop leading; the trials go on and the studies are taken up by the next owner."""
        if self._deafen is not None:
            self._deafen()
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=60)
            self._thread = None

    def take(self, study: Study) -> None:
        """Lead a study from now on."""
        self._metrics[study.id] = study.metric
        self.notice(study.id)

    def notice(self, study_id: str) -> None:
        """Look at a study soon."""
        with self._changed:
            self._due.add(study_id)
            self._changed.notify()

    def ended(self, job: Job) -> bool:
        """Leave word, once it is committed, that a trial ended; returns whether the job is a trial."""
        study_id = job.spec.get(TRIAL)
        if study_id is not None:
            self.app.db.on_commit(lambda: self.notice(study_id))
        return study_id is not None

    def hear(self, job: Job, records: Sequence[Mapping[str, Any]]) -> None:
        """Leave word of what a trial measured of its study's figure."""
        study_id = job.spec.get(TRIAL)
        metric = self._metrics.get(study_id or "")
        if metric is None:
            return
        rows = [row for record in records if record["t"] == "metrics" for row in record["rows"] if row[0] == metric]
        if rows:
            with self._changed:
                self._heard[study_id] += [
                    (job.id, epoch if epoch is not None else step, value) for _, step, value, epoch, _ in rows
                ]
                self._due.add(study_id)
                self._changed.notify()

    def _follow(self, events: Sequence[Any]) -> None:
        for event in events:
            if event.topic == "jobs" and event.id in self._metrics:
                self.notice(event.id)

    def _lead(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._due, timeout=self._patience())
                if self._closing:
                    return
                due, self._due = self._due or set(self._runs), set()
                heard, self._heard = self._heard, defaultdict(list)
            for study_id in sorted(due):
                self._tend(study_id, heard.get(study_id, []))

    def _tend(self, study_id: str, heard: Sequence[tuple[str, int, float]]) -> None:
        if study_id not in self._metrics:
            return
        try:
            study = self.studies.get(study_id)
            with use(Context(actor=study.created_by)):
                run = self._runs.get(study_id) or self._runs.setdefault(study_id, StudyRun(self.app, study))
                if run.tend(heard):
                    return
        except Exception as error:
            _log.exception("Study %s met an error and ends.", study_id)
            self._give_up(study_id, error)
        self._runs.pop(study_id, None)
        self._metrics.pop(study_id, None)

    def _give_up(self, study_id: str, error: Exception) -> None:
        """Fail a study that cannot be led, and end its trials."""
        ending = Ending.failed(error, "The study could not go on")
        told = {"error_code": ending.code, "error_message": ending.message, "error_details": ending.details}
        engine = self.app.engine
        with contextlib.suppress(Exception), self.app.db.write():
            engine.ledger.move(
                study_id,
                tuple(ACTIVE),
                "failed",
                message=ending.message,
                completed_at=self.app.clock.now(),
                eta_seconds=None,
                **told,
            )
            for job in engine.ledger.jobs.list("parent_id = ? and completed_at is null and not cancel_requested", [study_id]):
                engine.request_cancel(job, "Its study failed.")

    def _patience(self) -> float | None:
        """Return the seconds until the first study runs out of time; None: wait for word alone."""
        waiting = [run for run in self._runs.values() if not run.late]
        left = [seconds for run in waiting if (seconds := run.seconds_left()) is not None]
        return max(0.0, min(left)) if left else None
