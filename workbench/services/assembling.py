"""Rows become pairs: chosen, rendered and numbered in SQL, in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.domain.data import Sheet, prohibited_uses
from workbench.domain.generate import TemplateSnapshot, TrainingSheet
from workbench.domain.label import mask_of
from workbench.errors import ValidationError
from workbench.services.rendering import item_ref_sql, prompt_sql, response_sql
from workbench.services.sheet_rows import relation_of, rows_table
from workbench.store import Database
from workbench.store.transaction import Transaction, quoted


@dataclass(frozen=True)
class Choice:
    """Say which rows of a sheet are taken."""

    condition: str
    sampling: str
    size: int | None
    seed: int
    stratify_by: str | None


def assemble(db: Database, sheet: Sheet, training_sheet: TrainingSheet, choice: Choice) -> int:
    """Make the pairs of a training sheet that nobody sees yet and return their number."""
    with db.load() as tx:
        tx.execute(f"create temp table _picks as {_picks_sql(sheet, choice)}")
        count = tx.execute("select count(*) from _picks")[0][0]
        if not count:
            raise ValidationError.field("filter", "No row matches, so there would be no pair; widen the filter")
        render_picks(tx, sheet, training_sheet)
        tx.execute("drop table _picks")
    return count


def render_picks(tx: Transaction | Database, sheet: Sheet, training_sheet: TrainingSheet) -> None:
    """Make a pair of each row in `_picks`, in the current transaction."""
    plan = training_sheet.template
    assert plan is not None
    tx.execute(*_insert_pairs(sheet, training_sheet, plan, known=_known_labels(tx, sheet, plan)))


def _picks_sql(sheet: Sheet, choice: Choice) -> str:
    """Return SQL that numbers the chosen rows from 0, in the order of the sheet."""
    table = relation_of(sheet)
    rows = f"select _row from {table} where {choice.condition}"
    shuffle = f"md5_number_lower('{choice.seed}:' || _row), _row"
    if choice.sampling == "random":
        rows = f"{rows} order by {shuffle} limit {choice.size}"
    elif choice.sampling == "stratified":
        stratum = quoted(str(choice.stratify_by))
        # Taking each row at its relative rank within its group keeps the shares of the groups.
        ranked = (
            f"select _row, (row_number() over (partition by {stratum} order by {shuffle}) - 0.5) "
            f"/ count(*) over (partition by {stratum}) as rank from {table} where {choice.condition}"
        )
        rows = f"select _row from ({ranked}) order by rank, {shuffle} limit {choice.size}"
    return f"select _row as _wb_pick, row_number() over (order by _row) - 1 as _wb_index from ({rows})"


def _known_labels(tx: Transaction | Database, sheet: Sheet, plan: TemplateSnapshot) -> bool:
    found = tx.execute(
        "select 1 from canonical_labels where sheet_id = ? and label_type = ? limit 1", [sheet.id, plan.label_type]
    )
    return bool(found)


def _insert_pairs(sheet: Sheet, made: TrainingSheet, plan: TemplateSnapshot, *, known: bool) -> tuple[str, list[Any]]:
    """Return the statement that renders every chosen row, and takes over what is known about its item."""
    barred = mask_of(prohibited_uses(sheet.tags))
    rendered = (
        f"select p._wb_index as row_index, s._row as source_index, {item_ref_sql(sheet)} as item_ref, "
        f"{prompt_sql(plan, sheet.columns)} as prompt, {response_sql(plan, sheet.columns)} as response "
        f"from _picks p join {rows_table(sheet.id)} s on s._row = p._wb_pick"
    )
    own = {
        "response": "r.response",
        "response_source": "case when r.response = '' then 'empty' else 'imported' end",
        "status": "'unlabeled'",
        "labeled_by": "null",
        "labeled_at": "null::timestamp",
        "allowed_mask": "null::utinyint",
        "prohibited_mask": f"{barred}::utinyint",
        "canonical_label_id": "null",
        "confidence": "null::double",
    }
    label = {
        "response": "c.label",
        "response_source": "'canonical'",
        "status": "'labeled'",
        "labeled_by": "c.labeled_by",
        "labeled_at": "c.labeled_at",
        "allowed_mask": "mask_of(c.allowed_uses)",
        "prohibited_mask": f"(coalesce(mask_of(c.prohibited_uses), 0::utinyint) | {barred}::utinyint)",
        "canonical_label_id": "c.id",
        "confidence": "case c.confidence when 'high' then 1.0 when 'medium' then 0.6 else 0.3 end",
    }
    columns = {key: f"case when c.id is null then {own[key]} else {label[key]} end" for key in own} if known else own
    join = " left join canonical_labels c on c.sheet_id = ? and c.label_type = ? and c.item_ref = r.item_ref" if known else ""
    listed = ", ".join(f"{sql} as {key}" for key, sql in columns.items())
    sql = (
        "insert into pair_rows by name select ? as training_sheet_id, r.row_index, r.source_index, r.item_ref, r.prompt, "
        f"{listed}, false as stale, {str(made.sample).lower()} as sample, ? as created_at, ? as updated_at, 1 as version, "
        f"0 as last_batch from ({rendered}) r{join} order by r.row_index"
    )
    params = [made.id, made.created_at, made.created_at]
    return sql, params + ([sheet.id, plan.label_type] if known else [])


def count_reuse(db: Database, training_sheet: TrainingSheet, first: int = 0) -> None:
    """Count, on each label that new pairs of a training sheet took over, that they did; `first` is their first row."""
    db.execute(
        "update canonical_labels set reuse_count = reuse_count + used.times, last_used_at = ? from "
        "(select canonical_label_id, count(*) as times from pair_rows where training_sheet_id = ? "
        "and row_index >= ? and canonical_label_id is not null group by 1) used where canonical_labels.id = used.canonical_label_id",
        [training_sheet.created_at, training_sheet.id, first],
    )


def drop_orphans(db: Database) -> None:
    """Remove pairs whose training sheet was never published."""
    with db.write():
        db.execute("delete from pair_rows where training_sheet_id not in (select id from training_sheets)")
