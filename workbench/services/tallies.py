"""Tallies of pairs: counted over all of them once, then carried on with each single decision.

A decision moves one pair from one group to another, and to count a million pairs for that would take longer than
the decision. Anything bigger is counted anew.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import partial
from typing import Any, NamedTuple

from workbench.domain.blank import is_blank
from workbench.domain.label import USES
from workbench.services.decisions import NO_DECISIONS
from workbench.store import Database

TOPICS = ("pairs",)
TRAINING = 1 << USES.index("training")


class State(NamedTuple):
    """Name all that the figures of a review tell apart; who decided and when, where somebody did."""

    status: str
    stale: bool
    disputed: bool
    votes: int
    source: str
    actor: str | None
    day: dt.date | None


def by_state(db: Database, training_sheet_id: str) -> Counter[State]:
    """Count the pairs by all that the figures of a review tell apart."""
    return db.recall(("pairs by state", training_sheet_id), TOPICS, lambda: count_states(db, training_sheet_id))


def by_exclusion(db: Database, training_sheet_id: str) -> Counter[str | None]:
    """Count the pairs by what keeps them out of training; None for those that may be trained on."""
    return db.recall(("pairs by exclusion", training_sheet_id), TOPICS, lambda: count_exclusions(db, training_sheet_id))


def by_signals(db: Database, training_sheet_id: str) -> list[tuple[Any, ...]]:
    """Count the pairs by what was found on their texts."""
    return db.recall(("pairs by signals", training_sheet_id), TOPICS, lambda: count_signals(db, training_sheet_id))


def count_states(db: Database, training_sheet_id: str) -> Counter[State]:
    """Look at all pairs and count them by state."""
    # Pairs are counted by batch first: the batches are few, and only those that still count are looked up.
    sql = (
        "select p.status, p.stale, p.disputed, p.votes, p.response_source, b.actor, b.logged_at::date, sum(p.pairs)::bigint from ("
        "select status, stale, disputed, votes, response_source, last_batch, count(*) as pairs from pair_rows "
        "where training_sheet_id = ? group by all) p "
        f"left join batches b on b.number = p.last_batch and b.action not in {NO_DECISIONS} group by all"
    )
    return Counter({State(*group): count for *group, count in db.tuples(sql, [training_sheet_id])})


def count_exclusions(db: Database, training_sheet_id: str) -> Counter[str | None]:
    """Look at all pairs and count them by what keeps them out of training."""
    sql = "select excluded_by, count(*) from pair_eligibility where training_sheet_id = ? group by 1"
    return Counter(dict(db.tuples(sql, [training_sheet_id])))


def count_signals(db: Database, training_sheet_id: str) -> list[tuple[Any, ...]]:
    """Look at all pairs and count them by signals."""
    sql = (
        "select signals.language, signals.duplicates > 0, signals.near_duplicates > 0, signals.refusal, signals.pii_kinds, count(*) "
        "from pair_rows where training_sheet_id = ? and signals is not null group by all order by all"
    )
    return db.tuples(sql, [training_sheet_id])


def carry(db: Database, actor: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Carry the tallies on: one person has decided on one pair, and nobody votes on it."""
    sheet = after["training_sheet_id"]
    states = _state(before, *_decided(db, before["last_batch"])), _state(after, actor, after["updated_at"].date())
    excluded = excluded_by(before), excluded_by(after)
    db.carry(("pairs by state", sheet), TOPICS, partial(_moved, *states))
    db.carry(("pairs by exclusion", sheet), TOPICS, partial(_moved, *excluded))
    db.carry(("pairs by signals", sheet), TOPICS, lambda groups: groups if before["signals"] == after["signals"] else None)


def _moved(old: Any, new: Any, counted: Counter[Any]) -> Counter[Any] | None:
    """Return the counts with one pair in another group, or None where they know nothing of the group it left."""
    if not counted[old]:
        return None
    moved = counted.copy()
    moved[old] -= 1
    moved[new] += 1
    return +moved


def _state(row: dict[str, Any], actor: str | None, day: dt.date | None) -> State:
    return State(row["status"], row["stale"], row["disputed"], row["votes"], row["response_source"], actor, day)


def _decided(db: Database, batch: int | None) -> tuple[str | None, dt.date | None]:
    """Return who decided in a batch and on which day; a batch never becomes another."""
    if not batch:
        return None, None
    sql = f"select actor, logged_at::date from batches where number = ? and action not in {NO_DECISIONS}"
    found = db.recall(("who decided", batch), (), lambda: db.tuples(sql, [batch]))
    return found[0] if found else (None, None)


def excluded_by(row: dict[str, Any]) -> str | None:
    """Return what keeps one pair out of training, as the view `pair_eligibility` says it of many."""
    if row["status"] != "labeled":
        return row["status"]
    if row["stale"]:
        return "stale"
    if row["prohibited_mask"] & TRAINING:
        return "prohibited"
    if row["allowed_mask"] is not None and not row["allowed_mask"] & TRAINING:
        return "not_allowed"
    return "blank" if is_blank(row["prompt"]) or is_blank(row["response"]) else None
