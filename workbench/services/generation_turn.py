"""One generation at a time for each training sheet: two would ask, and pay, for the same pairs twice."""

from __future__ import annotations

from typing import Any

from workbench.domain.jobs import ACTIVE
from workbench.domain.record import Action
from workbench.errors import Conflict
from workbench.store import Database

_UNDER_WAY = """
select id, name from jobs
where kind = 'generate' and list_contains(?, status) and spec ->> 'training_sheet_id' = ?
order by created_at, id limit 1
"""
_ALL_UNDER_WAY = """
select spec ->> 'training_sheet_id' as sheet, id, name from jobs
where kind = 'generate' and list_contains(?, status) order by created_at desc, id desc
"""


def refuse_second(db: Database, training_sheet_id: str) -> None:
    """Raise Conflict while a generation of the training sheet has not ended; ask inside the transaction that starts one."""
    if found := _under_way(db, training_sheet_id):
        raise Conflict(_words(found), job_id=found["id"])


def start(db: Database, training_sheet_id: str) -> Action:
    """Return whether a generation may be started now, and why not."""
    found = _under_way(db, training_sheet_id)
    return Action(name="generate", label="Start", enabled=found is None, reason=_words(found) if found else None)


def taken(db: Database) -> dict[str, str]:
    """Return why no generation may be started now, by training sheet, for those where one is under way."""
    under_way = db.rows(_ALL_UNDER_WAY, [sorted(ACTIVE)])
    return {row["sheet"]: _words(row) for row in under_way}


def _under_way(db: Database, training_sheet_id: str) -> dict[str, Any] | None:
    return next(iter(db.rows(_UNDER_WAY, [sorted(ACTIVE), training_sheet_id])), None)


def _words(job: dict[str, Any]) -> str:
    return f"{job['name']} ({job['id']}) has not ended yet. Wait for it, stop it or cancel it: two at once would pay twice."
