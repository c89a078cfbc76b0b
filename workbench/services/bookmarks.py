"""Where reviewers are in a training sheet, kept so that a view made anew opens there."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from workbench.contract.codec import decode_record, encode_record
from workbench.domain.label import Bookmark, PairFilter
from workbench.services import cards, queues
from workbench.store import Database

# Where everybody begins.
FRONT = Bookmark(filter=PairFilter(status="to_review"))


def keep(db: Database, training_sheet_id: str, reviewer: str, place: Bookmark, now: dt.datetime) -> Bookmark:
    """Remember the pair that somebody has open and its queue, in place of what they had open before."""
    told = json.dumps(encode_record(place.filter))
    values = [training_sheet_id, reviewer, place.row_index, told, place.order, place.descending, place.shared, now]
    db.execute("insert or replace into bookmarks values (?, ?, ?, ?, ?, ?, ?, ?)", values)
    return place.with_(kept_at=now)


def find(db: Database, training_sheet_id: str, reviewer: str) -> Bookmark:
    """Return where somebody is: the pair they had open last, or typed into since."""
    mine = [training_sheet_id, reviewer]
    kept = db.row(
        'select row_index, filter, "order", descending, shared, kept_at from bookmarks '
        "where training_sheet_id = ? and reviewer = ?",
        mine,
    )
    found = Bookmark(**kept | {"filter": _filter(kept["filter"])}) if kept else FRONT
    typed = db.row(_TYPED, mine)
    if typed is None or (found.kept_at is not None and typed["saved_at"] < found.kept_at):
        return found
    if typed["row_index"] == found.row_index:
        return found.with_(typed=True)
    return FRONT.with_(row_index=typed["row_index"], typed=True, shared=found.shared, kept_at=typed["saved_at"])


_TYPED = (
    "select d.row_index, d.saved_at from drafts d "
    "join pair_rows p on p.training_sheet_id = d.training_sheet_id and p.row_index = d.row_index "
    "where d.training_sheet_id = ? and d.author = ? and (d.response <> p.response or d.prompt <> p.prompt) "
    "order by d.saved_at desc, d.row_index desc limit 1"
)


def _filter(told: str) -> Any:
    return decode_record(PairFilter, json.loads(told))


def going_on(db: Database, training_sheet_id: str, place: Bookmark, queue: queues.Condition, order: queues.Order) -> int | None:
    """Return the pair of a queue to go on with: the one that was open, or else the next one; none: the first."""
    if place.row_index is None or place.typed:
        return place.row_index
    around = cards.neighbors(db, training_sheet_id, place.row_index, queue, order)
    return place.row_index if around["position"] is not None else around["next_index"]
