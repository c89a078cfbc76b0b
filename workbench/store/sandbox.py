"""Run a user's query so that it can read what is published and do nothing else.

Four measures together: the owner instance reaches no file, the syntax tree is checked against lists
of what is allowed, the transaction is read only and rolled back, time and rows are limited.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import ValidationError
from workbench.store import sql_check
from workbench.store.database import Database
from workbench.store.published import relations
from workbench.store.time_limit import limited
from workbench.store.transaction import Params

_BATCH_ROWS = 8192
_TRUNCATED = b"workbench.truncated"


def query(
    db: Database,
    sql: str,
    params: Params = (),
    *,
    allowed: Collection[str] | None = None,
    seconds: float | None = None,
    max_rows: int | None = None,
) -> pa.Table:
    """Return the rows of a user's SELECT; `allowed` narrows or replaces the published names.

    Beyond `max_rows` the rest is left out and `truncated(table)` is True.
    """
    with _reading(db, sql, allowed=allowed, seconds=seconds) as cursor:
        return _run(cursor, sql, params, max_rows)


def write(db: Database, sql: str, path: Path, *, seconds: float | None = None) -> None:
    """Write all rows of a user's SELECT to a Parquet file, batch by batch."""
    with _reading(db, sql, seconds=seconds) as cursor:
        reader = cursor.sql(sql).to_arrow_reader(_BATCH_ROWS)
        try:
            with pq.ParquetWriter(path, reader.schema, compression="lz4") as writer:
                for batch in reader:
                    writer.write_batch(batch)
        finally:
            reader.close()


@contextmanager
def _reading(
    db: Database, sql: str, *, allowed: Collection[str] | None = None, seconds: float | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Check a user's query and hand out the cursor to run it on."""
    shown, hidden = relations(db)
    published = set(shown) if allowed is None else set(allowed)
    sql_check.check_query(sql, published=published, hidden=hidden | (set(shown) - published))
    cursor = db.connection.cursor()
    cursor.execute("begin transaction read only")
    try:
        with limited(cursor, seconds):
            yield cursor
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise ValidationError.field("query", _plain(error), sql) from error
    finally:
        cursor.rollback()
        cursor.close()


def where_predicate(db: Database, text: str, relation: str, *, field: str = "where") -> str:
    """Return a user's condition over `relation` (an SQL name) as a checked fragment in parentheses."""
    with db.cursor() as cursor:
        columns = [row[0] for row in cursor.execute(f"describe {relation}").fetchall()]
    fragment = sql_check.where_predicate(text, columns, field=field)
    try:
        db.value(f"select 1 from {relation} where {fragment} limit 0")
    except duckdb.Error as error:
        raise ValidationError.field(field, _plain(error), text) from error
    return fragment


def truncated(table: pa.Table) -> bool:
    """Return True when `query` left rows out."""
    return _TRUNCATED in (table.schema.metadata or {})


def _run(cursor: duckdb.DuckDBPyConnection, sql: str, params: Params, max_rows: int | None) -> pa.Table:
    reader = cursor.sql(sql, params=params or None).to_arrow_reader(_BATCH_ROWS)
    batches, count = [], 0
    try:
        for batch in reader:
            batches.append(batch)
            count += batch.num_rows
            if max_rows is not None and count > max_rows:
                break
    finally:
        reader.close()
    table = pa.Table.from_batches(batches, schema=reader.schema)
    if max_rows is None or count <= max_rows:
        return table
    return table.slice(0, max_rows).replace_schema_metadata({**(table.schema.metadata or {}), _TRUNCATED: b"1"})


def _plain(error: Exception) -> str:
    text = str(error).split("\n\nLINE ", 1)[0].strip()
    if text.startswith("Traceback"):
        # A file system of ours said no: its words are the last line.
        text = text.rsplit("Error: ", 1)[-1]
    text = text.replace("\n", " ")
    return text.rstrip(".")
