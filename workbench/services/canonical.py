"""The truth that approvals leave behind, one per sheet, item and kind, with all its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.domain.label import uses_of
from workbench.services import label_rights, templating
from workbench.services.decisions import Scope, run
from workbench.store import Database

if TYPE_CHECKING:
    from workbench.services.steps import Stepped

VERSION = "(label_id, number, label, labeled_by, labeled_at, training_sheet_id, row_index, batch, retracted, confidence)"
# Written out, the ids are looked for while reading; joined, all rows are read first.
LINKED = "$was, $linked"
OF_BATCH = "select unnest([before.canonical_label_id, after.canonical_label_id]) from decision_log where batch = $batch"
STEPPED = "select unnest([before.canonical_label_id, after.canonical_label_id]) from _steps"


def record(db: Database, scope: Scope, batch: int, target: str, *, missing_only: bool = False) -> None:
    """Make or renew the labels of the approved pairs that match `target`; equal data only links.

    With `missing_only`, a label that exists stays as it is, whatever it says.
    """
    differs = "c.id is null" if missing_only else "(c.id is null or c.label <> p.response)"
    known = scope.__dict__ | {"batch": batch, "types": templating.label_types(db, scope)}
    _find_approved(db, target, differs, known)
    if db.execute("select 1 from _approved limit 1"):
        _state(db, known, missing_only=missing_only)
    if not missing_only:
        rewritten = "select canonical_label_id from _approved where not fresh"
        label_rights.follow_approvals(db, scope, batch, target, rewritten)


def _find_approved(db: Database, target: str, differs: str, known: dict[str, Any]) -> None:
    run(
        db,
        "create or replace temp table _approved as select p.training_sheet_id, p.row_index, p.item_ref, p.response, p.notes, "
        "p.allowed_mask, p.prohibited_mask, p.sample, p.canonical_label_id, p.labeled_by, p.labeled_at, c.id is null as fresh "
        f"from pair_rows p left join canonical_labels c on c.id = p.canonical_label_id "
        f"where {target} and p.status = 'labeled' and {differs}",
        known,
    )


def _state(db: Database, known: dict[str, Any], *, missing_only: bool) -> None:
    """Let the pairs in `_approved` say what is true."""
    _one_each(db)
    # A label that comes back finds its versions again.
    new = "where canonical_label_id not in (select label_id from canonical_label_versions where not retracted)"
    run(
        db,
        f"insert into canonical_label_versions {VERSION} select canonical_label_id, nextval('label_version_numbers'), response, "
        "labeled_by, labeled_at, training_sheet_id, row_index, $batch, false, 'high' from _approved "
        f"{new if missing_only else ''} order by row_index",
        known,
    )
    run(
        db,
        "update canonical_labels set label = p.response, confidence = 'high', labeled_by = p.labeled_by, "
        "labeled_at = p.labeled_at, updated_at = $now, version = canonical_labels.version + 1 "
        "from (select * from _approved where not fresh) p where canonical_labels.id = p.canonical_label_id",
        known,
    )
    run(db, _INSERT_FRESH, known)


def _one_each(db: Database) -> None:
    """Of several pairs of one batch about one item, let the later one say what is true."""
    if db.execute("select count(*) <> count(distinct canonical_label_id) from _approved")[0][0]:
        db.execute(
            "delete from _approved where (canonical_label_id, row_index) not in "
            "(select (canonical_label_id, max(row_index)) from _approved group by canonical_label_id)"
        )


# Another template may have had another kind of truth when a pair was approved: its label's id tells.
_INSERT_FRESH = """
insert into canonical_labels by name
select
    canonical_label_id as id, $sheet_id as sheet_id, item_ref,
    case when len($types) = 1 then $types[1] else
        list_filter($types, lambda t: canonical_id($sheet_id, item_ref, t) = canonical_label_id)[1] end as label_type,
    response as label, 'high' as confidence, notes, labeled_by, labeled_at,
    case when allowed_mask is null then null else uses_of(allowed_mask) end as allowed_uses,
    uses_of(prohibited_mask) as prohibited_uses, 0 as reuse_count, sample, $now as created_at, $now as updated_at, 1 as version
from _approved where fresh
"""


# A label that had gone with its last version comes back with it; its rights are worked out by `label_rights`.
_INSERT_AGAIN = """
insert into canonical_labels by name
select
    s.label_id as id, $sheet_id as sheet_id, p.item_ref, kind as label_type, s.label, coalesce(s.confidence, 'high') as confidence,
    p.notes, s.labeled_by, s.labeled_at, null::varchar[] as allowed_uses, []::varchar[] as prohibited_uses,
    0 as reuse_count, p.sample, $now as created_at, $now as updated_at, 1 as version
