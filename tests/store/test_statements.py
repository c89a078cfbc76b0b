"""A statement is read once and may be run by anybody, with any values, as long as its text is asked for."""

from __future__ import annotations

import threading

import duckdb
import pytest

from workbench.store import statements
from workbench.store.statements import Statements


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        yield opened


def test_a_text_is_read_once_for_all_cursors(connection):
    kept, asked = Statements(), []

    class Counting:
        def extract_statements(self, sql):
            asked.append(sql)
            return connection.extract_statements(sql)

    first = kept.parsed(Counting(), "select $n + 1")
    assert kept.parsed(Counting(), "select $n + 1") is first
    assert asked == ["select $n + 1"]
    assert [connection.cursor().execute(first, {"n": n}).fetchall() for n in (1, 5)] == [[(2,)], [(6,)]]


def test_a_statement_sees_the_tables_as_they_are_when_it_runs(connection):
    statement = Statements().parsed(connection, "select * from t")
    connection.execute("create table t as select 1 as a")
    assert connection.execute(statement).fetchall() == [(1,)]
    connection.execute("create or replace table t as select 'x' as a, 2 as b")
    assert connection.execute(statement).fetchall() == [("x", 2)]


def test_many_threads_run_one_statement_each_with_its_own_values(connection):
    statement, wrong = Statements().parsed(connection, "select ?, list_sum(range(?))"), []

    def ask(number):
        cursor = connection.cursor()
        for step in range(200):
            if cursor.execute(statement, [number, step]).fetchall()[0][0] != number:
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("sql", ["select 1; select 2", "", "select '" + "x" * statements.LONGEST + "'"])
def test_what_is_no_single_statement_or_very_long_stays_text(connection, sql):
    assert Statements().parsed(connection, sql) is sql


def test_only_so_many_are_kept_and_the_oldest_goes(connection, monkeypatch):
    monkeypatch.setattr(statements, "KEPT", 2)
    kept = Statements()
    one = kept.parsed(connection, "select 1")
    kept.parsed(connection, "select 2")
    assert kept.parsed(connection, "select 1") is one
    kept.parsed(connection, "select 3")
    assert kept.parsed(connection, "select 1") is one
    kept.parsed(connection, "select 4")
    assert len(kept) == 2
    assert kept.parsed(connection, "select 1") is one
