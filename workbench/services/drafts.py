"""What a reviewer has typed and not yet saved, kept so that a reload finds it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from workbench.contract import Page
from workbench.domain.label import Draft
from workbench.domain.wording import word_diff
from workbench.store import Database

MINE = "training_sheet_id = ? and row_index = ? and author = ?"
TEXTS = ("response", "prompt")


def keep(db: Database, pair: dict[str, Any], author: str, typed: dict[str, str], now: dt.datetime) -> Draft:
    """Remember texts that differ from the stored ones, forget those that do not."""
    place = [pair["training_sheet_id"], pair["row_index"], author]
    before = db.row(f"select response, prompt from drafts where {MINE}", place) or {}
    texts = {name: typed.get(name, before.get(name)) for name in TEXTS}
    texts = {name: text if text is not None else pair[name] for name, text in texts.items()}
    drop(db, *place)
    if all(texts[name] == pair[name] for name in TEXTS):
        return Draft(row_index=pair["row_index"], **texts)
    prompt = texts["prompt"] if texts["prompt"] != pair["prompt"] else None
    db.execute(
        "insert into drafts (training_sheet_id, row_index, author, response, prompt, saved_at) values (?, ?, ?, ?, ?, ?)",
        [*place, texts["response"], prompt, now],
    )
    return _draft(pair, texts, now)


def drop(db: Database, training_sheet_id: str, row_index: int, author: str) -> None:
    """Forget what somebody typed into a pair."""
    db.execute(f"delete from drafts where {MINE}", [training_sheet_id, row_index, author])


def find(db: Database, pair: dict[str, Any], author: str) -> Draft | None:
    """Return what somebody typed into a pair and did not save."""
    place = [pair["training_sheet_id"], pair["row_index"], author]
    row = db.row(f"select response, prompt, saved_at from drafts where {MINE}", place)
    if row is None:
        return None
    texts = {"response": row["response"], "prompt": pair["prompt"] if row["prompt"] is None else row["prompt"]}
    return _draft(pair, texts, row["saved_at"])


def page(db: Database, training_sheet_id: str, author: str, page: int, page_size: int) -> Page[Draft]:
    """Return what somebody typed and did not save, the newest first; what equals the pair by now is nothing."""
    source = (
        "from drafts d join pair_rows p on p.training_sheet_id = d.training_sheet_id and p.row_index = d.row_index "
        "where d.training_sheet_id = ? and d.author = ? and (d.response <> p.response or d.prompt <> p.prompt)"
    )
    wanted = [training_sheet_id, author]
    rows = db.rows(
        "select p.row_index, p.response as stored, p.prompt as stored_prompt, d.response, coalesce(d.prompt, p.prompt) as prompt, "
        f"d.saved_at {source} order by d.saved_at desc, d.row_index desc limit ? offset ?",
        [*wanted, page_size, (page - 1) * page_size],
    )
    found = [
        _draft(
            {"row_index": row["row_index"], "response": row["stored"], "prompt": row["stored_prompt"]},
            {name: row[name] for name in TEXTS},
            row["saved_at"],
        ).values()
        for row in rows
    ]
    return Page(Draft, found, total=db.value(f"select count(*) {source}", wanted), page=page, page_size=page_size)


def _draft(pair: dict[str, Any], texts: dict[str, str], at: dt.datetime) -> Draft:
    diffs = {"diff": word_diff(pair["response"], texts["response"]), "prompt_diff": word_diff(pair["prompt"], texts["prompt"])}
    changed = {name: diff if any(piece.op != "same" for piece in diff) else () for name, diff in diffs.items()}
    return Draft(row_index=pair["row_index"], saved_at=at, **texts, **changed)
