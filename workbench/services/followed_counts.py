"""Counts of pairs that follow a single decision: after it nothing is counted anew, however many pairs there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from workbench.domain.blank import is_blank
from workbench.services.decisions import Scope
from workbench.services.pairs import pair_id
from workbench.store import Database

BY_STATE, BY_SOURCE, BY_EXCLUSION = "pairs by state", "pairs by source", "pairs by exclusion"
BY_SIGNALS, BY_VOTER = "pairs by signals", "pairs by voter"
# Who made up the batch under whose verdict a pair stands, and on which day.
Verdict = tuple[str | None, dt.date | None]
_NOBODY: Verdict = (None, None)


def follow(db: Database, scope: Scope, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Move one pair, on which nobody votes, from what it counted among to what it counts among now."""
    old = _verdict(db, before["decided_batch"])
    new = (scope.actor, after["updated_at"].date()) if after["decided_batch"] == after["last_batch"] else old
    if after["decided_batch"] is None:
        new = _NOBODY
    moves: dict[Hashable, Callable[[Any], Any]] = {
        BY_STATE: lambda groups: _moved(groups, _state(before, old), _state(after, new)),
        BY_SOURCE: lambda groups: _moved(groups, (before["response_source"],), (after["response_source"],)),
        BY_EXCLUSION: lambda counts: dict(_moved(list(counts.items()), (excluded_by(before),), (excluded_by(after),))),
        BY_SIGNALS: lambda groups: groups if before["signals"] == after["signals"] else None,
        BY_VOTER: lambda groups: groups,
    }

    def change(key: tuple[Hashable, ...], answer: Any) -> Any:
        if key[0] not in moves:
            return None
        return moves[key[0]](answer) if key[1] == scope.training_sheet_id else answer

    db.carry("pairs", pair_id(scope.training_sheet_id, after["row_index"]), change)


def excluded_by(pair: Mapping[str, Any]) -> str | None:
    """Return the first reason that keeps a pair out of training, as the view `pair_eligibility` has it, or None."""
    if pair["status"] != "labeled":
        return pair["status"]
    if pair["stale"]:
        return "stale"
    if pair["prohibited_mask"] & 1:
        return "prohibited"
    if pair["allowed_mask"] is not None and not pair["allowed_mask"] & 1:
        return "not_allowed"
    return "blank" if is_blank(pair["prompt"]) or is_blank(pair["response"]) else None


def _verdict(db: Database, batch: int | None) -> Verdict:
    if batch is None:
        return _NOBODY
    found = db.tuples("select actor, logged_at::date from batches where number = ?", [batch])
    return found[0] if found else _NOBODY


def _state(pair: Mapping[str, Any], verdict: Verdict) -> tuple[Any, ...]:
    return (pair["status"], pair["stale"], pair["disputed"], pair["votes"], *verdict)


def _moved(groups: list[tuple[Any, ...]], old: tuple[Any, ...], new: tuple[Any, ...]) -> list[tuple[Any, ...]] | None:
    """Return groups, each with its count at the end, after one thing went from one to another."""
    counts = {group[:-1]: group[-1] for group in groups}
    counts[old] -= 1
    counts[new] = counts.get(new, 0) + 1
    return [(*group, count) for group, count in counts.items() if count]
