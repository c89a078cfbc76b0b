"""Pairs as they are read: one place that turns rows into what people see."""

from __future__ import annotations

import functools
import json
from typing import Any

from workbench.contract import current
from workbench.domain.blank import is_blank
from workbench.domain.data import Sheet, limits_told
from workbench.domain.generate import TrainingSheet
from workbench.domain.item import item_told
from workbench.domain.label import PAIR_LIFECYCLE, uses_of
from workbench.domain.record import Action
from workbench.services import votes
from workbench.services.external import readable
from workbench.services.sheet_rows import rows_table
from workbench.store import Database
from workbench.store.transaction import quoted

COLUMNS = (
    "training_sheet_id",
    "row_index",
    "source_index",
    "item_ref",
    "prompt",
    "response",
    "original_response",
    "response_source",
    "status",
    "flag_reason",
    "stale",
    "confidence",
    "simulated",
    "notes",
    "labeled_by",
    "labeled_at",
    "verified_by",
    "verified_at",
    "allowed_mask",
    "prohibited_mask",
    "canonical_label_id",
    "source_snapshot",
    "request_id",
    "model_version_id",
    "sample",
    "created_at",
    "updated_at",
    "version",
    "last_batch",
    "decided_batch",
    "signals",
    "training_loss",
    "votes",
    "dissent",
    "disputed",
)
LISTED = ", ".join(COLUMNS)
ARCHIVED = "The training sheet is archived. Restore it first."
# Joined to a list, only the rows wanted are unpacked; an IN with the values written out unpacks all: 10 against 150 ms.
AMONG = "{} in (select unnest(?::bigint[]))"

# The row of the sheet is not what the pair was made from any more; the snapshot is.
SOURCE_CHANGED = "(source_index is not null and source_snapshot is not null)"


def pair_id(training_sheet_id: str, row_index: int) -> str:
    """Return the id of a pair."""
    return f"{training_sheet_id}.{row_index}"


def fetched(db: Database, training_sheet_id: str, row_indices: list[int]) -> list[dict[str, Any]]:
    """Return rows of `pair_rows` in the order of the given indices."""
    if not row_indices:
        return []
    found = db.rows(
        f"select {LISTED} from pair_rows where training_sheet_id = ? and {AMONG.format('row_index')}",
        [training_sheet_id, row_indices],
    )
    by_index = {row["row_index"]: row for row in found}
    return [by_index[index] for index in row_indices]


def present(db: Database, rows: list[dict[str, Any]], sheet: Sheet | None, made: TrainingSheet) -> list[dict[str, Any]]:
    """Return rows of `pair_rows` as the values of Pair, with source rows and allowed actions."""
    sources = source_rows(db, sheet, [row["source_index"] for row in rows])
    mine: dict[int, str] = {}
    if made.overlap > 1 and rows:
        mine = votes.of_person(db, rows[0]["training_sheet_id"], [row["row_index"] for row in rows], current().actor)
    limits = limits_told(sheet.tags) if sheet is not None else None
    return [_presented(row, sources, made, mine.get(row["row_index"]), limits) for row in rows]


def _presented(
    row: dict[str, Any], sources: dict[int, dict[str, Any]], made: TrainingSheet, mine: str | None, limits: str | None
) -> dict[str, Any]:
    shown, overlap = dict(row), made.overlap
    allowed, prohibited, snapshot = (shown.pop(name) for name in ("allowed_mask", "prohibited_mask", "source_snapshot"))
    for name in ("last_batch", "decided_batch", "votes", "dissent", "disputed"):
        shown.pop(name, None)
    measured, loss = shown.pop("signals", None), shown.pop("training_loss", None)
    blank = is_blank(row["response"])
    review = review_of(row, overlap, mine)
    return shown | {
        "id": pair_id(row["training_sheet_id"], row["row_index"]),
        "about": item_told(row["item_ref"]),
        "allowed_uses": uses_of(allowed),
        "prohibited_uses": uses_of(prohibited) or (),
        "source_data": json.loads(snapshot) if snapshot else sources.get(row["source_index"]),
        "quality": None if measured is None and loss is None else {**(measured or {}), "training_loss": loss},
        "source_changed": snapshot is not None and row["source_index"] is not None,
        "review": review,
        "actions": actions_of(
            row["status"],
            bool(row["stale"]),
            blank,
            review["state"] if overlap > 1 or row["disputed"] else None,
            mine,
            limits,
            archived=made.status == "archived",
        ),
    }


def review_of(row: dict[str, Any], overlap: int, mine: str | None) -> dict[str, Any]:
    """Return how far the people who share a pair have come."""
    decided = row["status"] in ("labeled", "rejected") or (row["status"] == "flagged" and overlap > 1)
    settled = decided and not row["stale"]
    state = "disputed" if row["disputed"] else "agreed" if settled else "open"
    return {"wanted": overlap, "done": row["votes"] or int(settled), "state": state, "mine": mine}


@functools.lru_cache(maxsize=256)
def actions_of(
    status: str,
    stale: bool,
    blank: bool,
    shared: str | None = None,
    mine: str | None = None,
    limits: str | None = None,
    *,
    archived: bool = False,
) -> tuple[Action, ...]:
    """Return what may be done to a pair in this state.

    `shared` is how far several reviewers are, if there are several; `limits` what the tags of the sheet prohibit anyway.
    """
    blocked = {}
    if archived:
        blocked = dict.fromkeys(PAIR_LIFECYCLE.moves, ARCHIVED)
    elif shared == "open" and mine is not None:
        blocked[mine] = "It is your vote already."
        if blank:
            blocked["approve"] = "The response is empty."
    elif shared == "disputed":
        blocked = dict.fromkeys(("approve", "reject", "flag"), "Its reviewers disagree. It waits for adjudication.")
    elif shared == "agreed":
        blocked = dict.fromkeys(
            ("approve", "reject", "flag"), "Its reviewers have settled it. Reset it to have it voted on anew."
        )
    else:
        if blank:
            blocked["approve"] = "The response is empty."
        elif status == "labeled" and not stale:
            blocked["approve"] = "It is approved already."
        if status == "unlabeled":
            blocked["reset"] = "Nobody has decided on it yet."
    found = PAIR_LIFECYCLE.actions({"status": status}, blocked=blocked)
    return tuple(one.with_(reason=limits) if limits and one.enabled and one.name == "rights" else one for one in found)


def source_rows(db: Database, sheet: Sheet | None, indices: list[int | None]) -> dict[int, dict[str, Any]]:
    """Return source rows by their index."""
    wanted = sorted({index for index in indices if index is not None})
    if sheet is None or not wanted or not readable(sheet):
        return {}
    listed = ", ".join(quoted(column.name) for column in sheet.columns)
    some, values = ("_row = ?", wanted) if len(wanted) == 1 else (AMONG.format("_row"), [wanted])
    found = db.tuples(f"select _row, {listed} from {rows_table(sheet.id)} where {some}", values)
    names = [column.name for column in sheet.columns]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}
