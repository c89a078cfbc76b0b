"""Leases on pairs: nobody else decides on a pair while somebody holds it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from workbench.contract import current
from workbench.domain.generate import TrainingSheet
from workbench.errors import Conflict
from workbench.services.decisions import named
from workbench.services.pairs import fetched
from workbench.services.queues import Condition, Order, beyond
from workbench.services.votes import WAITING
from workbench.store import Database


@dataclass(frozen=True)
class Wish:
    """Say how many pairs are wanted, in which order, behind which one, and for how long.

    With `take_over` also those that the caller holds from elsewhere, as before a restart.
    """

    count: int
    lease_seconds: int
    order: Order
    after: int | None = None
    take_over: bool = False


def hand_out(
    db: Database, queue: Condition, made: TrainingSheet, wish: Wish, now: dt.datetime
) -> tuple[list[dict[str, Any]], dt.datetime]:
    """Lease the first pairs of a queue that are free for the caller; runs under the write lock."""
    who = current()
    expires_at = now + dt.timedelta(seconds=wish.lease_seconds)
    db.execute("delete from claims where expires_at <= ?", [now])
    if wish.take_over:
        _take_over(db, queue, made.id)
    free = _FREE_OF_MANY if made.overlap > 1 else _FREE_OF_ONE
    behind = _behind(db, made.id, wish)
    known = queue.values | behind.values
    known |= {"training_sheet_id": made.id, "holder": who.actor, "client": who.client, "overlap": made.overlap}
    sql = (
        f"select row_index from pair_rows where {queue.sql} and {behind.sql} and {free} "
        f"order by {wish.order.sql} {wish.order.direction}, row_index limit {wish.count}"
    )
    taken = [row[0] for row in db.tuples(sql, named(sql, known))]
    drop(db, made.id, taken, only=who.actor if made.overlap > 1 else None)
    db.execute("insert into claims select ?, unnest(?::bigint[]), ?, ?, ?", [made.id, taken, who.actor, who.client, expires_at])
    return fetched(db, made.id, taken), expires_at


def _behind(db: Database, training_sheet_id: str, wish: Wish) -> Condition:
    if wish.after is None:
        return Condition("true", {})
    return beyond(wish.order, wish.order.key(db, training_sheet_id, wish.after), wish.after, forward=True)


def _take_over(db: Database, queue: Condition, training_sheet_id: str) -> None:
    """Let what the caller holds of a queue belong to the client that asks."""
    who = current()
    sql = (
        "update claims set client = $client where training_sheet_id = $training_sheet_id and holder = $holder "
        f"and client <> $client and row_index in (select row_index from pair_rows where {queue.sql})"
    )
    known = queue.values | {"training_sheet_id": training_sheet_id, "holder": who.actor, "client": who.client}
    db.execute(sql, named(sql, known))


_FREE_OF_ONE = (
    "row_index not in (select row_index from claims where training_sheet_id = $training_sheet_id "
    "and not (holder = $holder and client = $client))"
)
# As many people at once as votes are missing, and nobody in two of their windows.
_FREE_OF_MANY = (
    f"{WAITING} and not disputed and row_index not in (select row_index from votes "
    "where training_sheet_id = $training_sheet_id and voter = $holder and ended_by is null) "
    "and row_index not in (select c.row_index from claims c join pair_rows p "
    "on p.training_sheet_id = c.training_sheet_id and p.row_index = c.row_index "
    "where c.training_sheet_id = $training_sheet_id group by c.row_index, p.votes "
    "having bool_or(c.holder = $holder and c.client <> $client) "
    "or p.votes + count(distinct c.holder) filter (where c.holder <> $holder) >= $overlap)"
)


def drop(db: Database, training_sheet_id: str, row_indices: list[int], *, only: str | None = None) -> None:
    """End the leases on pairs, of one person or whoever holds them."""
    whose = "" if only is None else " and holder = ?"
    db.execute(
        f"delete from claims where training_sheet_id = ? and list_contains(?::bigint[], row_index){whose}",
        [training_sheet_id, row_indices, *([] if only is None else [only])],
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


def in_the_way(db: Database, made: TrainingSheet, row: dict[str, Any], now: dt.datetime) -> tuple[str, dt.datetime] | None:
    """Return who holds all the votes that a pair still wants, and until when: of several people, one more would be too many."""
    who = current()
    leases = db.tuples(
        "select holder, max(expires_at), bool_or(holder = ?) from claims where training_sheet_id = ? and row_index = ? "
        "and expires_at > ? group by holder order by 2",
        [who.actor, made.id, row["row_index"], now],
    )
    others = [(holder, until) for holder, until, own in leases if not own]
    if len(others) < len(leases) or row["votes"] + len(others) < made.overlap or not others:
        return None
    return others[0]


def keeper(db: Database, made: TrainingSheet, row: dict[str, Any], now: dt.datetime) -> tuple[str, dt.datetime] | None:
    """Return whose work keeps the caller from a pair, and until when."""
    if made.overlap > 1:
        return in_the_way(db, made, row, now)
    return foreign_holder(db, made.id, row["row_index"], now)


def refuse_foreign(db: Database, made: TrainingSheet, row: dict[str, Any], now: dt.datetime) -> None:
    """Raise Conflict when somebody else's work keeps the caller from a pair."""
    held = keeper(db, made, row, now)
    if held is None:
        return
    holder, expires_at = held
    raise Conflict(
        f"{holder} is working on this pair until {expires_at:%H:%M:%S} UTC. Take another one, or wait.",
        holder=holder,
        expires_at=expires_at.isoformat() + "Z",
    )
