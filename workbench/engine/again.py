"""Try a job again by itself after a passing fault: another attempt of the same job, after a while."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from workbench.domain.jobs import Job
from workbench.engine.waits import MOST_RETRIES, seconds_before

if TYPE_CHECKING:
    from workbench.engine.ending import Ending
    from workbench.engine.engine import Engine


def may_go_on(job: Job, ending: Ending) -> bool:
    """Return whether a failed attempt is followed by another one."""
    return ending.transient and not job.cancel_requested and job.retries < MOST_RETRIES


def queue_again(engine: Engine, job: Job, ending: Ending) -> Job | None:
    """Put a running job back into the queue, in the current transaction."""
    retry = job.retries + 1
    asked = (ending.context or {}).get("retry_after")
    wait = seconds_before(retry, engine.settings.retry_wait_s, chance=engine.clock.chance(), asked=asked)
    words = f"Retry {retry} of {MOST_RETRIES} in {wait:.0f} s: {ending.message}"
    facts: dict[str, Any] = {"retry": retry, "of": MOST_RETRIES, "wait_seconds": round(wait, 3), "error_code": ending.code}
    moved = engine.ledger.move(
        job.id, ("running",), "queued", message=words, latest=words, at_attempt=job.attempt, retries=retry,
        not_before=engine.clock.now() + dt.timedelta(seconds=wait), facts={**facts, "details": ending.details},
        started_at=None, heartbeat_at=None, pid=None, worker=None, eta_seconds=None, step="",
    )  # fmt: skip
    if moved is not None:
        engine.waits.hold(job.id, wait)
    return moved
