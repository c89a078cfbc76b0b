"""The owner's side of jobs: one thread that starts, watches, hears and ends them."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.clock import Clock
from workbench.config import Settings
from workbench.contract.context import Context, current, use
from workbench.domain.jobs import Job, JobEvent
from workbench.engine import child, handover, journal
from workbench.engine.attempt import Attempt
from workbench.engine.ending import Ending, conclude, received
from workbench.engine.ledger import Ledger
from workbench.engine.local import Ended, Executor, LocalExecutor
from workbench.engine.process import write_json
from workbench.engine.queue import Limits, Waiting, startable, thread_budget
from workbench.engine.recovery import recover
from workbench.engine.silence import Silence
from workbench.store import Database

TICK_SECONDS = 0.08
IDLE_SECONDS = 2.0
BEAT_SECONDS = 20.0

Prepare = Callable[[Job, Path], Mapping[str, Any] | None]
Receive = Callable[[Job, Path, dict[str, Any]], Mapping[str, Any]]
Finish = Callable[[Job, Path, dict[str, Any]], Mapping[str, Any] | None]
AfterFailure = Callable[[Job], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """What the engine needs to know of one kind of job."""

    entry: str
    prepare: Prepare | None = None
    receive: Receive | None = None
    finish: Finish | None = None
    ended: AfterFailure | None = None


class Engine:
    """Run jobs in processes of their own; services register kinds, submit jobs and ask for their end."""

    def __init__(
        self,
        db: Database,
        *,
        clock: Clock,
        settings: Settings,
        artifacts: Path | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.db = db
        self.clock = clock
        self.settings = settings
        self.artifacts = artifacts or Path(tempfile.mkdtemp(prefix="workbench-"))
        self.executor = executor or LocalExecutor()
        self.ledger = Ledger(db, clock)
        self.limits = Limits(total=settings.max_jobs)
        self.kinds: dict[str, Kind] = {}
        self.attempts: dict[str, Attempt] = {}
        self._silence = Silence(self)
        self._receivers: ThreadPoolExecutor | None = None
        self._wake = threading.Event()
        self._look = True
        self._closing = False
        self._thread: threading.Thread | None = None

    def register(
        self,
        kind: str,
        *,
        entry: str,
        prepare: Prepare | None = None,
        receive: Receive | None = None,
        finish: Finish | None = None,
        ended: AfterFailure | None = None,
    ) -> None:
        """Say how jobs of `kind` run.

        `prepare` writes inputs into the folder and returns what the child gets as `context.inputs`;
        `entry` is `module:function` and runs in the child; `receive` takes in what is too much for one
        quick transaction, on a thread of its own, to where nobody sees it yet, and returns what to add
        to the child's result (after a restart it may run again); `finish` runs in the transaction that
        sets succeeded and returns the job's result; `ended` runs in the one that sets failed or cancelled.
        """
        self.kinds[kind] = Kind(entry, prepare, receive, finish, ended)

    def submit(self, kind: str, *, name: str, spec: Mapping[str, Any], **more: Any) -> Job:
        """Queue a job inside the caller's transaction; it starts after the commit.

        `more` are further fields of the job: created_by, parent_id, labels, sample, priority,
        timeout_seconds, idempotency_key, id.
        """
        now = self.clock.now()
        more.setdefault("id", self.clock.new_id("job"))
        more.setdefault("idempotency_key", current().idempotency_key)
        with self.db.write():
            job = self.ledger.add(Job(kind=kind, name=name, spec=dict(spec), queued_at=now, updated_at=now, **more))
            self.db.on_commit(self.notice)
        return job

    def request_cancel(self, job: Job, reason: str = "") -> Job:
        """Cancel a waiting job at once, or ask a running one to end, in the caller's transaction."""
        why = reason or None
        words = f"Cancelled: {reason}" if reason else "Cancelled."
        with self.db.write():
            asked = {"cancel_requested": True, "cancel_reason": why}
            moved = self.ledger.move(
                job.id, ("pending", "queued"), "cancelled", message=words, completed_at=self.clock.now(), **asked
            )
            if moved is None:
                self.ledger.jobs.update(job.id, **asked)
                moved = self.ledger.note(job.id, JobEvent(type="log", message="Asked to cancel.", data={"reason": why}))
                self.db.on_commit(self.notice)
            else:
                if (kind := self.kinds.get(job.kind)) and kind.ended:
                    kind.ended(moved)
                self.db.on_commit(lambda: self.clear(job.id))
        return moved

    def request_stop(self, job: Job) -> Job:
        """Ask a running job to end early and keep the best so far."""
        with self.db.write():
            self.ledger.jobs.update(job.id, stop_requested=True)
            self.db.on_commit(self.notice)
            return self.ledger.note(job.id, JobEvent(type="log", message="Asked to stop and keep the best so far."))

    def folder(self, job_id: str, attempt: int) -> Path:
        """Return the folder of one attempt."""
        return self._jobs / job_id / f"attempt-{attempt}"

    @property
    def _jobs(self) -> Path:
        return self.artifacts / "jobs"

    def giving(self, job_id: str) -> AbstractContextManager[Path]:
        """Hand out a folder for files that a job to be submitted works on; a fault leaves nothing of it."""
        return handover.giving(self._jobs, job_id)

    def given(self, job_id: str) -> Path:
        """Return the folder of what was given to a job."""
        return handover.given(self._jobs, job_id)

    def clear(self, job_id: str) -> None:
        """Remove the files given to a job that has ended, and those it made."""
        handover.clear(self._jobs, job_id)

    def uploads(self) -> Path:
        """Return the folder for files on their way in, on the disk where the jobs work."""
        folder = self.artifacts / "uploads"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _sweep(self) -> None:
        """Clear after calls that broke off, and after jobs that ended while nobody could."""
        shutil.rmtree(self.artifacts / "uploads", ignore_errors=True)
        left = handover.left_behind(self._jobs)
        active = {row[0] for row in self.db.tuples("select id from jobs where completed_at is null")} if left else set()
        for job_id in left - active:
            self.clear(job_id)

    def next_threads(self) -> int:
        """Return the threads a job would get if it started now."""
        return thread_budget(os.cpu_count() or 1, len(self.attempts) + 1)

    def notice(self) -> None:
        """Tell the owner thread that jobs were queued or asked to end."""
        self._look = True
        self._wake.set()

    def start(self) -> None:
        """Take back what still runs from an earlier owner, then watch."""
        if self._thread is None:
            self._closing = False
            self._sweep()
            self._receivers = ThreadPoolExecutor(thread_name_prefix="job-receiver")
            recover(self)
            self._thread = threading.Thread(target=self._watch, name="job-engine", daemon=True)
            self._thread.start()

    def close(self, *, detach: bool = True) -> None:
        """Stop watching; running jobs go on and are taken back by the next owner, unless `detach=False`."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=60)
            self._thread = None
        if self._receivers is not None:
            self._receivers.shutdown()
            self._receivers = None
        for attempt in () if detach else tuple(self.attempts.values()):
            attempt.handle.kill()
            self._conclude(attempt, Ending.closed())
        self.attempts.clear()

    def _watch(self) -> None:
        while not self._closing:
            try:
                self.step()
                pause = TICK_SECONDS if self.attempts else IDLE_SECONDS
            except Exception:
                _log.exception("The job engine met an error and goes on.")
                pause = 1.0
            self._wake.wait(pause)
            self._wake.clear()

    def step(self) -> None:
        """Do once what there is to do: start, hear, press, end."""
        if self._look:
            self._look = False
            self._hear_requests()
            self._start_waiting()
        for attempt in tuple(self.attempts.values()):
            self._tend(attempt)
        self._silence.look()

    def _hear_requests(self) -> None:
        asked = "select id, cancel_requested from jobs where status = 'running' and (cancel_requested or stop_requested)"
        for id, cancel in self.db.tuples(asked):
            if attempt := self.attempts.get(id):
                attempt.flag(child.STOP)
                if cancel:
                    attempt.end()

    def _start_waiting(self) -> None:
        columns = "id, kind, created_by, queued_at, priority"
        waiting = [Waiting(*row) for row in self.db.tuples(f"select {columns} from jobs where status = 'queued'")]
        known = [job for job in waiting if job.kind in self.kinds]
        running = [(a.job.kind, a.job.created_by) for a in self.attempts.values()]
        chosen = startable(known, running, self.limits)
        for job in chosen:
            threads = thread_budget(os.cpu_count() or 1, len(running) + len(chosen))
            self._launch(job.id, threads)

    def _launch(self, id: str, threads: int) -> None:
        attempt = (self.db.value("select attempt from jobs where id = ?", [id]) or 0) + 1
        now = self.clock.now()
        job = self.ledger.move(
            id, ("queued",), "running", message="The job is running.", at_attempt=attempt - 1, attempt=attempt,
            started_at=now, heartbeat_at=now, worker=self.executor.name, journal_offset=0, journal_seq=0,
        )  # fmt: skip
        if job is None:
            return
        folder = self.folder(id, attempt)
        try:
            handover.made(folder).mkdir(parents=True, exist_ok=True)
            kind = self.kinds[job.kind]
            inputs = (kind.prepare(job, folder) if kind.prepare else None) or {}
            write_json(folder / child.TASK, _task(job, kind.entry, inputs, threads))
            handle = self.executor.start(folder)
        except Exception as error:
            _log.exception("Job %s could not be started.", id)
            conclude(self, job, folder, Ending.failed(error, "The job could not be started"))
            self.clear(id)
            return
        self.attempts[id] = Attempt(job, folder, handle)
        self.ledger.jobs.update(id, pid=handle.pid)
        self._look = True

    def _tend(self, attempt: Attempt) -> None:
        if attempt.receiving is not None:
            if attempt.receiving.done():
                self._conclude(attempt, attempt.receiving.result())
            return
        ended = attempt.handle.poll()
        self._take_in(attempt, drain=ended is not None)
        if ended is not None:
            self._end(attempt, Ending.of(attempt, ended))
            return
        if attempt.overdue():
            attempt.timed_out = True
            attempt.end()
        done = attempt.climb(self.settings.cancel_grace_s, self.settings.cancel_term_s)
        if done:
            self.ledger.note(attempt.job.id, JobEvent(type="log", message=done))
        if time.monotonic() - attempt.beat >= BEAT_SECONDS:
            attempt.beat = time.monotonic()
            with self.db.write():
                self.db.execute("update jobs set heartbeat_at = ? where id = ?", [self.clock.now(), attempt.job.id])

    def _take_in(self, attempt: Attempt, *, drain: bool) -> None:
        while batch := journal.read(attempt.folder, attempt.offset, attempt.seq):
            noted = self.ledger.take_in(
                attempt.job.id, attempt.number, attempt.offset, batch, begun=attempt.begun, noted=attempt.noted
            )
            if noted is None:
                _log.warning("Job %s: late words of attempt %s were refused.", attempt.job.id, attempt.number)
                return
            attempt.offset, attempt.seq, attempt.noted = batch.offset, batch.seq, noted
            attempt.beat = time.monotonic()
            if not drain:
                return

    def _end(self, attempt: Attempt, ending: Ending) -> None:
        """Conclude an attempt, once what its process made has been received."""
        receive = self.kinds[attempt.job.kind].receive
        if ending.result is None or receive is None or attempt.ending_since is not None or self._receivers is None:
            self._conclude(attempt, ending)
            return
        attempt.receiving = self._receivers.submit(received, self, attempt, receive, ending)
        attempt.receiving.add_done_callback(lambda future: self._wake.set())

    def _conclude(self, attempt: Attempt, ending: Ending) -> None:
        self.attempts.pop(attempt.job.id, None)
        try:
            with use(Context(actor=attempt.job.created_by)):
                conclude(self, attempt.job, attempt.folder, ending)
        finally:
            self.clear(attempt.job.id)
            self._look = True


def _task(job: Job, entry: str, inputs: Mapping[str, Any], threads: int) -> dict[str, Any]:
    facts = {"job_id": job.id, "kind": job.kind, "attempt": job.attempt, "spec": job.spec}
    return {**facts, "entry": entry, "inputs": dict(inputs), "threads": threads}


__all__ = ["Ended", "Engine", "Kind"]
