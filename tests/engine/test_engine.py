"""The engine with real children and a real database: start, hear, cancel, stop, time out, fail."""

import os
import signal
import threading
import time

import psutil
import pytest

from tests.files import empty
from workbench.clock import Clock
from workbench.config import Settings
from workbench.engine import Engine
from workbench.engine.process import group_members
from workbench.store import Database

WORK = "tests.engine.work"


@pytest.fixture
def engine(tmp_path):
    """An engine over a fresh file, with short ladders."""
    db = Database.open(empty(tmp_path / "jobs.duckdb"))
    settings = Settings(max_jobs=2, cancel_grace_s=0.3, cancel_term_s=0.2)
    made = Engine(db, clock=Clock(), settings=settings, artifacts=db.artifacts)
    for name in ("count", "burst", "deaf", "raises", "exits", "vanishes", "forks", "hangs"):
        made.register(name, entry=f"{WORK}:{name}", prepare=lambda job, folder: job.spec)
    made.start()
    yield made
    made.close(detach=False)
    db.close()


def job_of(engine, id):
    return engine.ledger.jobs.get(id)


def until(engine, job, *statuses, seconds=60):
    deadline = time.monotonic() + seconds
    while (found := job_of(engine, job.id)).status not in (statuses or ("succeeded", "failed", "cancelled")):
        assert time.monotonic() < deadline, f"still {found.status}"
        time.sleep(0.01)
    return found


def until_points(engine, job, count=1):
    deadline = time.monotonic() + 60
    while engine.db.value("select count(*) from metrics where job_id = ?", [job.id]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def until_dead(pid, seconds=60):
    deadline = time.monotonic() + seconds
    while alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(pid):
    return group_members(pid) == [] and not alive(pid)


def test_a_job_runs_elsewhere_and_everything_it_said_is_kept_once(engine):
    job = engine.submit("count", name="counting", spec={"steps": 30})
    assert job.status == "queued"
    running = until(engine, job, "running", "succeeded")
    assert running.attempt == 1
    done = until(engine, job)
    assert done.status == "succeeded"
    assert done.result == {"best": 30}
    assert done.pid not in (None, os.getpid())
    assert done.progress_percent == 100
    assert (done.done, done.total, done.step) == (30, 30, "counting")
    assert engine.db.tuples("select step from metrics where job_id = ? order by step", [job.id]) == [(i,) for i in range(1, 31)]
    events = engine.db.tuples("select seq, type, old_status, new_status from job_events where job_id = ? order by seq", [job.id])
    assert [e[0] for e in events] == list(range(1, len(events) + 1))
    moves = [(e[2], e[3]) for e in events if e[1] == "status_change"]
    assert moves == [(None, "queued"), ("queued", "running"), ("running", "succeeded")]


def test_words_arrive_while_the_work_goes_on(engine):
    job = engine.submit("count", name="counting", spec={"steps": 100_000, "pause": 0.02})
    until_points(engine, job, 3)
    assert job_of(engine, job.id).status == "running"


def test_many_points_are_taken_in_quickly(engine):
    job = engine.submit("burst", name="burst", spec={"points": 200_000})
    until(engine, job, seconds=60)
    assert engine.db.tuples("select count(*), count(distinct step) from metrics where job_id = ?", [job.id]) == [
        (200_000, 200_000)
    ]


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("raises", "JOB_FAILED", "the loss is not a number"),
        ("exits", "PROCESS_EXITED", "exit code 3"),
        ("vanishes", "PROCESS_EXITED", "exit code 7"),
    ],
)
def test_a_failure_is_explained(engine, kind, code, words):
    job = until(engine, engine.submit(kind, name=kind, spec={}))
    assert (job.status, job.error_code) == ("failed", code)
    assert words in job.error_message


def test_a_killed_child_is_a_failed_job(engine):
    job = engine.submit("hangs", name="hangs", spec={})
    os.kill(until_pid(engine, job), signal.SIGKILL)
    failed = until(engine, job)
    assert (failed.status, failed.error_code) == ("failed", "PROCESS_KILLED")
    assert "SIGKILL" in failed.error_message


