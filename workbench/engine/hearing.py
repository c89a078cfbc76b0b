"""How the words of a child reach the ledger: each exactly once, and what makes no sense is skipped and told."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.domain.jobs import JobEvent
from workbench.domain.wording import grouped
from workbench.engine import journal, words

if TYPE_CHECKING:
    from workbench.engine.attempt import Attempt
    from workbench.engine.engine import Engine

MOST_REASONS = 3
MOST_REASON = 160
# A child may babble for ever: its job is told of the first skipped word, the tenth, the hundredth, and of all at the end.
TOLD_EACH = 10

_log = logging.getLogger(__name__)


def take_in(engine: Engine, attempt: Attempt, *, drain: bool) -> None:
    """Take in what the child wrote since; `drain` takes in all there is."""
    while batch := journal.read(attempt.folder, attempt.offset, attempt.seq):
        taken = _understood(engine, attempt, batch)
        if taken is None:
            _log.warning("Job %s: late words of attempt %s were refused.", attempt.job.id, attempt.number)
            return
        if hear := engine.kinds[attempt.job.kind].hear:
            hear(attempt.job, taken.records)
        if not drain:
            return
    if drain and attempt.skipped > attempt.told:
        engine.ledger.note(attempt.job.id, _told(attempt.skipped, ()))
        attempt.told = attempt.skipped


def _understood(engine: Engine, attempt: Attempt, batch: journal.Batch) -> journal.Batch | None:
    """Take in a batch; records that make no sense are skipped, or nothing after them would ever be heard.

    Returns what was taken in, or None where it comes too late. A fault that no record explains is raised:
    the words are kept for the next look.
    """
    skipped = [f"a damaged journal line at byte {at}" for at in batch.damaged]
    try:
        return _heard(engine, attempt, batch, skipped)
    except Exception:
        judged = [(record, words.senseless(record)) for record in batch.records]
        skipped += [why for _, why in judged if why]
        if len(skipped) == len(batch.damaged):
            raise
        sound = replace(batch, records=[record for record, why in judged if why is None])
        return _heard(engine, attempt, sound, skipped)


def _heard(engine: Engine, attempt: Attempt, batch: journal.Batch, skipped: Sequence[str]) -> journal.Batch | None:
    """Take in a batch, the place after it and what is told of the skipped words in one transaction."""
    kind = engine.kinds[attempt.job.kind]
    count = attempt.skipped + len(skipped)
    tell = bool(skipped) and count >= attempt.told * TOLD_EACH
    # Tens of thousands of points take a while to put together: nobody who wants to write waits for that.
    rows = [point for record in batch.records if record["t"] == "metrics" for point in record["rows"]]
    points = words.points(attempt.job.id, rows) if rows else None
    with engine.db.write():
        noted = engine.ledger.take_in(
            attempt.job.id, attempt.number, attempt.offset, batch, points=points, begun=attempt.begun,
            noted=attempt.noted, share=kind.share, more=[_told(count, skipped)] if tell else [],
        )  # fmt: skip
        if noted is None:
            return None
        facts = {r["name"]: r["value"] for r in batch.records if r["t"] == "fact"}
        if kind.facts and facts:
            kind.facts(attempt.job, facts)
    attempt.offset, attempt.seq, attempt.noted, attempt.beat = batch.offset, batch.seq, noted, time.monotonic()
    attempt.skipped, attempt.told = count, count if tell else attempt.told
    return batch


def _told(count: int, why: Sequence[str]) -> JobEvent:
    """Return the event that says how many words were skipped so far, and why the latest of them were."""
    reasons = [one if len(one) <= MOST_REASON else f"{one[:MOST_REASON]}…" for one in dict.fromkeys(why)][:MOST_REASONS]
    told = f"{grouped(count)} so far: {'; '.join(reasons)}" if reasons else f"{grouped(count)} in all"
    message = f"Words of the process that make no sense were skipped, {told}."
    return JobEvent(type="error", message=message, data={"skipped": count, "reasons": reasons})
