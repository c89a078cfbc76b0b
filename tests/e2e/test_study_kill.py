"""The owner is killed in the middle of a study: the living trial is taken back, the study goes on as it would have."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import ROOT, environment
from tests.e2e.study_owner import opened
from tests.services.tiny_trainer import NAME, TinyConfig, score
from workbench.engine import journal
from workbench.engine.process import Identity
from workbench.services import study_space
from workbench.services.study_search import Search
from workbench.trainers import registry

SETTINGS = {"n_trials": 3, "seed": 7, "training_config": {"epochs": 25, "pause": 0.2}}


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path, str]]:
    """Start an owner that leads a study."""
    path = tmp_path / "study.duckdb"
    command = [sys.executable, "-m", "tests.e2e.study_owner", str(path), json.dumps(SETTINGS)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process, path, process.stdout.readline().strip()
    process.kill()
    process.wait()
    registry.BUILT_IN.pop(NAME, None)
    registry.trainers.cache_clear()


def until(check: Callable[[], Any], seconds: float = 90) -> Any:
    """Wait for something to become true and return it."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def living(path: Path, study_id: str, ended: int) -> Path | None:
    """Return the folder of a trial that measures something while `ended` others have their results."""
    folders = [f for f in path.with_name(f"{path.name}.artifacts").glob("jobs/*/attempt-1") if f.parent.name != study_id]
    done = [folder for folder in folders if (folder / "result.json").exists()]
    running = [f for f in folders if f not in done and any(r["t"] == "metrics" for r in journal.read(f).records)]
    return running[0] if running and len(done) == ended else None


def settings_expected() -> list[dict[str, Any]]:
    """Return what an undisturbed study tries."""
    tiny = registry.trainers()[NAME]
    first = TinyConfig.complete(SETTINGS["training_config"])[0]
    space = study_space.completed(tiny, None, SETTINGS["training_config"])[0]
    search = Search(space, higher=True, seed=7, n_trials=3, first=first)
    tried = []
    for number in (1, 2, 3):
        tried.append(search.suggest(number))
        search.tell(number, "succeeded", score(**tried[-1]))
    return tried


@pytest.mark.slow
def test_a_study_outlives_its_owner(owner: tuple[subprocess.Popen[str], Path, str]) -> None:
    process, path, id = owner
    folder = until(lambda: living(path, id, 1))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    child = Identity.load(folder)
    assert child is not None
    assert child.alive(), "the trial does not depend on the owner"
    with contextlib.closing(opened(path)) as ws:
        until(lambda: ws.studies.get(id).status == "succeeded")
        trials = list(ws.studies.trials(id))
        assert [(t.number, t.state, t.value) for t in trials] == [
            (n, "succeeded", score(**t.params)) for n, t in enumerate(trials, 1)
        ]
        assert [t.params for t in trials] == settings_expected()
        job = ws.jobs.get(folder.parent.name)
        assert (job.id, job.pid, job.attempt) == (trials[1].id, child.pid, 1), "the same process, taken back"
        points = ws.app.db.tuples("select step from metrics where job_id = ? order by step", [job.id])
        assert points == [(step,) for step in range(1, 26)]
        assert ws.jobs.list(parent_id=id).total == 3
