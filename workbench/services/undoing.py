"""Undo and redo of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.domain.generate import TrainingSheet
from workbench.domain.label import UndoOutcome
from workbench.domain.wording import grouped
from workbench.errors import InvalidTransition, NotFound
from workbench.services import canonical, decisions

if TYPE_CHECKING:
    from workbench.services.bulk_review import BulkReview

SHOWN_ROWS = 100
NOTHING = {True: "There is nothing to undo.", False: "There is nothing to redo."}


def undo(service: BulkReview, made: TrainingSheet, batch_id: str | None, scope: str) -> UndoOutcome:
    """Take a batch back."""
    return _step(service, made, batch_id, scope, back=True)


def redo(service: BulkReview, made: TrainingSheet, batch_id: str | None, scope: str) -> UndoOutcome:
    """Make a batch again."""
    return _step(service, made, batch_id, scope, back=False)


def _step(service: BulkReview, made: TrainingSheet, batch_id: str | None, whose: str, *, back: bool) -> UndoOutcome:
    db, actor = service.db, service.actor if whose == "mine" else None
    if batch_id is None:
        find = decisions.latest if back else decisions.latest_undone
        number = find(db, made.id, actor)
        if number is None:
            return UndoOutcome(summary=NOTHING[back])
    else:
        number = _named(service, made, batch_id, back=back)
    batch = db.row("select id, action, row_count from batches where number = ?", [number])
    assert batch is not None
    scope = service.scope(made)
    touched = decisions.step(db, scope, number, back=back, batch_id=service.clock.new_id("batch"))
    if not touched:
        return UndoOutcome(skipped={"changed_since": batch["row_count"]}, summary="Every pair of it has changed since.")
    if back:
        canonical.retract(db, number)
    else:
        again = "training_sheet_id = $training_sheet_id and row_index in (select row_index from _steps)"
        canonical.record(db, scope, number, again)
    db.emit("pairs", made.id, None, "bulk")
    return _outcome(batch, touched, back=back)


def _named(service: BulkReview, made: TrainingSheet, batch_id: str, *, back: bool) -> int:
    found = service.db.row(
        "select number, action, undone_at from batches where id = ? and training_sheet_id = ?", [batch_id, made.id]
    )
    if found is None:
        raise NotFound.of("batch", batch_id)
    state = "undone" if found["undone_at"] else "done"
    if found["action"] in ("undo", "redo") or (state == "undone") == back:
        allowed = [] if found["action"] in ("undo", "redo") else ["redo" if state == "undone" else "undo"]
        raise InvalidTransition.of("batch", "undo" if back else "redo", state, allowed)
    return found["number"]


def _outcome(batch: dict[str, object], touched: list[int], *, back: bool) -> UndoOutcome:
    left = int(str(batch["row_count"])) - len(touched)
    verb = "Took back" if back else "Made again"
    rest = f" {grouped(left)} changed since and stay as they are." if left else ""
    return UndoOutcome(
        undone=len(touched),
        batch_id=str(batch["id"]),
        action=str(batch["action"]),
        row_indices=touched[:SHOWN_ROWS],
        skipped={"changed_since": left} if left else {},
        summary=f"{verb}: {batch['action']} of {grouped(len(touched))} pair{'s' if len(touched) != 1 else ''}.{rest}",
    )
