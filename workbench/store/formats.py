"""Parquet, Arrow and Excel files, each checked to its last row before anybody takes it in."""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import FileTooLarge, InvalidFileType, ValidationError, did_you_mean
from workbench.store.class_names import with_class_names
from workbench.store.names import refuse_names, with_index
from workbench.store.plain_text import Workplace, literal_path
from workbench.store.scratch import scratch, streamed, text_literal
from workbench.store.transaction import quoted

# Where a file lies on this machine is nobody's business.
_FOLDERS = re.compile(r"['\"]/[^'\"]*/")
_LARGEST_WORKBOOK = 1 << 30
_SMALL_ENOUGH = 64 << 20
_WORST_RATIO = 100


def read_parquet(path: Path, work: Workplace, *, name: str) -> pa.RecordBatchReader:
    """Return the rows of a Parquet file."""
    source = f"read_parquet({text_literal(str(literal_path(path, work)))}, hive_partitioning=false)"
    described = parquet_columns(source, name)
    # DuckDB has numbered those that differ by case only.
    refuse_names(pq.read_schema(path).names, name)
    with scratch() as cursor:
        try:
            (count, _) = cursor.execute(f"select count(*), bit_xor(hash(t)) from {source} t").fetchone()
        except duckdb.Error as error:
            raise not_parquet(error, name) from error
    if not count:
        raise _fault(name, f"{name} has columns and no rows. Add rows and import it again")
    listed = ", ".join(plain_column(title, column) for title, column in described)
    return streamed(f"select {listed} from {source}", work, total=count)


def parquet_columns(source: str, name: str) -> list[tuple[str, str]]:
    """Return names and types of the columns that a read of Parquet yields."""
    with scratch() as cursor:
        try:
            found = cursor.execute(f"describe select * from {source}").fetchall()
        except duckdb.Error as error:
            raise not_parquet(error, name) from error
    refuse_names([row[0] for row in found], name)
    return [(row[0], row[1]) for row in found]


def plain_column(name: str, kind: str) -> str:
    """Return SQL for a column in a type that every reader understands."""
    column = quoted(name)
    if kind in ("UUID", "JSON") or kind.startswith(("ENUM", "HUGEINT", "UHUGEINT", "BIT", "INTERVAL", "TIME WITH")):
        return f"cast({column} as varchar) as {column}"
    return column


def not_parquet(error: duckdb.Error, name: str) -> InvalidFileType:
    """Say that a file cannot be read as Parquet."""
    reason = _FOLDERS.sub("'", str(error).split("\n", 1)[0].split(": ", 1)[-1])
    return InvalidFileType(
        f"{name} is not a whole Parquet file: {reason}. Write it again, or import it under its true file type."
    )


def read_arrow(path: Path, *, name: str) -> pa.Table:
    """Return the rows of an Arrow IPC file or stream, memory-mapped."""
    try:
        mapped = pa.memory_map(str(path))
        try:
            table = pa.ipc.open_file(mapped).read_all()
        except pa.ArrowInvalid:
            mapped.seek(0)
            table = pa.ipc.open_stream(mapped).read_all()
        table.validate(full=True)
        return table
    except (pa.ArrowException, OSError) as error:
        raise InvalidFileType(f"{name} is not an Arrow file: {error}. Import it under its true file type.") from error


