"""The file itself: who holds it, who may write it, who wrote it, and on which port it is served."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import workbench as wb
from tests.e2e.processes import command_line, environment, free_port, serving
from workbench import errors
from workbench.client import discovery
from workbench.client.http import HttpTransport


def test_a_served_file_is_joined_by_its_path_and_by_its_address(tmp_path: Path) -> None:
    database = tmp_path / "team.duckdb"
    with serving(database) as server, wb.open(database) as by_path, wb.open(server.url) as by_address:
        sheet = by_path.sheets.create("Topics", rows=[{"text": "hello"}])
        seen = by_address.sheets.get(sheet.id)

        assert (sheet, "Topics") == (seen, seen.name)
        assert isinstance(by_path.transport, HttpTransport)
        told = {}
        for name, ws in (("path", by_path), ("address", by_address)):
            with pytest.raises(errors.NotFound) as caught:
                ws.sheets.get("sheet_x")
            told[name] = (str(caught.value), caught.value.context)
        assert told["path"] == told["address"]


def test_a_file_held_by_a_process_that_does_not_answer_names_it(tmp_path: Path) -> None:
    database = tmp_path / "team.duckdb"
    script = (
        f"import workbench, sys; ws = workbench.open({str(database)!r}, share=False); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout and holder.stdin
        assert "held" == holder.stdout.readline().strip()
        with pytest.raises(errors.DatabaseInUse) as caught:
            wb.open(database)
        shown = command_line("sheets", "list", "--database", database)
    finally:
        holder.stdin.close()
        holder.wait(60)
        holder.stdout.close()

    assert holder.pid == caught.value.context["pid"]
    assert (1, "") == (shown.returncode, shown.stdout)
    assert shown.stderr.startswith(f"DATABASE_IN_USE: {database} is open in process {holder.pid}")
    with wb.open(database, share=False) as ws:
        assert 0 == ws.sheets.list().total


def test_a_file_of_a_newer_release_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "team.duckdb"
    with wb.open(database, share=False) as ws:
        ws.sheets.create("Topics", rows=[{"text": "hello"}])
    with duckdb.connect(str(database)) as raw:
        raw.execute("insert into schema_migration values (9999, 'from_the_future', 'x', now()::timestamp)")
        before = raw.execute("select table_name from information_schema.tables order by 1").fetchall()

    with pytest.raises(errors.DatabaseTooNew, match="newer"):
        wb.open(database)
    shown = command_line("serve", "--database", database, "--no-browser", "--port", free_port())

    assert (1, True) == (shown.returncode, shown.stderr.startswith("DATABASE_TOO_NEW"))
    assert "Traceback" not in shown.stderr
    with duckdb.connect(str(database), read_only=True) as raw:
        assert before == raw.execute("select table_name from information_schema.tables order by 1").fetchall()
    assert not list(tmp_path.glob("*.backup*"))


@pytest.mark.parametrize("folder", ["/proc", "/sys"])
def test_a_folder_that_cannot_be_written_is_named(folder: str) -> None:
    # Not even the superuser may create files there.
    path = f"{folder}/team.duckdb"

    with pytest.raises(errors.ValidationError, match="cannot be opened for writing"):
        wb.open(path, share=False)
    shown = command_line("sheets", "list", "--database", path)

    assert (1, True) == (shown.returncode, shown.stderr.startswith("VALIDATION_ERROR"))
    assert path in shown.stderr and "Traceback" not in shown.stderr


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.duckdb"
    path.write_text("These are my notes, not a database." * 200)

    with pytest.raises(errors.ValidationError, match=r"notes\.duckdb"):
        wb.open(path, share=False)

    assert path.read_text().startswith("These are my notes")


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        shown = command_line("serve", "--database", tmp_path / "team.duckdb", "--port", port, "--no-browser")

    assert 1 == shown.returncode
    assert str(port) in shown.stderr and "--port" in shown.stderr
    assert "Traceback" not in shown.stderr
    assert discovery.read(tmp_path / "team.duckdb") is None


@pytest.mark.slow
def test_a_second_server_on_one_file_is_told_the_address(tmp_path: Path) -> None:
    database = tmp_path / "team.duckdb"
    with serving(database) as server:
        shown = command_line("serve", "--database", database, "--no-browser", "--port", free_port())

    assert (1, True) == (shown.returncode, shown.stderr.startswith("DATABASE_IN_USE"))
    assert server.url in shown.stderr


def test_other_hosts_are_refused_without_accounts(tmp_path: Path) -> None:
    shown = command_line("serve", "--database", tmp_path / "team.duckdb", "--host", "0.0.0.0", "--no-browser")

    assert (1, True) == (shown.returncode, shown.stderr.startswith("FORBIDDEN"))
    assert not (tmp_path / "team.duckdb").exists()


@pytest.mark.slow
def test_a_stopped_server_leaves_a_closed_file(tmp_path: Path) -> None:
    database = tmp_path / "team.duckdb"
    with serving(database) as server:
        with wb.open(server.url) as ws:
            ws.sheets.create("Topics", rows=[{"text": "hello"}])
        server.process.send_signal(signal.SIGTERM)
        assert 0 == server.process.wait(60)

    assert ["team.duckdb", "team.log"] == sorted(p.name for p in tmp_path.iterdir() if p.is_file())
    shown = command_line("sheets", "list", "--database", database, "--json", check=True)
    assert ["Topics"] == [sheet["name"] for sheet in json.loads(shown.stdout)["sheets"]]
