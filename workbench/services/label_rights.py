"""Usage rights of canonical labels: what binds a pair that states a truth, or relies on it, binds the truth too.

A label is bound by what was said of it by hand, by the pair that stated it, by every approved pair that says the same,
and by the tags of its sheet. So its rights follow from the present state alone, and undo brings them back exactly.
"""

from __future__ import annotations

from typing import Any

from workbench.services.decisions import Scope, run
from workbench.store import Database

ALLOWED = "case when {0}.allowed_uses is null then null else coalesce(mask_of({0}.allowed_uses), 0::utinyint) end"
PROHIBITED = "coalesce(mask_of({0}.prohibited_uses), 0::utinyint)"
# True for a pair `p` that is bound more than the label `c` it is linked to.
_BOUND_MORE = (
    "(p.prohibited_mask <> 0 or p.allowed_mask is not null) and ((p.prohibited_mask & ~{prohibited}) <> 0 "
    "or (p.allowed_mask is not null and ({allowed} is null or ({allowed} & ~p.allowed_mask) <> 0)))"
).format(prohibited=PROHIBITED.format("c"), allowed=ALLOWED.format("c"))
_FOLLOW = """
with standing as (
    select
        label_id,
        max_by({'sheet': training_sheet_id, 'place': row_index, 'allowed': allowed_mask, 'prohibited': prohibited_mask}, number) as v
    from canonical_label_versions where not retracted and label_id in (select id from _bound) group by 1
), binding as (
    select label_id, v.allowed as allowed, v.prohibited as prohibited from standing
    union all
    select s.label_id, p.allowed_mask, p.prohibited_mask
    from standing s join pair_rows p on p.training_sheet_id = s.v.sheet and p.row_index = s.v.place
    union all
    select b.id, p.allowed_mask, p.prohibited_mask from _bound b
    join pair_rows p on p.canonical_label_id = b.id and p.status = 'labeled' and p.response = b.label
), rights as (
    select
        label_id, bit_or(coalesce(prohibited, 0::utinyint)) | $barred::utinyint as prohibited,
        case when bool_and(allowed is null) then null else bit_and(coalesce(allowed, 31::utinyint)) end as allowed
    from binding group by 1
)
"""
_CHANGED = """
select l.* replace (
    case when r.allowed is not null then uses_of(r.allowed) end as allowed_uses, uses_of(r.prohibited) as prohibited_uses,
    $now as updated_at, l.version + 1 as version
)
from rights r join canonical_labels l on l.id = r.label_id
where {allowed} is distinct from r.allowed or {prohibited} <> r.prohibited
""".format(allowed=ALLOWED.format("l"), prohibited=PROHIBITED.format("l"))


def follow(db: Database, scope: Scope, labels: str, values: dict[str, Any] | None = None) -> None:
    """Work out the rights of some labels anew; `labels` is SQL for their ids, which may name `values`."""
    known = scope.__dict__ | (values or {})
    run(db, f"create or replace temp table _bound as select id, label from canonical_labels where id in ({labels})", known)
    if not db.execute("select 1 from _bound limit 1"):
        return
    run(db, f"create or replace temp table _rights as {_FOLLOW} {_CHANGED}", known)
    if db.execute("select 1 from _rights limit 1"):
        # An update of lists moves the rows too, and takes several times as long.
        db.execute("delete from canonical_labels where id in (select id from _rights)")
        db.execute("insert into canonical_labels by name select * from _rights")


def follow_approvals(db: Database, scope: Scope, batch: int, target: str, rewritten: str) -> None:
    """Bind the labels that a batch of approvals reaches: linked to pairs bound more than they are, left, or rewritten."""
    labels = (
        f"select c.id from pair_rows p join canonical_labels c on c.id = p.canonical_label_id where {target} "
        f"and p.status = 'labeled' and {_BOUND_MORE} "
        "union all select before.canonical_label_id from decision_log where batch = $batch "
        "and before.canonical_label_id <> after.canonical_label_id "
        f"union all {rewritten}"
    )
    follow(db, scope, labels, {"batch": batch})


def binds_more(db: Database, pair: dict[str, Any]) -> bool:
    """Return whether one approved pair is bound more than the label it is linked to."""
    if not pair["prohibited_mask"] and pair["allowed_mask"] is None:
        return False
    sql = "select 1 from (select $prohibited::utinyint as prohibited_mask, $allowed::utinyint as allowed_mask) p, canonical_labels c"
    known = {"prohibited": pair["prohibited_mask"], "allowed": pair["allowed_mask"], "id": pair["canonical_label_id"]}
    return bool(db.execute(f"{sql} where c.id = $id and {_BOUND_MORE}", known))
