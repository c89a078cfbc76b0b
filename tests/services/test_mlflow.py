"""Training jobs that have ended are copied to MLflow, once, without anybody waiting for it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.services.approved import ended, sample
from tests.ui.rendered import eventually
from workbench.errors import InvalidTransition, NotReady


@pytest.fixture(scope="module")
def empty(tmp_path_factory: Any) -> Path:
    """Return an empty store; MLflow takes seconds to make one."""
    from mlflow import MlflowClient

    made = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{made}").search_experiments()
    return made


@pytest.fixture
def uri(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    found = f"sqlite:///{shutil.copy(empty, tmp_path)}"
    monkeypatch.setenv("WORKBENCH_MLFLOW_URI", found)
    monkeypatch.chdir(tmp_path)  # artifacts lie beside the store
    return found


@pytest.fixture
def ws(uri: str, tmp_path: Path) -> Iterator[Any]:
    with wb.open(tmp_path / "team.duckdb") as found:
        yield found


def runs(uri: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    return list(client.search_runs([one.experiment_id for one in client.search_experiments()]))


def trained(ws: Any, **more: Any) -> Any:
    sheet = ws.sheets.create("cases", rows=sample(60), item_id_column="id")
    made = ws.training_sheets.assemble(sheet.id, template={"prompt_template": "{{text}}", "response_column": "label"})
    ws.review.bulk_approve(made.id, filter={"status": "unlabeled"})
    return ws.training.create(made.id, "colors", "ngrams-tfidf", labels={"team": "a"}, training_config={"epochs": 2}, **more)


def test_a_job_that_succeeded_is_copied_with_settings_curves_and_model(ws: Any, uri: str) -> None:
    from mlflow import MlflowClient

    job = ended(ws, trained(ws))
    copied = eventually(lambda: ws.training.get(job.id).mlflow_run_id, 60)

    [run] = runs(uri)
    assert (run.info.run_id, run.info.status, run.info.run_name) == (copied, "FINISHED", "colors")
    assert {name: run.data.params[name] for name in ("base_model", "epochs")} == {"base_model": "ngrams-tfidf", "epochs": "2"}
    assert run.data.tags["team"] == "a"
    assert run.data.metrics["final_val_accuracy"] == job.metrics.val_accuracy
    client = MlflowClient(tracking_uri=uri)
    kept = ws.jobs.metrics(job.id, name="train_loss").metrics[0].points
    assert [point.value for point in client.get_metric_history(copied, "train_loss")] == [point["value"] for point in kept]
    assert "model/manifest.json" in [one.path for one in client.list_artifacts(copied, "model")]
    assert any("Copied to MLflow" in event.message for event in ws.jobs.events(job.id))
    assert ws.mlflow.mirror(job.id).mlflow_run_id == copied
    assert len(runs(uri)) == 1


def test_a_cancelled_job_is_copied_as_killed_and_a_running_one_refused(ws: Any, uri: str) -> None:
    job = trained(ws)
    with pytest.raises(InvalidTransition, match="copy"):
        ws.mlflow.mirror(job.id)
    ws.training.cancel(job.id)
    ended(ws, job)

    assert eventually(lambda: ws.training.get(job.id).mlflow_run_id, 60)
    assert [run.info.status for run in runs(uri)] == ["KILLED"]


def test_a_copy_that_fails_is_told_and_made_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("WORKBENCH_MLFLOW_URI", "nowhere://x")
    with wb.open(tmp_path / "team.duckdb") as ws:
        job = ended(ws, trained(ws))
        assert job.status == "succeeded"
        assert eventually(lambda: [e for e in ws.jobs.events(job.id, type="error") if "could not be copied" in e.message], 60)

    monkeypatch.setenv("WORKBENCH_MLFLOW_URI", uri)
    with wb.open(tmp_path / "team.duckdb") as ws:
        assert eventually(lambda: ws.training.get(job.id).mlflow_run_id, 60)


def test_without_a_server_nothing_is_copied(local: Any) -> None:
    job = ended(local, trained(local))

    assert job.mlflow_run_id is None
    with pytest.raises(NotReady, match="WORKBENCH_MLFLOW_URI"):
        local.mlflow.mirror(job.id)
