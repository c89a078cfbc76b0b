"""Pairs whose right answer is known, hidden among the others to see how reviewers do."""

from __future__ import annotations

import datetime as dt
from typing import Any

from workbench.contract import Page
from workbench.domain.agreement import GoldOutcome, KnownAnswer
from workbench.domain.generate import TrainingSheet
from workbench.domain.item import item_told
from workbench.domain.label import ACTION_OF_STATUS, VOTES, Gold
from workbench.domain.record import Action
from workbench.domain.wording import grouped
from workbench.errors import ValidationError
from workbench.services.agreement import CORRECT, WORK
from workbench.services.disputes import WORDS
from workbench.services.figures import percent
from workbench.services.pairs import ARCHIVED
from workbench.store import Database

KEEP, FORGET = "Keep as known answer", "No longer a known answer"
# A pair that was taken back may be marked still.
_LISTED = f"""
{WORK}
select g.row_index, g.action, g.response, g.marked_by, g.marked_at, coalesce(any_value(p.item_ref), '') as item_ref,
    coalesce(any_value(p.prompt), '') as prompt, count(w.voter) as votes, count(w.voter) filter (where {CORRECT}) as correct
from (select * from gold where training_sheet_id = $sheet order by row_index limit $size offset $first) g
left join pair_rows p on p.training_sheet_id = $sheet and p.row_index = g.row_index
left join work w on w.row_index = g.row_index
group by all order by g.row_index
"""


def mark(db: Database, training_sheet_id: str, items: list[Gold], actor: str, now: dt.datetime) -> GoldOutcome:
    """Remember what should become of some pairs; a pair marked before gets the new answer."""
    places = [item.row_index for item in items]
    _refuse(db, training_sheet_id, places)
    unmark(db, training_sheet_id, places)
    db.execute(
        "insert into gold select ?, unnest(?::bigint[]), unnest(?::varchar[]), unnest(?::varchar[]), ?, ?",
        [training_sheet_id, places, [item.action for item in items], [item.response for item in items], actor, now],
    )
    return _outcome(db, training_sheet_id, len(items))


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
    return _outcome(db, training_sheet_id, len(gone))


def _outcome(db: Database, training_sheet_id: str, done: int) -> GoldOutcome:
    total = _total(db, training_sheet_id)
    words = f"{grouped(total)} pair{' has' if total == 1 else 's have'} a known answer now." if total else "No pair has a known answer now."
    return GoldOutcome(done=done, total=total, summary=words)


def _total(db: Database, training_sheet_id: str) -> int:
    return db.value("select count(*) from gold where training_sheet_id = ?", [training_sheet_id])


def page(db: Database, made: TrainingSheet, number: int, size: int) -> Page[KnownAnswer]:
    """Return the marked pairs in their order, with how people do on them."""
    with db.read():
        rows = db.rows(_LISTED, {"sheet": made.id, "size": size, "first": (number - 1) * size})
        total = _total(db, made.id)
    action, opening = forgetting(made), made.template.opening if made.template else ""
    shown = [
        row
        | {
            "about": item_told(row["item_ref"]),
            "label": WORDS[row["action"]],
            "opening": opening,
            "percent_correct": percent(row["correct"], row["votes"]) if row["votes"] else None,
            "actions": [action],
        }
        for row in rows
    ]
    return Page(KnownAnswer, shown, total=total, page=number, page_size=size)


def forgetting(made: TrainingSheet) -> Action:
    """Return the action of forgetting the known answer to a pair."""
    return _action("unmark_gold", FORGET, made)


def _action(name: str, label: str, made: TrainingSheet) -> Action:
    archived = made.status == "archived"
    return Action(name=name, label=label, enabled=not archived, reason=ARCHIVED if archived else None)


def of_pair(db: Database, made: TrainingSheet, row: dict[str, Any]) -> tuple[Gold, Action]:
    """Return what is kept as the known answer to a pair, or would be as it stands, and what may be done about it."""
    found = db.row(
        "select row_index, action, response, marked_by, marked_at from gold where training_sheet_id = ? and row_index = ?",
        [made.id, row["row_index"]],
    )
    if found is not None:
        return Gold(**found), forgetting(made)
    action = ACTION_OF_STATUS[row["status"]]
    wished = Gold(row_index=row["row_index"], action=action if action in VOTES else "approve", response=row["response"] or None)
    return wished, _action("mark_gold", KEEP, made)
