"""How an attempt begins: its inputs are prepared on a thread of its own, then its process is started."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.contract.context import Context, use
from workbench.domain.jobs import Job
from workbench.engine import child, handover
from workbench.engine.attempt import Attempt, Preparing
from workbench.engine.ending import Ending
from workbench.engine.gpus import CARDS
from workbench.engine.local import Ended
from workbench.engine.process import write_json
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.engine.engine import Engine

STEP = "prepare"
UNSTARTED = "The job could not be started"

_log = logging.getLogger(__name__)


def launch(engine: Engine, id: str, threads: int, cards: tuple[str, ...] = ()) -> Attempt | None:
    """Begin the next attempt of a queued job on GPUs of its own, or return None when it is queued no more."""
    number = (engine.db.value("select attempt from jobs where id = ?", [id]) or 0) + 1
    now = engine.clock.now()
    job = engine.ledger.move(
        id, ("queued",), "running", message="The job is running.", at_attempt=number - 1, attempt=number, latest="Preparing",
        started_at=now, heartbeat_at=now, worker=engine.executor.name, journal_offset=0, journal_seq=0, step=STEP,
        not_before=None,
    )  # fmt: skip
    if job is None:
        return None
    folder = engine.folder(id, number)
    return Attempt(job, folder, Preparing(engine.aside(_prepare, engine, job, folder, threads, cards)), cards)


def _prepare(engine: Engine, job: Job, folder: Path, threads: int, cards: tuple[str, ...]) -> None:
    kind = engine.kinds[job.kind]
    handover.made(folder).mkdir(parents=True, exist_ok=True)
    with use(Context(actor=job.created_by)):
        inputs = (kind.prepare(job, folder) if kind.prepare else None) or {}
    facts = {"job_id": job.id, "kind": job.kind, "attempt": job.attempt, "spec": job.spec}
    facts["resume_from"] = _repeated(engine, job)
    facts["resources"] = dict(kind.resources(job)) if kind.resources else {}
    facts[CARDS] = list(cards)
    write_json(folder / child.TASK, {**facts, "entry": kind.entry, "inputs": dict(inputs), "threads": threads})


def _repeated(engine: Engine, job: Job) -> list[str]:
    """Return the jobs whose checkpoints a job may go on from, the nearest first."""
    found: list[str] = []
    while job.resume and job.parent_id:
        found.append(job.parent_id)
        job = engine.ledger.jobs.get(job.parent_id)
    return found


def begin(engine: Engine, attempt: Attempt) -> Ending | None:
    """Start the process of an attempt once its inputs are there; return how it ended where it comes to none.

    A cancel and a time limit end the attempt at once: what is still being prepared is for nobody.
    """
    assert isinstance(attempt.handle, Preparing)
    future = attempt.handle.future
    if attempt.ending_since is not None:
        if not future.cancel():
            future.add_done_callback(lambda done: engine.clear(attempt.job.id))
        return Ending.of(attempt, Ended(None))
    if not future.done():
        return None
    try:
        future.result()
        attempt.handle = engine.executor.start(attempt.folder)
    except Exception as error:
        if not isinstance(error, WorkbenchError):
            _log.exception("Job %s could not be started.", attempt.job.id)
        return Ending.failed(error, UNSTARTED)
    engine.ledger.jobs.update(attempt.job.id, pid=attempt.handle.pid or None, step="", message=attempt.handle.word)
    engine.notice()
    return None
