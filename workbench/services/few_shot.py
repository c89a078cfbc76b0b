"""Examples for a generation: which pairs serve, and what that makes of the hash of a question."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from workbench.domain.few_shot import SPARE, all_of
from workbench.domain.generate import TrainingSheet
from workbench.services.providers import Target
from workbench.store import Database

FETCHED_AT_ONCE = 50


def examples(db: Database, made: TrainingSheet, count: int) -> list[list[str]]:
    """Return the newest approved pairs of the same sheet that may serve, and spare ones, each item and prompt once."""
    wanted = count + SPARE
    found: list[list[str]] = []
    fetched = FETCHED_AT_ONCE
    # The first few nearly always do; only where prompts repeat more have to be looked at.
    while count:
        rows = _newest(db, made, fetched)
        items: set[str] = set()
        prompts: set[str] = set()
        found = []
        for prompt, response, item_ref in rows:
            if prompt not in prompts and item_ref not in items:
                found.append([prompt, response, item_ref])
            prompts.add(prompt)
            items.add(item_ref)
        if len(found) >= wanted or len(rows) < fetched:
            break
        fetched *= 8
    return found[:wanted]


def _newest(db: Database, made: TrainingSheet, limit: int) -> list[tuple[Any, ...]]:
    return db.tuples(
        "select prompt, response, item_ref from pair_rows where training_sheet_id in "
        "(select id from training_sheets where sheet_id = ? and deleted_at is null) "
        "and status = 'labeled' and not stale and prohibited_mask & 8 = 0 and (allowed_mask is null or allowed_mask & 8 = 8) "
        "and not is_blank(response) order by labeled_at desc, training_sheet_id, row_index limit ?",
        [made.sheet_id, limit],
    )


def key_of_pair(target: Target, ask: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return SQL for the hash of what is asked about a pair, and its parameters.

    Whoever is in none of the examples is asked with the same ones; the others with all of them but what is theirs.
    """
    first = ask["examples"]
    own = [[one[0] for one in first], [item for one in first for item in one[2:]]]
    sql = (
        "sha256(case when list_contains(?::varchar[], prompt) or list_contains(?::varchar[], item_ref) then "
        "? || chr(31) || (case when list_contains(?::varchar[], item_ref) then item_ref else '' end) else ? end "
        "|| chr(31) || prompt)"
    )
    return sql, [*own, key_prefix(target, ask, all_of(ask)), own[1], key_prefix(target, ask, first)]


def key_prefix(target: Target, ask: dict[str, Any], examples: Sequence[Sequence[str]]) -> str:
    """Return the hash of all that makes an answer but the prompt."""
    said = {name: value for name, value in ask.items() if name != "spare"} | {"examples": [one[:2] for one in examples]}
    text = json.dumps([target.identity, said], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
