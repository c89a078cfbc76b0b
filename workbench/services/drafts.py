"""What a reviewer has typed and not yet saved, kept so that a reload finds it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from workbench.contract import Page
from workbench.domain.label import Draft
from workbench.domain.wording import word_diff
from workbench.services import restoring
from workbench.store import Database

MINE = "training_sheet_id = ? and row_index = ? and author = ?"
TEXTS = ("response", "prompt")


def keep(
    db: Database, pair: dict[str, Any], author: str, typed: dict[str, str], now: dt.datetime, *, version: int | None = None
) -> Draft:
    """Remember texts that differ from the stored ones, and from those of the version that was seen; forget those that do not."""
    place = [pair["training_sheet_id"], pair["row_index"], author]
    before = _kept(db, pair, author)
    seen = pair if version in (None, pair["version"]) else restoring.at_version(db, pair, version)
    texts = (before["texts"] if before else {}) | typed
    own = {name: text for name, text in texts.items() if text != pair[name] and not (name in typed and text == seen[name])}
    drop(db, *place)
    if not own:
        return Draft(row_index=pair["row_index"], **{name: pair[name] for name in TEXTS})
    if version is None:
        version = before["version"] if before else pair["version"]
    db.execute(
        "insert into drafts (training_sheet_id, row_index, author, response, prompt, version, saved_at) values (?, ?, ?, ?, ?, ?, ?)",
        [*place, *(own.get(name) for name in TEXTS), version, now],
    )
    return _draft(pair, {"texts": own, "version": version, "saved_at": now})


def drop(db: Database, training_sheet_id: str, row_index: int, author: str) -> None:
    """Forget what somebody typed into a pair."""
    db.execute(f"delete from drafts where {MINE}", [training_sheet_id, row_index, author])


def find(db: Database, pair: dict[str, Any], author: str) -> Draft | None:
    """Return what somebody typed into a pair and did not save."""
    kept = _kept(db, pair, author)
    return _draft(pair, kept) if kept else None


def page(db: Database, training_sheet_id: str, author: str, page: int, page_size: int) -> Page[Draft]:
    """Return what somebody typed and did not save, the newest first; what equals the pair by now is nothing."""
    source = (
        "from drafts d join pair_rows p on p.training_sheet_id = d.training_sheet_id and p.row_index = d.row_index "
        "where d.training_sheet_id = ? and d.author = ? and (d.response <> p.response or d.prompt <> p.prompt)"
    )
    wanted = [training_sheet_id, author]
    rows = db.rows(
        "select p.row_index, p.response, p.prompt, d.response as own_response, d.prompt as own_prompt, d.version, d.saved_at "
        f"{source} order by d.saved_at desc, d.row_index desc limit ? offset ?",
        [*wanted, page_size, (page - 1) * page_size],
    )
    found = [_draft(row, row | {"texts": _own(row, {name: row[f"own_{name}"] for name in TEXTS})}).values() for row in rows]
    return Page(Draft, found, total=db.value(f"select count(*) {source}", wanted), page=page, page_size=page_size)


def _kept(db: Database, pair: dict[str, Any], author: str) -> dict[str, Any] | None:
    """Return the texts that are kept, with version and time; what equals the pair by now is nothing."""
    place = [pair["training_sheet_id"], pair["row_index"], author]
    row = db.row(f"select response, prompt, version, saved_at from drafts where {MINE}", place)
    texts = _own(pair, row) if row else {}
    return {**row, "texts": texts} if row and texts else None


def _own(pair: dict[str, Any], texts: dict[str, Any]) -> dict[str, str]:
    """Return the texts that were typed and differ from those of the pair."""
    return {name: texts[name] for name in TEXTS if texts[name] not in (None, pair[name])}


def _draft(pair: dict[str, Any], kept: dict[str, Any]) -> Draft:
    texts = {name: pair[name] for name in TEXTS} | kept["texts"]
    diffs = {"diff": word_diff(pair["response"], texts["response"]), "prompt_diff": word_diff(pair["prompt"], texts["prompt"])}
    changed = {name: diff if any(piece.op != "same" for piece in diff) else () for name, diff in diffs.items()}
    return Draft(row_index=pair["row_index"], version=kept["version"], saved_at=kept["saved_at"], **texts, **changed)
