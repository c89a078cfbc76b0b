"""`kill -9` of the server: acknowledged work stays, jobs go on, nothing pretends to run."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

import workbench as wb
from tests.e2e.processes import Served, command_line, serving
from workbench.config import dataset_path
from workbench.errors import WorkbenchError

PLAN = {
    "prompt_template": "{{summary}}",
    "response_source_mode": "existing_column",
    "response_column": "module",
    "label_type": "module",
}
REVIEWERS = 4
KILLS = 3
BATCH = 40


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "team.duckdb"


def training_sheet(ws: Any, pairs: int) -> Any:
    sheet = ws.sheets.create(
        "Standard library", source_type="file", source=str(dataset_path("stdlib_functions.csv")), item_id_column="item_id"
    )
    return ws.training_sheets.assemble(sheet.id, template=PLAN, sample="random", sample_size=pairs)


def until(true: Callable[[], Any], *, seconds: float = 90) -> Any:
    """Wait for something to hold and return it."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)
    return found


def sound(database: Path) -> None:
    """Assert that the file opens and the doctor finds nothing."""
    examined = command_line("doctor", "--database", database)
    assert 0 == examined.returncode, examined.stdout + examined.stderr


@dataclass
class Said:
    """What the server has acknowledged: the state of single pairs, and rows changed by each batch."""

    pairs: dict[int, tuple[str, str | None, int]] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)

    def decide(self, ws: Any, pairs_id: str, rows: list[int], killed: threading.Event) -> None:
        """Decide on pair after pair until the server is gone."""
        for turn, row in itertools.product(range(1000), rows):
            action = ("approve", "reject", "flag", "reset")[(turn + row) % 4]
            reason = {"flag_reason": f"turn {turn}"} if action in ("reject", "flag") else {}
            try:
                pair = ws.review.decide(pairs_id, row, action=action, **reason)
            except WorkbenchError:
                assert killed.is_set()
                return
            self.pairs[row] = (pair.status, pair.flag_reason, pair.version)

    def decide_in_bulk(self, ws: Any, pairs_id: str, rows: list[int], killed: threading.Event) -> None:
        """Approve and reset the same rows in batches until the server is gone."""
        for turn in range(1000):
            call = ws.review.bulk_reset if turn % 2 else ws.review.bulk_approve
            try:
                outcome = call(pairs_id, row_indices=rows)
            except WorkbenchError:
                assert killed.is_set()
                return
            if outcome.batch_id:
                self.batches[outcome.batch_id] = outcome.done


def review_until_killed(server: Served, pairs_id: str, *, after: float) -> Said:
    """Let reviewers work in parallel and kill the server under them; return what it had acknowledged."""
    said, killed = Said(), threading.Event()
    clients = [wb.open(server.url, user=f"reviewer{n}") for n in range(REVIEWERS + 1)]
    work = [(said.decide, list(range(n, 200, REVIEWERS))) for n in range(REVIEWERS)]
    work.append((said.decide_in_bulk, list(range(200, 200 + BATCH))))
    threads = [
        threading.Thread(target=run, args=(ws, pairs_id, rows, killed)) for ws, (run, rows) in zip(clients, work, strict=True)
    ]
    for thread in threads:
        thread.start()
    until(lambda: len(said.pairs) >= 20 and said.batches)
    time.sleep(after)
    killed.set()
    server.kill()
    for thread in threads:
        thread.join(90)
        assert not thread.is_alive()
    for ws in clients:
        ws.close()
    return said


@pytest.mark.slow
def test_acknowledged_decisions_survive(database: Path) -> None:
    with wb.open(database, share=False) as ws:
        pairs_id = training_sheet(ws, 300).id
    for kill in range(KILLS):
        with serving(database) as server:
            said = review_until_killed(server, pairs_id, after=0.07 * kill)
        with wb.open(database, share=False) as ws:
            stored = ws.sql("select row_index, status, flag_reason, version from pairs where row_index < 200")
            for row in stored.astype(object).where(stored.notna(), None).itertuples():
                if row.row_index in said.pairs:
                    assert_kept(said.pairs[row.row_index], (row.status, row.flag_reason, row.version))
            assert said.batches == {id: ws.review.history(pairs_id, batch_id=id).total for id in said.batches}
            bulk = ws.sql("select batch, count(*) n from decisions where row_index between 200 and 239 group by 1")
            assert set(bulk["n"]) <= {BATCH, *said.batches.values()}, "half of a batch was stored"
            halves = ws.sql("select distinct status from pairs where row_index between 200 and 239 and response <> ''")
            assert 1 == len(halves)
        sound(database)


