"""The schema: applied once, backed up before, never older than the file."""

from __future__ import annotations

import pytest

from workbench.errors import DatabaseTooNew, WorkbenchError
from workbench.store import Database
from workbench.store.migrate import Migration, applied_migrations, migrate, shipped

NEW = Migration(9001, "more", "create table more(id varchar primary key); insert into more values ('a');")


def test_shipped_migrations_apply_once(path):
    with Database.open(path) as db:
        assert list(applied_migrations(db)) == [migration.number for migration in shipped()]
        assert migrate(db) == []


def test_a_pending_migration_applies_after_a_backup(path):
    Database.open(path).close()
    with Database.open(path) as db:
        assert migrate(db, [*shipped(), NEW]) == [9001]
        assert db.value("select id from more") == "a"
    backup = path.with_name("team.duckdb.before-9001")
    with Database.open(backup) as before:
        assert 9001 not in applied_migrations(before)


def test_a_failing_migration_leaves_nothing_behind(path):
    broken = Migration(9001, "broken", "create table half(i int); select * from nowhere;")
    with Database.open(path) as db:
        with pytest.raises(WorkbenchError, match="9001_broken failed"):
            migrate(db, [*shipped(), broken])
        assert db.value("select count(*) from duckdb_tables() where table_name = 'half'") == 0
        assert 9001 not in applied_migrations(db)


def test_a_newer_file_is_refused(path):
    with Database.open(path) as db:
        migrate(db, [*shipped(), NEW])
    with pytest.raises(DatabaseTooNew, match="schema 9001"):
        Database.open(path)
    with pytest.raises(DatabaseTooNew):
        Database.open(path)


def test_an_altered_migration_is_refused(db):
    first = shipped()[0]
    altered = Migration(first.number, first.name, first.sql + "\n-- changed")
    with pytest.raises(WorkbenchError, match="differs"):
        migrate(db, [altered, *shipped()[1:]])


def test_tables_have_no_foreign_keys_no_indexes_and_no_reserved_column(db):
    assert db.value("select count(*) from duckdb_constraints() where constraint_type = 'FOREIGN KEY'") == 0
    assert db.value("select count(*) from duckdb_indexes()") == 0
    assert db.value("select count(*) from duckdb_columns() where column_name = 'at' and not internal") == 0
    assert db.value("select count(*) from duckdb_columns() where data_type like '%TIME ZONE%' and not internal") == 0
