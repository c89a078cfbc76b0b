"""Rows become pairs: chosen, rendered and numbered in SQL, in one pass."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from workbench.domain.data import Sheet, prohibited_uses
from workbench.domain.generate import TemplateSnapshot, TrainingSheet
from workbench.domain.label import mask_of
from workbench.domain.prompt import columns_used
from workbench.engine.rows import BATCH_ROWS, ROWS, write_rows
from workbench.errors import ValidationError
from workbench.services.label_rights import ALLOWED, PROHIBITED
from workbench.services.rendering import item_ref_sql, prompt_sql, response_sql, text_of
from workbench.services.sheet_rows import relation_of, rows_table
from workbench.store import Database
from workbench.store.conditions import typed_condition
from workbench.store.transaction import Transaction, quoted

LABELS = "labels.parquet"
NO_ROW = "No row matches, so there would be no pair; widen the filter"


@dataclass(frozen=True)
class Choice:
    """Say which rows of a sheet are taken; `filter` is the condition as it was typed, `seconds` what it may take."""

    condition: str
    sampling: str
    size: int | None
    seed: int
    stratify_by: str | None
    filter: str | None = None
    seconds: float = 0.0

    def applied(self, db: Database | Transaction) -> AbstractContextManager[None]:
        """Explain the faults of the condition inside the block, and limit its time."""
        return typed_condition(db, self.filter, seconds=self.seconds, field="filter", setting="WORKBENCH_SQL_SECONDS")


def assemble(db: Database, sheet: Sheet, training_sheet: TrainingSheet, choice: Choice) -> int:
    """Make the pairs of a training sheet that nobody sees yet and return their number."""
    with db.load() as tx:
        _pick(tx, sheet, choice)
        count = tx.execute("select count(*) from _picks")[0][0]
        if not count:
            raise ValidationError.field("filter", NO_ROW)
        render_picks(tx, sheet, training_sheet)
        tx.execute("drop table _picks")
    return count


def render_picks(tx: Transaction | Database, sheet: Sheet, training_sheet: TrainingSheet) -> None:
    """Make a pair of each row in `_picks`, in the current transaction."""
    plan = training_sheet.template
    assert plan is not None
    select, params = _pairs_sql(sheet, training_sheet, plan, known=_known_labels(tx, sheet, plan))
    tx.execute(f"insert into pair_rows by name {select}", params)


def chosen(db: Database, sheet: Sheet, choice: Choice) -> int:
    """Return how many rows of a sheet are taken."""
    matching = sheet.item_count
    if choice.condition != "true":
        matching = db.value(f"select count(*) from {relation_of(sheet)} where {choice.condition}")
    return min(matching, choice.size or matching)


def give(db: Database, sheet: Sheet, made: TrainingSheet, choice: Choice, folder: Path) -> dict[str, Any]:
    """Write what another process needs to render the chosen rows, and return what it has to know."""
    plan = made.template
    assert plan is not None
    with db.load() as tx:
        _pick(tx, sheet, choice)
        with closing(tx.cursor.sql(_given_sql(sheet, plan)).to_arrow_reader(BATCH_ROWS)) as rows:
            total = write_rows(rows, folder / ROWS)
        tx.execute("drop table _picks")
        if not total:
            raise ValidationError.field("filter", NO_ROW)
        known = _known_labels(tx, sheet, plan)
        if known:
            wanted = "select * from canonical_labels where sheet_id = ? and label_type = ?"
            pq.write_table(tx.cursor.sql(wanted, params=[sheet.id, plan.label_type]).to_arrow_table(), folder / LABELS)
    return {"total": total, "labels": known}


def _given_sql(sheet: Sheet, plan: TemplateSnapshot) -> str:
    """Return SQL for the cells that the prompts and answers of the picked rows are made of, as text."""
    used = {*columns_used(plan.prompt_template, plan.column_mapping).values(), plan.response_column, sheet.item_id_column}
    cells = [f"{text_of(column)} as {quoted(column.name)}" for column in sheet.columns if column.name in used]
    listed = ", ".join(["p._wb_index", "s._row", *cells])
    return f"select {listed} from _picks p join {rows_table(sheet.id)} s on s._row = p._wb_pick order by p._wb_index"


def question(db: Database, sheet: Sheet, made: TrainingSheet, *, labels: bool) -> dict[str, Any]:
    """Return the tables and the SQL that render given rows in another process, as `rows.answer` wants them."""
    plan = made.template
    assert plan is not None
    plain = sheet.with_(columns=[column.with_(dtype="VARCHAR") for column in sheet.columns])
    select, params = _pairs_sql(plain, made, plan, known=labels, given=True)
    macro = db.row("select parameters, macro_definition from duckdb_functions() where function_name = 'mask_of'") or {}
    return {
        "tables": {"_given": ROWS} | ({"canonical_labels": LABELS} if labels else {}),
        "prelude": [
            f"create macro mask_of({', '.join(macro['parameters'])}) as {macro['macro_definition']}",
        ],
        "select": select,
        "params": [value.isoformat() if isinstance(value, dt.datetime) else value for value in params],
        "step": "rendering",
    }


def _pick(tx: Transaction, sheet: Sheet, choice: Choice) -> None:
    with choice.applied(tx):
        tx.execute(f"create temp table _picks as {_picks_sql(sheet, choice)}")


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


def _pairs_sql(
    sheet: Sheet, made: TrainingSheet, plan: TemplateSnapshot, *, known: bool, given: bool = False
) -> tuple[str, list[Any]]:
    """Return the query that renders every chosen row, and takes over what is known about its item.

    Rows that are `given` come numbered and in order: to join and sort them costs as much as all the rest.
    """
    barred = mask_of(prohibited_uses(sheet.tags))
    picked = f"_picks p join {rows_table(sheet.id)} s on s._row = p._wb_pick"
    rendered = (
        f"select _wb_index as row_index, s._row as source_index, {item_ref_sql(sheet)} as item_ref, "
        f"{prompt_sql(plan, sheet.columns)} as prompt, {response_sql(plan, sheet.columns)} as response "
        f"from {'_given s' if given else picked}"
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
        "allowed_mask": ALLOWED.format("c"),
        "prohibited_mask": f"({PROHIBITED.format('c')} | {barred}::utinyint)",
        "canonical_label_id": "c.id",
        "confidence": "case c.confidence when 'high' then 1.0 when 'medium' then 0.6 else 0.3 end",
    }
    columns = {key: f"case when c.id is null then {own[key]} else {label[key]} end" for key in own} if known else own
    join = " left join canonical_labels c on c.sheet_id = ? and c.label_type = ? and c.item_ref = r.item_ref" if known else ""
    listed = ", ".join(f"{sql} as {key}" for key, sql in columns.items())
    sql = (
        "select ? as training_sheet_id, r.row_index, r.source_index, r.item_ref, r.prompt, "
        f"{listed}, false as stale, {str(made.sample).lower()} as sample, ? as created_at, ? as updated_at, 1 as version, "
        f"0 as last_batch from ({rendered}) r{join}{'' if given and not known else ' order by r.row_index'}"
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


def drop_pairs(db: Database, training_sheet_id: str) -> None:
    """Remove the pairs of a training sheet that was never published."""
    with db.write():
        db.execute("delete from pair_rows where training_sheet_id = ?", [training_sheet_id])


def drop_orphans(db: Database) -> None:
    """Remove pairs whose training sheet was never published."""
    with db.write():
        published = "select id from training_sheets where status not in ('assembling', 'failed')"
        db.execute(f"delete from pair_rows where training_sheet_id not in ({published})")
