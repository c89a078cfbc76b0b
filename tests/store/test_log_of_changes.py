"""The log of decisions as older files keep it: whole states, which become what changed, with nothing lost."""

from __future__ import annotations

import datetime as dt

import pytest

from workbench.services.decisions import FACTS, STATE
from workbench.store import Database
from workbench.store import migrate as migrating

WHEN = dt.datetime(2026, 1, 2, 3, 4, 5)
HERE = {
    "status": "unlabeled", "flag_reason": None, "stale": False, "response_source": "imported", "confidence": 0.5, "simulated": False,
    "notes": "as found", "labeled_by": None, "labeled_at": None, "verified_by": None, "verified_at": None, "allowed_mask": None,
    "prohibited_mask": 4, "canonical_label_id": None, "last_batch": 0,
}  # fmt: skip
APPROVED = HERE | {"status": "labeled", "labeled_by": "ann", "labeled_at": WHEN, "canonical_label_id": "label_1", "last_batch": 1}
BARRED = APPROVED | {"prohibited_mask": 5, "last_batch": 2}
EDITED = BARRED | {"response_source": "human_verified", "verified_by": "bob", "verified_at": WHEN, "last_batch": 3}
NOWHERE = dict.fromkeys(HERE)
OLD_TEXTS = {"prompt": "Q", "response": "A", "original_response": None}
NEW_TEXTS = {"prompt": "Q", "response": "B", "original_response": "A"}
SOURCE = {"source_index": 7, "item_ref": "i7", "source_snapshot": None}
# What was logged in five batches: pair, states, texts, sources.
LOGGED = [
    (0, HERE, APPROVED, None, None, None, None),
    (0, APPROVED, BARRED, None, None, None, None),
    (0, BARRED, EDITED, OLD_TEXTS, NEW_TEXTS, None, None),
    (1, NOWHERE, HERE, None, OLD_TEXTS, None, SOURCE),
    (1, HERE, NOWHERE, OLD_TEXTS, None, SOURCE, None),
]


@pytest.fixture
def moved(path, monkeypatch):
    """Return a database that was written before the log kept changes only, opened anew."""
    release = migrating.shipped()
    monkeypatch.setattr(migrating, "shipped", lambda: [one for one in release if one.number < 26])
    with Database.open(path) as db, db.write():
        for number, (row, *rest) in enumerate(LOGGED, start=1):
            db.execute(
                "insert into decisions values (?, ?, 'assembly_1', ?, 'approve', 'ann', ?, ?, ?, ?, ?, ?, ?, ?)",
                [10 + number, number, row, WHEN, number + 1, *rest],
            )
    monkeypatch.setattr(migrating, "shipped", lambda: release)
    with Database.open(path) as db:
        yield db


def part(state, names):
    return {name: state[name] for name in names}


def test_every_decision_is_there_with_what_it_may_change(moved):
    found = moved.rows("select * from decision_log order by id")
    assert [(row["id"], row["batch"], row["row_index"], row["pair_version"]) for row in found] == [
        (11, 1, 0, 2), (12, 2, 0, 3), (13, 3, 0, 4), (14, 4, 1, 5), (15, 5, 1, 6),
    ]  # fmt: skip
    assert {(row["training_sheet_id"], row["action"], row["actor"], row["logged_at"]) for row in found} == {
        ("assembly_1", "approve", "ann", WHEN)
    }
    states = [(row["before"], row["after"]) for row in found]
    assert states == [(part(before, STATE), part(after, STATE)) for _, before, after, *_ in LOGGED]


def test_facts_are_kept_where_they_changed_and_texts_and_source_as_they_were(moved):
    found = moved.rows("select * exclude (batch, row_index, measured_before, measured_after) from decision_details order by batch")
    assert [tuple(row.values()) for row in found] == [
        (part(APPROVED, FACTS), part(BARRED, FACTS), None, None, None, None),
        (part(BARRED, FACTS), part(EDITED, FACTS), OLD_TEXTS, NEW_TEXTS, None, None),
        (None, part(HERE, FACTS), None, OLD_TEXTS, None, SOURCE),
        (part(HERE, FACTS), None, OLD_TEXTS, None, SOURCE, None),
    ]


def test_the_log_reads_as_one(moved):
    found = moved.rows("select id, facts_after.notes as notes, texts_after.response as response from decisions order by id")
    assert [tuple(row.values()) for row in found] == [
        (11, None, None), (12, "as found", None), (13, "as found", "B"), (14, "as found", "A"), (15, None, None),
    ]  # fmt: skip
