"""What an attempt saved is gone on from: whole checkpoints only, of the same work, with no step of a curve twice."""

import os
import time

import pytest

from tests.engine.test_engine import job_of, until
from workbench.engine import checkpoints, journal
from workbench.engine.child import JobContext
from workbench.engine.journal import Journal


def curve(engine, job):
    return engine.db.tuples("select step, value from metrics where job_id = ? order by step, value", [job.id])


def words(engine, job):
    return [m for (m,) in engine.db.tuples("select message from job_events where job_id = ? order by seq", [job.id])]


def kept(engine, job):
    """Return the checkpoints of a job: `os.walk` passes over a folder that the engine deletes meanwhile, `rglob` breaks."""
    found = [name for _, folders, files in os.walk(engine.folder(job.id, 1).parent) for name in folders + files]
    return [name for name in found if name.startswith("count-")]


def until_gone(engine, job):
    """Wait until a job that ended well has no checkpoint: they go after the end is told, which does not wait for a disk."""
    deadline = time.monotonic() + 60
    while left := kept(engine, job):
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def test_the_next_attempt_goes_on_from_the_checkpoint_and_no_step_is_there_twice(made):
    engine = made("saves")
    job = until(engine, engine.submit("saves", name="x", spec={"break_at": 12}))
    assert (job.status, job.attempt, job.result) == ("succeeded", 2, {"from": 10, "steps": 20})
    assert curve(engine, job) == [(step, 1.0) for step in range(1, 11)] + [(step, 2.0) for step in range(11, 21)]
    assert "Goes on from the checkpoint of step 10 (attempt 1)." in words(engine, job)
    assert not job.resumable
    until_gone(engine, job)


def test_without_a_checkpoint_the_next_attempt_begins_anew(made):
    engine = made("saves")
    job = until(engine, engine.submit("saves", name="x", spec={"break_at": 3, "steps": 4}))
    assert (job.attempt, job.result["from"]) == (2, 0)
    assert curve(engine, job) == [(step, 2.0) for step in range(1, 5)]
    assert "There is no checkpoint to go on from: the work begins anew." in words(engine, job)


def test_a_third_attempt_finds_the_checkpoint_of_the_first(made):
    engine = made("saves")
    job = until(engine, engine.submit("saves", name="x", spec={"break_at": 7, "times": 2}))
    assert (job.attempt, job.result["from"]) == (3, 5)
    assert curve(engine, job) == [(s, 1.0) for s in range(1, 6)] + [(s, 3.0) for s in range(6, 21)]


def failed(engine, **spec):
    job = until(engine, engine.submit("saves", name="x", spec={"break_at": 12, "fault": "value", **spec}))
    assert (job.status, job.resumable) == ("failed", True)
    return job


def test_a_new_job_goes_on_from_its_parent_and_shows_the_whole_curve(made):
    engine = made("saves")
    parent = failed(engine)
    again = engine.submit("saves", name="x", spec={"fault": "value", "break_at": 14}, parent_id=parent.id, resume=True)
    assert until(engine, again).status == "failed"
    last = until(engine, engine.submit("saves", name="x", spec={}, parent_id=again.id, resume=True))
    assert (last.status, last.result["from"]) == ("succeeded", 10)
    assert [step for step, _ in curve(engine, last)] == list(range(1, 21))
    assert [step for step, _ in curve(engine, parent)] == list(range(1, 13))
    assert job_of(engine, parent.id).resumable


def test_a_retry_that_does_not_ask_for_it_begins_anew(made):
    engine = made("saves")
    again = until(engine, engine.submit("saves", name="x", spec={}, parent_id=failed(engine).id))
    assert again.result["from"] == 0
    assert len(curve(engine, again)) == 20


def test_a_checkpoint_of_other_settings_is_left_alone_and_said_so(made, monkeypatch):
    engine = made("saves")
    parent = failed(engine)
    other = until(engine, engine.submit("saves", name="x", spec={"size": 2}, parent_id=parent.id, resume=True))
    assert other.result["from"] == 0
    assert "The checkpoint at step 10 differs in size: the work begins anew." in words(engine, other)
    assert [value for _, value in curve(engine, other)] == [1.0] * 20


def test_a_cancelled_job_keeps_nothing_to_go_on_from(made):
    engine = made("saves", retry_wait_s=600)
    job = engine.submit("saves", name="x", spec={"break_at": 12})
    until(engine, job, "queued")
    waiting = next(j for j in iter(lambda: job_of(engine, job.id), None) if j.retries)
    assert waiting.resumable
    cancelled = engine.request_cancel(waiting)
    assert not cancelled.resumable
    assert not kept(engine, job)


def test_checkpoints_a_killed_owner_did_not_clear_go_with_the_next_start_but_not_those_of_a_failed_job(made, monkeypatch):
    engine = made("saves")
    monkeypatch.setattr(engine, "clear", lambda *told, **more: None)
    done = until(engine, engine.submit("saves", name="x", spec={"break_at": 12}))
    broken = failed(engine)
    engine.close()
    monkeypatch.undo()
    assert kept(engine, done) and kept(engine, broken)
    engine.start()
    assert not kept(engine, done)
    assert kept(engine, broken)


def torn(attempt):
    with checkpoints.saving(attempt, "state", step=4, basis={"a": 1}) as path:
        path.mkdir()
        (path / "weights").write_text("fo")
        raise OSError("torn")


def test_a_checkpoint_is_whole_or_not_there(tmp_path):
    attempt = tmp_path / "job" / "attempt-1"
    with checkpoints.saving(attempt, "state", step=3, basis={"a": 1}) as path:
        path.mkdir()
        (path / "weights").write_text("three")
    with pytest.raises(OSError):
        torn(attempt)
    found = checkpoints.newest(attempt, "state")
    assert (found.step, (found.path / "weights").read_text()) == (3, "three")
    with checkpoints.saving(attempt, "state", step=5, basis={"a": 1, "b": 2}) as path:
        path.write_text("five")
    assert checkpoints.newest(attempt, "state").differences({"a": 1}) == ["b"]
    assert [p.name for p in (attempt / "checkpoints").iterdir()] == ["state-000002"]
    assert checkpoints.newest(attempt, "other") is None
    (attempt / "checkpoints" / "state-000002" / "checkpoint.json").write_text("{torn")
    assert checkpoints.newest(attempt, "state") is None


def test_the_points_up_to_a_checkpoint_are_on_the_disk_before_it(tmp_path, monkeypatch):
    attempt = tmp_path / "job" / "attempt-1"
    attempt.mkdir(parents=True)
    context = JobContext(attempt, {"attempt": 1}, Journal(attempt))
    context.metric("loss", 1.0, 1)
    monkeypatch.setattr(context._journal, "append", lambda *told, **more: None)
    context.metric("loss", 0.5, 2)
    with context.checkpoint("state") as path:
        path.write_text("two")
    assert checkpoints.newest(attempt, "state").step == 2
    assert [row[1] for record in journal.read(attempt).records for row in record.get("rows", ())] == [1, 2]
