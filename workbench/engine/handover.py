"""Files that change hands: what the owner gives to a job, what the job's process makes of it.

They live as long as the job: when it has ended, however it ended, both folders are removed. Its words
(journal, log, result) stay.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.engine.walk import inside

GIVEN = "given"
MADE = "made"


def given(jobs: Path, job_id: str) -> Path:
    """Return the folder of what is given to a job, for all its attempts."""
    return jobs / job_id / GIVEN


def made(attempt: Path) -> Path:
    """Return the folder of what an attempt makes."""
    return attempt / MADE


@contextmanager
def giving(jobs: Path, job_id: str) -> Iterator[Path]:
    """Hand out the new folder of what is given to a job; on any fault nothing of it remains."""
    folder = given(jobs, job_id)
    folder.mkdir(parents=True)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(jobs / job_id, ignore_errors=True)
        raise


def clear(jobs: Path, job_id: str) -> None:
    """Remove what was given to a job and what it made."""
    for folder in (given(jobs, job_id), *map(made, inside(jobs / job_id))):
        shutil.rmtree(folder, ignore_errors=True)


def clear_made(attempt: Path) -> None:
    """Remove what an attempt made; what was given stays for the next one."""
    shutil.rmtree(made(attempt), ignore_errors=True)


def left_behind(jobs: Path) -> set[str]:
    """Return the ids of jobs that still have such folders."""
    return {folder.parent.name for folder in jobs.glob(f"*/{GIVEN}")} | {
        folder.parents[1].name for folder in jobs.glob(f"*/*/{MADE}")
    }
