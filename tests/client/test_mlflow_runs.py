"""Runs of an MLflow store come over whole, once, with their own times."""

import datetime as dt
import math
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import NotFound, NotReady, ValidationError

BEGAN = 1_760_000_000_000


@pytest.fixture(scope="module", params=["sqlite", "folder"])
def store(request: Any, tmp_path_factory: Any) -> str:
    """Return the tracking URI of a store that MLflow itself wrote."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    place: Path = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{place}/mlflow.db" if request.param == "sqlite" else str(place / "mlruns")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        client = MlflowClient(tracking_uri=uri)
        for name, endings in (("vision", ("FINISHED", "FAILED", "RUNNING")), ("text", ("KILLED",))):
            experiment = client.create_experiment(name, artifact_location=str(place / name))
            for number, ending in enumerate(endings):
                start = BEGAN + number * 1000
                run = client.create_run(experiment, start_time=start, run_name=f"{name} {number}", tags={"team": "a"})
                points = [Metric("loss", 1 / (step + 1), start + step, step) for step in range(120)]
                odd = [Metric("odd", math.nan, start, 0), Metric("odd", math.inf, start, 1)]
                client.log_batch(run.info.run_id, points + odd, [Param("lr", "0.1")], [RunTag("mlflow.source.name", "x.py")])
                if ending != "RUNNING":
                    client.set_terminated(run.info.run_id, ending, end_time=start + 60_000)
    return uri


def test_runs_come_over_with_settings_curves_states_and_times(ws: Any, store: str) -> None:
    brought = wb.import_mlflow_runs(ws, store, progress=False)

    jobs = {job.name: job for job in ws.jobs.list(kind="external")}
    assert {name: job.status for name, job in jobs.items()} == {
        "vision 0": "succeeded", "vision 1": "failed", "vision 2": "failed", "text 0": "cancelled",
    }  # fmt: skip
    assert sorted(brought.job_ids) == sorted(job.id for job in jobs.values())
    first = jobs["vision 0"]
    assert first.spec == {"lr": "0.1"}
    assert (first.labels["experiment"], first.labels["team"]) == ("vision", "a")
    assert "mlflow.source.name" not in first.labels
    began = dt.datetime.fromtimestamp(BEGAN / 1000, dt.UTC).replace(tzinfo=None)
    assert (first.started_at, first.duration_seconds) == (began, 60.0)
    assert "nobody ended it" in jobs["vision 2"].error_message
    curves = {one.name: one for one in ws.jobs.metrics(first.id, max_points=1000).metrics}
    assert [point["value"] for point in curves["loss"].points] == [1 / (step + 1) for step in range(120)]
    assert curves["odd"].total == 2


def test_a_second_time_brings_only_what_is_new(local: Any, store: str) -> None:
    first = wb.import_mlflow_runs(local, store, experiments=["text"], progress=False)
    again = wb.import_mlflow_runs(local, store, progress=False)

    assert (len(first.job_ids), first.known) == (1, 0)
    assert (len(again.job_ids), again.known) == (3, 1)
    assert local.jobs.list(kind="external").total == 4


def test_a_run_that_broke_off_on_the_way_comes_again(local: Any, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    def lost(*given: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "get_metric_history", lost)
        with pytest.raises(KeyboardInterrupt):
            wb.import_mlflow_runs(local, store, experiments=["text"], progress=False)

    assert len(wb.import_mlflow_runs(local, store, experiments=["text"], progress=False).job_ids) == 1
    assert [job.status for job in local.jobs.list(kind="external", status="cancelled")] == ["cancelled"]


def test_what_is_not_there_is_named(local: Any, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound, match="no experiment 'audio'.*text"):
        wb.import_mlflow_runs(local, store, experiments=["audio"], progress=False)
    with pytest.raises(ValidationError, match="tracking_uri"):
        wb.import_mlflow_runs(local, "nowhere://x", progress=False)
    monkeypatch.setitem(__import__("sys").modules, "mlflow", None)
    with pytest.raises(NotReady, match=r"workbench\[mlflow\]"):
        wb.import_mlflow_runs(local, store, progress=False)
