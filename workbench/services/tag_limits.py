"""Tags of sheets: how they are written, what they prohibit on pairs, also on those made before the tag came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.domain.data import SHEET_LIFECYCLE, Sheet, missing_tags, prohibited_uses, strictest
from workbench.domain.label import mask_of
from workbench.errors import InvalidTransition, ValidationError
from workbench.services import decisions, label_rights

if TYPE_CHECKING:
    from workbench.services.label import ReviewService

LONGEST_TAG = 100
_LACKING = "training_sheet_id = $training_sheet_id and prohibited_mask & $barred <> $barred"


def tidy(tags: Sequence[str], *, known: Sequence[str] = ()) -> list[str]:
    """Return tags without the spaces around them, each once; a comma parts two tags. A blank or a long one is refused."""
    found = _parted(tags)
    if long := next((tag for tag in found if len(tag) > LONGEST_TAG and tag not in known), None):
        words = f"A tag has at most {LONGEST_TAG} letters; the one that begins with {long[:20]!r} has {len(long)}. Shorten it"
        raise ValidationError.field("tags", words, f"{long[:LONGEST_TAG]}…")
    return found


def _parted(tags: Sequence[str]) -> list[str]:
    found: dict[str, str] = {}
    for tag in tags:
        words = [word.strip() for word in tag.split(",") if word.strip()]
        if not words:
            raise ValidationError.field("tags", "A tag needs at least one letter", list(tags))
        for word in words:
            found.setdefault(word.casefold(), word)
    return list(found.values())


def barred_by(sheet: Sheet) -> int:
    """Return the uses that the tags of a sheet prohibit, as a mask."""
    return mask_of(prohibited_uses(sheet.tags)) or 0


def refuse_loosening(sheet: Sheet, changes: Mapping[str, Any]) -> None:
    """Refuse to take a tag from a sheet that is no draft, or to call its rows less secret."""
    SHEET_LIFECYCLE.require("tighten", sheet.status)
    lost = missing_tags(sheet.tags, tuple(changes.get("tags", sheet.tags)))
    secrecy = changes["data_classification"]
    if lost:
        what = f"take the tag{'s' if len(lost) > 1 else ''} {', '.join(lost)} from a sheet that is {sheet.status}"
    elif strictest(secrecy, sheet.data_classification) != secrecy:
        what = f"call a sheet {secrecy} that is {sheet.status} and {sheet.data_classification}"
    else:
        return
    words = f"Cannot {what}. Tags may be added, and the classification be raised."
    raise InvalidTransition(words, current=sheet.status, allowed=SHEET_LIFECYCLE.allowed(sheet.status))


def inherited(found: Iterable[Sheet], tags: Sequence[str], classification: str) -> tuple[list[str], str]:
    """Return the tags and the classification of rows that also come from other sheets."""
    for sheet in found:
        tags, classification = [*tags, *sheet.tags], strictest(classification, sheet.data_classification)
    return _parted(tags), classification


def reach(review: ReviewService, sheet: Sheet, *, only: str | None = None) -> int:
    """Prohibit what the sheet's tags prohibit on all pairs made from it, one batch a training sheet; return the pairs.

    Also on those of deleted training sheets, which may be restored. `only` names one training sheet. Each batch is logged
    and can be taken back like any other; taking a tag away allows nothing by itself.
    """
    db, barred = review.db, barred_by(sheet)
    found = db.tuples(
        "select training_sheet_id, count(*) from pair_rows where prohibited_mask & $barred <> $barred and training_sheet_id in "
        "(select id from training_sheets where sheet_id = $sheet and id = coalesce($only, id)) group by 1 order by 1",
        {"barred": barred, "sheet": sheet.id, "only": only},
    )
    values = {"barred": barred}
    change = decisions.Change("rights", {"prohibited_mask": "(prohibited_mask | $barred)::utinyint"}, values)
    for training_sheet_id, rows in found:
        made = review.app.training_sheets.records.get(training_sheet_id)
        batch_id = review.clock.new_id("batch")
        decisions.apply(db, review.scope(made), change, _LACKING, values, batch_id=batch_id, rows=rows)
        db.emit("pairs", training_sheet_id, None, "bulk")
    scope = decisions.Scope("", sheet.id, "", review.actor, review.clock.now(), barred)
    label_rights.follow(db, scope, "select id from canonical_labels where sheet_id = $sheet_id")
    return sum(rows for _, rows in found)
