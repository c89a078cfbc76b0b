"""Pairs whose right answer is known, hidden among the others to see how reviewers do."""

from __future__ import annotations

import datetime as dt
from typing import Any

from workbench.contract import Page
from workbench.domain.agreement import Gold, GoldOutcome
from workbench.errors import ValidationError
from workbench.store import Database


def mark(db: Database, training_sheet_id: str, items: list[Gold], actor: str, now: dt.datetime) -> GoldOutcome:
    """Remember what should become of some pairs; a pair marked before gets the new answer."""
    places = [item.row_index for item in items]
    _refuse(db, training_sheet_id, places)
    unmark(db, training_sheet_id, places)
    db.execute(
        "insert into gold select ?, unnest(?::bigint[]), unnest(?::varchar[]), unnest(?::varchar[]), ?, ?",
        [training_sheet_id, places, [item.action for item in items], [item.response for item in items], actor, now],
    )
    return GoldOutcome(done=len(items), total=_total(db, training_sheet_id))


def _refuse(db: Database, training_sheet_id: str, places: list[int]) -> None:
    known = {
        row[0]
        for row in db.tuples(
            "select row_index from pair_rows where training_sheet_id = ? and list_contains(?::bigint[], row_index)",
            [training_sheet_id, places],
        )
    }
    faults = [
        {
            "field": f"items.{n}.row_index",
            "message": "there is no such pair" if place not in known else "is named twice",
            "value": place,
        }
        for n, place in enumerate(places)
        if place not in known or place in places[:n]
    ]
    if not places:
        faults = [{"field": "items", "message": "is empty; name at least one pair", "value": None}]
    if faults:
        raise ValidationError.of(faults)


def unmark(db: Database, training_sheet_id: str, places: list[int]) -> GoldOutcome:
    """Forget what should become of some pairs."""
    gone = db.execute(
        "delete from gold where training_sheet_id = ? and list_contains(?::bigint[], row_index) returning row_index",
        [training_sheet_id, places],
    )
    return GoldOutcome(done=len(gone), total=_total(db, training_sheet_id))


def _total(db: Database, training_sheet_id: str) -> int:
    return db.value("select count(*) from gold where training_sheet_id = ?", [training_sheet_id])


def page(db: Database, training_sheet_id: str, number: int, size: int) -> Page[Any]:
    """Return the marked pairs in their order."""
    rows = db.rows(
        "select row_index, action, response, marked_by, marked_at from gold where training_sheet_id = ? order by row_index "
        f"limit {size} offset {(number - 1) * size}",
        [training_sheet_id],
    )
    return Page(Gold, rows, total=_total(db, training_sheet_id), page=number, page_size=size)
