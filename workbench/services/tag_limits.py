"""Tags that come late: what they prohibit reaches the training sheets made before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.domain.data import Sheet, prohibited_uses
from workbench.domain.label import mask_of
from workbench.services import decisions

if TYPE_CHECKING:
    from workbench.services.label import ReviewService

_LACKING = "training_sheet_id = $training_sheet_id and prohibited_mask & $barred <> $barred"


def reach(review: ReviewService, sheet: Sheet, *, only: str | None = None) -> int:
    """Prohibit what the sheet's tags prohibit on all pairs made from it, one batch a training sheet; return the pairs.

    `only` names one training sheet. Each batch is logged and can be taken back like any other; taking a tag away allows nothing by itself.
    """
    db, barred = review.db, mask_of(prohibited_uses(sheet.tags)) or 0
    found = db.tuples(
        "select training_sheet_id, count(*) from pair_rows where prohibited_mask & $barred <> $barred and training_sheet_id in "
        "(select id from training_sheets where sheet_id = $sheet and deleted_at is null "
        "and id = coalesce($only, id)) group by 1 order by 1",
        {"barred": barred, "sheet": sheet.id, "only": only},
    )
    values = {"barred": barred}
    change = decisions.Change("rights", {"prohibited_mask": "(prohibited_mask | $barred)::utinyint"}, values)
    for training_sheet_id, rows in found:
        made = review.app.training_sheets.records.get(training_sheet_id)
        batch_id = review.clock.new_id("batch")
        decisions.apply(db, review.scope(made), change, _LACKING, values, batch_id=batch_id, rows=rows)
        db.emit("pairs", training_sheet_id, None, "bulk")
    return sum(rows for _, rows in found)
