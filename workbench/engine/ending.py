"""How an attempt ended and what becomes of its job."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.contract.context import Context, use
from workbench.domain.jobs import Job
from workbench.engine.again import may_go_on, queue_again
from workbench.engine.attempt import Attempt
from workbench.engine.child import EXIT_DISK_FULL, describe
from workbench.engine.local import Ended
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.engine.engine import Engine, Receive

UNUSABLE = "The result could not be taken over"
MOST_WORDS = 2_000
MOST_DETAILS = 100_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """What the child achieved, or why it did not."""

    result: dict[str, Any] | None = None
    code: str | None = None
    message: str = ""
    details: str | None = None
    context: dict[str, Any] | None = None
    transient: bool = False

    @classmethod
    def of(cls, attempt: Attempt, ended: Ended) -> Ending:
        """Judge by the result the child left, else by the way its process ended."""
        outcome = attempt.outcome()
        if attempt.beyond is not None and (outcome is None or outcome.get("status") != "succeeded"):
            return attempt.beyond
        if attempt.timed_out:
            limit = attempt.job.timeout_seconds
            words = f"The job ran longer than its limit of {limit:g} s. Retry it with a higher limit (timeout_seconds)."
            return cls(code="TIMEOUT", message=words)
        if outcome is None:
            return cls._unexplained(ended)
        if outcome.get("status") == "succeeded":
            return cls(result=outcome.get("result") or {})
        error = outcome.get("error") or {"code": "JOB_FAILED", "message": "The work was given up."}
        return cls._told(error, error["message"])

    @classmethod
    def _unexplained(cls, ended: Ended) -> Ending:
        if ended.lost:
            return cls(code="WORKER_LOST", message="The worker that ran the job is gone.", transient=True)
        if ended.fault is not None:
            words = f"The worker could not start the job: {ended.fault}. It needs the same release and the same folder."
            return cls(code="WORKER_FAILED", message=words)
        if ended.code is None:
            return cls(
                code="INTERRUPTED",
                message="The job was interrupted: its process ended while nobody watched. Retry it.",
            )
        if ended.code == EXIT_DISK_FULL:
            return cls(
                code="DISK_FULL", message="The disk is full: not even the result could be written. Free some space, then retry."
            )
        code = "PROCESS_KILLED" if ended.code < 0 else "PROCESS_EXITED"
        return cls(code=code, message=f"{ended.describe()} See the log, then retry.")

    @classmethod
    def failed(cls, error: Exception, what: str) -> Ending:
        """Describe an error on the owner's side; one that speaks to people speaks for itself."""
        told = describe(error)
        return cls._told(told, told["message"] if isinstance(error, WorkbenchError) else f"{what}: {told['message']}")

    @classmethod
    def unusable(cls, error: Exception) -> Ending:
        """Describe why the owner could not take over a result: doing the work again would not help."""
        return dataclasses.replace(cls.failed(error, UNUSABLE), transient=False)

    @classmethod
    def _told(cls, error: dict[str, Any], message: str) -> Ending:
        facts = {name: error.get(name) for name in ("code", "context")}
        details = error.get("details")
        kept = details[-MOST_DETAILS:] if isinstance(details, str) else None
        return cls(message=shortened(message), details=kept, transient=bool(error.get("transient")), **facts)

    @classmethod
    def unprepared(cls) -> Ending:
        """Describe a job whose owner ended before there was a process: nothing was begun, so it may be tried again."""
        return cls(code="INTERRUPTED", message="The workspace was closed while the job was prepared.", transient=True)

    @classmethod
    def closed(cls) -> Ending:
        """Describe a job killed because its workspace closed."""
        return cls(code="INTERRUPTED", message="The job was interrupted: the workspace was closed. Retry it.")


def shortened(words: str) -> str:
    """Return words as a list of jobs can show them; the log has them whole."""
    return words if len(words) <= MOST_WORDS else f"{words[:MOST_WORDS]}…"


def received(engine: Engine, attempt: Attempt, receive: Receive, ending: Ending) -> Ending:
    """Take in what the child made where nobody sees it yet, and return the ending that follows from it."""
    assert ending.result is not None
    try:
        engine.ledger.receiving(attempt.job, 0.0, "Taking in what was made")
        with use(Context(actor=attempt.job.created_by)):
            return Ending(result={**ending.result, **receive(attempt.job, attempt.folder, ending.result)})
    except Exception as error:
        if not isinstance(error, WorkbenchError):
            _log.exception("What job %s made could not be received.", attempt.job.id)
        return Ending.unusable(error)


def conclude(engine: Engine, job: Job, folder: Path, ending: Ending) -> str:
    """Give the job its state: a cancel wins, then success with `finish`, then another attempt, else failure.

    Returns the state. Where the kind's own callback fails, the job fails; where that
    callback fails too, it is left out.
    """
    for callbacks in (True, True, False):
        try:
            with engine.db.write(actor=job.created_by):
                return _settle(engine, engine.ledger.jobs.get(job.id), folder, job.attempt, ending, callbacks=callbacks)
        except Exception as error:
            if not isinstance(error, WorkbenchError):
                _log.exception("Job %s could not be finished.", job.id)
            ending = Ending.unusable(error)
    return "failed"


def _settle(engine: Engine, job: Job, folder: Path, attempt: int, ending: Ending, *, callbacks: bool) -> str:
    """Move the job on, unless it has ended or runs another attempt, and return its state."""
    if job.status != "running" or job.attempt != attempt:
        return job.status
    kind = engine.kinds.get(job.kind)
    now = engine.clock.now()
    common = {"at_attempt": attempt, "completed_at": now, "eta_seconds": None}
    if job.cancel_requested:
        words = f"Cancelled: {job.cancel_reason}" if job.cancel_reason else "Cancelled."
        moved = engine.ledger.move(job.id, ("running",), "cancelled", message=words, resumable=False, **common)
    elif ending.result is not None:
        result = kind.finish(job, folder, ending.result) if kind and kind.finish else ending.result
        common |= {"result": dict(result or {}), "progress_percent": 100.0}
        # What the owner told of its own part is over; the last word of a child stands.
        latest = "Done" if kind and kind.receive else None
        words = "The job succeeded."
        engine.ledger.move(job.id, ("running",), "succeeded", message=words, latest=latest, resumable=False, **common)
        return "succeeded"
    elif may_go_on(job, ending):
        moved = queue_again(engine, job, ending)
        if moved and kind and kind.again:
            kind.again(moved)
        return "queued"
    else:
        words = ending.message
        if ending.transient and job.retries:
            words = f"{words.rstrip('.')}. It was tried {job.retries + 1} times."
        error = {"error_code": ending.code, "error_message": words, "error_details": ending.details}
        moved = engine.ledger.move(job.id, ("running",), "failed", message=words, facts=ending.context, **error, **common)
    if moved and kind and kind.ended and callbacks:
        kind.ended(moved)
    return moved.status if moved else job.status
