"""Sound files get no findings, each kind of damage gets its own."""

from __future__ import annotations

import importlib
import pkgutil
import shutil

import pytest

import workbench.domain
from tests.files import empty
from workbench.store import Database
from workbench.store.doctor import doctor
from workbench.store.invariants import CHECKS, REFERENCES, Check, reference
from workbench.store.published import record_classes
from workbench.store.tables import columns_of

JOINED = {"training_jobs"}  # read from jobs and training_details together


@pytest.fixture(autouse=True)
def every_record():
    for module in pkgutil.iter_modules(workbench.domain.__path__):
        importlib.import_module(f"workbench.domain.{module.name}")


@pytest.fixture
def db(path, clock):
    with Database.open(empty(path), clock=clock) as database:
        yield database


def found(db, checks=()):
    return [(finding.check, finding.finding) for finding in doctor(db, checks)]


def change(db, sql):
    with db.write():
        db.execute(sql)


def fill(db, table, **values):
    """Insert one row, with something harmless in every column that is not named."""
    blank = {"BIGINT": "1", "UTINYINT": "0", "TIMESTAMP": "timestamp '2026-01-01'", "BOOLEAN": "false", "VARCHAR": "'x'"}
    query = "select column_name, data_type, is_nullable from duckdb_columns() where table_name = ?"
    needed = {name: blank[kind] for name, kind, nullable in db.tuples(query, [table]) if not nullable}
    given = {name: f"'{value}'" if isinstance(value, str) else str(value) for name, value in values.items()}
    row = needed | given
    change(db, f"insert into {table} ({', '.join(row)}) values ({', '.join(row.values())})")


def test_a_fresh_file_is_sound(db):
    assert found(db) == []


def test_every_record_with_a_table_has_its_columns(db):
    """The record classes and the migrations agree on names and types."""
    there = {(t, c): k for t, c, k in db.tuples("select table_name, column_name, data_type from duckdb_columns()")}
    classes = list(record_classes())
    assert {record_class.table for record_class in classes} - {table for table, _ in there} <= JOINED
    classes = [record_class for record_class in classes if record_class.table not in JOINED]
    assert len(classes) >= 8
    for record_class in classes:
        for name, kind in columns_of(record_class):
            assert there.get((record_class.table, name)) == kind, f"{record_class.__name__}.{name}"


def test_every_invariant_runs_on_this_schema(db):
    tables = {row[0] for row in db.tuples("select table_name from duckdb_tables()")}
    for check in (*CHECKS, *(reference(*names) for names in REFERENCES)):
        assert set(check.tables) <= tables, check
        assert db.tuples(check.sql) == []
        assert check.remedy


def test_missing_columns_and_foreign_migrations_are_found(db):
    change(db, "alter table feedback drop column comment")
    change(db, "update schema_migration set checksum = 'x' where number = 1")
    assert ("schema", "feedback lacks comment VARCHAR") in found(db)
    assert ("schema", "migration 0001_platform is not the one of this release") in found(db)


def test_a_hole_in_the_outbox_is_found(db):
    for _ in range(3):
        with db.write():
            db.emit("sheets", "a")
    change(db, "delete from outbox where seq = 2")
    assert found(db) == [("outbox", "the outbox numbers 1 to 3 but holds 2 events")]


def test_orphans_and_half_batches_are_found(db):
    change(db, "insert into metrics values ('gone', 'loss', 1, 1, 0.5, now()::timestamp)")
    fill(db, "batches", id="b1", training_sheet_id="ts1", row_count=2)
    texts = [text for _, text in found(db)]
    assert "metrics has 1 rows whose job_id gone is not in jobs" in texts
    assert "batches has 1 rows whose training_sheet_id ts1 is not in training_sheets" in texts
    assert "batch b1 says 2 decisions and has 0" in texts


def test_a_pair_decided_on_twice_in_a_batch_and_details_without_a_decision_are_found(db):
    fill(db, "batches", id="b1", number=1, training_sheet_id="ts1", row_count=2)
    for _ in range(2):
        state = {"status": "x", **dict.fromkeys(("flag_reason", "stale", "labeled_by", "labeled_at", "canonical_label_id", "last_batch"))}
        with db.write():
            db.execute(
                "insert into decision_log values (1, 1, 'ts1', 7, 'flag', 'ann', timestamp '2026-01-01', 1, ?, ?, null, null)",
                [state, state],
            )
    fill(db, "decision_details", batch=1, row_index=8)
    texts = [text for check, text in found(db) if check == "decisions"]
    assert texts == ["batch 1 decides 2 times on pair 7 of ts1", "batch 1 has details of pair 8 and no decision on it"]


def test_a_pair_that_is_settled_and_disputed_is_found(db):
    for row, (status, stale) in enumerate([("unlabeled", "false"), ("labeled", "true"), ("labeled", "false")]):
        fill(db, "pair_rows", training_sheet_id="ts1", row_index=row, status=status)
        change(db, f"update pair_rows set stale = {stale}, disputed = true, votes = 0, dissent = 0 where row_index = {row}")
    assert [text for check, text in found(db) if check == "votes"] == ["pair ts1.2 is disputed and labeled"]


def test_an_open_pair_with_a_verdict_and_the_verdict_of_no_batch_are_found(db):
    fill(db, "batches", id="b1", number=1, training_sheet_id="ts1", row_count=0)
    for row, (status, batch) in enumerate([("unlabeled", 1), ("unlabeled", 0), ("flagged", 0), ("labeled", 1), ("labeled", 2)]):
        verdict = {"decided_batch": batch} if batch else {}
        fill(db, "pair_rows", training_sheet_id="ts1", row_index=row, status=status, **verdict)
    texts = [text for _, text in found(db)]
    assert "pair ts1.0 is unlabeled and has the verdict of batch 1" in texts
    assert "pair_rows has 1 rows whose decided_batch 2 is not in batches" in texts
    assert 2 == len([text for text in texts if "verdict" in text or "decided_batch" in text])


def test_sheets_without_rows_are_found(db):
    fill(db, "sheets", id="s1", slug="s", item_count=3)
    assert found(db) == [("sheets", "the rows of sheet s1 are missing")]
    change(db, "create table rows_s1 as select * from range(2)")
    change(db, "create view sheet_s as select * from rows_s1")
    assert found(db) == [("sheets", "sheet s1 says 3 rows and has 2")]
    change(db, "drop table rows_s1")
    assert "storage" in [check for check, _ in found(db)]


def test_a_missing_artifact_folder_is_found(db):
    shutil.rmtree(db.artifacts)
    assert [check for check, _ in found(db)] == ["artifacts"]


def test_services_add_their_own_checks(db):
    mine = Check("mine", ("settings",), "select 'no settings' where not exists (from settings)", "Write one.")
    absent = Check("mine", ("nowhere",), "select * from nowhere")
    assert [(f.check, f.finding, f.remedy) for f in doctor(db, [mine, absent])] == [("mine", "no settings", "Write one.")]


def test_a_check_that_breaks_is_a_finding_and_the_others_are_made(db):
    broken = Check("broken", ("jobs",), "select error('cannot be read')")
    other = Check("other", ("jobs",), "select 'found'")

    assert found(db, [broken, other]) == [
        ("broken", "the check broken cannot be made: Invalid Input Error: cannot be read"),
        ("other", "found"),
    ]
