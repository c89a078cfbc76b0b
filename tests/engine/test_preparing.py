"""Preparing inputs may take long: other jobs go on, a cancel ends it, and an owner's death loses nothing."""

import threading
import time

import pytest

from tests.engine.test_engine import job_of, until, until_points
from workbench.engine.waits import Waits


@pytest.fixture
def slow(made):
    """An engine whose kind `slow` is prepared until the test opens the gate."""
    engine, gate, begun = made("count"), threading.Event(), threading.Event()

    def prepare(job, folder):
        begun.set()
        assert gate.wait(120)
        return job.spec

    engine.register("slow", entry="tests.engine.work:count", prepare=prepare)
    yield engine, gate, begun
    gate.set()


def test_a_slow_preparation_holds_up_nobody(slow):
    engine, gate, begun = slow
    job = engine.submit("slow", name="slow", spec={"steps": 2})
    assert begun.wait(60)
    preparing = until(engine, job, "running")
    assert (preparing.step, preparing.message, preparing.pid) == ("prepare", "Preparing", None)
    other = until(engine, engine.submit("count", name="quick", spec={"steps": 2}))
    assert other.status == "succeeded"
    assert job_of(engine, job.id).status == "running"
    gate.set()
    done = until(engine, job)
    assert (done.status, done.result, done.step) == ("succeeded", {"best": 2}, "counting")


def test_cancel_while_preparing_ends_the_job_at_once_and_nothing_is_started(slow):
    engine, gate, begun = slow
    job = engine.submit("slow", name="slow", spec={"steps": 2})
    assert begun.wait(60)
    engine.request_cancel(until(engine, job, "running"))
    cancelled = until(engine, job)
    assert not gate.is_set()
    assert (cancelled.status, cancelled.pid) == ("cancelled", None)
    gate.set()
    deadline = time.monotonic() + 60
    while (engine.folder(job.id, 1) / "made").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not (engine.folder(job.id, 1) / "process.json").exists()


def test_a_stop_asked_for_while_preparing_is_heard_by_the_child(slow):
    engine, gate, begun = slow
    job = engine.submit("slow", name="slow", spec={"steps": 10_000})
    assert begun.wait(60)
    engine.request_stop(until(engine, job, "running"))
    gate.set()
    done = until(engine, job)
    assert done.status == "succeeded"
    assert done.result["best"] < 10_000


def test_the_time_limit_holds_while_preparing(slow):
    engine, _, begun = slow
    job = engine.submit("slow", name="slow", spec={}, timeout_seconds=0.2)
    assert begun.wait(60)
    assert until(engine, job).error_code == "TIMEOUT"


def test_a_job_whose_owner_ended_while_it_was_prepared_is_tried_again(made):
    engine = made("count", start=False)
    job = engine.submit("count", name="x", spec={"steps": 2})
    now = engine.clock.now()
    engine.ledger.move(job.id, ("queued",), "running", message="", attempt=1, started_at=now, step="prepare")
    engine.start()
    done = until(engine, job)
    assert (done.status, done.attempt, done.retries) == ("succeeded", 2, 1)


def test_a_workspace_closed_while_a_job_is_prepared_queues_it_again(slow):
    engine, gate, begun = slow
    job = engine.submit("slow", name="slow", spec={"steps": 1})
    assert begun.wait(60)
    until(engine, job, "running")
    closing = threading.Thread(target=engine.close)
    closing.start()
    gate.set()
    closing.join(120)
    assert job_of(engine, job.id).status == "queued"
    engine.waits = Waits()
    engine.start()
    assert until(engine, job).status == "succeeded"


def test_many_jobs_are_prepared_beside_a_running_one(slow):
    engine, gate, begun = slow
    engine.limits = type(engine.limits)(total=20)
    watched = engine.submit("count", name="watched", spec={"steps": 200})
    until_points(engine, watched)
    jobs = [engine.submit("slow", name=f"{i}", spec={"steps": 1}) for i in range(12)]
    assert begun.wait(60)
    assert until(engine, watched).status == "succeeded"
    gate.set()
    assert {until(engine, job).status for job in jobs} == {"succeeded"}
