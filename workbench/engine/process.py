"""Which process is which: identities that survive the owner, and groups that are truly gone."""

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


def signal_group(leader: int, number: int) -> int:
    """Send a signal to every member of the group and return how many there were."""
    members = group_members(leader)
    for pid in members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    return len(members)


def kill_group(leader: int, *, seconds: float = 5.0) -> bool:
    """Kill the whole group and return whether it is gone."""
    deadline = time.monotonic() + seconds
    while signal_group(leader, signal.SIGKILL):
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
