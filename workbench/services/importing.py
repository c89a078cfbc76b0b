"""Bring rows into tables of their own: filled where nobody looks, then published at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from workbench.domain.data import Sheet, SheetColumn
from workbench.errors import ValidationError, did_you_mean
from workbench.services.sheet_rows import index_name, rows_table
from workbench.store import Database
from workbench.store.names import refuse_columns
from workbench.store.transaction import Transaction, quoted

Source = pa.Table | pa.RecordBatchReader
SHOWN_OFFENDERS = 5


@dataclass(frozen=True)
class Loaded:
    """Say what came in."""

    columns: tuple[SheetColumn, ...]
    item_count: int
    content_hash: str


def load(db: Database, sheet_id: str, source: Source, item_id_column: str | None) -> Loaded:
    """Copy a source to the table of a sheet that nobody sees yet; on any fault nothing remains."""
    table = rows_table(sheet_id)
    refuse_columns(source.schema.names)
    with db.load() as tx:
        tx.cursor.register("_source", _plain(source))
        tx.execute(f"create table {table} as select row_number() over () - 1 as _row, * from _source")
        tx.cursor.unregister("_source")
        columns = described(tx, table, item_id_column)
        count = tx.execute(f"select count(*) from {table}")[0][0]
        if not count:
            raise ValidationError.field("source", "The source has columns but no rows; add rows and import it again")
        if item_id_column is not None:
            refuse_item_ids(tx, table, item_id_column, columns)
        return Loaded(columns, count, content_hash(tx, table, columns))


def _plain(source: Source) -> Source:
    """Turn moments with a zone into naive UTC, the only kind we keep, and what has no type into text that can be edited."""
    schema = pa.schema([pa.field(field.name, _plain_type(field.type)) for field in source.schema])
    if schema.types == source.schema.types:
        return source
    if isinstance(source, pa.Table):
        return source.cast(schema)
    return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in source))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_null(kind):
        return pa.string()
    return pa.timestamp("us") if pa.types.is_timestamp(kind) and kind.tz else kind


def described(tx: Transaction, table: str, item_id_column: str | None) -> tuple[SheetColumn, ...]:
    """Return the columns of the rows of a sheet."""
    described = tx.execute(f"describe {table}")
    return tuple(
        SheetColumn(name=row[0], dtype=row[1], role="id" if row[0] == item_id_column else "data")
        for row in described
        if row[0] != "_row"
    )


def checked_item_ids(db: Database, sheet: Sheet, item_id_column: str | None) -> tuple[SheetColumn, ...]:
    """Return the columns of a sheet with another item id, or name what is wrong with it."""
    tx = db.write()
    with tx as transaction:
        if item_id_column is not None:
            refuse_item_ids(transaction, rows_table(sheet.id), item_id_column, sheet.columns)
    return tuple(column.with_(role="id" if column.name == item_id_column else "data") for column in sheet.columns)


def refuse_item_ids(tx: Transaction, table: str, column: str, columns: Iterable[SheetColumn]) -> None:
    """Refuse a column that leaves an item without a name, or gives a name twice."""
    known = [c.name for c in columns]
    if column not in known:
        message = f"No column {column!r}.{did_you_mean(column, known)} Available: {', '.join(known)}"
        raise ValidationError.field("item_id_column", message, column)
    name = quoted(column)
    faults = []
    empty = tx.execute(f"select _row from {table} where {name} is null order by _row limit {SHOWN_OFFENDERS}")
    if empty:
        rows = ", ".join(str(row[0]) for row in empty)
        faults.append(f"{column} has no value in row {rows} (counted from 0)")
    twice = tx.execute(
        f"select cast({name} as varchar), count(*), list(_row order by _row)[:3] from {table} "
        f"where {name} is not null group by {name} having count(*) > 1 order by min(_row) limit {SHOWN_OFFENDERS}"
    )
    if twice:
        found = "; ".join(f"{value!r} {times} times, first in rows {', '.join(map(str, rows))}" for value, times, rows in twice)
        faults.append(f"{column} repeats values: {found} (counted from 0)")
    if faults:
        raise ValidationError.of({"field": "item_id_column", "message": words, "value": column} for words in faults)


def row_hash(columns: Iterable[SheetColumn]) -> str:
    """Return SQL for the number of one row; the content hash is the exclusive or of all."""
    cells = ", ".join(["_row", *(f"coalesce(cast({quoted(c.name)} as varchar), chr(0))" for c in columns)])
    return f"md5_number_lower(concat_ws(chr(31), {cells}))"


def content_hash(tx: Transaction, table: str, columns: Iterable[SheetColumn]) -> str:
    """Return the hash over all cells of a table in their order."""
    return tx.execute(f"select lower(to_hex(bit_xor({row_hash(columns)}))) from {table}")[0][0]


def copy_rows(db: Database, sheet: Sheet, copy_id: str) -> Loaded:
    """Copy the rows of a sheet to a table that nobody sees yet."""
    with db.load() as tx:
        tx.execute(f"create table {rows_table(copy_id)} as select * from {rows_table(sheet.id)} order by _row")
    return Loaded(sheet.columns, sheet.item_count, sheet.content_hash)


def create_view(db: Database, sheet: Sheet) -> None:
    """Publish the rows for SQL under the sheet's slug."""
    listed = ", ".join(quoted(column.name) for column in sheet.columns)
    index = "_row" if index_name(sheet) == "_row" else "_row as row_index"
    db.execute(f"create view {quoted('sheet_' + sheet.slug)} as select {index}, {listed} from {rows_table(sheet.id)}")


def slug_of(name: str) -> str:
    """Return a name as lower-case letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60] or "rows"


def free_slug(db: Database, name: str) -> str:
    """Return a word for the SQL view that no sheet, living or deleted, has."""
    wished = slug_of(name)
    taken = {row[0] for row in db.tuples("select slug from sheets where starts_with(slug, ?)", [wished])}
    candidates = (wished, *(f"{wished}_{number}" for number in range(2, len(taken) + 3)))
    return next(slug for slug in candidates if slug not in taken)


def drop_rows(db: Database, sheet_id: str) -> None:
    """Remove the rows of a sheet that was never published; a file that they are read from stays."""
    _drop(db, [name for name, _ in _row_tables(db) if name == f"rows_{sheet_id}"])


def drop_orphans(db: Database) -> None:
    """Remove the rows of imports that ended before they were published."""
    _drop(db, [name for name, sheet in _row_tables(db) if sheet is None])


def _row_tables(db: Database) -> list[tuple[Any, ...]]:
    """Return the tables and views that hold rows, each with its sheet, if it has one."""
    return db.tuples(
        "select t.name, s.id from (select table_name as name from duckdb_tables() union all "
        "select view_name from duckdb_views() where not internal) t "
        "left join sheets s on s.id = substr(t.name, 6) where starts_with(t.name, 'rows_sheet_')"
    )


def _drop(db: Database, names: list[str]) -> None:
    if not names:
        return
    with db.write():
        for name in names:
            view = db.value("select 1 from duckdb_views() where view_name = ?", [name])
            db.execute(f"drop {'view' if view else 'table'} if exists {quoted(name)}")
