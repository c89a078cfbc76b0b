"""External sheets: rows that stay in a Parquet file, read in place."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.domain.data import Sheet, SheetColumn
from workbench.errors import Conflict, InvalidFileType, NotReady, ValidationError
from workbench.services import importing
from workbench.services.importing import Loaded
from workbench.services.sheet_rows import rows_table
from workbench.store import Database
from workbench.store.external import ExternalFile, reading
from workbench.store.formats import plain_column
from workbench.store.names import refuse_columns
from workbench.store.transaction import quoted

_AGAIN = "Bring the file back as it was, or import it as a new sheet."


def register(db: Database, sheet: Sheet) -> None:
    """Let the database read the file of an external sheet."""
    if sheet.external and isinstance(sheet.fingerprint, dict):
        db.external.add(sheet.id, ExternalFile(**sheet.fingerprint))


def refuse_changed(sheet: Sheet) -> None:
    """Raise NotReady when the file of an external sheet is gone or not as it was."""
    if sheet.external and (fault := _file(sheet).fault):
        raise NotReady(f"The file of {sheet.name} is not as it was: {fault}. {_AGAIN}", status="changed")


def readable(sheet: Sheet) -> bool:
    """Return True unless the file of an external sheet is gone or not as it was."""
    return not sheet.external or _file(sheet).fault is None


def refuse_edit(sheet: Sheet) -> None:
    """Raise Conflict: what lies in a file of its own is not ours to change."""
    if sheet.external:
        raise Conflict(
            f"{sheet.name} is external: its rows stay in {sheet.source}. Change the file and import it as a new sheet."
        )


def _file(sheet: Sheet) -> ExternalFile:
    return ExternalFile(**sheet.fingerprint)


def attach(db: Database, sheet_id: str, source: str | None, item_id_column: str | None) -> tuple[Loaded, dict[str, Any]]:
    """Publish nothing yet, but let a sheet's rows be read from a file; return what is in it, and the file as it is."""
    name = Path(source or "").name
    if not source or not Path(source).is_file():
        raise ValidationError.field("source", f"An external sheet reads a Parquet file; there is no file {source!r}", source)
    file = ExternalFile.seen(source)
    columns, count, digest = _contents(file, name)
    refuse_columns(columns)
    db.external.add(sheet_id, file)
    try:
        with db.load() as tx:
            tx.execute(f"create view {rows_table(sheet_id)} as {_rows_sql(tx.execute, sheet_id)}")
            loaded = Loaded(importing.described(tx, rows_table(sheet_id), item_id_column), count, digest)
            if item_id_column is not None:
                importing.refuse_item_ids(tx, rows_table(sheet_id), item_id_column, loaded.columns)
    except BaseException:
        db.external.remove(sheet_id)
        raise
    return loaded, vars(file).copy()


def _contents(file: ExternalFile, name: str) -> tuple[list[str], int, str]:
    """Return columns and rows of a file by its footer, and a hash of that: it knows size and range of every part."""
    try:
        with pq.ParquetFile(file.path) as parquet:
            columns, count = parquet.schema_arrow.names, parquet.metadata.num_rows
            digest = hashlib.blake2b(digest_size=8)
            with Path(file.path).open("rb") as raw:
                raw.seek(-8 - parquet.metadata.serialized_size, os.SEEK_END)
                digest.update(raw.read())
    except (pa.ArrowException, OSError) as error:
        raise InvalidFileType(
            f"{name} is not a whole Parquet file: {str(error).rstrip('.')}. Only Parquet can be read in place."
        ) from error
    if not count:
        raise ValidationError.field("source", f"{name} has columns and no rows", name)
    return columns, count, digest.hexdigest()


def _rows_sql(run: Any, sheet_id: str) -> str:
    source = reading(sheet_id)
    columns = [(row[0], row[1]) for row in run(f"describe select * exclude (file_row_number) from {source}")]
    listed = ", ".join(_column(SheetColumn(name=name, dtype=kind)) for name, kind in columns)
    return f"select file_row_number as _row, {listed} from {source}"


def _column(column: SheetColumn) -> str:
    if column.dtype.endswith("WITH TIME ZONE") and column.dtype.startswith("TIMESTAMP"):
        return f"{quoted(column.name)} at time zone 'UTC' as {quoted(column.name)}"
    return plain_column(column.name, column.dtype)


def copy(db: Database, sheet: Sheet, copy_id: str) -> None:
    """Let a copy of an external sheet read the same file."""
    db.external.add(copy_id, _file(sheet))
    with db.load() as tx:
        tx.execute(f"create view {rows_table(copy_id)} as {_rows_sql(tx.execute, copy_id)}")
