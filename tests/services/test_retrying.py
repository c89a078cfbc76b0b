"""Retries by hand: from the start or from the checkpoint, and after a lack of memory only with other settings."""

import os
import signal
import time

import pytest

from tests.services.approved import ended, sample, sheet_of
from workbench.errors import ValidationError


@pytest.fixture
def ws(local):
    """Work embedded: what passes the wire is tested with each operation, here it is the processes that take long."""
    return local


def training(ws, **config):
    made = next(iter(ws.training_sheets.list()), None) or sheet_of(ws, sample(300))
    settings = {"epochs": 5, "char_ngrams": 0, "word_ngrams": 1, "batch_size": 4, **config}
    return ws.training.create(made.id, "classifier", "ngrams-tfidf", training_config=settings)


def killed_after_checkpoint(ws):
    """Train until the first checkpoint is there, then kill the process."""
    job = training(ws, epochs=50, batch_size=1)
    deadline = time.monotonic() + 60
    while not ws.jobs.get(job.id).resumable:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(ws.jobs.get(job.id).pid, signal.SIGKILL)
    lost = ended(ws, job)
    assert (lost.status, lost.error_code, lost.retries, lost.resumable) == ("failed", "PROCESS_KILLED", 0, True)
    return lost


def test_a_killed_training_goes_on_from_its_checkpoint(ws):
    lost = killed_after_checkpoint(ws)
    assert {a.name for a in ws.training.get(lost.id).actions if a.enabled} == {"retry", "resume", "delete"}
    again = ws.training.retry(lost.id, resume=True)
    assert (again.parent_id, again.resume) == (lost.id, True)
    deadline = time.monotonic() + 60
    while not (said := [e.message for e in ws.jobs.events(again.id) if e.message.startswith("Goes on from")]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    ws.training.stop(again.id)
    done = ended(ws, again)
    assert done.status == "succeeded"
    steps = ws.sql(
        "select step, count(*) as n from metrics where job_id = ? and name = 'train_loss' group by all order by 1", [again.id]
    )
    assert set(steps["n"]) == {1}
    assert list(steps["step"]) == list(range(1, len(steps) + 1))
    assert int(said[0].split("step ")[1].split()[0]) <= len(steps)
    assert "resume" not in {a.name for a in ws.training.get(again.id).actions}


def test_a_resume_of_the_job_is_the_same_and_takes_a_checkpoint(ws):
    lost = killed_after_checkpoint(ws)
    again = ws.jobs.resume(lost.id)
    assert (again.parent_id, again.resume) == (lost.id, True)
    ws.jobs.cancel(again.id)
    cancelled = ended(ws, again)
    assert not cancelled.resumable
    for repeat in (ws.jobs.retry, ws.training.retry):
        with pytest.raises(ValidationError) as refused:
            repeat(again.id, resume=True)
        assert refused.value.context["fields"][0]["field"] == "resume"


def test_out_of_memory_wants_other_settings(ws):
    job = training(ws)
    ended(ws, job)
    with ws.app.db.write():
        ws.app.db.execute("update jobs set status = 'failed', error_code = 'OUT_OF_MEMORY' where id = ?", [job.id])
    for repeat in (ws.training.retry, ws.jobs.retry):
        with pytest.raises(ValidationError) as refused:
            repeat(job.id)
        assert "Lower char_ngrams, word_ngrams" in str(refused.value)
    again = ended(ws, ws.training.retry(job.id, training_config={"epochs": 1}))
    assert again.status == "succeeded"
