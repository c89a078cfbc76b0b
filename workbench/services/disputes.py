"""Pairs whose reviewers disagree, with the votes side by side."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from workbench.contract import Page
from workbench.domain.agreement import Dispute
from workbench.domain.blank import is_blank
from workbench.domain.data import Sheet
from workbench.domain.generate import TrainingSheet
from workbench.domain.record import Action
from workbench.domain.wording import word_diff
from workbench.services.pairs import LISTED, present
from workbench.services.votes import ADJUDICATORS
from workbench.store import Database

FOLLOW = Action(name="follow", label="Approve this response")
WORDS = {"approve": "Approve", "reject": "Reject", "flag": "Flag"}


def adjudicating(*, allowed: bool) -> Action:
    """Return the action of settling what reviewers disagree on, or who may."""
    needed = f"Adjudicating needs the role {' or '.join(sorted(ADJUDICATORS))}."
    return Action(name="adjudicate", label="Adjudicate", enabled=allowed, reason=None if allowed else needed)


def of_pair(made: TrainingSheet, row: dict[str, Any], *, allowed: bool) -> tuple[Action, ...]:
    """Return the way from a pair to its adjudication, if it waits for one."""
    if not row["disputed"] or made.status == "archived":
        return ()
    action = adjudicating(allowed=allowed)
    return (action.with_(reason=f"Its reviewers disagree. {action.reason or 'It waits for adjudication.'}"),)


def page(db: Database, made: TrainingSheet, sheet: Sheet, first: int | None, number: int, size: int) -> Page[Dispute]:
    """Return the disputed pairs, `first` before the others, of which those with the most dissent lead."""
    with db.read():
        total = db.value("select count(*) from pair_rows where training_sheet_id = ? and disputed", [made.id])
        rows = db.rows(
            f"select {LISTED} from pair_rows where training_sheet_id = ? and disputed "
            "order by row_index is not distinct from ? desc, dissent desc, row_index "
            f"limit {size} offset {(number - 1) * size}",
            [made.id, first],
        )
        cast = _votes(db, made.id, rows)
        pairs = present(db, rows, sheet, made)
    shown = [
        {"row_index": pair["row_index"], "pair": pair, "votes": cast[pair["row_index"]], "actions": _actions(pair)}
        for pair in pairs
    ]
    return Page(Dispute, shown, total=total, page=number, page_size=size)


def _votes(db: Database, training_sheet_id: str, rows: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    texts = {row["row_index"]: (row["prompt"], row["response"]) for row in rows}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for vote in db.rows(
        "select row_index, voter, action, prompt, response, flag_reason, notes, logged_at from votes where training_sheet_id = ? "
        "and ended_by is null and list_contains(?::bigint[], row_index) order by batch",
        [training_sheet_id, list(texts)],
    ):
        index = vote.pop("row_index")
        prompt, response = texts[index]
        shown = {"label": WORDS[vote["action"]], "response_diff": word_diff(response, vote["response"])}
        if vote["prompt"] is not None:
            shown["prompt_diff"] = word_diff(prompt, vote["prompt"])
        found[index].append(vote | shown | {"actions": [FOLLOW] if vote["action"] == "approve" else []})
    return found


def _actions(pair: dict[str, Any]) -> list[Action]:
    blank = "The response is empty; adopt one that was voted on." if is_blank(pair["response"]) else None
    return [
        Action(name=name, label=label, enabled=name != "approve" or blank is None, reason=blank if name == "approve" else None)
        for name, label in WORDS.items()
    ]
