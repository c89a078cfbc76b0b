"""One running attempt of a job, and the ladder by which it is made to end."""

from __future__ import annotations

import contextlib
import signal
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.domain.jobs import Job
from workbench.engine import child, journal
from workbench.engine.local import Ended, Handle
from workbench.engine.process import kill_all, mark_of

if TYPE_CHECKING:
    from workbench.engine.ending import Ending


@dataclass
class Lost:
    """Stand for a child that ended while nobody watched; what it started may still run."""

    folder: Path
    pid: int = 0
    word: str = ""

    def poll(self) -> Ended:
        """Return an end whose exit code nobody knows, after what the child left behind was killed."""
        kill_all(None, mark_of(self.folder), seconds=1.0)
        return Ended(None)

    def signal(self, number: int) -> None:
        """Do nothing: there is no process."""

    def kill(self) -> bool:
        """Kill what the child left behind and return whether it is gone."""
        return kill_all(None, mark_of(self.folder))

    def memory(self) -> int:
        """Return 0: there is no process."""
        return 0


@dataclass
class Preparing:
    """Stand for a child that is to be started once `future` has its inputs ready."""

    future: Future[None]
    pid: int = 0
    word: str = ""

    def poll(self) -> Ended | None:
        """Return None: what has not begun has not ended."""
        return None

    def signal(self, number: int) -> None:
        """Do nothing: there is no process."""

    def kill(self) -> bool:
        """Return True: there is no process."""
        return True

    def memory(self) -> int:
        """Return 0: there is no process."""
        return 0


@dataclass
class Attempt:
    """Hold what the owner knows of a running child."""

    job: Job
    folder: Path
    handle: Handle
    cards: tuple[str, ...] = ()
    offset: int = 0
    seq: int = 0
    begun: float = field(default_factory=time.time)
    clocked: float = field(default_factory=time.monotonic)
    noted: float = 0.0
    skipped: int = 0
    told: int = 0
    beat: float = field(default_factory=time.monotonic)
    ending_since: float | None = None
    rung: int = 0
    timed_out: bool = False
    weighed: float = field(default_factory=time.monotonic)
    beyond: Ending | None = None
    receiving: Future[Any] | None = None

    @property
    def number(self) -> int:
        """Return the number of the attempt."""
        return self.job.attempt

    def flag(self, name: str) -> None:
        """Raise a flag that the child looks for."""
        with contextlib.suppress(OSError):
            (self.folder / name).touch()

    def end(self) -> None:
        """Ask the child to end and start the ladder."""
        if self.ending_since is None:
            self.ending_since = time.monotonic()
            self.flag(child.CANCEL)

    def overdue(self) -> bool:
        """Return whether the job has run longer than it may."""
        limit = self.job.timeout_seconds
        return limit is not None and not self.timed_out and time.monotonic() - self.clocked > limit

    def climb(self, grace: float, term: float) -> str | None:
        """Take the next rung when its time has come, and return what was done."""
        if self.ending_since is None:
            return None
        waited = time.monotonic() - self.ending_since
        if self.rung == 0 and waited >= grace:
            self.rung = 1
            self.handle.signal(signal.SIGTERM)
            return f"The process did not end within {grace:g} s: sent SIGTERM to its group."
        if self.rung >= 1 and waited >= grace + term:
            first, self.rung = self.rung == 1, 2
            self.handle.kill()
            return f"The process did not end within {term:g} s more: killed its group." if first else None
        return None

    def outcome(self) -> dict[str, Any] | None:
        """Return what the child left as its result, or None; another attempt's words do not count."""
        try:
            found = journal.load((self.folder / child.RESULT).read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and found.get("attempt") == self.number else None