def until_pid(engine, job):
    deadline = time.monotonic() + 60
    while not (pid := job_of(engine, job.id).pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return pid


def test_cancel_of_a_waiting_job_ends_it_at_once(engine):
    engine.limits = type(engine.limits)(total=0)
    job = engine.submit("count", name="waiting", spec={})
    cancelled = engine.request_cancel(job, "not needed")
    assert cancelled.status == "cancelled"
    assert cancelled.cancel_reason == "not needed"


def test_cancel_of_a_polling_job_needs_no_signal_and_leaves_no_process(made):
    engine = made("count", cancel_grace_s=600)
    job = engine.submit("count", name="long", spec={"steps": 100_000})
    until_points(engine, job)
    pid = until_pid(engine, job)
    assert engine.request_cancel(job_of(engine, job.id)).status == "running"
    assert until(engine, job).status == "cancelled"
    assert gone(pid)


def test_a_deaf_child_is_killed(engine):
    job = engine.submit("deaf", name="deaf", spec={})
    pid = until_pid(engine, job)
    wait_for_event(engine, job, "deaf")
    engine.request_cancel(job_of(engine, job.id))
    cancelled = until(engine, job)
    assert cancelled.status == "cancelled"
    assert gone(pid)
    words = [m for (m,) in engine.db.tuples("select message from job_events where job_id = ? order by seq", [job.id])]
    assert any("SIGTERM" in w for w in words)
    assert any("killed its group" in w for w in words)


def wait_for_event(engine, job, message):
    deadline = time.monotonic() + 60
    while not engine.db.value("select count(*) from job_events where job_id = ? and message = ?", [job.id, message]):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_stop_keeps_the_best_so_far(engine):
    job = engine.submit("count", name="long", spec={"steps": 10_000})
    until_points(engine, job, 3)
    engine.request_stop(job_of(engine, job.id))
    stopped = until(engine, job)
    assert stopped.status == "succeeded"
    assert 3 <= stopped.result["best"] < 10_000


def test_who_asks_again_changes_nothing(engine):
    job = engine.submit("hangs", name="x", spec={})
    until(engine, job, "running")
    until_pid(engine, job)
    engine.request_stop(job_of(engine, job.id))
    engine.request_stop(job_of(engine, job.id))
    engine.request_cancel(job_of(engine, job.id), "not needed")
    engine.request_cancel(job_of(engine, job.id))
    asked = [m for (m,) in engine.db.tuples("select message from job_events where job_id = ? and message like 'Asked%'", [job.id])]
    assert len(asked) == 2
    assert until(engine, job).cancel_reason == "not needed"


def test_a_job_without_a_limit_of_its_own_has_the_servers(made):
    engine = made("count", job_timeout_s=50, start=False)
    limits = [engine.submit("count", name="x", spec={}, timeout_seconds=given).timeout_seconds for given in (None, 7)]
    assert limits == [50, 7]


def test_a_timeout_is_a_failure(engine):
    job = engine.submit("hangs", name="slow", spec={}, timeout_seconds=1.5)
    pid = until_pid(engine, job)
    job = until(engine, job)
    assert (job.status, job.error_code) == ("failed", "TIMEOUT")
    assert gone(pid)


def test_what_a_job_forked_dies_with_it(engine):
    job = until(engine, engine.submit("forks", name="forks", spec={}))
    assert job.result == {"from": "parent"}
    assert gone(job.pid)


def test_finish_runs_in_the_transaction_and_its_failure_fails_the_job(engine):
    seen = []

    def finish(job, folder, result):
        seen.append((engine.db.in_transaction, job.status, (folder / "result.json").exists()))
        engine.db.execute("insert into job_pairs values (?, 'p', 1, 'train')", [job.id])
        if job.spec.get("break"):
            raise ValueError("no room")
        return {**result, "finished": True}

    told = []
    engine.register(
        "work",
        entry=f"{WORK}:count",
        prepare=lambda job, folder: job.spec,
        finish=finish,
        ended=lambda job: told.append(job.status),
    )
    good = until(engine, engine.submit("work", name="good", spec={"steps": 2}))
    assert good.result == {"best": 2, "finished": True}
    assert seen == [(True, "running", True)]
    bad = until(engine, engine.submit("work", name="bad", spec={"steps": 2, "break": True}))
    assert bad.status == "failed"
    assert "no room" in bad.error_message
    assert told == ["failed"]
    assert engine.db.tuples("select job_id from job_pairs") == [(good.id,)]


def test_a_failing_preparation_fails_the_job(engine):
    def prepare(job, folder):
        raise ValueError("no such column")

    engine.register("work", entry=f"{WORK}:count", prepare=prepare)
    job = until(engine, engine.submit("work", name="x", spec={}))
    assert job.status == "failed"
    assert "no such column" in job.error_message


def test_no_more_jobs_than_allowed_run_and_the_rest_follows(engine):
    jobs = [engine.submit("count", name=f"{i}", spec={"steps": 10}) for i in range(5)]
    assert {until(engine, job).status for job in jobs} == {"succeeded"}
    beside = "select count(*) from jobs a join jobs b on b.started_at <= a.started_at and a.started_at < b.completed_at group by a.id"
    assert max(engine.db.tuples(beside)) == (2,)
    order = engine.db.tuples("select name from jobs order by started_at, queued_at")
    assert [name for (name,) in order] == list("01234")


def test_cancel_and_success_race_never_disagree(engine):
    for round_ in range(12):
        job = engine.submit("count", name=f"race {round_}", spec={"steps": 3, "pause": 0.0})
        time.sleep(0.05 + round_ * 0.02)
        acknowledged = False
        with engine.db.write():
            found = job_of(engine, job.id)
            if found.status in ("queued", "running"):
                engine.request_cancel(found)
                acknowledged = True
        ended = until(engine, job)
        assert ended.status == ("cancelled" if acknowledged else "succeeded")
        assert ended.result is None or not acknowledged


def test_late_words_of_an_older_attempt_are_refused(engine):
    job = engine.submit("count", name="fenced", spec={"steps": 10_000})
    until_points(engine, job)
    with engine.db.write():
        engine.db.execute("update jobs set attempt = 2 where id = ?", [job.id])
        taken = engine.db.value("select count(*) from metrics where job_id = ?", [job.id])
    time.sleep(0.3)
    assert engine.db.value("select count(*) from metrics where job_id = ?", [job.id]) == taken


def test_the_engine_is_quiet_without_jobs(engine):
    assert [thread for thread in threading.enumerate() if thread.name.startswith("job-")] == [engine._thread]
    used = time.pthread_getcpuclockid(engine._thread.ident)
    before = time.clock_gettime(used)
    time.sleep(0.5)
    assert time.clock_gettime(used) - before < 0.05
