"""Trainers that behave badly: they hold the lock, stand still, spin; and a machine whose clock jumps."""

import datetime as dt
import os
import signal

import pytest

from tests.engine.test_engine import gone, job_of, until, until_pid, until_points, wait_for_event
from workbench.clock import Clock


def test_a_held_interpreter_lock_is_not_death(made):
    engine = made("grips")
    job = until(engine, engine.submit("grips", name="x", spec={"seconds": 2}))
    assert (job.status, job.result, job.retries) == ("succeeded", {"held": 2}, 0)


@pytest.mark.parametrize(("kind", "word"), [("grips", "gripping"), ("spins", "spinning")])
def test_what_never_looks_at_a_flag_ends_within_the_grace(made, kind, word):
    engine = made(kind)
    job = engine.submit(kind, name="x", spec={"seconds": 600})
    wait_for_event(engine, job, word)
    pid = until_pid(engine, job)
    engine.request_cancel(job_of(engine, job.id))
    assert until(engine, job, seconds=60).status == "cancelled"
    assert gone(pid)


def test_a_stopped_process_is_not_dead_and_goes_on(made):
    engine = made("count")
    job = engine.submit("count", name="x", spec={"steps": 100_000})
    until_points(engine, job, 3)
    pid = until_pid(engine, job)
    os.kill(pid, signal.SIGSTOP)
    seen = engine.db.value("select count(*) from metrics where job_id = ?", [job.id])
    other = until(engine, engine.submit("count", name="other", spec={"steps": 30}))
    assert other.status == "succeeded"
    assert job_of(engine, job.id).status == "running"
    os.kill(pid, signal.SIGCONT)
    until_points(engine, job, seen + 60)
    engine.request_stop(job_of(engine, job.id))
    done = until(engine, job)
    assert (done.status, done.retries) == ("succeeded", 0)
    assert done.result["best"] >= seen + 60


def test_a_stopped_process_can_be_cancelled(made):
    engine = made("count")
    job = engine.submit("count", name="x", spec={"steps": 10_000})
    until_points(engine, job)
    pid = until_pid(engine, job)
    os.kill(pid, signal.SIGSTOP)
    engine.request_cancel(job_of(engine, job.id))
    assert until(engine, job, seconds=60).status == "cancelled"
    assert gone(pid)


class Jumping(Clock):
    """A clock that goes years forward and back."""

    ahead = dt.timedelta()

    def now(self):
        return super().now() + self.ahead


def test_a_clock_that_jumps_ends_and_delays_nothing(made):
    engine = made("count", "stumbles")
    engine.clock = engine.ledger.clock = clock = Jumping()
    job = engine.submit("count", name="x", spec={"steps": 60}, timeout_seconds=60)
    until_points(engine, job, 3)
    clock.ahead = dt.timedelta(days=3650)
    stumbling = engine.submit("stumbles", name="y", spec={"steps": 2})
    until_points(engine, job, 10)
    clock.ahead = dt.timedelta(days=-3650)
    assert until(engine, stumbling).status == "succeeded"
    assert until(engine, job).status == "succeeded"
    steps = engine.db.tuples("select step from metrics where job_id = ? order by step", [job.id])
    assert steps == [(step,) for step in range(1, 61)]
