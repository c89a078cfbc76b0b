"""Time, ids and randomness, injected so that tests and notebooks are exact."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
import threading
import time
from collections import defaultdict

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Clock:
    """Tell the real time and mint ids that sort by the moment of their making."""

    def now(self) -> dt.datetime:
        """Return the time as naive UTC with microseconds."""
        return dt.datetime.now(dt.UTC).replace(tzinfo=None)

    def monotonic(self) -> float:
        """Return seconds that never go back, for measuring spans."""
        return time.monotonic()

    def chance(self) -> float:
        """Return a random number from 0 up to 1."""
        return secrets.randbits(32) / 2**32

    def new_id(self, kind: str) -> str:
        """Return a fresh slash-free id such as `sheet_01k9x3v7tq8m2c5d`."""
        stamp = int(time.time() * 1000) << 32 | secrets.randbits(32)
        return f"{kind}_{_base32(stamp, 16)}"


class FrozenClock(Clock):
    """Stand still until told otherwise and count ids from one."""

    def __init__(self, start: dt.datetime = dt.datetime(2026, 1, 1, 9, 0)) -> None:
        self._now = start
        self._elapsed = 0.0
        self._counters: dict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))
        self._lock = threading.Lock()

    def now(self) -> dt.datetime:
        """Return the frozen time."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds advanced so far."""
        return self._elapsed

    def chance(self) -> float:
        """Return the middle, always."""
        return 0.5

    def advance(self, **span: float) -> None:
        """Move on by a timedelta's keywords, such as `minutes=5`."""
        step = dt.timedelta(**span)
        self._now += step
        self._elapsed += step.total_seconds()

    def new_id(self, kind: str) -> str:
        """Return `sheet_0001`, `sheet_0002`, ..."""
        with self._lock:
            return f"{kind}_{next(self._counters[kind]):04d}"


def _base32(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))
