"""Parquet, JSON, Arrow and Excel files, each checked to its last row before anybody takes it in."""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from workbench.errors import FileTooLarge, InvalidFileType, ValidationError
from workbench.store.names import refuse_names
from workbench.store.plain_text import Workplace, literal_path
from workbench.store.scratch import scratch, streamed, text_literal
from workbench.store.transaction import quoted

_LARGEST_OBJECT = 16 << 20
_LARGEST_WORKBOOK = 1 << 30
_SMALL_ENOUGH = 64 << 20
_WORST_RATIO = 100


def read_parquet(path: Path, work: Workplace, *, name: str) -> pa.RecordBatchReader:
    """Return the rows of a Parquet file."""
    source = f"read_parquet({text_literal(str(literal_path(path, work)))}, hive_partitioning=false)"
    return _checked(source, _described(source, name, InvalidFileType), work, name, InvalidFileType)


def read_json(path: Path, work: Workplace, *, name: str, lines: bool) -> pa.RecordBatchReader:
    """Return the rows of a UTF-8 JSON file: a list of objects, or one object a line."""
    with path.open("rb") as file:
        first = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not first:
        raise _fault(name, f"{name} is empty. Give it a list of objects")
    shape = "newline_delimited" if lines else "array" if first == b"[" else "auto"
    place = text_literal(str(literal_path(path, work)))
    options = f"format='{shape}', records=true, maximum_object_size={_LARGEST_OBJECT}"
    described = _described(f"read_json({place}, {options}, sample_size=-1)", name, ValidationError)
    columns = ", ".join(f"{text_literal(title)}: {text_literal(kind)}" for title, kind in described)
    return _checked(f"read_json({place}, {options}, columns={{{columns}}})", described, work, name, ValidationError)


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


def read_dataset_folder(path: Path, *, name: str) -> pa.Table:
    """Return the rows of a data set that `datasets` saved to disk."""
    state = path / "state.json"
    if not state.is_file():
        splits = sorted(entry.parent.name for entry in path.glob("*/state.json"))
        then = f"It holds the splits {', '.join(splits)}: name one of them" if splits else "Name a file"
        raise InvalidFileType(f"{name} is a folder, not a file. {then}.")
    files = [path / Path(entry["filename"]).name for entry in json.loads(state.read_text("utf-8"))["_data_files"]]
    missing = [file.name for file in files if not file.is_file()]
    if missing or not files:
        raise InvalidFileType(f"{name} lacks {', '.join(missing) or 'its data files'}. Save the data set again.")
    return pa.concat_tables([read_arrow(file, name=f"{name}/{file.name}") for file in files])


def read_excel(path: Path, *, name: str, sheet: str | None = None) -> pa.Table:
    """Return the rows of one worksheet, the first by default; its first row names the columns."""
    from python_calamine import CalamineError, CalamineWorkbook

    _refuse_bomb(path, name)
    try:
        book = CalamineWorkbook.from_path(str(path))
        wanted = sheet or book.sheet_names[0]
        if wanted not in book.sheet_names:
            known = ", ".join(book.sheet_names)
            raise ValidationError.field("sheet", f"{name} has no worksheet {wanted!r}. It has: {known}", wanted)
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
    names = [header[i] for i in used]
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


def _described(source: str, name: str, kind: type[ValidationError | InvalidFileType]) -> list[tuple[str, str]]:
    with scratch() as cursor:
        try:
            found = cursor.execute(f"describe select * from {source}").fetchall()
        except duckdb.Error as error:
            raise _explained(error, name, kind) from error
    refuse_names([row[0] for row in found], name)
    return [(row[0], row[1]) for row in found]


def _checked(
    source: str, described: list[tuple[str, str]], work: Workplace, name: str, kind: type[ValidationError | InvalidFileType]
) -> pa.RecordBatchReader:
    with scratch() as cursor:
        try:
            (count, _) = cursor.execute(f"select count(*), bit_xor(hash(t)) from {source} t").fetchone()
        except duckdb.Error as error:
            raise _explained(error, name, kind) from error
    if not count:
        raise _fault(name, f"{name} has columns and no rows. Add rows and import it again")
    listed = ", ".join(_plain_column(title, column) for title, column in described)
    return streamed(f"select {listed} from {source}", work)


def _plain_column(name: str, kind: str) -> str:
    column = quoted(name)
    if kind == "JSON":
        return f"case json_type({column}) when 'VARCHAR' then {column} ->> '$' else cast({column} as varchar) end as {column}"
    if kind == "UUID" or kind.startswith(("ENUM", "HUGEINT", "UHUGEINT", "BIT", "INTERVAL", "TIME WITH")):
        return f"cast({column} as varchar) as {column}"
    return column


_JSON_PLACE = re.compile(r"at byte (\d+) in (line|record/value) (\d+): ([^.\n]+)")
_JSON_RECORD = re.compile(r"in (?:line|record/value) (\d+): ([^\n]+)")


def _explained(error: duckdb.Error, name: str, kind: type[ValidationError | InvalidFileType]) -> Exception:
    text = str(error)
    if kind is InvalidFileType:
        reason = text.split("\n", 1)[0].split(": ", 1)[-1]
        return InvalidFileType(
            f"{name} is not a whole Parquet file: {reason}. Write it again, or import it under its true file type."
        )
    if "non-record JSON" in text or "expected records" in text:
        return _fault(name, f'{name} must hold objects such as {{"column": "value"}}, in a list or one a line')
    if place := _JSON_PLACE.search(text):
        unit = "line" if place[2] == "line" else "record"
        return _fault(name, f"{name}, {unit} {place[3]}, byte {place[1]}: {place[4]}. Mend it and import the file again")
    if place := _JSON_RECORD.search(text):
        return _fault(name, f"{name}, record {place[1]}: {place[2]}")
    return _fault(name, f"{name} cannot be read: {text.split(chr(10), 1)[0].split(': ', 1)[-1]}")


def _fault(name: str, message: str) -> ValidationError:
    return ValidationError.field("source", message.rstrip("."), name)
