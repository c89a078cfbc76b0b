"""A language model of this machine as a job: from the form to an endpoint, stopped, killed and gone on with. `make test-llm`."""

import importlib.util
import os
import signal
import time

import pytest

from tests.services.approved import ended, sheet_of, words
from tests.trainers.tiny_model import tiny_model
from workbench.config import Settings
from workbench.testing import frozen

INSTALLED = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "peft"))
pytestmark = [pytest.mark.llm, pytest.mark.skipif(not INSTALLED, reason="needs the extra [llm]"), pytest.mark.timeout(600)]
QUICK = {"learning_rate": 0.01, "lora_dropout": 0.0, "max_length": 64, "patience": 0}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    top = tmp_path_factory.mktemp("models")
    tiny_model(top / "tiny")
    return top


@pytest.fixture
def ws(models):
    with frozen(settings=Settings(models=[str(models)])) as workspace:
        yield workspace


def create(ws, sheet, **config):
    return ws.training.create(sheet.id, "colors", "tiny", training_config={**QUICK, **config})


def wait_for(ws, job, name, points):
    deadline = time.monotonic() + 240
    count = "select count(*) from metrics where job_id = ? and name = ?"
    while ws.app.db.value(count, [job.id, name]) < points:
        told = ws.training.get(job.id)
        assert time.monotonic() < deadline, told.message
        assert told.status in ("queued", "running"), told.error_message
        time.sleep(0.05)


def test_a_language_model_is_trained_registered_and_served(ws):
    sheet = sheet_of(ws, words(90))
    assert [m.available for m in ws.training.base_models() if m.name == "tiny"] == [True]
    job = ended(ws, create(ws, sheet, epochs=8), seconds=300)
    assert job.status == "succeeded", job.error_details
    assert (job.current_epoch, job.metrics.val_accuracy > 0.9) == (8, True)
    assert {m.name for m in ws.jobs.metrics(job.id).metrics} == {
        "train_loss", "learning_rate", "val_loss", "val_accuracy", "perplexity",
    }  # fmt: skip
    version = ws.models.get(job.model_version_id)
    assert (version.trainer, version.framework) == ("causal-lm-lora", "transformers")
    assert {"torch", "transformers", "peft"} <= set(version.environment)
    ws.models.promote(version.id)
    ws.models.deploy(version.id, force=True, reason="a test")
    (answer,) = ws.endpoints.invocations("colors", inputs=["case 3 shows green paint"]).predictions
    assert (answer.value, 0 < answer.confidence <= 1) == ("cold", True)
    losses = ws.app.db.tuples("select count(*), min(loss) from job_predictions where job_id = ?", [job.id])
    assert losses[0][0] == job.val_pairs
    assert losses[0][1] > 0


def test_after_a_kill_a_retry_goes_on_and_a_stop_keeps_the_best(ws):
    sheet = sheet_of(ws, words(90))
    job = create(ws, sheet, epochs=10)
    wait_for(ws, job, "val_loss", 1)
    os.kill(ws.training.get(job.id).pid, signal.SIGKILL)
    assert ended(ws, job, seconds=120).error_code == "PROCESS_KILLED"
    again = ws.training.retry(job.id, resume=True)
    wait_for(ws, again, "val_loss", 2)
    ws.training.stop(again.id)
    done = ended(ws, again, seconds=300)
    assert done.status == "succeeded", done.error_details
    assert any("Going on at step" in event.message for event in ws.training.events(again.id))
    steps = [point["step"] for point in ws.jobs.metrics(again.id, name="train_loss").metrics[0].points]
    assert steps == sorted(set(steps))
