"""A passing fault is tried again by itself, a few times, as attempts of the same job; any other is not."""

import datetime as dt
import re
import time

import pytest

from tests.engine.test_engine import job_of, until
from workbench.engine.waits import LONGEST_SECONDS, Waits, seconds_before

NOW = dt.datetime(2026, 1, 1)


def moves(engine, job):
    sql = "select old_status, new_status, message from job_events where job_id = ? and new_status is not null order by seq"
    return engine.db.tuples(sql, [job.id])


def test_a_lost_connection_is_tried_again_in_the_same_job(made):
    engine = made("stumbles")
    job = until(engine, engine.submit("stumbles", name="x", spec={"steps": 5, "times": 2}))
    assert (job.status, job.attempt, job.retries, job.result, job.not_before) == ("succeeded", 3, 2, {"best": 5}, None)
    told = moves(engine, job)
    assert [(old, new) for old, new, _ in told] == [
        (None, "queued"), ("queued", "running"), ("running", "queued"), ("queued", "running"), ("running", "queued"),
        ("queued", "running"), ("running", "succeeded"),
    ]  # fmt: skip
    assert told[2][2].startswith("Retry 1 of 3 in 0 s: ConnectionResetError: connection reset")
    assert told[4][2].startswith("Retry 2 of 3")
    assert engine.db.tuples("select step, value from metrics where job_id = ? order by step", [job.id]) == [
        (step, 1.0 / step) for step in range(1, 6)
    ]


def test_three_retries_are_all(made):
    engine = made("stumbles")
    job = until(engine, engine.submit("stumbles", name="x", spec={"times": 99}))
    assert (job.status, job.attempt, job.retries, job.error_code) == ("failed", 4, 3, "JOB_FAILED")
    assert job.error_message == "ConnectionResetError: connection reset. It was tried 4 times."


@pytest.mark.parametrize(("fault", "code"), [("user", "VALIDATION_ERROR"), ("memory", "OUT_OF_MEMORY")])
def test_what_would_fail_again_is_not_tried_again(made, fault, code):
    engine = made("stumbles")
    job = until(engine, engine.submit("stumbles", name="x", spec={"fault": fault}))
    assert (job.status, job.attempt, job.retries, job.error_code) == ("failed", 1, 0, code)


def test_a_busy_provider_is_asked_again_when_it_said(made):
    engine, told = made(retry_wait_s=0.01), []
    engine.register("stumbles", entry="tests.engine.work:stumbles", prepare=lambda job, folder: job.spec, again=told.append)
    job = engine.submit("stumbles", name="x", spec={"steps": 1, "fault": "busy", "retry_after": 0.8})
    done = until(engine, job)
    (waiting,) = told
    assert waiting.message.startswith("Retry 1 of 3 in 1 s: Too many requests.")
    assert (waiting.not_before - waiting.updated_at).total_seconds() > 0.7
    assert done.started_at >= waiting.not_before


def until_retry(engine, job):
    deadline = time.monotonic() + 60
    while (found := job_of(engine, job.id)).status != "queued" or not found.retries:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


def test_cancel_of_a_job_that_waits_for_its_next_attempt_ends_it_at_once(made):
    engine = made("stumbles", retry_wait_s=600)
    job = engine.submit("stumbles", name="x", spec={})
    waiting = until_retry(engine, job)
    assert re.match(r"Retry 1 of 3 in [4-7]\d\d s: ConnectionResetError: connection reset", waiting.message)
    assert engine.request_cancel(waiting, "enough").status == "cancelled"
    assert job_of(engine, job.id).attempt == 1


def test_the_next_owner_keeps_the_wait(made):
    engine = made("stumbles", retry_wait_s=600)
    job = engine.submit("stumbles", name="x", spec={"steps": 1})
    until_retry(engine, job)
    engine.close()
    engine.waits = Waits()
    engine.start()
    deadline = time.monotonic() + 60
    while engine.waits.next() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert engine.waits.next() > 300
    assert job_of(engine, job.id).status == "queued"
    with engine.db.write():
        engine.db.execute("update jobs set not_before = ? where id = ?", [NOW, job.id])
    engine.close()
    engine.waits = Waits()
    engine.start()
    assert until(engine, job).status == "succeeded"


def test_what_was_given_stays_for_the_next_attempt_and_goes_with_the_job(made):
    engine = made("stumbles", retry_wait_s=600)
    told = []
    engine.register("given", entry="tests.engine.work:stumbles", prepare=lambda job, folder: job.spec, again=told.append)
    with engine.giving("job_given") as folder:
        (folder / "rows").write_text("kept")
        job = engine.submit("given", id="job_given", name="x", spec={})
    until_retry(engine, job)
    assert (engine.given(job.id) / "rows").read_text() == "kept"
    assert [(j.status, j.retries) for j in told] == [("queued", 1)]
    engine.request_cancel(job_of(engine, job.id))
    assert not engine.given(job.id).exists()


def test_waits_double_spread_and_obey():
    assert [seconds_before(n, 15, chance=0.5) for n in (1, 2, 3)] == [15, 30, 60]
    assert (seconds_before(1, 15, chance=0), seconds_before(1, 15, chance=1)) == (11.25, 18.75)
    assert seconds_before(1, 15, chance=0.5, asked=40) == 40
    assert seconds_before(1, 15, chance=0.5, asked="soon") == 15
    assert seconds_before(1, 15, chance=0.5, asked=10**9) == LONGEST_SECONDS


def test_a_clock_that_jumps_neither_shortens_nor_lengthens_a_wait(monkeypatch):
    waits, due, monotonic = Waits(), NOW + dt.timedelta(seconds=60), time.monotonic()
    monkeypatch.setattr("workbench.engine.waits.time.monotonic", lambda: monotonic)
    waits.hold("a", 60)
    assert not waits.over("a", due, NOW + dt.timedelta(days=9))
    monotonic += 60
    assert waits.over("a", due, NOW - dt.timedelta(days=9))
    assert waits.next() is None
    assert not waits.over("b", NOW + dt.timedelta(days=999), NOW)
    assert waits.next() < LONGEST_SECONDS + 1
    waits.keep({"a"})
    assert waits.next() is None
