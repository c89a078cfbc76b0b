"""The owner dies, another one comes: nothing is lost, nothing twice, no orphan runs on."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.engine.owner import opened
from tests.engine.test_engine import alive, gone, until, until_dead, until_pid, until_points
from workbench.engine import child, journal


@pytest.fixture
def owner(tmp_path):
    """Start an owner in another process; return (kill, database path, job id)."""
    started = []

    def begin(steps, kind="count"):
        path = tmp_path / "owned.duckdb"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.owner", str(path), str(steps), kind], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process, path, process.stdout.readline().strip()

    yield begin
    for process in started:
        process.kill()
        process.wait()


def until_lines(folder, count):
    deadline = time.monotonic() + 60
    while len(journal.read(folder).records) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def murder(process):
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_a_job_outlives_its_owner_and_is_taken_back(owner):
    process, path, id = owner(100_000)
    folder = path.with_name("owned.duckdb.artifacts") / "jobs" / id / "attempt-1"
    until_lines(folder, 10)
    murder(process)
    until_lines(folder, 20)
    engine = opened(path)
    engine.start()
    job = engine.ledger.jobs.get(id)
    assert job.status == "running"
    until_points(engine, job, 100)
    engine.request_stop(job)
    ended = until(engine, job)
    assert (ended.status, ended.attempt) == ("succeeded", 1)
    last = ended.result["best"]
    assert last >= 100
    assert engine.db.tuples("select step from metrics order by step") == [(i,) for i in range(1, last + 1)]
    assert gone(ended.pid)
    engine.close()
    engine.db.close()


def test_a_job_that_ended_meanwhile_is_finished_by_the_next_owner(owner):
    process, path, id = owner(60)
    folder = path.with_name("owned.duckdb.artifacts") / "jobs" / id / "attempt-1"
    until_lines(folder, 5)
    murder(process)
    deadline = time.monotonic() + 60
    while not (folder / child.RESULT).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    engine = opened(path)
    engine.start()
    ended = until(engine, engine.ledger.jobs.get(id))
    assert (ended.status, ended.result) == ("succeeded", {"best": 60})
    assert engine.db.value("select count(*) from metrics") == 60
    engine.close()
    engine.db.close()


def test_owner_and_child_both_killed_is_interrupted_and_keeps_its_points(owner):
    process, path, id = owner(100_000)
    folder = path.with_name("owned.duckdb.artifacts") / "jobs" / id / "attempt-1"
    until_lines(folder, 20)
    engine_pid = journal.read(folder).records[0]["pid"]
    murder(process)
    os.kill(engine_pid, signal.SIGKILL)
    with (folder / journal.FILE_NAME).open("ab") as file:
        file.write(b"0000dead {torn")
    points = sum(len(r["rows"]) for r in journal.read(folder).records if r["t"] == "metrics")
    engine = opened(path)
    engine.start()
    ended = until(engine, engine.ledger.jobs.get(id))
    assert (ended.status, ended.error_code) == ("failed", "INTERRUPTED")
    assert "interrupted" in ended.error_message
    assert engine.db.value("select count(*) from metrics") == points
    assert engine.db.value("select count(distinct step) from metrics") == points
    engine.close()
    engine.db.close()


def test_the_next_owner_ends_what_a_lost_job_left_running(owner):
    process, path, id = owner(0, "escapes")
    folder = path.with_name("owned.duckdb.artifacts") / "jobs" / id / "attempt-1"
    until_lines(folder, 2)
    murder(process)
    records = journal.read(folder).records
    os.kill(records[0]["pid"], signal.SIGKILL)
    pids = records[1]["data"]["pids"]
    assert all(map(alive, pids))
    engine = opened(path)
    engine.start()
    assert until(engine, engine.ledger.jobs.get(id)).error_code == "INTERRUPTED"
    for pid in pids:
        until_dead(pid, seconds=5)
    engine.close()
    engine.db.close()


def test_a_closed_workspace_leaves_its_jobs_running_and_the_same_process_takes_them_back(tmp_path):
    engine = opened(tmp_path / "again.duckdb")
    engine.start()
    job = engine.submit("count", name="long", spec={"steps": 100_000})
    until_points(engine, job)
    pid = until_pid(engine, job)
    engine.close()
    engine.db.close()
    engine = opened(tmp_path / "again.duckdb")
    engine.start()
    assert engine.ledger.jobs.get(job.id).status == "running"
    engine.request_cancel(engine.ledger.jobs.get(job.id))
    assert until(engine, job).status == "cancelled"
    assert gone(pid)
    engine.close()
    engine.db.close()


def test_close_without_detaching_kills_what_runs(tmp_path):
    engine = opened(tmp_path / "closed.duckdb")
    engine.start()
    job = engine.submit("hangs", name="hangs", spec={})
    pid = until_pid(engine, job)
    engine.close(detach=False)
    assert gone(pid)
    assert engine.ledger.jobs.get(job.id).error_code == "INTERRUPTED"
    engine.db.close()
