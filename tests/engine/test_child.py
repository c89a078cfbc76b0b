"""A child process, its journal and its result, without any owner."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from workbench.engine import child, journal
from workbench.engine.local import LocalExecutor
from workbench.engine.process import Identity, group_members, write_json


@pytest.fixture
def start(tmp_path):
    """Start a piece of work in a child and kill what is left of it afterwards."""
    handles = []

    def begin(work, **inputs):
        folder = tmp_path / f"attempt-{len(handles) + 1}"
        folder.mkdir()
        write_json(folder / child.TASK, {"entry": f"tests.engine.work:{work}", "inputs": inputs, "threads": 1, "attempt": 1})
        handles.append(LocalExecutor().start(folder))
        return folder, handles[-1]

    yield begin
    for handle in handles:
        handle.kill()


def wait(handle, seconds=60):
    deadline = time.monotonic() + seconds
    while (ended := handle.poll()) is None:
        assert time.monotonic() < deadline, "the child does not end"
        time.sleep(0.01)
    return ended


def records(folder):
    return journal.read(folder, limit=1 << 30).records


def wait_for(folder, type_, seconds=60):
    deadline = time.monotonic() + seconds
    while not any(r["t"] == type_ for r in records(folder)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def result(folder):
    return json.loads((folder / child.RESULT).read_text())


def test_work_runs_in_another_process_and_leaves_its_result(start):
    folder, handle = start("count", steps=5)
    assert handle.pid != os.getpid()
    assert wait(handle).code == 0
    assert result(folder)["result"] == {"best": 5}
    points = [row for r in records(folder) if r["t"] == "metrics" for row in r["rows"]]
    assert [row[1] for row in points] == [1, 2, 3, 4, 5]
    assert [r["n"] for r in records(folder)] == list(range(1, result(folder)["seq"] + 1))
    assert [r["done"] for r in records(folder) if r["t"] == "progress"][-1] == 5


def test_thread_budget_is_set_and_nothing_heavy_is_loaded(start):
    folder, handle = start("threads")
    wait(handle)
    told = result(folder)["result"]
    assert told["omp"] == "1"
    assert told["cwd"] == str(folder)
    assert not {"panel", "bokeh", "pandas", "duckdb", "sklearn", "numpy"} & set(told["modules"])


def test_importing_the_child_loads_nothing_heavy():
    code = "import workbench.engine.child, sys; print(sorted(m for m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("'panel'", "'bokeh'", "'pandas'", "'duckdb'", "'sklearn'"):
        assert heavy not in loaded


def test_many_points_are_all_written(start):
    folder, handle = start("burst", points=100_000)
    wait(handle)
    points = [row for r in records(folder) if r["t"] == "metrics" for row in r["rows"]]
    assert len(points) == 100_000


@pytest.mark.parametrize(
    ("work", "code", "words"),
    [("raises", "JOB_FAILED", "the loss is not a number"), ("exits", "PROCESS_EXITED", "exit code 3")],
)
def test_failures_are_told(start, work, code, words):
    folder, handle = start(work)
    assert wait(handle).code == 1
    error = result(folder)["error"]
    assert error["code"] == code
    assert words in error["message"]
    assert "Traceback" in error["details"]


def test_a_child_that_vanishes_leaves_its_exit_code(start):
    folder, handle = start("vanishes")
    ended = wait(handle)
    assert ended.code == 7
    assert "exit code 7" in ended.describe()
    assert not (folder / child.RESULT).exists()


def test_kill_is_seen(start):
    folder, handle = start("hangs")
    wait_for(folder, "log")
    os.kill(handle.pid, signal.SIGKILL)
    assert wait(handle).code == -signal.SIGKILL


def test_stop_keeps_and_cancel_discards(start):
    folder, handle = start("count", steps=1000)
    wait_for(folder, "metrics")
    (folder / child.STOP).touch()
    assert wait(handle).code == 0
    assert result(folder)["status"] == "succeeded"
    folder, handle = start("count", steps=1000)
    wait_for(folder, "metrics")
    (folder / child.CANCEL).touch()
    wait(handle)
    assert result(folder)["status"] == "cancelled"


def test_sigterm_ends_the_child_and_a_deaf_one_needs_kill(start):
    folder, handle = start("hangs")
    wait_for(folder, "log")
    handle.signal(signal.SIGTERM)
    assert wait(handle).code == -signal.SIGTERM
    folder, handle = start("deaf")
    wait_for(folder, "log")
    handle.signal(signal.SIGTERM)
    time.sleep(0.3)
    assert handle.poll() is None
    assert handle.kill()
    assert wait(handle).code == -signal.SIGKILL


def test_what_the_work_left_running_is_killed(start):
    folder, handle = start("forks")
    wait(handle)
    assert result(folder)["result"] == {"from": "parent"}
    left = next(r["data"]["pid"] for r in records(folder) if r["t"] == "log")
    assert group_members(handle.pid) == []
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE


def test_binary_output_is_kept(start):
    folder, handle = start("binary")
    wait(handle)
    assert b"\xff\xfe\x00 not text" in (folder / child.LOG).read_bytes()


def test_reattach_accepts_only_the_very_process(start, tmp_path):
    folder, handle = start("hangs")
    again = LocalExecutor().reattach(folder)
    assert again is not None
    assert again.pid == handle.pid
    other = tmp_path / "other"
    other.mkdir()
    Identity(os.getpid(), "1", handle.identity.boot).save(other)
    assert LocalExecutor().reattach(other) is None
    os.kill(handle.pid, signal.SIGKILL)
    wait(again)
    assert LocalExecutor().reattach(folder) is None