def read_dataset_folder(path: Path, *, name: str, split: str | None = None) -> pa.Table:
    """Return the rows of a data set that `datasets` saved to disk; `split` chooses among several."""
    state = path / "state.json"
    if not state.is_file():
        chosen = _chosen_split(path, name, split)
        return read_dataset_folder(path / chosen, name=f"{name}/{chosen}")
    if split is not None:
        raise ValidationError.field("split", f"{name} is a single data set without splits; leave it out", split)
    try:
        found = json.loads(state.read_text("utf-8"))
        files = [path / Path(entry["filename"]).name for entry in found["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidFileType(f"{name}/state.json does not list the data files. Save the data set again.") from error
    if found.get("_indices_data_files") or found.get("_indices_files"):
        raise InvalidFileType(f"{name} keeps a selection beside its rows. Call flatten_indices() and save the data set again.")
    missing = [file.name for file in files if not file.is_file()]
    if missing or not files:
        raise InvalidFileType(f"{name} lacks {', '.join(missing) or 'its data files'}. Save the data set again.")
    try:
        table = pa.concat_tables([read_arrow(file, name=f"{name}/{file.name}") for file in files])
    except pa.ArrowInvalid as error:
        raise InvalidFileType(f"{name}: its files have different columns. Save the data set again.") from error
    return with_class_names(table, path)


def _chosen_split(path: Path, name: str, split: str | None) -> str:
    splits = sorted(entry.parent.name for entry in path.glob("*/state.json"))
    if not splits:
        raise InvalidFileType(f"{name} is a folder, not a file. Name a file, or a data set saved to disk.")
    if split in splits or (split is None and len(splits) == 1):
        return split or splits[0]
    wrong = f"has no split {split!r}.{did_you_mean(split, splits)} It has" if split else "has several splits; choose one of"
    raise ValidationError.field("split", f"{name} {wrong}: {', '.join(splits)}", split)


def read_excel(path: Path, *, name: str, sheet: str | None = None) -> pa.Table:
    """Return the rows of one worksheet, the first by default; its first row names the columns."""
    from python_calamine import CalamineError, CalamineWorkbook

    _refuse_bomb(path, name)
    try:
        book = CalamineWorkbook.from_path(str(path))
        wanted = sheet or book.sheet_names[0]
        if wanted not in book.sheet_names:
            known = ", ".join(book.sheet_names)
            raise ValidationError.field("worksheet", f"{name} has no worksheet {wanted!r}. It has: {known}", wanted)
        rows = book.get_sheet_by_name(wanted).to_python()
    except (CalamineError, IndexError, OSError) as error:
        raise InvalidFileType(f"{name} is not an Excel workbook: {error}. Save it as .xlsx again.") from error
    while rows and not any(cell not in ("", None) for cell in rows[-1]):
        rows.pop()
    if len(rows) < 2:
        raise _fault(name, f"{name}, worksheet {wanted!r}, has no rows below its header" if rows else f"{name} is empty")
    return _table(rows, name)


def _table(rows: list[list[Any]], name: str) -> pa.Table:
    header = [str(cell).strip() for cell in rows[0]]
    used = [i for i, title in enumerate(header) if title or any(row[i] not in ("", None) for row in rows[1:])]
    names = with_index([header[i] for i in used])
    refuse_names(names, name)
    return pa.table({title: _column([row[i] for row in rows[1:]]) for title, i in zip(names, used, strict=True)})


def _column(values: list[Any]) -> pa.Array:
    """Keep numbers, dates and truth values where a whole column agrees, text otherwise."""
    cells = [None if value == "" else value for value in values]
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float} and kinds:
        if all(cell is None or (float(cell).is_integer() and abs(cell) < 2**53) for cell in cells):
            return pa.array([None if cell is None else int(cell) for cell in cells], pa.int64())
        return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())
    if kinds == {bool}:
        return pa.array(cells, pa.bool_())
    if kinds == {dt.date}:
        return pa.array(cells, pa.date32())
    if kinds and kinds <= {dt.date, dt.datetime}:
        return pa.array([None if cell is None else _moment(cell) for cell in cells], pa.timestamp("us"))
    return pa.array([None if cell is None else _words(cell) for cell in cells], pa.string())


def _moment(cell: dt.date) -> dt.datetime:
    return cell if isinstance(cell, dt.datetime) else dt.datetime.combine(cell, dt.time())


def _words(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, (dt.date, dt.time)) else str(cell)


def _refuse_bomb(path: Path, name: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise InvalidFileType(f"{name} is not an Excel workbook (.xlsx): {error}. Save it as .xlsx again.") from error
    if size > _LARGEST_WORKBOOK or (size > _SMALL_ENOUGH and size > path.stat().st_size * _WORST_RATIO):
        raise FileTooLarge(f"{name} unpacks to {size >> 20} MiB and was not read. Export it as CSV and import that.")


def _fault(name: str, message: str) -> ValidationError:
    return ValidationError.field("source", message.rstrip("."), name)