from _stand s
join pair_rows p on p.training_sheet_id = s.stated.sheet and p.row_index = s.stated.place
join (select unnest($types::varchar[]) as kind) on canonical_id($sheet_id, p.item_ref, kind) = s.label_id
anti join canonical_labels c on c.id = s.label_id
"""


def follow_one(db: Database, scope: Scope, before: dict[str, Any], pair: dict[str, Any], *, approved: bool) -> None:
    """Let the labels follow one pair that has just been changed."""
    rights_moved = any(before[name] != pair[name] for name in ("allowed_mask", "prohibited_mask"))
    linked = {"was": before["canonical_label_id"], "linked": pair["canonical_label_id"]}
    if linked["linked"] is None and not rights_moved:
        return
    moved = rights_moved or linked["was"] not in (None, linked["linked"])
    if approved:
        moved = record_one(db, scope, pair["last_batch"], pair) or moved
    elif before["status"] != pair["status"]:
        moved = True
        withdraw(db, scope, LINKED, linked, by=pair["last_batch"])
    if rights_moved:
        label_rights.follow(
            db,
            scope,
            f"select unnest([{LINKED}]::varchar[]) union all {_stated('$place')}",
            linked | {"place": pair["row_index"]},
        )
    elif moved or (approved and label_rights.binds_more(db, pair)):
        label_rights.follow(db, scope, LINKED, linked)


def follow_batch(db: Database, scope: Scope, batch: int) -> None:
    """Let the labels follow the pairs that a batch has just changed, none of them by an approval."""
    known = {"batch": batch}
    if db.execute("select 1 from decision_log where batch = ? and before.canonical_label_id is not null limit 1", [batch]):
        withdraw(db, scope, OF_BATCH, known, by=batch)
    stated = _stated("select row_index from decision_log where batch = $batch")
    label_rights.follow(db, scope, f"{OF_BATCH} union all {stated}", known)


def _stated(places: str) -> str:
    """Return SQL for the labels that some pairs stated, which another template may have unlinked from them since.

    What binds such a pair binds what it stated.
    """
    return (
        "select label_id from canonical_label_versions where not retracted and training_sheet_id = $training_sheet_id "
        f"and row_index in ({places})"
    )


def record_one(db: Database, scope: Scope, batch: int, pair: dict[str, Any]) -> bool:
    """Make or renew the label of one approved pair; return whether it says something else now."""
    label_id, response = pair["canonical_label_id"], pair["response"]
    stands = db.value("select label from canonical_labels where id = ?", [label_id])
    if stands == response:
        return False
    db.execute(
        f"insert into canonical_label_versions {VERSION} values (?, nextval('label_version_numbers'), ?, ?, ?, ?, ?, ?, false, 'high')",
        [label_id, response, scope.actor, scope.now, scope.training_sheet_id, pair["row_index"], batch],
    )
    if stands is not None:
        db.execute(
            "update canonical_labels set label = ?, confidence = 'high', labeled_by = ?, labeled_at = ?, updated_at = ?, "
            "version = version + 1 where id = ?",
            [response, scope.actor, scope.now, scope.now, label_id],
        )
        return True
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
    return False


def settle(db: Database, scope: Scope, stepped: Stepped) -> None:
    """Let the labels follow the pairs in `_steps`, which a batch just taken back or made again touches."""
    target = "training_sheet_id = $training_sheet_id and row_index in (select row_index from _steps)"
    if stepped.back:
        retract(db, scope, stepped.batch, by=stepped.number)
        bring_back(db, scope, by=stepped.batch)
    else:
        bring_back(db, scope, by=stepped.undone_number)
        _withdraw_again(db, scope, stepped.batch)
    withdraw(db, scope, STEPPED, {}, by=stepped.number if stepped.back else stepped.batch)
    if stepped.is_labeled:
        # What another pair has stated since is not overwritten.
        record(db, scope, stepped.batch, target, missing_only=True)
    label_rights.follow(db, scope, f"{STEPPED} union all {_stated('select row_index from _steps')}")


def withdraw(db: Database, scope: Scope, labels: str, values: dict[str, Any], *, by: int | None) -> None:
    """Take back what pairs had stated that are not approved any more, unless an approved pair relies on it.

    What is flagged is in doubt: handed on, it would come to be approved in the next training sheet without a word of the
    doubt. Its truth waits with it, and is there again once the flag is taken back or somebody approves the pair.
    A pair that states another kind of truth by now has no say in its former one.
    `labels` is SQL for the ids of the labels to look at, which may name `values`.
    """
    run(
        db,
        "create or replace temp table _retracted as select v.label_id, v.number from canonical_label_versions v "
        "join pair_rows p on p.training_sheet_id = v.training_sheet_id and p.row_index = v.row_index "
        "and p.canonical_label_id = v.label_id and p.status <> 'labeled' anti join "
        f"(select canonical_label_id, response from pair_rows where status = 'labeled' and canonical_label_id in ({labels})) q "
        f"on q.canonical_label_id = v.label_id and q.response = v.label where not v.retracted and v.label_id in ({labels})",
        values,
    )
    _withdraw(db, scope, by)


def retract(db: Database, scope: Scope, batch: int, *, by: int | None) -> None:
    """Take back the versions that a batch made on the pairs in `_steps`, unless another pair relies on them.

    A version that outlived its own batch for the sake of such a pair goes once that pair lets go of it.
    """
    db.execute(
        "create or replace temp table _retracted as with steps as (select row_index, unnest([before.canonical_label_id, "
        "after.canonical_label_id]) as label_id from _steps) "
        "select v.label_id, v.number from canonical_label_versions v semi join steps s on s.label_id = v.label_id "
        "and (v.batch <> $batch or s.row_index = v.row_index) anti join pair_rows q on q.canonical_label_id = v.label_id "
        "and q.status = 'labeled' and q.response = v.label where not v.retracted "
        "and (v.batch = $batch or v.batch in (select number from batches where undone_at is not null))",
        {"batch": batch},
    )
    _withdraw(db, scope, by)


def retract_of_pair(db: Database, scope: Scope, label_id: str, row_index: int, batches: list[int], *, by: int) -> None:
    """Take back the versions that some batches made on one pair, unless a pair relies on them."""
    db.execute(
        "create or replace temp table _retracted as select v.label_id, v.number from canonical_label_versions v "
        "anti join pair_rows q on q.canonical_label_id = v.label_id and q.status = 'labeled' and q.response = v.label "
        "where v.label_id = ? and v.row_index = ? and not v.retracted and list_contains(?::bigint[], v.batch)",
        [label_id, row_index, batches],
    )
    _withdraw(db, scope, by)


def _withdraw(db: Database, scope: Scope, by: int | None) -> None:
    """Mark the versions in `_retracted` as taken back by a batch."""
    if not db.execute("select 1 from _retracted limit 1"):
        return
    db.execute(
        "update canonical_label_versions set retracted = true, retracted_by = ? from _retracted r "
        "where canonical_label_versions.label_id = r.label_id and canonical_label_versions.number = r.number",
        [by],
    )
    _let_stand(db, scope)


def bring_back(db: Database, scope: Scope, *, by: int | None) -> None:
    """Let the versions hold again that a batch had taken back."""
    _turn(db, scope, by, retracted=False)


def _withdraw_again(db: Database, scope: Scope, by: int) -> None:
    """Take back again what a batch had taken back before it was undone itself."""
    _turn(db, scope, by, retracted=True)


def _turn(db: Database, scope: Scope, by: int | None, *, retracted: bool) -> None:
    db.execute(
        "create or replace temp table _retracted as select label_id, number from canonical_label_versions "
        "where retracted_by = ? and retracted <> ?",
        [by, retracted],
    )
    if not db.execute("select 1 from _retracted limit 1"):
        return
    db.execute("update canonical_label_versions set retracted = ? where retracted_by = ?", [retracted, by])
    _let_stand(db, scope)


def _let_stand(db: Database, scope: Scope) -> None:
    """Let the labels of the versions in `_retracted` say what the newest standing version says; without one they go."""
    db.execute(
        "create or replace temp table _stand as select v.label_id, max_by(v.label, v.number) as label, "
        "max_by(v.labeled_by, v.number) as labeled_by, max_by(v.labeled_at, v.number) as labeled_at, "
        "arg_max_null(v.confidence, v.number) as confidence, "
        "max_by({'sheet': v.training_sheet_id, 'place': v.row_index}, v.number) as stated "
        "from canonical_label_versions v where not v.retracted and v.label_id in (select label_id from _retracted) group by 1"
    )
    db.execute(
        "update canonical_labels set label = s.label, labeled_by = s.labeled_by, labeled_at = s.labeled_at, "
        "confidence = coalesce(s.confidence, canonical_labels.confidence), version = version + 1 "
        "from _stand s where canonical_labels.id = s.label_id"
    )
    if db.execute("select 1 from _stand s anti join canonical_labels c on c.id = s.label_id limit 1"):
        run(db, _INSERT_AGAIN, scope.__dict__ | {"types": templating.label_types(db, scope)})
    db.execute(
        "delete from canonical_labels where id in (select label_id from _retracted) and id not in (select label_id from _stand)"
    )
