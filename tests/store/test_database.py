"""Ownership, locking, reading beside writing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import duckdb
import pyarrow as pa
import pytest

from workbench.errors import Conflict, DatabaseInUse, NotReady, ValidationError, WorkbenchError
from workbench.store import Database

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('up', flush=True); sys.stdin.read()"


def second_process(path, code="duckdb.connect(sys.argv[1]).execute('create table if not exists z(i int)')"):
    return subprocess.run(
        [sys.executable, "-c", f"import sys, duckdb; {code}", str(path)], capture_output=True, text=True, check=False
    )


def test_same_path_is_the_same_database_until_the_last_close(path, clock):
    first = Database.open(path, clock=clock)
    link = path.with_name("alias.duckdb")
    link.symlink_to(path)
    assert Database.open(link) is first
    first.close()
    assert first.value("select 1") == 1
    first.close()
    assert first.closed
    with pytest.raises(WorkbenchError, match="closed"):
        first.value("select 1")
    assert second_process(path).returncode == 0


def test_another_process_is_refused_and_named(path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        holder.stdout.readline()
        with pytest.raises(DatabaseInUse) as caught:
            Database.open(path)
        assert caught.value.context["pid"] == holder.pid
        assert str(holder.pid) in str(caught.value)
    finally:
        holder.communicate()
    Database.open(path).close()


def test_backup_while_running_keeps_the_lock(path, tmp_path, clock):
    with Database.open(path, clock=clock) as db:
        with db.write():
            db.emit("sheets", "s1")
        (db.artifacts / "ab").write_text("model")
        target = db.backup(tmp_path / "copy.duckdb")
        refused = second_process(path)
        assert refused.returncode != 0
        assert "lock" in refused.stderr
        with pytest.raises(ValidationError, match="exists already"):
            db.backup(target)
        with pytest.raises(ValidationError, match="itself"):
            db.backup(path)
    with Database.open(target) as copy:
        assert [event.id for event in copy.events_after(0)] == ["s1"]
        assert (copy.artifacts / "ab").read_text() == "model"


def test_backup_waits_for_a_bulk_load(path, tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.store.database._BACKUP_WAIT_S", 0.1)
    with Database.open(path) as db, db.load() as load:
        load.execute("create table rows_1 as select range as i from range(10)")
        with pytest.raises(NotReady, match="import"):
            db.backup(tmp_path / "copy.duckdb")


def test_backup_lets_a_bulk_load_commit_meanwhile(path, tmp_path):
    with Database.open(path) as db:
        filled = threading.Event()

        def fill():
            with db.load() as load:
                load.execute("create table rows_1 as select range as i from range(10)")
                filled.set()
                time.sleep(0.2)

        thread = threading.Thread(target=fill)
        thread.start()
        filled.wait(60)
        target = db.backup(tmp_path / "copy.duckdb")
        thread.join()
        with pytest.raises(RuntimeError, match="inside write"), db.write():
            db.backup(tmp_path / "other.duckdb")
    with Database.open(target) as copy:
        assert copy.value("select count(*) from rows_1") == 10


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 500])
def test_what_is_no_database_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(ValidationError, match=r"empty file|not a DuckDB database"):
        Database.open(path)
    assert path.read_bytes() == content


def test_foreign_duckdb_file_is_refused(path):
    duckdb.connect(str(path)).execute("create table mine(i int)").close()
    with pytest.raises(ValidationError, match="something else"):
        Database.open(path)
    assert second_process(path).returncode == 0


def test_bad_places_are_named(tmp_path):
    with pytest.raises(ValidationError, match="does not exist"):
        Database.open(tmp_path / "nowhere" / "x.duckdb")
    with pytest.raises(ValidationError, match="is a folder"):
        Database.open(tmp_path)


def test_unwritable_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *a, **k: False)
    with pytest.raises(ValidationError, match="permission denied"):
        Database.open(tmp_path / "x.duckdb")


def test_owner_reads_no_files_and_no_python_frames(db, tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("a\n1\n")
    frame = pa.table({"a": [1]})  # noqa: F841
    for sql in (f"select * from '{file}'", "select * from frame", "set threads = 1", f"attach '{tmp_path}/y.duckdb' as y"):
        with pytest.raises(duckdb.Error):
            db.value(sql)


def test_reads_inside_a_write_see_it_and_others_do_not(db):
    seen = []
    with db.write():
        db.emit("sheets", "s1")
        db.execute("insert into settings values ('a', '1', 1, now()::timestamp, 'me')")
        thread = threading.Thread(target=lambda: seen.append(db.value("select count(*) from settings")))
        thread.start()
        thread.join()
        assert db.value("select count(*) from settings") == 1
        assert db.row("select key, value from settings") == {"key": "a", "value": "1"}
    assert seen == [0]
    assert db.rows("select key from settings") == [{"key": "a"}]
    assert db.arrow("select key from settings where key = ?", ["a"]).to_pylist() == [{"key": "a"}]


def test_a_read_block_sees_one_state(db):
    with db.read():
        before = db.last_seq, db.value("select count(*) from outbox")
        thread = threading.Thread(target=write_one, args=(db,))
        thread.start()
        thread.join()
        assert db.value("select count(*) from outbox") == before[1]
        with pytest.raises(RuntimeError, match="read"), db.write():
            pass
    assert db.value("select count(*) from outbox") == before[1] + 1


def write_one(db, id="s1"):
    with db.write():
        db.emit("sheets", id)


def test_writers_queue_and_none_is_lost(db):
    with db.write():
        db.execute("insert into settings values ('n', '0', 0, now()::timestamp, 'me')")

    def bump():
        for _ in range(10):
            with db.write():
                db.execute("update settings set version = version + 1 where key = 'n'")

    threads = [threading.Thread(target=bump) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.value("select version from settings") == 40


def test_a_conflict_of_two_transactions_is_a_conflict(db):
    with db.write():
        db.execute("insert into settings values ('n', '0', 0, now()::timestamp, 'me')")
    with pytest.raises(Conflict, match="Try again"), db.load() as load:  # noqa: PT012
        load.execute("update settings set version = 5")
        with db.write():
            db.execute("update settings set version = 6")
    assert db.value("select version from settings") == 0


def test_duplicate_key_is_a_conflict_and_rolls_back(db):
    insert = "insert into settings values ('n', '0', 0, now()::timestamp, 'me')"
    with pytest.raises(Conflict, match="'n'"), db.write():  # noqa: PT012
        db.execute(insert)
        db.execute(insert)
    assert db.value("select count(*) from settings") == 0


def test_a_table_may_follow_a_single_value_in_one_block(db):
    with db.write():
        db.execute("create table numbers as select range n from range(5)")
        assert db.value("select n from numbers order by n") == 0
        assert db.arrow("select n from numbers").num_rows == 5
    with db.read():
        assert db.row("select n from numbers order by n") == {"n": 0}
        assert db.arrow("select n from numbers").num_rows == 5


def test_slow_reads_are_stopped_and_others_go_on(db):
    with pytest.raises(ValidationError, match="longer than"):
        db.value("select count(*) from range(100000000) a, range(100000) b", seconds=0.2)
    assert db.value("select 1") == 1


def test_arrow_goes_in_by_name_and_comes_out_in_batches(db):
    with db.write():
        db.execute("create table numbers(a bigint, b varchar)")
        assert db.insert_arrow("numbers", pa.table({"b": ["x"] * 25, "a": range(25)})) == 25
    with db.stream("select a from numbers order by a", batch_rows=10) as reader:
        assert [value for batch in reader for value in batch["a"].to_pylist()] == list(range(25))


def test_bulk_load_holds_no_write_lock(db):
    with db.load() as load:
        load.execute("create table rows_1(i bigint)")
        load.insert_arrow("rows_1", pa.table({"i": range(5)}))
        thread = threading.Thread(target=write_one, args=(db,))
        thread.start()
        thread.join(60)
        assert db.last_seq == 1
    assert db.value("select count(*) from rows_1") == 5


def test_writing_takes_a_transaction(db):
    with pytest.raises(RuntimeError, match="takes a transaction"):
        db.execute("delete from settings")
