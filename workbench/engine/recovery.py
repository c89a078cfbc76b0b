"""After a restart of the owner: take back the living, conclude the lost."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from workbench.contract.context import Context, use
from workbench.domain.jobs import Job
from workbench.engine import child
from workbench.engine.attempt import Attempt, Lost
from workbench.engine.ending import Ending, conclude
from workbench.engine.gpus import CARDS
from workbench.engine.process import read_json

if TYPE_CHECKING:
    from workbench.engine.engine import Engine

STARTING_SECONDS = 2.0


def recover(engine: Engine) -> None:
    """Watch again every job that an earlier owner left running.

    What a child wrote meanwhile is taken in first; a lost one that left its result still succeeds,
    any other fails as interrupted. A child that should appear later finds its flag and ends. A job that
    was still being prepared never had a process: it is tried again.
    """
    for job in engine.ledger.jobs.list("status = 'running'", order="started_at, id"):
        if job.kind not in engine.kinds:
            continue
        if (engine.folder(job.id, job.attempt) / child.TASK).exists():
            engine.attempts[job.id] = _attempt(engine, job)
        else:
            with use(Context(actor=job.created_by)):
                conclude(engine, job, engine.folder(job.id, job.attempt), Ending.unprepared())
    engine.notice()


def _attempt(engine: Engine, job: Job) -> Attempt:
    folder = engine.folder(job.id, job.attempt)
    handle = engine.executor.reattach(folder)
    cards = tuple((read_json(folder / child.TASK) or {}).get(CARDS) or ())
    attempt = Attempt(job, folder, handle or Lost(folder), cards, offset=job.journal_offset, seq=job.journal_seq)
    if job.started_at is not None:
        attempt.begun = job.started_at.replace(tzinfo=dt.UTC).timestamp()
        attempt.clocked -= max(0.0, (engine.clock.now() - job.started_at).total_seconds())
    if handle is None:
        attempt.flag(child.CANCEL)
    return attempt
