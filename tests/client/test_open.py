"""One process owns a file; the others join it through its sidecar."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.client import discovery
from workbench.client.http import HttpTransport
from workbench.config import Settings
from workbench.errors import ConnectionLost, DatabaseInUse, ValidationError, WorkbenchError

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def owner(path, *, share=True):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    mode = "share" if share else "alone"
    command = [sys.executable, "-m", "tests.client.owner", str(path), mode]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert "ready" == process.stdout.readline().strip()
        yield process
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def test_a_second_process_joins_the_owner(tmp_path):
    path = tmp_path / "team.duckdb"
    with owner(path), wb.open(path, user="ann") as ws:
        assert isinstance(ws.transport, HttpTransport)
        assert ("ann", "team") == (ws.system.info().user, ws.system.info().name)


def test_the_sidecar_is_private_and_goes_with_its_owner(tmp_path):
    path = tmp_path / "team.duckdb"
    with owner(path):
        assert 0o600 == discovery.sidecar_path(path).stat().st_mode & 0o777
    assert discovery.read(path) is None


def test_without_the_token_the_owner_does_not_answer(tmp_path):
    path = tmp_path / "team.duckdb"
    with owner(path):
        with pytest.raises(WorkbenchError) as caught:
            wb.open(discovery.read(path).url)
    assert "UNAUTHENTICATED" == caught.value.code


def test_an_owner_that_does_not_answer_is_named(tmp_path):
    path = tmp_path / "team.duckdb"
    with owner(path, share=False) as process:
        with pytest.raises(DatabaseInUse, match=str(process.pid)):
            wb.open(path)


def test_a_dead_owner_is_taken_over(tmp_path):
    path = tmp_path / "team.duckdb"
    with owner(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        stale = discovery.read(path)
        assert stale is not None
        assert not discovery.alive(stale)
        with wb.open(path, share=False) as ws:
            assert ws.url is None


def test_a_reused_pid_is_not_the_owner(tmp_path):
    path = tmp_path / "team.duckdb"
    sidecar = discovery.announce(path, url="http://127.0.0.1:1", token="t")
    written = json.loads(discovery.sidecar_path(path).read_text())
    discovery.sidecar_path(path).write_text(json.dumps({**written, "started": sidecar.started - 100}))

    assert discovery.alive(sidecar)
    assert not discovery.alive(discovery.read(path))


def test_opening_twice_in_one_process_shares_the_file(tmp_path):
    path = tmp_path / "team.duckdb"
    with wb.open(path, share=False) as first, wb.open(path, share=False) as second:
        first.close()
        assert "team" == second.system.info().name


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(ConnectionLost, match="127.0.0.1:9"):
        wb.open("http://127.0.0.1:9")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(WorkbenchError, match="missing"):
        wb.open(tmp_path / "missing" / "team.duckdb", share=False)


def test_opening_while_the_owner_still_starts_waits_for_it(tmp_path):
    path = tmp_path / "team.duckdb"
    with owner(path, share=False) as process:
        sidecar = discovery.announce(path, url="http://127.0.0.1:9", token="t")
        assert discovery.alive(sidecar)
        assert discovery.find(path, seconds=0.3) is None
    assert 0 == process.returncode


def test_the_client_learns_another_prefix_of_the_api(tmp_path):
    with wb.open(tmp_path / "team.duckdb", settings=Settings(api_prefix="/api/v2")) as ws:
        with wb.open(ws.serve(port=0), user="ann") as other:
            other.sheets.create("Rows", rows=[{"a": 1}])

        assert 1 == ws.sheets.list().total


def test_opening_brings_in_nothing_that_is_only_needed_later(tmp_path: Path) -> None:
    """Each takes a good part of a second, in every command and every server."""
    heavy = ("pandas", "panel", "sklearn", "optuna", "pyarrow.dataset")
    code = f"import sys, workbench\nworkbench.open('team.duckdb').sheets.list()\nprint([m for m in {heavy} if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment)

    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("end", ["ws.close()", ""], ids=["closed", "left open"])
def test_a_program_that_ends_says_nothing_of_what_it_held(tmp_path: Path, end: str) -> None:
    code = f"import workbench\nws = workbench.open('team.duckdb')\nws.sheets.list()\n{end}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment)

    assert told.stderr == ""


def test_memory_is_no_place_for_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ValidationError, match=r"is no file.*scratch\.duckdb"):
        wb.open(":memory:")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("params", [{"status": "labeled"}, "labeled"], ids=["names", "text"])
def test_values_of_a_query_come_as_a_list(ws: Any, params: Any) -> None:
    with pytest.raises(ValidationError, match="a value for each"):
        ws.sql("select ? as status", params)
