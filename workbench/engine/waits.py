"""How long a job waits before it is tried again by itself."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection
from typing import Any

MOST_RETRIES = 3
LONGEST_SECONDS = 3600.0
# A quarter up or down keeps jobs that failed together from coming back together.
SPREAD = 0.25
OVER = float("-inf")


def seconds_before(retry: int, base: float, *, chance: float, asked: Any = None) -> float:
    """Return the wait before retry number `retry`: doubled each time, spread by `chance`, never shorter than `asked`."""
    wait = base * 2 ** (retry - 1) * (1 + SPREAD * (2 * chance - 1))
    least = float(asked) if isinstance(asked, (int, float)) and asked > 0 else 0.0
    return min(max(wait, least), LONGEST_SECONDS)


class Waits:
    """Know which waiting jobs may start by now.

    A wait is measured on the monotonic clock from the moment the owner first heard of it: a clock that
    jumps neither cuts it short nor makes it last for days.
    """

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def hold(self, id: str, seconds: float) -> None:
        """Let a job wait from now on."""
        self._due[id] = time.monotonic() + seconds

    def over(self, id: str, not_before: dt.datetime | None, now: dt.datetime) -> bool:
        """Return whether a job that may not start before `not_before` may start."""
        if not_before is None:
            return True
        if id not in self._due:
            self.hold(id, min(max(0.0, (not_before - now).total_seconds()), LONGEST_SECONDS))
        if time.monotonic() < self._due[id]:
            return False
        self._due[id] = OVER
        return True

    def keep(self, ids: Collection[str]) -> None:
        """Forget every job that is not among `ids`: it has started or ended."""
        self._due = {id: due for id, due in self._due.items() if id in ids}

    def next(self) -> float | None:
        """Return the seconds until the next wait is over, or None when nobody waits."""
        ahead = [due for due in self._due.values() if due != OVER]
        return max(0.0, min(ahead) - time.monotonic()) if ahead else None
