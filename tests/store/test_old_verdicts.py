"""Verdicts in older files, where only the latest change of a pair was named: found again in the log."""

from __future__ import annotations

import datetime as dt

import pytest

from workbench.services.decisions import STATE
from workbench.store import Database
from workbench.store import migrate as migrating

EARLY = dt.datetime(2026, 1, 2, 3, 4, 5)
LATE = dt.datetime(2026, 1, 3, 3, 4, 5)
PAIR = {
    "training_sheet_id": "assembly_1", "item_ref": "i", "prompt": "Q", "response": "A", "response_source": "imported",
    "prohibited_mask": 0, "sample": False, "created_at": EARLY, "updated_at": EARLY, "version": 3,
}  # fmt: skip
OPEN = {name: None for name in STATE if name != "last_batch"} | {"status": "unlabeled", "stale": False}
ANN = OPEN | {"status": "labeled", "labeled_by": "ann", "labeled_at": EARLY}
BOB = ANN | {"labeled_by": "bob", "labeled_at": LATE}
REJECTED = OPEN | {"status": "rejected"}
FLAGGED = OPEN | {"status": "flagged", "flag_reason": "gone"}
STALE = ANN | {"stale": True}
FIRST = {"last_batch": 0}
# What happened to each pair: batch, action, by whom, the state that it made or led back to; then the verdict the pair stands under.
LIVES = [
    ([(1, "approve", "ann", ANN), (2, "rights", "bob", ANN), (3, "edit", "bob", ANN)], 1),
    ([(1, "approve", "ann", ANN), (4, "reject", "bob", REJECTED), (5, "undo", "bob", ANN | {"last_batch": 1})], 1),
    ([(4, "reject", "bob", REJECTED), (5, "undo", "bob", OPEN | FIRST), (6, "redo", "bob", REJECTED | {"last_batch": 4})], 4),
    ([(4, "reject", "bob", REJECTED), (7, "reset", "ann", OPEN), (8, "rights", "ann", OPEN)], None),
    ([(1, "approve", "ann", ANN), (3, "edit", "bob", BOB)], 3),
    ([(9, "generate", "ann", FLAGGED)], None),
    ([(1, "approve", "ann", ANN), (10, "reassemble", "bob", STALE), (11, "rights", "bob", STALE)], 1),
    ([(1, "approve", "ann", ANN), (10, "reassemble", "bob", FLAGGED)], None),
    ([(1, "approve", "ann", ANN), (2, "rights", "bob", ANN), (4, "reject", "bob", REJECTED), (12, "restore", "cy", ANN)], 1),
    ([(13, "import", "ada", ANN), (14, "reset", "bob", OPEN), (15, "restore", "cy", OPEN)], None),
    ([(16, "vote", "ann", OPEN | FIRST), (18, "settle", "cy", BOB)], 17),
    ([(17, "vote", "bob", BOB), (20, "rights", "cy", BOB)], 17),
    ([(19, "adjudicate", "dot", REJECTED)], 19),
    ([], None),
]


def put(db, table, **values):
    marks = ", ".join("?" for _ in values)
    db.execute(f"insert into {table} ({', '.join(values)}) values ({marks})", list(values.values()))


def live(db, row, steps):
    """Write what happened to one pair as it was written then."""
    now = OPEN | FIRST
    for batch, action, actor, state in steps:
        then, now = now, {"last_batch": batch} | state
        when = LATE if actor == "bob" else EARLY
        logged = {"id": 100 * row + batch, "batch": batch, "row_index": row, "action": action, "actor": actor, "logged_at": when}
        put(db, "decision_log", training_sheet_id="assembly_1", pair_version=batch, before=then, after=now, **logged)
    put(db, "pair_rows", row_index=row, **PAIR, **now)


@pytest.fixture
def moved(path, monkeypatch):
    """Return a database that was written before verdicts were kept, opened anew."""
    release = migrating.shipped()
    monkeypatch.setattr(migrating, "shipped", lambda: [one for one in release if one.number < 28])
    with Database.open(path) as db, db.write():
        for row, (steps, _) in enumerate(LIVES):
            live(db, row, steps)
        for batch, voter, ended in ((16, "ann", None), (17, "bob", None), (15, "eve", 16)):
            cast = {"action": "approve", "response": "A", "logged_at": EARLY, "upon": 0, "ended_by": ended}
            put(db, "votes", batch=batch, training_sheet_id="assembly_1", row_index=10, voter=voter, **cast)
    monkeypatch.setattr(migrating, "shipped", lambda: release)
    with Database.open(path) as db:
        yield db


def test_each_pair_stands_under_its_verdict(moved):
    assert moved.tuples("select decided_batch from pair_rows order by row_index") == [(verdict,) for _, verdict in LIVES]


@pytest.mark.parametrize(
    ("row", "verdicts"),
    [
        (0, [(None, 1), (1, 1), (1, 1)]),
        (1, [(None, 1), (1, 4), (4, 1)]),
        (2, [(None, 4), (4, None), (None, 4)]),
        (8, [(None, 1), (1, 1), (1, 4), (4, 1)]),
        (10, [(None, None), (None, 17)]),
    ],
)
def test_the_log_says_what_undo_has_to_bring_back(moved, row, verdicts):
    sql = "select decided_before, decided_after from decisions where row_index = ? order by id"
    assert moved.tuples(sql, [row]) == verdicts
