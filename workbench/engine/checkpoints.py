"""Checkpoints: what an attempt saves of its work, whole or not at all, and how a later one finds it.

`attempt-1/checkpoints/weights.npz-000003/` holds the file (or folder) `weights.npz` and, in
`checkpoint.json`, the step it stands for and what the work was made of. The newest of a name is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.engine.process import write_json
from workbench.engine.walk import inside

FOLDER = "checkpoints"
FACTS = "checkpoint.json"


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint: where it is, the last step it holds, and what the work was made of."""

    path: Path
    step: int
    basis: Mapping[str, Any]

    def differences(self, basis: Mapping[str, Any]) -> list[str]:
        """Return the names of what was different when the checkpoint was made."""
        return sorted(name for name in {*self.basis, *basis} if self.basis.get(name) != basis.get(name))


@contextlib.contextmanager
def saving(attempt: Path, name: str, *, step: int, basis: Mapping[str, Any]) -> Iterator[Path]:
    """Hand out a path to write to; when the block ends well it is the newest checkpoint of that name."""
    part = attempt / FOLDER / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part / name
        for file in part.rglob("*"):
            _to_disk(file)
        write_json(part / FACTS, {"step": step, "basis": dict(basis)})
        earlier = _kept(attempt, name)
        number = int(earlier[0].name.rpartition("-")[2]) + 1 if earlier else 1
        part.replace(attempt / FOLDER / f"{name}-{number:06d}")
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    for old in earlier:
        shutil.rmtree(old, ignore_errors=True)


def newest(attempt: Path, name: str) -> Checkpoint | None:
    """Return the newest whole checkpoint of an attempt, or None."""
    for folder in _kept(attempt, name):
        with contextlib.suppress(OSError, ValueError, KeyError):
            facts = json.loads((folder / FACTS).read_text())
            return Checkpoint(folder / name, int(facts["step"]), facts["basis"])
    return None


def earlier(attempt: Path, jobs: Sequence[str]) -> Iterator[Path]:
    """Yield the folders of the attempts before this one, the newest first, then those of other jobs in turn."""
    number = int(attempt.name.rpartition("-")[2])
    yield from (attempt.with_name(f"attempt-{n}") for n in range(number - 1, 0, -1))
    for job in jobs:
        found = [folder for folder in inside(attempt.parents[1] / job) if folder.name.startswith("attempt-")]
        yield from sorted(found, key=_number, reverse=True)


def clear(jobs: Path, job_id: str) -> None:
    """Remove every checkpoint of a job."""
    for attempt in inside(jobs / job_id):
        shutil.rmtree(attempt / FOLDER, ignore_errors=True)


def left_behind(jobs: Path) -> set[str]:
    """Return the ids of jobs that have checkpoints."""
    return {folder.parents[1].name for folder in jobs.glob(f"*/attempt-*/{FOLDER}")}


def _kept(attempt: Path, name: str) -> list[Path]:
    """Return the folders of the checkpoints of a name, the newest first."""
    found = [path for path in inside(attempt / FOLDER) if path.name.rpartition("-")[0] == name and _number(path)]
    return sorted(found, key=_number, reverse=True)


def _number(path: Path) -> int:
    number = path.name.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def _to_disk(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())
