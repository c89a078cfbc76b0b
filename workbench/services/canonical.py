"""The truth that approvals leave behind, one per sheet, item and kind, with all its versions."""

from __future__ import annotations

from typing import Any

from workbench.domain.label import uses_of
from workbench.services.decisions import Scope, run
from workbench.store import Database

CANONICAL_ID = "canonical_id($sheet_id, item_ref, $label_type)"


def record(db: Database, scope: Scope, batch: int, target: str) -> None:
    """Make or renew the labels of the approved pairs that match `target`; equal data only links."""
    known = scope.__dict__ | {"batch": batch}
    # Two pairs of one batch may be about one item; then the later one says what is true.
    run(
        db,
        "create or replace temp table _approved as select p.training_sheet_id, p.row_index, p.item_ref, p.response, p.notes, "
        "p.allowed_mask, p.prohibited_mask, p.sample, p.canonical_label_id, c.id is null as fresh from pair_rows p "
        "left join canonical_labels c on c.id = p.canonical_label_id "
        f"where {target} and p.status = 'labeled' and (c.id is null or c.label <> p.response) "
        "qualify row_number() over (partition by p.canonical_label_id order by p.row_index desc) = 1",
        known,
    )
    run(
        db,
        "insert into canonical_label_versions select canonical_label_id, nextval('label_version_numbers'), response, $actor, $now, "
        "training_sheet_id, row_index, $batch, false from _approved order by row_index",
        known,
    )
    run(
        db,
        "update canonical_labels set label = p.response, confidence = 'high', labeled_by = $actor, labeled_at = $now, "
        "updated_at = $now, version = canonical_labels.version + 1 "
        "from (select * from _approved where not fresh) p where canonical_labels.id = p.canonical_label_id",
        known,
    )
    run(
        db,
        "insert into canonical_labels by name select canonical_label_id as id, $sheet_id as sheet_id, item_ref, "
        "$label_type as label_type, response as label, 'high' as confidence, notes, $actor as labeled_by, $now as labeled_at, "
        "case when allowed_mask is null then null else uses_of(allowed_mask) end as allowed_uses, "
        "uses_of(prohibited_mask) as prohibited_uses, 0 as reuse_count, sample, $now as created_at, $now as updated_at, "
        "1 as version from _approved where fresh",
        known,
    )


def record_one(db: Database, scope: Scope, batch: int, pair: dict[str, Any]) -> None:
    """Make or renew the label of one approved pair."""
    label_id, response = pair["canonical_label_id"], pair["response"]
    stands = db.value("select label from canonical_labels where id = ?", [label_id])
    if stands == response:
        return
    db.execute(
        "insert into canonical_label_versions values (?, nextval('label_version_numbers'), ?, ?, ?, ?, ?, ?, false)",
        [label_id, response, scope.actor, scope.now, scope.training_sheet_id, pair["row_index"], batch],
    )
    if stands is not None:
        db.execute(
            "update canonical_labels set label = ?, confidence = 'high', labeled_by = ?, labeled_at = ?, updated_at = ?, "
            "version = version + 1 where id = ?",
            [response, scope.actor, scope.now, scope.now, label_id],
        )
        return
    row = {
        "id": label_id,
        "sheet_id": scope.sheet_id,
        "item_ref": pair["item_ref"],
        "label_type": scope.label_type,
        "label": response,
        "confidence": "high",
        "notes": pair["notes"],
        "labeled_by": scope.actor,
        "labeled_at": scope.now,
        "allowed_uses": uses_of(pair["allowed_mask"]),
        "prohibited_uses": uses_of(pair["prohibited_mask"]),
        "reuse_count": 0,
        "sample": pair["sample"],
        "created_at": scope.now,
        "updated_at": scope.now,
        "version": 1,
    }
    db.execute(f"insert into canonical_labels ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values()))


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
