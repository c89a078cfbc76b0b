"""A rule gives one pair what it gives many: both spellings of it mean the same."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from workbench.contract import UNSET
from workbench.services import becoming, judging
from workbench.services.decisions import Change, named
from workbench.store import Database

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, 678901)
KNOWN = {"actor": "ann", "now": NOW, "sheet_id": "sheet_1", "label_type": "ärt", "barred": 2}
PAIR = {
    "item_ref": "it's 'ö' \x1f 7", "prompt": "p", "response": "one", "original_response": None, "response_source": "ai_generated",
    "status": "flagged", "flag_reason": "odd", "stale": True, "simulated": True, "notes": None, "labeled_by": None,
    "labeled_at": None, "verified_by": None, "verified_at": None, "allowed_mask": 3, "prohibited_mask": 0,
    "canonical_label_id": None,
}  # fmt: skip
CHANGES = {
    "approve": ("approve", {}),
    "reject": ("reject", {}),
    "flag keeps the reason": ("flag", {}),
    "flag anew": ("flag", {"flag_reason": "worse"}),
    "reset": ("reset", {}),
    "edit": ("approve", {"response": "two", "prompt": "q", "notes": "n"}),
    "rights": (None, {"allowed_uses": None, "prohibited_uses": ["training", "testing"]}),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("first", [None, "zero"])
def test_one_pair_becomes_what_many_become(name: str, first: str | None) -> None:
    action, told = CHANGES[name]
    pair = PAIR | {"original_response": first}
    change = judging.judged(pair, action, told)
    with Database.open() as db:
        columns = ", ".join(f"$is_{column} as {column}" for column in pair)
        asked = f"select {', '.join(change.columns.values())}, {change.differs} from (select {columns})"
        values = KNOWN | change.values | {f"is_{column}": value for column, value in pair.items()}
        *many, differs = db.tuples(asked, named(asked, values))[0]
    one = change.on_one(pair | {"signals": {"words": 1}, "training_loss": 1.0}, KNOWN)

    assert differs and one is not None
    assert {column: one[column] for column in change.columns} == dict(zip(change.columns, many, strict=True))


def test_nothing_new_is_no_change() -> None:
    change = Change("flag", *judging.state_columns("flag", UNSET))

    assert change.on_one(PAIR | {"stale": False}, KNOWN) is None


def test_another_text_forgets_what_was_measured() -> None:
    measured: dict[str, Any] = {"signals": {"words": 1}, "training_loss": 1.0}
    edited = judging.judged(PAIR, None, {"response": "two"}).on_one(PAIR | measured, KNOWN)
    flagged = judging.judged(PAIR, "flag", {"flag_reason": "new"}).on_one(PAIR | measured, KNOWN)

    assert edited is not None and (edited["signals"], edited["training_loss"]) == (None, None)
    assert flagged is not None and not {"signals", "training_loss"} & set(flagged)


@pytest.mark.parametrize("item", ["i1", "", "ünï 'quoted'", "a\x1fb"])
def test_the_id_of_a_label_is_the_one_of_the_database(item: str) -> None:
    with Database.open() as db:
        assert db.value("select canonical_id('s', ?, 'answer')", [item]) == becoming.canonical_id("s", item, "answer")
