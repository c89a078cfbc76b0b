"""Leases on pairs: nobody else decides on a pair while somebody holds it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from workbench.contract import current
from workbench.errors import Conflict
from workbench.services.pairs import fetched
from workbench.services.queues import Condition
from workbench.store import Database


def hand_out(
    db: Database, wanted: Condition, training_sheet_id: str, count: int, lease_seconds: int, now: dt.datetime
) -> tuple[list[dict[str, Any]], dt.datetime]:
    """Lease the first pairs of a queue that nobody else holds; runs under the write lock."""
    who = current()
    expires_at = now + dt.timedelta(seconds=lease_seconds)
    db.execute("delete from claims where expires_at <= ?", [now])
    known = wanted.values | {"training_sheet_id": training_sheet_id, "holder": who.actor, "client": who.client}
    found = db.tuples(
        f"select row_index from pair_rows where {wanted.sql} and row_index not in (select row_index from claims "
        "where training_sheet_id = $training_sheet_id and not (holder = $holder and client = $client)) "
        f"order by row_index limit {count}",
        known,
    )
    taken = [row[0] for row in found]
    drop(db, training_sheet_id, taken)
    db.execute(
        "insert into claims select ?, unnest(?::bigint[]), ?, ?, ?", [training_sheet_id, taken, who.actor, who.client, expires_at]
    )
    return fetched(db, training_sheet_id, taken), expires_at


def drop(db: Database, training_sheet_id: str, row_indices: list[int]) -> None:
    """End the leases on pairs, whoever holds them."""
    db.execute(
        "delete from claims where training_sheet_id = ? and list_contains(?::bigint[], row_index)",
        [training_sheet_id, row_indices],
    )


def release(db: Database, training_sheet_id: str, row_indices: list[int] | None) -> int:
    """End the caller's own leases and return their number."""
    who = current()
    some = "" if row_indices is None else " and list_contains(?::bigint[], row_index)"
    params: list[Any] = [training_sheet_id, who.actor, who.client, *([] if row_indices is None else [row_indices])]
    ended = db.execute(
        f"delete from claims where training_sheet_id = ? and holder = ? and client = ?{some} returning row_index", params
    )
    return len(ended)


def foreign_holder(db: Database, training_sheet_id: str, row_index: int, now: dt.datetime) -> tuple[str, dt.datetime] | None:
    """Return who else holds a pair, and until when."""
    who = current()
    found = db.tuples(
        "select holder, expires_at from claims where training_sheet_id = ? and row_index = ? and expires_at > ? "
        "and not (holder = ? and client = ?)",
        [training_sheet_id, row_index, now, who.actor, who.client],
    )
    return found[0] if found else None


def refuse_foreign(db: Database, training_sheet_id: str, row_index: int, now: dt.datetime) -> None:
    """Raise Conflict when somebody else holds the pair."""
    held = foreign_holder(db, training_sheet_id, row_index, now)
    if held is None:
        return
    holder, expires_at = held
    raise Conflict(
        f"{holder} is working on this pair until {expires_at:%H:%M:%S} UTC. Take another one, or wait.",
        holder=holder,
        expires_at=expires_at.isoformat() + "Z",
    )
