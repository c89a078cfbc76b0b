"""The GPUs of this machine: how many there are, which job has which, and who waits for one."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.engine.process import read_json

if TYPE_CHECKING:
    from workbench.engine.engine import Engine
    from workbench.engine.queue import Waiting

VISIBLE = "CUDA_VISIBLE_DEVICES"
RESOURCE = "GPU"
DRIVER = Path("/proc/driver/nvidia/gpus")
ASK_SECONDS = 10.0
CARDS = "cards"


def cards(limit: int | None, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the GPUs that jobs may use, as CUDA names them; `limit` is how many, None for all there are.

    What the environment hides from this process stays hidden from its jobs. No library is asked: importing one
    that knows takes seconds and memory of the card.
    """
    if (shown := environ.get(VISIBLE)) is not None:
        return _named(shown)[:limit]
    return tuple(str(number) for number in range(_counted() if limit is None else limit))


def _named(shown: str) -> tuple[str, ...]:
    """Return the cards of a list as CUDA reads it: up to the first that is none."""
    found: list[str] = []
    for name in (part.strip() for part in shown.split(",")):
        if not name or name.startswith("-") or not (name.isdecimal() or name.startswith(("GPU-", "MIG-"))):
            break
        found.append(name)
    return tuple(found)


def _counted() -> int:
    try:
        return sum(1 for _ in DRIVER.iterdir())
    except OSError:
        pass
    if (command := shutil.which("nvidia-smi")) is None:
        return 0
    try:
        told = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=ASK_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in told.splitlines())


def environment(task: Path, limit: int | None) -> dict[str, str]:
    """Return what the child of a task has to be told of the GPUs: its own ones, or none where there are to be none."""
    given = (read_json(task) or {}).get(CARDS)
    if given:
        return {VISIBLE: ",".join(given)}
    return {VISIBLE: ""} if limit == 0 else {}


class Slots:
    """Hand the GPUs of this machine out, each to one job at a time; a cluster hands out its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wanted: dict[str, int] = {}

    def wanted(self, waiting: Iterable[Waiting]) -> dict[str, int]:
        """Return how many cards each of the waiting jobs needs, never more than there are."""
        have = self._engine.executor.cards
        if not have:
            return {}
        known, self._wanted = self._wanted, {}
        for job in waiting:
            self._wanted[job.id] = known[job.id] if job.id in known else min(len(have), self._needed(job))
        return self._wanted

    def free(self) -> list[str]:
        """Return the cards that no running job has."""
        taken = {card for attempt in self._engine.attempts.values() for card in attempt.cards}
        return [card for card in self._engine.executor.cards or () if card not in taken]

    def reason(self) -> str:
        """Return in words why a job waits for a card."""
        count = len(self._engine.executor.cards or ())
        which = "the one of this machine is" if count == 1 else f"all {count} of this machine are"
        return f"Waits for a GPU: {which} in use (WORKBENCH_GPUS)."

    def _needed(self, job: Waiting) -> int:
        asks = self._engine.kinds[job.kind].resources
        if asks is None:
            return 0
        try:
            return math.ceil(asks(self._engine.ledger.jobs.get(job.id)).get(RESOURCE, 0))
        except Exception:  # noqa: BLE001  what is wrong with the job is told where it is started
            return 0


def held(waiting: Sequence[Waiting], chosen: Sequence[Waiting], wanted: Mapping[str, int], free: int) -> set[str]:
    """Return the jobs that would start if there were more cards."""
    left = free - sum(wanted.get(job.id, 0) for job in chosen)
    started = {job.id for job in chosen}
    return {job.id for job in waiting if job.id not in started and wanted.get(job.id, 0) > left}
