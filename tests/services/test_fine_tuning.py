"""Fine-tuning at a provider as a job: from the form to an endpoint, with the key nowhere but in the environment."""

import os
import signal
import time

import pytest

from tests.files import holding
from tests.providers.tuning_server import KEY, Plan, Trouble, tuning_server
from tests.services.approved import ended, sheet_of, words
from workbench.errors import NotReady, ValidationError

BASE = "databricks-meta-llama-3-1-8b-instruct"
VARIABLE = "TUNING_TEST_KEY"


@pytest.fixture
def ws(local):
    """Work embedded: what passes the wire is tested with each operation, here it is the processes that take long."""
    return local


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)


def provider(ws, service):
    return ws.providers.create("databricks", base_url=service.url, key_variable=VARIABLE, price_in=0.002)


def create(ws, sheet, **config):
    return ws.training.create(sheet.id, "colors", BASE, training_config=config)


def wait_for(ws, job, condition):
    deadline = time.monotonic() + 60
    while not condition():
        told = ws.training.get(job.id)
        assert time.monotonic() < deadline, told.error_message
        assert told.status not in ("failed", "cancelled"), told.error_message
        time.sleep(0.05)


def test_a_fine_tuned_model_is_registered_served_and_logged(ws):
    sheet = sheet_of(ws, words(60))
    with tuning_server(Plan(steps=4), {"POST /files": [Trouble(429, {"retry-after": "0.1"})]}) as service:
        with pytest.raises(NotReady, match="No provider is set up that fine-tunes it. Add Databricks"):
            create(ws, sheet)
        provider(ws, service)
        listed = {m.name: m for m in ws.training.base_models()}
        assert (listed[BASE].available, listed["gpt-4o-mini"].available) == (True, False)
        with pytest.raises(ValidationError) as refused:
            create(ws, sheet, epochs=11, learning_rate=1, batch_size=0)
        assert len(refused.value.context["fields"]) == 3
        told = ws.training.estimate(sheet.id, BASE)
        assert (told.cost > 0, told.seconds) == (True, None)
        job = ended(ws, create(ws, sheet, epochs=2))
        assert job.status == "succeeded", job.error_message
        assert job.fmapi_job_id in service.jobs
        assert (job.current_epoch, job.metrics.val_accuracy, job.metrics.tokens_processed) == (2, 1.0, 12_000)
        assert any("Created fine-tuning job" in event.message for event in ws.training.events(job.id))
        assert {"train_loss", "val_loss"} <= {m.name for m in ws.jobs.metrics(job.id).metrics}
        version = ws.models.get(job.model_version_id)
        assert (version.trainer, version.framework) == ("openai-fine-tuning", "hosted")
        ws.models.promote(version.id)
        ws.models.deploy(version.id, force=True, reason="a test")
        (answer,) = ws.endpoints.invocations("colors", inputs=["a blue wall"]).predictions
        assert answer.value == "cold"
    folder = ws.app.artifacts.parent
    assert holding(folder, KEY.encode()) == []
    assert KEY not in str(ws.sql("select * from job_events").values)


def test_the_provider_says_why_it_failed(local):
    with tuning_server(Plan(steps=1, end="failed", error="the file teaches nothing")) as service:
        provider(local, service)
        job = ended(local, create(local, sheet_of(local, words(30))))
    assert (job.status, job.error_code) == ("failed", "PROVIDER_ERROR")
    assert "the file teaches nothing" in job.error_message
    assert job.fmapi_job_id


def test_a_cancel_is_passed_on(local):
    with tuning_server(Plan(hold=True)) as service:
        provider(local, service)
        job = create(local, sheet_of(local, words(30)))
        wait_for(local, job, lambda: local.training.get(job.id).fmapi_job_id)
        local.training.cancel(job.id)
        assert ended(local, job).status == "cancelled"
        assert [one["status"] for one in service.jobs.values()] == ["cancelled"]


def test_after_a_kill_a_retry_goes_on_with_the_same_job_there(local):
    with tuning_server(Plan(steps=4, hold=True)) as service:
        provider(local, service)
        job = create(local, sheet_of(local, words(30)))
        wait_for(local, job, lambda: local.training.get(job.id).fmapi_job_id)
        os.kill(local.training.get(job.id).pid, signal.SIGKILL)
        failed = ended(local, job)
        assert (failed.error_code, failed.fmapi_job_id) == ("PROCESS_KILLED", next(iter(service.jobs)))
        service.plan.hold = False
        again = ended(local, local.training.retry(job.id, resume=True))
        assert again.status == "succeeded", again.error_message
        assert (again.fmapi_job_id, again.parent_id) == (failed.fmapi_job_id, job.id)
        assert (len(service.jobs), service.count("POST", "/files")) == (1, 2)
        (curve,) = local.jobs.metrics(again.id, name="train_loss").metrics
        assert [point["step"] for point in curve.points] == [1, 2, 3, 4]
