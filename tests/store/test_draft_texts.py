"""Drafts of older files, which kept a response that nobody had typed along with a prompt."""

from __future__ import annotations

import datetime as dt

from workbench.store import Database
from workbench.store import migrate as migrating

WHEN = dt.datetime(2026, 1, 2, 3, 4, 5)
PAIR = {
    "training_sheet_id": "assembly_1", "item_ref": "i", "prompt": "Q", "response": "A", "response_source": "imported",
    "status": "unlabeled", "stale": False, "prohibited_mask": 0, "sample": False, "created_at": WHEN, "updated_at": WHEN,
    "version": 3, "last_batch": 0,
}  # fmt: skip


def put(db, table, **values):
    marks = ", ".join("?" for _ in values)
    db.execute(f"insert into {table} ({', '.join(values)}) values ({marks})", list(values.values()))


def test_what_was_typed_stays_and_what_only_stood_beside_it_goes(path, monkeypatch):
    release = migrating.shipped()
    monkeypatch.setattr(migrating, "shipped", lambda: [one for one in release if one.number < 27])
    with Database.open(path) as db, db.write():
        for row, (response, prompt) in enumerate([("A", "my prompt"), ("mine", None), ("mine", "my prompt")]):
            put(db, "pair_rows", row_index=row, **PAIR)
            typed = {"response": response, "prompt": prompt, "author": "ann", "saved_at": WHEN}
            put(db, "drafts", training_sheet_id="assembly_1", row_index=row, **typed)
    monkeypatch.setattr(migrating, "shipped", lambda: release)
    with Database.open(path) as db:
        found = db.tuples("select response, prompt, version, saved_at from drafts order by row_index")

    assert [(None, "my prompt", None, WHEN), ("mine", None, None, WHEN), ("mine", "my prompt", None, WHEN)] == found
