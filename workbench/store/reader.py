"""Read rows from wherever they are: a file, a folder, an address, a frame."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.contract import frames
from workbench.errors import InvalidFileType, ValidationError
from workbench.store.delimited import read_delimited
from workbench.store.download import downloaded
from workbench.store.formats import read_arrow, read_dataset_folder, read_excel, read_parquet
from workbench.store.json_files import read_json
from workbench.store.names import refuse_names
from workbench.store.plain_text import PACKED, Workplace, as_utf8, literal_path, unpacked

Source = pa.Table | pa.RecordBatchReader

FORMATS: dict[str, str] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".arrow": "arrow",
    ".feather": "arrow",
}
_SIGNATURES = ((b"PAR1", "parquet"), (b"PK\x03\x04", "excel"), (b"ARROW1", "arrow"))
_FOREIGN = (
    (b"\x1f\x8b", "packed with gzip; end its name in .gz"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file; save it as .xlsx"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; end its name in .zst"),
    (b"BZh", "packed with bzip2; unpack it first"),
)


def read_source(
    source: Any,
    *,
    kind: str = "file",
    format: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    split: str | None = None,
    name: str | None = None,
    max_bytes: int | None = None,
    internal: bool = True,
) -> Source:
    """Return the rows of a path, an http(s) URL (`kind="url"`), an Arrow table, a pandas or a polars frame.

    Everything is checked to the last row before the first is handed out: a fault names line and column and
    nothing comes in. Large files come as a reader, batch by batch. `format` overrules the file name: csv, tsv,
    parquet, json, jsonl, excel or arrow. `sheet` names a worksheet, `split` a part of a saved data set. `name` is
    what messages call the file. Without `internal` an address inside this network is refused.
    """
    if isinstance(source, (str, os.PathLike)):
        work = Workplace()
        if kind == "url":
            path, shown = downloaded(str(source), work, max_bytes=max_bytes, internal=internal)
        else:
            path = Path(source).expanduser()
            shown = path.name
        if path.is_dir():
            return read_dataset_folder(path, name=name or shown, split=split)
        return _read_path(path, work, name or shown, format, encoding, sheet)
    return _read_frame(source)


def _read_path(path: Path, work: Workplace, name: str, format: str | None, encoding: str | None, sheet: str | None) -> Source:
    if not path.is_file():
        raise ValidationError.field(
            "source", f"there is no file {name}. Check the path, relative ones count from {Path.cwd()}", name
        )
    if not os.access(path, os.R_OK):
        raise ValidationError.field("source", f"{name} cannot be read: permission denied", name)
    plain = unpacked(path, work, name=name)
    inner = Path(name).stem if Path(name).suffix.lower() in PACKED else name
    chosen = format or _format(inner)
    if plain.stat().st_size == 0:
        raise ValidationError.field("source", f"{name} is empty. Give it rows and import it again", name)
    _refuse_disguise(plain, chosen, name)
    return _read(plain, work, name, chosen, encoding, sheet)


def _read(path: Path, work: Workplace, name: str, format: str, encoding: str | None, sheet: str | None) -> Source:
    if format == "parquet":
        return read_parquet(path, work, name=name)
    if format == "excel":
        return read_excel(path, name=name, sheet=sheet)
    if format == "arrow":
        return _with_rows(read_arrow(path, name=name), name)
    text = as_utf8(path, work, name=name, encoding=encoding)
    if format in ("json", "jsonl"):
        return read_json(text, work, name=name, lines=format == "jsonl")
    if format in ("csv", "tsv"):
        return read_delimited(literal_path(text, work), work, name=name, delimiter="\t" if format == "tsv" else None)
    raise ValidationError.field(
        "format", f"{format!r} is not a format. Give one of {', '.join(sorted(set(FORMATS.values())))}", format
    )


def _format(name: str) -> str:
    ending = Path(name).suffix.lower()
    if ending in FORMATS:
        return FORMATS[ending]
    what = f"files ending in {ending}" if ending else "files without an ending"
    known = ", ".join(FORMATS)
    raise InvalidFileType(
        f"{name}: {what} cannot be read. Known are {known}, each also packed as {' or '.join(PACKED)}.", ending=ending
    )


def _refuse_disguise(path: Path, format: str, name: str) -> None:
    with path.open("rb") as file:
        head = file.read(16)
    for mark, what in _FOREIGN:
        if head.startswith(mark):
            raise InvalidFileType(f"{name} is {what}.")
    for mark, kind in _SIGNATURES:
        if head.startswith(mark) and kind != format:
            raise InvalidFileType(f"{name} holds {kind} data although it is named as {format}. Name it by what it is.")


def _read_frame(source: Any) -> Source:
    if isinstance(source, pa.RecordBatchReader):
        return source
    if not frames.is_frame(source):
        what = type(source).__name__
        raise ValidationError.field(
            "source", f"rows come from a path, an Arrow table, a pandas or polars frame, not from a {what}", what
        )
    return _with_rows(frames.table_of(source), "the frame")


def _with_rows(table: pa.Table, name: str) -> pa.Table:
    if not table.num_columns or not table.num_rows:
        raise ValidationError.field("source", f"{name} has no rows. Add rows and import it again", name)
    refuse_names(table.column_names, name)
    return frames.kept(table)
