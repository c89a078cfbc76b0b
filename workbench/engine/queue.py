"""Which waiting job starts next, and with how many threads: pure rules."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from workbench.config import Settings
from workbench.domain.jobs import KINDS
from workbench.errors import ValidationError, did_you_mean


@dataclass(frozen=True)
class Waiting:
    """What the order of the queue depends on."""

    id: str
    kind: str
    user: str
    queued_at: dt.datetime
    priority: int = 0
    not_before: dt.datetime | None = None


# Somebody waits for these, for seconds: they do not stand in line behind hours of training.
AWAITED = frozenset({"import", "assemble", "export"})


@dataclass(frozen=True)
class Limits:
    """How many jobs may run: in all (those people wait for are counted apart), of one kind, of one user."""

    total: int = 2
    per_kind: Mapping[str, int] = field(default_factory=dict)
    per_user: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the limits of the settings, or raise ValidationError for a kind that does not exist."""
        unknown = sorted(set(settings.jobs_per_kind) - set(KINDS))
        if unknown:
            words = f"knows no kind {unknown[0]!r}.{did_you_mean(unknown[0], KINDS)} Kinds are {', '.join(KINDS)}"
            raise ValidationError.field("WORKBENCH_JOBS_PER_KIND", words, settings.jobs_per_kind)
        return cls(total=settings.max_jobs, per_kind=settings.jobs_per_kind, per_user=settings.jobs_per_user or None)


def ordered(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Return the queue: higher priority first, then first come first served."""
    return sorted(waiting, key=lambda job: (-job.priority, job.queued_at, job.id))


def startable(
    waiting: Iterable[Waiting],
    running: Sequence[tuple[str, str]],
    limits: Limits,
    *,
    wanted: Mapping[str, int] = MappingProxyType({}),
    cards: int = 0,
) -> list[Waiting]:
    """Return the jobs to start now; `running` holds (kind, user) of each job that runs.

    `wanted` tells by job how many of the `cards` that are free it needs. A job held back by the limit of its
    kind or user, or for want of cards, does not hold back those behind it.
    """
    kinds = Counter(kind for kind, _ in running)
    lines = Counter(kind in AWAITED for kind, _ in running)
    users = Counter(user for _, user in running)
    chosen: list[Waiting] = []
    for job in ordered(waiting):
        if lines[job.kind in AWAITED] >= limits.total:
            continue
        if kinds[job.kind] >= limits.per_kind.get(job.kind, limits.total):
            continue
        if limits.per_user is not None and users[job.user] >= limits.per_user:
            continue
        if wanted.get(job.id, 0) > cards:
            continue
        cards -= wanted.get(job.id, 0)
        lines[job.kind in AWAITED] += 1
        kinds[job.kind] += 1
        users[job.user] += 1
        chosen.append(job)
    return chosen


def thread_budget(cores: int, running: int) -> int:
    """Return the threads of each of `running` jobs on `cores` cores, at least one."""
    return max(1, cores // max(1, running))
