"""What a reviewer has typed and not yet saved, kept so that a reload finds it."""

from __future__ import annotations

import datetime as dt

from workbench.domain.label import Draft
from workbench.domain.wording import word_diff
from workbench.store import Database

MINE = "training_sheet_id = ? and row_index = ? and author = ?"


def keep(db: Database, training_sheet_id: str, row_index: int, author: str, text: str, stored: str, now: dt.datetime) -> Draft:
    """Remember a text that differs from the stored one, forget one that does not."""
    drop(db, training_sheet_id, row_index, author)
    if text == stored:
        return Draft(row_index=row_index, response=text)
    db.execute("insert into drafts values (?, ?, ?, ?, ?)", [training_sheet_id, row_index, author, text, now])
    return Draft(row_index=row_index, response=text, saved_at=now, diff=word_diff(stored, text))


def drop(db: Database, training_sheet_id: str, row_index: int, author: str) -> None:
    """Forget what somebody typed into a pair."""
    db.execute(f"delete from drafts where {MINE}", [training_sheet_id, row_index, author])


def find(db: Database, training_sheet_id: str, row_index: int, author: str, stored: str) -> Draft | None:
    """Return what somebody typed into a pair and did not save."""
    row = db.row(f"select response, saved_at from drafts where {MINE}", [training_sheet_id, row_index, author])
    if row is None:
        return None
    return Draft(row_index=row_index, **row, diff=word_diff(stored, row["response"]))
