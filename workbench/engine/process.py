"""Which process is which: identities that survive the owner, and attempts of which nothing runs any more."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

FILE_NAME = "process.json"
ATTEMPT = "WORKBENCH_ATTEMPT"


@dataclass(frozen=True)
class Identity:
    """Tell a process from any other that gets the same pid later."""

    pid: int
    started: str
    boot: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """Return the identity of a living process, or None."""
        started = _started(pid)
        return cls(pid, started, boot_id()) if started else None

    def alive(self) -> bool:
        """Return whether this very process still runs; a zombie does not."""
        return self.boot == boot_id() and self.started == _started(self.pid)

    def save(self, folder: Path) -> None:
        """Write the identity into the attempt's folder."""
        write_json(folder / FILE_NAME, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Identity | None:
        """Read the identity from the attempt's folder, or None."""
        try:
            return cls(**json.loads((folder / FILE_NAME).read_text()))
        except (OSError, ValueError, TypeError):
            return None


def boot_id() -> str:
    """Return what changes with each start of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(int(psutil.boot_time()))


def _started(pid: int) -> str:
    """Return the start of a living process: clock ticks since boot where known, else its creation time."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    return ""


def group_members(leader: int) -> list[int]:
    """Return the living processes of the group, or of the session, that `leader` opened."""
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if leader in (os.getpgid(pid), os.getsid(pid)) and _started(pid):
                found.append(pid)
    return found


def group_memory(leader: int) -> int:
    """Return the bytes of memory of the group; what several of its processes share counts once."""
    members = group_members(leader)
    return sum(_memory(pid, shared=len(members) > 1) for pid in members)


def _memory(pid: int, *, shared: bool) -> int:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if shared and (part := getattr(process.memory_full_info(), "pss", 0)):
            return int(part)
        return int(process.memory_info().rss)
    return 0


def mark_of(folder: Path) -> str:
    """Return what all processes of an attempt carry in their environment, also those in sessions of their own."""
    return str(folder.resolve())


def carriers(mark: str) -> list[int]:
    """Return the living processes that inherited the mark of an attempt.

    Reads the environment of each process there is: for the end of an attempt, not for each look at it. Whoever
    carries the mark itself, as a server that the work started may once own the same jobs, finds nobody.
    """
    found = [pid for pid in psutil.pids() if _carries(pid, mark)]
    return [] if os.getpid() in found else found


def _carries(pid: int, mark: str) -> bool:
    with contextlib.suppress(OSError, psutil.Error):
        if Path("/proc/self/environ").exists():
            return os.fsencode(f"{ATTEMPT}={mark}") in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return psutil.Process(pid).environ().get(ATTEMPT) == mark
    return False


def signal_all(leader: int | None, mark: str, number: int) -> int:
    """Send a signal to the group of the leader and to all that carry the mark; return how many it was sent to."""
    sent = 0
    for pid in {*(group_members(leader) if leader else ()), *carriers(mark)} - {os.getpid()}:
        # What has ended meanwhile needs no signal, what another user runs takes none.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            sent += 1
    return sent


def kill_all(leader: int | None, mark: str, *, seconds: float = 5.0) -> bool:
    """Kill the group of the leader and all that carry the mark, and return whether they are gone."""
    deadline = time.monotonic() + seconds
    while signal_all(leader, mark, signal.SIGKILL):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def write_json(path: Path, value: object) -> None:
    """Write a JSON file so that readers see the old one or the new one, never half."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("w", encoding="utf-8") as file:
            json.dump(value, file, default=str)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, or None while it is not there or not whole."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else None
    return None
