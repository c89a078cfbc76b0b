"""Tell large files from small ones without reading them to their end."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.store.plain_text import PACKED, Workplace, literal_path, unpacking
from workbench.store.scratch import scratch, text_literal

_CHUNK = 1 << 20
_MOST_BYTES = 256 << 20
_UNREADABLE = (
    *(OSError, EOFError, ValueError, KeyError, RuntimeError, zlib.error),
    *(pa.ArrowException, zipfile.BadZipFile, duckdb.Error),
)


def holds_more(path: Path, rows: int, *, name: str | None = None) -> bool:
    """Return True when a file or data set holds more rows than `rows`, or more than 256 MB of text.

    Parquet and Arrow files say how many they hold; in text the rows are counted until there are too many.
    What cannot be read is not large: whoever reads it next says what is wrong.
    """
    path = path.expanduser()
    plain = Path(name or path.name)
    packing = plain.suffix.lower() if plain.suffix.lower() in PACKED else ""
    ending = Path(plain.stem if packing else plain.name).suffix.lower()
    try:
        return _counter("folder" if path.is_dir() else ending)(path, packing, rows)
    except _UNREADABLE:
        return False


def _counter(ending: str) -> Callable[[Path, str, int], bool]:
    if ending in (".parquet", ".pq"):
        return lambda path, packing, rows: pq.read_metadata(path).num_rows > rows
    if ending in (".arrow", ".feather"):
        return lambda path, packing, rows: _arrow_rows([path]) > rows
    if ending == "folder":
        return lambda path, packing, rows: _arrow_rows(sorted(path.rglob("*.arrow"))) > rows
    if ending in (".xlsx", ".xlsm"):
        return lambda path, packing, rows: _worksheet_holds_more(path, rows)
    return {".json": _json_holds_more, ".jsonl": _lines_hold_more, ".ndjson": _lines_hold_more}.get(ending, _records_hold_more)


def _arrow_rows(paths: list[Path]) -> int:
    found = 0
    for path in paths:
        with pa.memory_map(str(path)) as file:
            try:
                found += pa.ipc.open_file(file).read_all().num_rows
            except pa.ArrowInvalid:
                file.seek(0)
                found += sum(batch.num_rows for batch in pa.ipc.open_stream(file))
    return found


def _chunks(path: Path, packing: str) -> Iterator[bytes]:
    with unpacking(path, packing) if packing else path.open("rb") as file:
        yield from _read(file)  # type: ignore[arg-type]


def _read(file: BinaryIO) -> Iterator[bytes]:
    count = 0
    while chunk := file.read(_CHUNK):
        count += len(chunk)
        if count > _MOST_BYTES:
            raise _TooMuch
        yield chunk


class _TooMuch(Exception):
    """End the counting: there is more than anybody waits for."""


def _counts_beyond(limit: int, counts: Iterator[int]) -> bool:
    found = 0
    try:
        for count in counts:
            found += count
            if found > limit:
                return True
    except _TooMuch:
        return True
    return False


def _lines_hold_more(path: Path, packing: str, rows: int) -> bool:
    return _counts_beyond(rows, (chunk.count(b"\n") for chunk in _chunks(path, packing)))


def _records_hold_more(path: Path, packing: str, rows: int) -> bool:
    """Count line ends outside quotes; the first is that of the header."""
    if not _lines_hold_more(path, packing, rows + 1):
        return False
    return _counts_beyond(rows + 1, _record_ends(_chunks(path, packing)))


def _record_ends(chunks: Iterator[bytes]) -> Iterator[int]:
    quoted = False
    for chunk in chunks:
        pieces = chunk.split(b'"')
        yield sum(piece.count(b"\n") for piece in pieces[quoted::2])
        quoted ^= len(pieces) % 2 == 0


def _json_holds_more(path: Path, packing: str, rows: int) -> bool:
    """Count braces, which is cheap; where there are many, the objects on the outside."""
    if not _counts_beyond(rows, (chunk.count(b"{") for chunk in _chunks(path, packing))):
        return False
    if packing:
        return True
    work = Workplace()
    place = text_literal(str(literal_path(path, work)))
    with scratch() as cursor:
        (count,) = cursor.execute(f"select count(*) from read_json_objects({place}, maximum_object_size={16 << 20})").fetchone()
    return bool(count > rows)


def _worksheet_holds_more(path: Path, rows: int) -> bool:
    with zipfile.ZipFile(path) as book:
        sheets = [entry for entry in book.infolist() if entry.filename.startswith("xl/worksheets/")]
        largest = max(sheets, key=lambda entry: entry.file_size)
        with book.open(largest) as file:
            return _counts_beyond(rows + 1, (chunk.count(b"<row ") for chunk in _read(file)))  # type: ignore[arg-type]