def assert_kept(said: tuple[str, str | None, int], stored: tuple[str, str | None, int]) -> None:
    """Assert that an acknowledged state is stored, or the one decision after it that was cut off before its answer."""
    if stored[2] == said[2]:
        assert said == stored
    else:
        assert said[2] + 1 == stored[2]


@dataclass
class Running:
    """A training job under a server that is about to be killed."""

    server: Served
    ws: Any
    job: Any
    process: psutil.Process


@pytest.fixture
def running(database: Path) -> Iterator[Callable[..., Running]]:
    """Return the way to start a job and wait until its curve has points."""
    started: list[Running] = []
    servers = []

    def start(*, pairs: int, epochs: int) -> Running:
        context = serving(database)
        server = context.__enter__()
        servers.append(context)
        ws = wb.open(server.url)
        made = training_sheet(ws, pairs)
        ws.review.bulk_approve(made.id, filter={"status": "unlabeled"})
        job = ws.training.create(made.id, "which-module", "ngrams-tfidf", training_config={"epochs": epochs})
        until(lambda: len(ws.jobs.metric_curve(job.id, "train_loss")) >= 3)
        job = ws.training.get(job.id)
        started.append(Running(server, ws, job, psutil.Process(job.pid)))
        return started[-1]

    yield start
    for one in started:
        one.ws.close()
        if one.process.is_running():
            one.process.kill()
    for context in servers:
        context.__exit__(None, None, None)


def assert_every_point_once(ws: Any, job: Any) -> None:
    """Assert that the curve has one point for each step, in order, to the end."""
    points = ws.sql("select name, step from metrics where job_id = ?", [job.id])
    assert not points.duplicated().any()
    steps = sorted(points[points["name"] == "train_loss"]["step"])
    width = steps[1] - steps[0]
    assert steps[0] <= width
    assert {width} == {b - a for a, b in itertools.pairwise(steps[:-1])}
    epochs = sorted(points[points["name"] == "val_loss"]["step"])
    assert job.total_epochs == len(epochs)


@pytest.mark.slow
def test_a_job_outlives_its_server_and_is_taken_up_again(database: Path, running: Callable[..., Running]) -> None:
    cut = running(pairs=1500, epochs=30)
    cut.server.kill()
    assert cut.process.is_running() and cut.process.status() != psutil.STATUS_ZOMBIE

    with serving(database) as server, wb.open(server.url) as ws:
        found = ws.training.get(cut.job.id)
        assert found.status in ("running", "succeeded") and found.pid == cut.job.pid
        ended = found.wait(timeout=150, progress=False)

        assert ("succeeded", 1) == (ended.status, ended.attempt)
        assert ws.models.get(ended.model_version_id).job_id == cut.job.id
        assert_every_point_once(ws, ended)
    sound(database)


@pytest.mark.slow
def test_a_job_that_ends_without_a_server_is_taken_over(database: Path, running: Callable[..., Running]) -> None:
    cut = running(pairs=400, epochs=20)
    cut.server.kill()
    until(lambda: not cut.process.is_running() or cut.process.status() == psutil.STATUS_ZOMBIE)

    with serving(database) as server, wb.open(server.url) as ws:
        ended = ws.training.get(cut.job.id).wait(timeout=60, progress=False)

        assert ("succeeded", True) == (ended.status, ended.model_version_id is not None)
        assert_every_point_once(ws, ended)
    sound(database)


@pytest.mark.slow
def test_a_job_that_died_with_its_server_does_not_run(database: Path, running: Callable[..., Running]) -> None:
    cut = running(pairs=1500, epochs=50)
    cut.server.kill()
    cut.process.kill()
    until(lambda: not cut.process.is_running() or cut.process.status() == psutil.STATUS_ZOMBIE)

    with serving(database) as server, wb.open(server.url) as ws:
        ended = ws.training.get(cut.job.id).wait(timeout=60, progress=False)

        assert ("failed", None) == (ended.status, ended.model_version_id)
        assert "interrupted" in f"{ended.error_code} {ended.error_message}".lower()
        assert 0 == ws.training.active().total
        retried = ws.training.retry(cut.job.id, training_config={"epochs": 1}).wait(timeout=120, progress=False)
        assert ("succeeded", cut.job.id) == (retried.status, retried.parent_id)
    sound(database)
