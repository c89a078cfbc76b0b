"""The same work here and in an MLflow tracking store, in one run: log, list, read a curve back, compare.

MLflow writes to its SQLite store as its documentation advises for one machine. Sizes come from
WORKBENCH_RUNS and WORKBENCH_POINTS.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest

from workbench.testing import frozen

RUNS = int(os.environ.get("WORKBENCH_RUNS", "1000"))
POINTS = int(os.environ.get("WORKBENCH_POINTS", "20000"))
# The most a batch may hold there.
BATCH = 1000
COMPARED = 20
ROUNDS = 20


@pytest.fixture(scope="module")
def here() -> Iterator[Any]:
    with frozen() as workspace:
        workspace.transport.strict = False
        yield workspace


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Any:
    place: Path = tmp_path_factory.mktemp("mlflow")
    return mlflow.MlflowClient(f"sqlite:///{place}/mlflow.db")


def points_of(start: int, count: int) -> list[Any]:
    return [mlflow.entities.Metric("loss", 1 / (1 + step), 0, step) for step in range(start, start + count)]


def timed(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1e3


def beside(what: str, ours: list[float], theirs: list[float]) -> None:
    for who, spans in (("here", ours), ("MLflow", theirs)):
        ranked = sorted(spans)
        print(f"\n{what}, {who}: p50 {statistics.median(ranked):.3f} ms, p99 {ranked[int(0.99 * len(ranked))]:.3f} ms", end="")
    print(f" ({statistics.median(theirs) / statistics.median(ours):.1f} x)")


def test_one_call_of_log(here: Any, there: Any) -> None:
    """What a training loop waits for at each step."""
    run_id = there.create_run("0").info.run_id
    with here.jobs.start_external("steps") as run:
        ours = [timed(lambda step=step: run.log({"loss": 0.5}, step=step)) for step in range(2000)]
    theirs = [timed(lambda step=step: there.log_metric(run_id, "loss", 0.5, step=step)) for step in range(300)]
    beside("one call of log", ours, theirs)


def test_many_points_to_disk_and_a_curve_back(here: Any, there: Any) -> None:
    """From the first call to the last point kept; then the curve as a plot needs it."""
    run_id = there.create_run("0").info.run_id

    def log_here() -> None:
        with here.jobs.start_external("points") as run:
            for step in range(POINTS):
                run.log({"loss": 1 / (1 + step)}, step=step)
        made.append(run.id)

    def log_there() -> None:
        for start in range(0, POINTS, BATCH):
            there.log_batch(run_id, points_of(start, BATCH))

    made: list[str] = []
    ours, theirs = timed(log_here), timed(log_there)
    print(
        f"\n{POINTS} points to disk: here {POINTS / ours * 1e3:,.0f}/s one by one, "
        f"MLflow {POINTS / theirs * 1e3:,.0f}/s in batches of {BATCH}"
    )
    back = [timed(lambda: here.jobs.metrics(made[0], names=["loss"])) for _ in range(ROUNDS)]
    theirs_back = [timed(lambda: there.get_metric_history(run_id, "loss")) for _ in range(5)]
    beside(f"a curve of {POINTS} points back (here thinned for a plot)", back, theirs_back)


def test_runs_listed_and_compared(here: Any, there: Any) -> None:
    """One page of 50 among many runs, narrowed and ordered by a metric; then the curves of twenty."""
    experiment = there.create_experiment("many")
    ours_ids, their_ids = [], []
    for number in range(RUNS):
        with here.jobs.start_external(f"run {number}", config={"lr": number % 7}, labels={"team": "red"}) as run:
            for step in range(30):
                run.log({"val_loss": step / (1 + number)}, step=step)
        ours_ids.append(run.id)
        other = there.create_run(experiment, run_name=f"run {number}", tags={"team": "red"}).info.run_id
        metrics = [mlflow.entities.Metric("val_loss", step / (1 + number), 0, step) for step in range(30)]
        there.log_batch(other, metrics, params=[mlflow.entities.Param("lr", str(number % 7))])
        there.set_terminated(other)
        their_ids.append(other)
    listed = [timed(lambda: here.jobs.list(status="succeeded", label="team=red", sort="duration_seconds")) for _ in range(ROUNDS)]
    searched = [
        timed(
            lambda: there.search_runs(
                [experiment], "attributes.status = 'FINISHED' and tags.team = 'red'", max_results=50, order_by=["metrics.val_loss"]
            )
        )
        for _ in range(ROUNDS)
    ]
    beside(f"a page of 50 of {RUNS} runs", listed, searched)
    chosen, theirs = ",".join(ours_ids[:COMPARED]), their_ids[:COMPARED]
    compared = [timed(lambda: here.training.compare(chosen, metrics=["val_loss"])) for _ in range(ROUNDS)]
    fetched = [timed(lambda: [(there.get_run(r), there.get_metric_history(r, "val_loss")) for r in theirs]) for _ in range(5)]
    beside(f"{COMPARED} runs with their curves", compared, fetched)
