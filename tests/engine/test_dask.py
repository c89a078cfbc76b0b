"""Jobs on a real Dask cluster of two worker processes: the same jobs, the same words, and workers that die."""

import json
import os
import signal
import time

import distributed
import pytest

from tests.engine.test_engine import job_of, until, until_dead, until_points
from tests.engine.test_escapes import left
from workbench.engine import supervisor
from workbench.engine.dask import DaskExecutor
from workbench.engine.process import read_json


@pytest.fixture(scope="module")
def cluster():
    options = {"n_workers": 2, "processes": True, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(resources={"SLOW": 1}, **options) as made:
        yield made


@pytest.fixture
def engine(made, cluster):
    return made("count", "slowly", "deaf", "raises", "forks", "escapes", "nests", executor=DaskExecutor(cluster.scheduler_address))


def claimed(engine, job, attempt=1, seconds=60):
    """Return the pids of the worker and of the child once they are there."""
    folder, deadline = engine.folder(job.id, attempt), time.monotonic() + seconds
    while not (read_json(folder / "claim.json") and read_json(folder / "process.json")):
        assert time.monotonic() < deadline, job_of(engine, job.id).message
        time.sleep(0.02)
    return int(read_json(folder / "claim.json")["by"].rpartition(":")[2]), read_json(folder / "process.json")["pid"]


def steps(engine, job):
    return [s for (s,) in engine.db.tuples("select step from metrics where job_id = ? order by step", [job.id])]


def test_a_job_says_and_leaves_the_same_as_on_this_machine(engine, made):
    here, there = made("count"), engine
    jobs = [until(e, e.submit("count", name="x", spec={"steps": 8})) for e in (here, there)]
    told = [
        (j.status, j.result, j.done, j.total, j.step, j.message, j.attempt, steps(e, j))
        for e, j in zip((here, there), jobs, strict=True)
    ]
    assert told[0] == told[1]
    what = "select old_status, new_status, message from job_events where job_id = ? and type = 'status_change'"
    moves = [e.db.tuples(what, [j.id]) for e, j in zip((here, there), jobs, strict=True)]
    assert moves[0] == moves[1]
    assert jobs[1].pid not in (None, os.getpid())
    assert jobs[1].worker != jobs[0].worker


def test_a_failure_is_explained_as_on_this_machine(engine):
    job = until(engine, engine.submit("raises", name="x", spec={}))
    assert (job.status, job.error_code, job.attempt) == ("failed", "JOB_FAILED", 1)
    assert "the loss is not a number" in job.error_message


def test_a_killed_worker_costs_an_attempt_and_no_step_is_there_twice(engine):
    job = engine.submit("slowly", name="x", spec={"steps": 120})
    until_points(engine, job, 20)
    worker, child = claimed(engine, job)
    os.kill(worker, signal.SIGKILL)
    until_dead(child)
    done = until(engine, job)
    assert (done.status, done.attempt, done.retries) == ("succeeded", 2, 1)
    assert done.result["from"] >= 15
    assert steps(engine, job) == list(range(1, 121))
    said = [m for (m,) in engine.db.tuples("select message from job_events where job_id = ? order by seq", [job.id])]
    assert any(m.startswith("Retry 1 of 3") and "The worker that ran the job is gone." in m for m in said)


def test_what_a_job_left_running_ends_with_its_worker_or_by_its_cancel(engine):
    job = engine.submit("escapes", name="x", spec={})
    first = left(engine, job)
    os.kill(claimed(engine, job)[0], signal.SIGKILL)
    for pid in first:
        until_dead(pid)
    second = left(engine, job, attempt=2)
    engine.request_cancel(job_of(engine, job.id))
    assert until(engine, job).status == "cancelled"
    for pid in second:
        until_dead(pid)


def test_the_work_may_run_children_of_its_own(engine):
    job = until(engine, engine.submit("nests", name="x", spec={}))
    assert job.result == {"code": 0}


def test_a_killed_child_is_a_failed_job(engine):
    job = engine.submit("slowly", name="x", spec={"steps": 10_000})
    until_points(engine, job)
    os.kill(claimed(engine, job)[1], signal.SIGKILL)
    failed = until(engine, job)
    assert (failed.status, failed.error_code, failed.retries) == ("failed", "PROCESS_KILLED", 0)


@pytest.mark.parametrize("kind", ["slowly", "deaf"])
def test_cancel_leaves_no_process(engine, kind):
    job = engine.submit(kind, name="x", spec={"steps": 10_000})
    _, child = claimed(engine, job)
    engine.request_cancel(until(engine, job, "running"))
    assert until(engine, job).status == "cancelled"
    until_dead(child)


def test_a_job_that_waits_for_a_worker_says_so_and_its_cancel_is_quick(engine):
    engine.register(
        "gpu", entry="tests.engine.work:count", prepare=lambda job, folder: job.spec, resources=lambda job: {"GPU": 1}
    )
    job = engine.submit("gpu", name="x", spec={"steps": 1})
    deadline = time.monotonic() + 60
    while job_of(engine, job.id).message != "Waits for a free worker of the cluster with GPU: 1":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert job_of(engine, job.id).pid is None
    engine.request_cancel(job_of(engine, job.id))
    assert until(engine, job).status == "cancelled"
    assert not (engine.folder(job.id, 1) / "process.json").exists()


def test_declared_resources_are_taken_one_job_at_a_time(engine):
    engine.limits = type(engine.limits)(total=4)
    engine.register("slow", entry="tests.engine.work:slowly", prepare=lambda job, folder: job.spec, resources=lambda job: {"SLOW": 1})
    jobs = [engine.submit("slow", name=f"{n}", spec={"steps": 10}) for n in range(3)]
    assert {until(engine, job).status for job in jobs} == {"succeeded"}
    submitted = json.loads((engine.folder(jobs[0].id, 1) / "cluster.json").read_text())
    assert submitted["resources"] == {"SLOW": 1}


def test_the_next_owner_takes_the_job_back(engine):
    job = engine.submit("slowly", name="x", spec={"steps": 150})
    until_points(engine, job, 10)
    _, child = claimed(engine, job)
    engine.close()
    engine.start()
    done = until(engine, job)
    assert (done.status, done.attempt, done.result["from"], done.pid) == ("succeeded", 1, 0, child)
    assert steps(engine, job) == list(range(1, 151))


def test_what_no_worker_had_begun_is_handed_out_anew_by_the_next_owner(engine):
    needs = {"GPU": 1}
    engine.register("picky", entry="tests.engine.work:count", prepare=lambda job, folder: job.spec, resources=lambda job: needs)
    job = engine.submit("picky", name="x", spec={"steps": 2})
    deadline = time.monotonic() + 60
    while not (engine.folder(job.id, 1) / "cluster.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    engine.close()
    needs.clear()
    engine.start()
    done = until(engine, job)
    assert (done.status, done.attempt, done.retries) == ("succeeded", 2, 1)


def test_a_claimed_attempt_is_never_started_twice(tmp_path):
    assert supervisor.claim(tmp_path, "first")
    assert supervisor.supervise(str(tmp_path)) == "claimed by another"
    assert [p.name for p in tmp_path.iterdir()] == ["claim.json"]


def test_a_lease_that_runs_out_is_a_lost_worker(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.engine.dask.LEASE_SECONDS", 0.3)
    monkeypatch.setattr("workbench.engine.dask.LOOK_SECONDS", 0.0)
    from workbench.engine.dask import DaskHandle

    (tmp_path / "claim.json").write_text('{"by": "far:1"}')
    handle = DaskHandle(DaskExecutor("tcp://127.0.0.1:1"), tmp_path, None, {})
    (tmp_path / "lease.json").write_text('{"beat": 1, "memory": 5}')
    assert handle.poll() is None
    assert handle.memory() == 5
    deadline = time.monotonic() + 60
    while (ended := handle.poll()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert ended.lost
    assert (tmp_path / "cancel.flag").exists()
    assert (tmp_path / "signal-9").exists()


def test_a_cluster_that_is_not_there_keeps_the_job_queued_and_says_why(made):
    engine = made("count", executor=DaskExecutor("tcp://127.0.0.1:9"))
    job = engine.submit("count", name="x", spec={"steps": 1})
    deadline = time.monotonic() + 60
    while "nobody answers there" not in (waiting := job_of(engine, job.id)).message:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert waiting.status == "queued"
    assert waiting.message.startswith("Waits for the cluster at tcp://127.0.0.1:9")
    assert engine.request_cancel(waiting).status == "cancelled"
