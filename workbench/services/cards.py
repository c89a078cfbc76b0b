"""One pair with everything around it: source row, history, differences, neighbors."""

from __future__ import annotations

from typing import Any

from workbench.contract import current
from workbench.domain.data import Sheet
from workbench.domain.generate import TrainingSheet
from workbench.domain.label import Card, Pair, PromptPiece, SourceValue, StaleChange
from workbench.domain.prompt import as_text, columns_used, filled
from workbench.domain.review_log import Decision
from workbench.domain.wording import word_diff
from workbench.services import disputes, drafts, figures, gold, history
from workbench.services.pairs import present
from workbench.services.queues import Condition, Order, beyond
from workbench.services.votes import ADJUDICATORS
from workbench.store import Database

SHOWN_HISTORY = 100
_BACK = {"asc": "desc", "desc": "asc"}


def card(
    db: Database,
    made: TrainingSheet,
    sheet: Sheet,
    row: dict[str, Any],
    queue: Condition,
    order: Order,
    held_by: str | None,
) -> Card:
    """Put the review screen of one pair together."""
    reader = current()
    values = present(db, [row], sheet, made)[0]
    steward = bool(reader.roles & ADJUDICATORS)
    values["actions"] += disputes.of_pair(made, row, allowed=steward)
    known, action = gold.of_pair(db, made, row) if steward else (None, None)
    values["actions"] += (action,) if action is not None else ()
    pair = Pair(**values)
    log = history.page(db, made, history.Wanted(row_index=pair.row_index), 1, SHOWN_HISTORY)
    edited = pair.original_response is not None and pair.original_response != pair.response
    return Card(
        pair=pair,
        prompt_pieces=_pieces(made, pair),
        response_diff=word_diff(pair.original_response, pair.response) if edited else (),
        stale_change=_stale_change(db, pair) if pair.stale else None,
        source_row=_source_row(made, sheet, pair),
        history=[Decision(**entry) for entry in log.rows],
        history_earlier=log.total - len(log.rows),
        first_version=log.extra["first_version"],
        progress=figures.progress(db, made.id, db.clock.now()),
        guidelines=made.guidelines,
        choices=_choices(made),
        held_by=held_by,
        draft=drafts.find(db, row, reader.actor),
        known_answer=known,
        **neighbors(db, made.id, pair.row_index, queue, order),
    )


def _stale_change(db: Database, pair: Pair) -> StaleChange | None:
    """Return what was approved and what became of it."""
    found = db.row(
        "select texts_before, actor, logged_at from decisions where training_sheet_id = ? and row_index = ? "
        "and texts_before is not null and after.stale and not before.stale order by id desc limit 1",
        [pair.training_sheet_id, pair.row_index],
    )
    if found is None:
        return None
    old = found["texts_before"]
    return StaleChange(
        approved_prompt=old["prompt"],
        approved_response=old["response"],
        prompt_diff=word_diff(old["prompt"], pair.prompt),
        response_diff=word_diff(old["response"], pair.response) if old["response"] != pair.response else (),
        changed_at=found["logged_at"],
        changed_by=found["actor"],
    )


def _choices(made: TrainingSheet) -> list[dict[str, Any]]:
    return [one.values() for one in made.template.label_classes] if made.template else []


def _pieces(made: TrainingSheet, pair: Pair) -> list[PromptPiece]:
    """Return the prompt in pieces; one that was edited or came from elsewhere is one piece."""
    if made.template and isinstance(pair.source_data, dict):
        pieces = filled(made.template.prompt_template, pair.source_data, made.template.column_mapping)
        if "".join(piece.text for piece in pieces) == pair.prompt:
            return [PromptPiece(text=piece.text, column=piece.placeholder) for piece in pieces]
    return [PromptPiece(text=pair.prompt)]


def _source_row(made: TrainingSheet, sheet: Sheet, pair: Pair) -> list[SourceValue]:
    if not isinstance(pair.source_data, dict):
        return []
    plan = made.template
    used = set(columns_used(plan.prompt_template, plan.column_mapping).values()) if plan else set()
    known = [column.name for column in sheet.columns if column.name in pair.source_data]
    names = known + [name for name in pair.source_data if name not in known]
    return [
        SourceValue(
            column=name, value=None if pair.source_data[name] is None else as_text(pair.source_data[name]), used=name in used
        )
        for name in names
    ]


def neighbors(db: Database, training_sheet_id: str, row_index: int, queue: Condition, order: Order) -> dict[str, Any]:
    """Return the pairs before and after in the queue; a pair that has left it keeps its place."""
    key = order.key(db, training_sheet_id, row_index)
    ahead, behind = (beyond(order, key, row_index, forward=forward) for forward in (True, False))
    before, after = f"_key {_BACK[order.direction]}, row_index desc", f"_key {order.direction}, row_index"
    source = (
        f"select row_index, {order.sql} as _key, {ahead.sql} as _ahead, {behind.sql} as _behind from pair_rows where {queue.sql}"
    )
    # What is cheap to find is found three times; else one scan serves for all.
    kept = "materialized" if queue.costly else "not materialized"
    found = db.row(
        f"with matched as {kept} ({source}) select "
        f"(select row_index from matched where _ahead order by {after} limit 1) as next_index, "
        f"(select row_index from matched where _behind order by {before} limit 1) as previous_index, "
        "count(*) as queue_total, count(*) filter (where _behind) as before, bool_or(row_index = $here) as inside from matched",
        queue.values | ahead.values | behind.values | {"here": row_index},
    )
    assert found is not None
    place, inside = found.pop("before") + 1, found.pop("inside")
    return {**found, "position": place if inside else None}
