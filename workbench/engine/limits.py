"""What a job may use of memory and disk, and what must be left of the disk for one to start."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.domain.wording import grouped
from workbench.engine.ending import Ending
from workbench.engine.walk import below

if TYPE_CHECKING:
    from workbench.config import Settings
    from workbench.engine.attempt import Attempt

LOOK_SECONDS = 2.0
MB = 1 << 20


def beyond(attempt: Attempt, settings: Settings) -> Ending | None:
    """Look every two seconds at what an attempt uses, and return how it has to end when that is too much."""
    now = time.monotonic()
    if now - attempt.weighed < LOOK_SECONDS:
        return None
    attempt.weighed = now
    limit = settings.job_memory_mb
    if limit and (used := attempt.handle.memory() / MB) > limit:
        return _ending("OUT_OF_MEMORY", "used", used, "of memory", limit, "WORKBENCH_JOB_MEMORY_MB")
    limit = settings.job_disk_mb
    if limit and (used := size(attempt.folder) / MB) > limit:
        return _ending("DISK_LIMIT", "wrote", used, "into its folder", limit, "WORKBENCH_JOB_DISK_MB")
    return None


def _ending(code: str, verb: str, used: float, where: str, limit: int, setting: str) -> Ending:
    words = f"The job {verb} {grouped(used)} MB {where}; its limit is {grouped(limit)} MB ({setting})."
    return Ending(code=code, message=f"{words} Give it less to do at once or raise the limit, then retry.")


def too_full(folder: Path, settings: Settings) -> str | None:
    """Return why no job may start on the disk of `folder`, or None."""
    free = shutil.disk_usage(folder if folder.exists() else folder.parent).free / MB
    if free >= settings.min_free_mb:
        return None
    wanted = f"{grouped(settings.min_free_mb)} MB (WORKBENCH_MIN_FREE_MB)"
    return f"Waits for room: the disk has {grouped(free)} MB left, {wanted} must be free for a job to start."


def size(folder: Path) -> int:
    """Return the bytes that the files below a folder take on the disk; files shared with others do not count."""
    found = 0
    for path in below(folder):
        with contextlib.suppress(OSError):
            told = path.lstat()
            found += told.st_blocks * 512 if told.st_nlink == 1 else 0
    return found
