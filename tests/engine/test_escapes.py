"""Nothing that a job started outlives it, whatever session it went to."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.engine.test_engine import job_of, until, until_dead
from workbench.engine import journal
from workbench.engine.process import ATTEMPT, carriers, kill_all, mark_of


def left(engine, job, attempt=1):
    """Return the pids of what the work left running elsewhere, once it has."""
    folder, deadline = engine.folder(job.id, attempt), time.monotonic() + 60
    while not (found := [r["data"]["pids"] for r in journal.read(folder).records if r.get("message") == "left"]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found[0]


def end(engine, job, how):
    if how == "cancel":
        engine.request_cancel(job_of(engine, job.id))
    elif how == "kill":
        os.kill(job_of(engine, job.id).pid, signal.SIGKILL)
    return until(engine, job)


@pytest.mark.parametrize(
    ("how", "status"),
    [("well", "succeeded"), ("fail", "failed"), ("kill", "failed"), ("cancel", "cancelled"), ("late", "failed")],
)
def test_what_went_to_sessions_of_its_own_ends_with_the_job(made, how, status):
    engine = made("escapes")
    waits = "wait" if how in ("kill", "cancel", "late") else how
    job = engine.submit("escapes", name="x", spec={"end": waits}, timeout_seconds=1.5 if how == "late" else None)
    pids = left(engine, job)
    assert len(pids) == 2
    assert end(engine, job, how).status == status
    for pid in pids:
        until_dead(pid, seconds=5)


@pytest.fixture
def marked(tmp_path):
    """Start a process that carries the mark of a folder; it is killed afterwards."""
    started = []

    def begin(folder, *command):
        environment = {**os.environ, ATTEMPT: mark_of(folder)}
        started.append(subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_only_what_carries_the_very_mark_is_ended(marked, tmp_path):
    mine, other = marked(tmp_path / "attempt-1", "sleep", "600"), marked(tmp_path / "attempt-10", "sleep", "600")
    assert kill_all(None, mark_of(tmp_path / "attempt-1"))
    assert (mine.wait(), other.poll()) == (-signal.SIGKILL, None)


def test_who_was_started_by_an_attempt_does_not_end_itself_or_what_runs_beside_it(marked, tmp_path):
    beside = marked(tmp_path, "sleep", "600")
    code = f"from workbench.engine.process import kill_all; print(kill_all(None, {mark_of(tmp_path)!r}))"
    assert marked(tmp_path, sys.executable, "-c", code).stdout.read() == "True\n"
    assert carriers(mark_of(tmp_path)) == [beside.pid]
