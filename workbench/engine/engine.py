"""The owner's side of jobs: one thread that starts, watches, hears and ends them."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from workbench.clock import Clock
from workbench.config import Settings
from workbench.contract.context import Context, current, use
from workbench.domain.jobs import ACTIVE, Job, JobEvent, kept
from workbench.engine import checkpoints as checkpoints_of
from workbench.engine import child, handover, hearing, limits
from workbench.engine.attempt import Attempt, Preparing
from workbench.engine.ending import Ending, conclude, received
from workbench.engine.gpus import Slots, held
from workbench.engine.kind import Facts, Finish, Hear, Kind, Needs, Prepare, Receive, Told
from workbench.engine.launching import begin, launch
from workbench.engine.ledger import Ledger
from workbench.engine.local import Ended, Executor, LocalExecutor
from workbench.engine.queue import Limits, Waiting, startable, thread_budget
from workbench.engine.recovery import recover
from workbench.engine.silence import Silence
from workbench.engine.waits import Waits
from workbench.store import Database

TICK_SECONDS = 0.08
IDLE_SECONDS = 2.0
BEAT_SECONDS = 20.0
HOLD_SECONDS = 1.0
HELD = "held"
DOOMED = ".deleted"

_log = logging.getLogger(__name__)


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
        self.executor = executor or _executor(settings)
        self.ledger = Ledger(db, clock)
        self.limits = Limits.of(settings)
        self.kinds: dict[str, Kind] = {}
        self.attempts: dict[str, Attempt] = {}
        self._silence = Silence(self)
        self.waits = Waits()
        self._slots = Slots(self)
        self._hands: ThreadPoolExecutor | None = None
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
        ended: Told | None = None,
        again: Told | None = None,
        facts: Facts | None = None,
        hear: Hear | None = None,
        resources: Needs | None = None,
    ) -> None:
        """Say how jobs of `kind` run.

        `entry` is `module:function` and runs in the child; what the callbacks do is told with `Kind`.
        """
        self.kinds[kind] = Kind(entry, prepare, receive, finish, ended, again, facts, hear, resources)

    def submit(self, kind: str, *, name: str, spec: Mapping[str, Any], **more: Any) -> Job:
        """Queue a job inside the caller's transaction; it starts after the commit.

        `more` are further fields of the job: created_by, parent_id, labels, sample, priority,
        timeout_seconds, idempotency_key, id.
        """
        now = self.clock.now()
        more.setdefault("id", self.clock.new_id("job"))
        more.setdefault("idempotency_key", current().idempotency_key)
        if kind in self.kinds and more.get("timeout_seconds") is None:
            more["timeout_seconds"] = self.settings.job_timeout_s or None
        with self.db.write():
            job = self.ledger.add(Job(kind=kind, name=name, spec=dict(spec), queued_at=now, updated_at=now, **more))
            self.db.on_commit(self.notice)
        return job

    def request_cancel(self, job: Job, reason: str = "") -> Job:
        """Cancel a waiting job at once, or ask a running one to end, in the caller's transaction."""
        if job.cancel_requested:
            return job
        why = reason or None
        words = f"Cancelled: {reason}" if reason else "Cancelled."
        with self.db.write():
            asked = {"cancel_requested": True, "cancel_reason": why}
            moved = self.ledger.move(
                job.id, ("pending", "queued"), "cancelled", message=words, completed_at=self.clock.now(), resumable=False,
                **asked,
            )  # fmt: skip
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
        """Ask a running job to end early and keep what is done; one that is asked already goes on as it was."""
        if job.cancel_requested or job.stop_requested:
            return job
        with self.db.write():
            self.ledger.jobs.update(job.id, stop_requested=True)
            self.db.on_commit(self.notice)
            return self.ledger.note(job.id, JobEvent(type="log", message=f"Asked to stop and keep {kept(job.kind)}."))

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

    def clear(self, job_id: str, *, checkpoints: bool = True) -> None:
        """Remove the files given to a job that has ended, and those it made; a failed one may keep its checkpoints."""
        handover.clear(self._jobs, job_id)
        if checkpoints:
            checkpoints_of.clear(self._jobs, job_id)

    def doom(self, ids: Iterable[str]) -> None:
        """Mark what jobs kept on the disk, before their deletion is committed: a kill in between leaves nothing behind."""
        for id in ids:
            if (self._jobs / id).exists():
                self._doomed(id).touch()

    def remove(self, ids: Iterable[str]) -> None:
        """Remove everything that jobs kept on the disk; the disk takes many at once."""

        def gone(id: str) -> None:
            shutil.rmtree(self._jobs / id, ignore_errors=True)
            self._doomed(id).unlink(missing_ok=True)

        with ThreadPoolExecutor(8, thread_name_prefix="job-removal") as hands:
            for id in ids:
                hands.submit(gone, id)

    def _doomed(self, id: str) -> Path:
        return self._jobs / f"{id}{DOOMED}"

    def uploads(self) -> Path:
        """Return the folder for files on their way in, on the disk where the jobs work."""
        folder = self.artifacts / "uploads"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _sweep(self) -> None:
        """Clear after calls that broke off, and after jobs that ended or were deleted while nobody could."""
        shutil.rmtree(self.artifacts / "uploads", ignore_errors=True)
        doomed = {mark.name.removesuffix(DOOMED) for mark in self._jobs.glob(f"*{DOOMED}")}
        if doomed:
            known = {row[0] for row in self.db.tuples("select id from jobs where list_contains(?, id)", [sorted(doomed)])}
            self.remove(doomed - known)
        left = handover.left_behind(self._jobs) | checkpoints_of.left_behind(self._jobs)
        status = dict(self.db.tuples("select id, status from jobs where list_contains(?, id)", [sorted(left)])) if left else {}
        for job_id in left:
            if (ended := status.get(job_id, "deleted")) not in ACTIVE:
                self.clear(job_id, checkpoints=ended != "failed")

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
            self._hands = ThreadPoolExecutor(thread_name_prefix="job-hand")
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
        if self._hands is not None:
            self._hands.shutdown(cancel_futures=True)
            self._hands = None
        for attempt in tuple(self.attempts.values()):
            if not detach:
                attempt.handle.kill()
                self._conclude(attempt, Ending.closed())
            elif isinstance(attempt.handle, Preparing):
                self._conclude(attempt, Ending.unprepared())
        self.attempts.clear()
        self.executor.close()

    def aside(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Do what takes long on a thread of its own; the owner thread looks again when it is done."""
        if self._hands is None:
            done: Future[Any] = Future()
            try:
                done.set_result(work(*arguments))
            except Exception as error:  # noqa: BLE001  the future carries it to where it is asked for
                done.set_exception(error)
            return done
        future = self._hands.submit(work, *arguments)
        future.add_done_callback(lambda ended: self._wake.set())
        return future

    def _watch(self) -> None:
        while not self._closing:
            try:
                self.step()
                pause = TICK_SECONDS if self.attempts else IDLE_SECONDS
            except Exception:
                _log.exception("The job engine met an error and goes on.")
                pause = 1.0
            ahead = self.waits.next()
            self._wake.wait(pause if ahead is None else min(pause, ahead))
            self._wake.clear()

    def step(self) -> None:
        """Do once what there is to do: start, hear, press, end."""
        if self._look or self.waits.next() == 0:
            self._look = False
            self._hear_requests()
            self._start_waiting()
        faults = []
        for attempt in tuple(self.attempts.values()):
            try:
                self._tend(attempt)
            except Exception as error:  # noqa: BLE001  raised below: one job must not keep the others from being heard
                faults.append(error)
        if faults:
            raise faults[0]
        self._silence.look()

    def _hear_requests(self) -> None:
        asked = "select id, cancel_requested from jobs where status = 'running' and (cancel_requested or stop_requested)"
        for id, cancel in self.db.tuples(asked):
            if attempt := self.attempts.get(id):
                attempt.flag(child.STOP)
                if cancel:
                    attempt.end()

    def _start_waiting(self) -> None:
        columns = "id, kind, created_by, queued_at, priority, not_before"
        waiting = [Waiting(*row) for row in self.db.tuples(f"select {columns} from jobs where status = 'queued'")]
        self.waits.keep({job.id for job in waiting})
        now = self.clock.now()
        ready = [job for job in waiting if self.waits.over(job.id, job.not_before, now) and job.kind in self.kinds]
        running = [(a.job.kind, a.job.created_by) for a in self.attempts.values()]
        wanted, free = self._slots.wanted(ready), self._slots.free()
        chosen = startable(ready, running, self.limits, wanted=wanted, cards=len(free))
        self._say(held(ready, chosen, wanted, len(free)), self._slots.reason())
        if chosen and (reason := limits.too_full(self.artifacts, self.settings) or self.executor.away()):
            self.waits.hold(HELD, HOLD_SECONDS)
            self._say({job.id for job in chosen}, reason)
            return
        threads = thread_budget(os.cpu_count() or 1, len(running) + len(chosen))
        for job in chosen:
            cards = tuple(free.pop(0) for _ in range(wanted.get(job.id, 0)))
            if attempt := launch(self, job.id, threads, cards):
                self.attempts[job.id] = attempt
                self._look = True

    def _say(self, ids: Set[str], reason: str) -> None:
        """Tell waiting jobs once why they wait."""
        for id, said in self.db.tuples("select id, message from jobs where status = 'queued'") if ids else ():
            if id in ids and said != reason:
                with self.db.write():
                    self.ledger.jobs.update(id, message=reason)
                    self.ledger.note(id, JobEvent(type="log", message=reason, data={"level": "warning"}))

    def _tend(self, attempt: Attempt) -> None:
        if attempt.receiving is not None:
            if attempt.receiving.done():
                self._conclude(attempt, attempt.receiving.result())
            return
        if attempt.overdue():
            attempt.timed_out = True
            attempt.end()
        if isinstance(attempt.handle, Preparing) and (ending := begin(self, attempt)):
            self._conclude(attempt, ending)
            return
        ended = attempt.handle.poll()
        hearing.take_in(self, attempt, drain=ended is not None)
        if ended is not None:
            self._end(attempt, Ending.of(attempt, ended))
            return
        if attempt.beyond is None and (too_much := limits.beyond(attempt, self.settings)):
            attempt.beyond = too_much
            attempt.handle.kill()
        done = attempt.climb(self.settings.cancel_grace_s, self.settings.cancel_term_s)
        if done:
            self.ledger.note(attempt.job.id, JobEvent(type="log", message=done))
        if time.monotonic() - attempt.beat >= BEAT_SECONDS:
            attempt.beat = time.monotonic()
            with self.db.write():
                self.db.execute("update jobs set heartbeat_at = ? where id = ?", [self.clock.now(), attempt.job.id])

    def _end(self, attempt: Attempt, ending: Ending) -> None:
        """Conclude an attempt, once what its process made has been received."""
        receive = self.kinds[attempt.job.kind].receive
        if ending.result is None or receive is None or attempt.ending_since is not None:
            self._conclude(attempt, ending)
            return
        attempt.receiving = self.aside(received, self, attempt, receive, ending)

    def _conclude(self, attempt: Attempt, ending: Ending) -> None:
        self.attempts.pop(attempt.job.id, None)
        with use(Context(actor=attempt.job.created_by)):
            status = conclude(self, attempt.job, attempt.folder, ending)
        if status == "queued":
            handover.clear_made(attempt.folder)
        else:
            self.clear(attempt.job.id, checkpoints=status != "failed")
        self._look = True


def _executor(settings: Settings) -> Executor:
    if not settings.scheduler:
        return LocalExecutor(settings.gpus)
    from workbench.engine.dask import DaskExecutor

    return DaskExecutor(settings.scheduler, weigh=settings.job_memory_mb > 0)


__all__ = ["Ended", "Engine", "Kind"]
