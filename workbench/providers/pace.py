"""When the next request may leave: so many a minute, and none while the provider wants a pause."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # where files have no such locks, each process keeps its own pace
    fcntl = None  # type: ignore[assignment]

_MARKS = struct.Struct("dd")
# A mark beyond this was set by a clock that has been put back since.
_LONGEST = 3600.0


class Pace:
    """Give out turns evenly; a pause holds back everybody who asks the same provider.

    Processes that name the same file `shared` share its turns and pauses: what a provider allows, it allows them together.
    """

    def __init__(self, per_minute: int | None = None, *, shared: Path | None = None) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._marks = _Kept(shared) if shared and fcntl else _Own()

    async def turn(self) -> None:
        """Wait until a request may leave; after a pause they leave in the same pace, not all at once."""
        with self._marks.changing() as marks:
            start = max(time.time(), *marks)
            marks[0] = start + self._gap
        await asyncio.sleep(max(0.0, start - time.time()))
        with self._marks.changing() as marks:
            held = marks[1] > start
        if held:
            await self.turn()

    def hold(self, seconds: float) -> None:
        """Let nobody leave for so long."""
        with self._marks.changing() as marks:
            marks[1] = max(marks[1], time.time() + seconds)


class _Own:
    """Keep the next turn and the end of a pause for one process."""

    def __init__(self) -> None:
        self._marks = [0.0, 0.0]

    @contextlib.contextmanager
    def changing(self) -> Iterator[list[float]]:
        """Hand out the two marks to be read and set."""
        yield self._marks


class _Kept:
    """Keep the next turn and the end of a pause in a file, for one process at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path

    @contextlib.contextmanager
    def changing(self) -> Iterator[list[float]]:
        """Hand out the two marks to be read and set, while all others wait."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            found = os.pread(file, _MARKS.size, 0)
            told = _MARKS.unpack(found) if len(found) == _MARKS.size else (0.0, 0.0)
            marks = [mark if mark < time.time() + _LONGEST else 0.0 for mark in told]
            before = list(marks)
            yield marks
            if marks != before:
                os.pwrite(file, _MARKS.pack(*marks), 0)
        finally:
            os.close(file)
