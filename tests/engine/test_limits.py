"""A job that takes more memory or disk than it may is ended, and a full disk is said to be full."""

import os
import shutil
import subprocess
import time

import pytest

from tests.engine.test_engine import gone, job_of, until
from workbench.engine import checkpoints, journal, limits, words
from workbench.engine.walk import inside


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 12 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("A small disk can only be made by root where mount is allowed.")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_memory_of_all_its_processes_counts(made):
    engine = made("leaks", job_memory_mb=160)
    job = until(engine, engine.submit("leaks", name="x", spec={}), seconds=60)
    assert (job.status, job.error_code, job.retries) == ("failed", "OUT_OF_MEMORY", 0)
    assert "its limit is 160 MB (WORKBENCH_JOB_MEMORY_MB)" in job.error_message
    assert gone(job.pid)


def test_what_is_written_counts(made):
    engine = made("floods", job_disk_mb=8)
    job = until(engine, engine.submit("floods", name="x", spec={"what": "folder"}), seconds=60)
    assert (job.error_code, job.retries) == ("DISK_LIMIT", 0)
    assert "8 MB (WORKBENCH_JOB_DISK_MB). Give it less to do at once or raise the limit, then retry." in job.error_message


def test_what_goes_while_a_folder_is_weighed_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(bytes(100_000))
    before, scan = limits.size(tmp_path), os.scandir

    def scandir(path="."):
        if path == str(tmp_path / "gone") or path == tmp_path / "gone":
            (tmp_path / "gone").rmdir()
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert before - limits.size(tmp_path) in range(50_000)
    assert not (tmp_path / "gone").exists()
    assert inside(tmp_path / "gone") == []


def test_a_job_within_its_limits_is_left_alone(made, monkeypatch):
    monkeypatch.setattr("workbench.engine.limits.LOOK_SECONDS", 0.01)
    engine = made("count", job_memory_mb=4000, job_disk_mb=1000)
    assert until(engine, engine.submit("count", name="x", spec={"steps": 20})).status == "succeeded"


@pytest.mark.parametrize("what", ["points", "words", "checkpoint"])
def test_a_full_disk_fails_the_job_and_loses_nothing_acknowledged(made, small_disk, what):
    engine = made("floods", "count", start=False, min_free_mb=1)
    engine.artifacts = small_disk
    engine.start()
    job = until(engine, engine.submit("floods", name="x", spec={"what": what}), seconds=60)
    assert (job.status, job.error_code, job.retries) == ("failed", "DISK_FULL", 0), job.error_message
    assert "The disk is full" in job.error_message
    folder = engine.folder(job.id, 1)
    whole = journal.read(folder, limit=1 << 30).records
    points = sum(len(r["rows"]) for r in whole if r["t"] == "metrics")
    kept = engine.db.tuples("select count(*), count(distinct step) from metrics where job_id = ?", [job.id])
    assert kept == [(points, points)]
    assert points > 10_000 or what != "points"
    found = checkpoints.newest(folder, "first")
    assert found.path.read_text() == "kept"
    assert checkpoints.newest(folder, "second") is None
    shutil.rmtree(folder)
    assert until(engine, engine.submit("count", name="next", spec={"steps": 2})).status == "succeeded"


def test_a_job_waits_while_the_disk_is_too_full_and_says_so(made):
    engine = made("count", min_free_mb=10**9)
    job = engine.submit("count", name="x", spec={"steps": 1})
    deadline = time.monotonic() + 60
    while not (waiting := job_of(engine, job.id)).message.startswith("Waits for room: the disk has"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert waiting.status == "queued"
    assert "1\u202f000\u202f000\u202f000 MB (WORKBENCH_MIN_FREE_MB) must be free" in waiting.message
    engine.settings.min_free_mb = 0
    done = until(engine, job)
    assert done.status == "succeeded"
    said = "select count(*) from job_events where job_id = ? and message like 'Waits for room%'"
    assert engine.db.value(said, [job.id]) == 1


def test_nobody_waits_to_write_while_points_are_put_together(made, monkeypatch):
    put_together, meanwhile = words.points, []

    def points(job_id, rows):
        meanwhile.append(engine.db.in_transaction)
        return put_together(job_id, rows)

    monkeypatch.setattr(words, "points", points)
    engine = made("burst")
    job = until(engine, engine.submit("burst", name="x", spec={"points": 5_000}))
    assert engine.db.value("select count(*) from metrics where job_id = ?", [job.id]) == 5_000
    assert set(meanwhile) == {False}
