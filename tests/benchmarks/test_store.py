"""What a single write, a point read and a page cost."""

from __future__ import annotations

import param
import pytest

from workbench.clock import FrozenClock
from workbench.domain.record import Items, Record, Time
from workbench.store import Database, Records, columns_of

ROWS = 20_000


class Note(Record):
    """A middling record."""

    kind = "note"
    table = "notes"

    id = param.String("", doc="Identity.")
    text = param.String("", doc="Words.")
    rank = param.Integer(0, doc="Place.")
    share = param.Number(None, allow_None=True, doc="Share.")
    tags = Items(doc="Tags.")
    created_at = Time(None, allow_None=True, doc="Made.")
    updated_at = Time(None, allow_None=True, doc="Changed.")
    version = param.Integer(1, doc="Counts the changes.")


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    with Database.open(tmp_path_factory.mktemp("store") / "bench.duckdb", clock=FrozenClock()) as db:
        columns = ", ".join(f"{name} {kind}{' primary key' if name == 'id' else ''}" for name, kind in columns_of(Note))
        with db.write():
            db.execute(f"create table notes({columns})")
            db.execute(
                f"insert into notes select 'n' || i, 'words ' || i, i, i / 7, ['a'], timestamp '2026-01-01' + to_seconds(i), null, 1 "
                f"from range({ROWS}) t(i)"
            )
        yield Records(db, Note)


def test_point_read(benchmark, notes):
    assert benchmark(notes.get, "n777").rank == 777


def test_single_write_with_event(benchmark, notes):
    changed = benchmark(lambda: notes.update("n5", text="other"))
    assert changed.version > 1


def test_page_of_fifty(benchmark, notes):
    page = benchmark(lambda: notes.page("rank >= ?", [100], page=3))
    assert page.total == ROWS - 100
    assert len(page.rows) == 50


def test_user_query(benchmark, notes):
    from workbench.store.sandbox import query

    table = benchmark(
        lambda: query(notes.db, "select count(*) as n from notes where rank > ?", [10], allowed={"notes"}, seconds=5)
    )
    assert table.to_pylist() == [{"n": ROWS - 11}]
