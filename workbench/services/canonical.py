"""The truth that approvals leave behind, one per sheet, item and kind, with all its versions."""

from __future__ import annotations

from workbench.services.decisions import Scope, run
from workbench.store import Database

CANONICAL_ID = "canonical_id($sheet_id, item_ref, $label_type)"


def record(db: Database, scope: Scope, batch: int, target: str, values: dict[str, object]) -> None:
    """Make or renew the labels of the approved pairs that match `target`; equal data only links."""
    known = scope.__dict__ | values | {"batch": batch}
    # Two pairs of one batch may be about one item; then the later one says what is true.
    once = " qualify row_number() over (partition by canonical_label_id order by row_index desc) = 1" if _many(values) else ""
    approved = f"(select * from pair_rows where {target} and status = 'labeled'{once})"
    changed = (
        f"{approved} p left join canonical_labels c on c.id = p.canonical_label_id where c.id is null or c.label <> p.response"
    )
    numbers = "(select label_id, max(number) as number from canonical_label_versions group by label_id)"
    fresh = run(
        db,
        "insert into canonical_label_versions select p.canonical_label_id, coalesce(v.number, 0) + 1, p.response, $actor, $now, "
        f"p.training_sheet_id, p.row_index, $batch, false from (select p.* from {changed}) p "
        f"left join {numbers if _many(values) else _numbers_of(target)} v on v.label_id = p.canonical_label_id returning 1",
        known,
    )
    if not fresh:
        return
    run(
        db,
        "update canonical_labels set label = p.response, confidence = 'high', labeled_by = $actor, labeled_at = $now, "
        "updated_at = $now, version = canonical_labels.version + 1 "
        f"from {approved} p where canonical_labels.id = p.canonical_label_id and canonical_labels.label <> p.response",
        known,
    )
    run(
        db,
        "insert into canonical_labels by name select p.canonical_label_id as id, $sheet_id as sheet_id, p.item_ref, "
        "$label_type as label_type, p.response as label, 'high' as confidence, p.notes, $actor as labeled_by, $now as labeled_at, "
        "case when p.allowed_mask is null then null else uses_of(p.allowed_mask) end as allowed_uses, "
        "uses_of(p.prohibited_mask) as prohibited_uses, 0 as reuse_count, p.sample, $now as created_at, $now as updated_at, "
        f"1 as version from {approved} p anti join canonical_labels c on c.id = p.canonical_label_id",
        known,
    )


def _many(values: dict[str, object]) -> bool:
    return "row_index" not in values


def _numbers_of(target: str) -> str:
    return (
        "(select label_id, max(number) as number from canonical_label_versions where label_id in "
        f"(select canonical_label_id from pair_rows where {target}) group by label_id)"
    )


def retract(db: Database, batch: int) -> None:
    """Take back the versions a batch made, on the pairs just taken back, unless another pair relies on them."""
    db.execute(
        "create or replace temp table _retracted as select v.label_id, v.number from canonical_label_versions v "
        "join _steps s on s.row_index = v.row_index anti join pair_rows q on q.canonical_label_id = v.label_id "
        "and q.status = 'labeled' and q.response = v.label where v.batch = ? and not v.retracted",
        [batch],
    )
    if not db.execute("select 1 from _retracted limit 1"):
        return
    db.execute(
        "update canonical_label_versions set retracted = true from _retracted r "
        "where canonical_label_versions.label_id = r.label_id and canonical_label_versions.number = r.number"
    )
    db.execute(
        "create or replace temp table _stand as select v.label_id, max_by(v.label, v.number) as label, "
        "max_by(v.labeled_by, v.number) as labeled_by, max_by(v.labeled_at, v.number) as labeled_at "
        "from canonical_label_versions v where not v.retracted and v.label_id in (select label_id from _retracted) group by 1"
    )
    db.execute(
        "update canonical_labels set label = s.label, labeled_by = s.labeled_by, labeled_at = s.labeled_at, "
        "version = version + 1 from _stand s where canonical_labels.id = s.label_id"
    )
    db.execute(
        "delete from canonical_labels where id in (select label_id from _retracted) and id not in (select label_id from _stand)"
    )
