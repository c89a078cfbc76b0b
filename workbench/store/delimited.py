"""CSV and TSV: find the dialect, keep every value exact, name the line that is wrong."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from workbench.errors import ValidationError
from workbench.store.backslashes import without_backslashes
from workbench.store.names import refuse_names, with_index
from workbench.store.plain_text import Workplace
from workbench.store.scratch import scratch, streamed, text_literal
from workbench.store.transaction import quoted

_HEAD = 256 << 10
_SAMPLE_RECORDS = 100
_DELIMITERS = (",", ";", "\t", "|")
# Spreadsheets take a first line that says how the values are parted.
_TOLD_DELIMITER = re.compile(r"sep=([,;\t|])\r?\n", re.IGNORECASE)
# What some programs write above the header.
_COMMENTS = re.compile(r"(#[^\r\n]*(\r?\n)+)+(?=.)")
_NO_DELIMITER = "\x1f"
_SINGLE = re.compile(r"(^|[,;\t|])'", re.MULTILINE)
_SINGLE_HEADER = re.compile(r"'[^'\r\n]*'([,;\t|]'[^'\r\n]*')*\r?$", re.MULTILINE)
_LONGEST_LINE = 16 << 20

# A guessed type is kept only where every value survives it: 00123, +49, yes and 2/1/2024 stay text.
_LOSSLESS = {
    "BIGINT": "trim({c}) = cast(try_cast({c} as bigint) as varchar)",
    "DOUBLE": "try_cast({c} as double) is not null and not regexp_matches({c}, '^\\s*(\\+|-?0[0-9]|[^.eE]{{17}})')",
    "BOOLEAN": "lower(trim({c})) in ('true', 'false')",
    "DATE": "length(trim({c})) = 10 and try_cast({c} as date) is not null",
    "TIMESTAMP": "try_cast({c} as timestamp) is not null and not regexp_matches({c}, '(Z|[+-]\\d\\d(:?\\d\\d)?)\\s*$')",
    "TIMESTAMPTZ": "length(trim({c})) > 10 and try_cast({c} as timestamptz) is not null",
}
_CANDIDATES = {
    "BIGINT": ("BIGINT",),
    "DOUBLE": ("DOUBLE",),
    "BOOLEAN": ("BOOLEAN",),
    "DATE": ("DATE", "TIMESTAMP", "TIMESTAMPTZ"),
    "TIMESTAMP": ("DATE", "TIMESTAMP", "TIMESTAMPTZ"),
    "TIMESTAMP WITH TIME ZONE": ("DATE", "TIMESTAMP", "TIMESTAMPTZ"),
}


@dataclass(frozen=True)
class Dialect:
    """Say how a delimited file is written."""

    delimiter: str
    header: tuple[str, ...]
    skip: int
    quote: str = '"'

    def reading(self, path: Path, types: dict[str, str]) -> str:
        """Return the table function that reads the file with these column types."""
        columns = ", ".join(f"{text_literal(name)}: {text_literal(types.get(name, 'VARCHAR'))}" for name in self.header)
        return f"read_csv({text_literal(str(path))}, {self._options()}, auto_detect=false, columns={{{columns}}})"

    def sniffing(self, path: Path) -> str:
        """Return the table function that guesses the column types from every row."""
        return f"sniff_csv({text_literal(str(path))}, {self._options()}, sample_size=-1)"

    def _options(self) -> str:
        return (
            f"delim={text_literal(self.delimiter)}, quote={text_literal(self.quote)}, escape={text_literal(self.quote)}, "
            f"header=true, skip={self.skip}, "
            f"strict_mode=true, comment='', max_line_size={_LONGEST_LINE}"
        )


def read_delimited(
    path: Path, work: Workplace, *, name: str, delimiter: str | None = None, typed: bool = True
) -> pa.RecordBatchReader:
    """Return the rows of a UTF-8 file, every value checked beforehand; all are text unless `typed`."""
    path = _with_line_feeds(path, work)
    faults: list[tuple[str, _Fault]] = []
    for readable, quote in _spellings(path, work):
        dialect = _dialect(readable, name, delimiter, quote)
        try:
            refuse_names(dialect.header, name)
            types, count = _types(readable, dialect, name)
        except _Fault as fault:
            faults.append((quote, fault))
            continue
        return streamed(f"select * from {dialect.reading(readable, types if typed else {})}", work, total=count)
    # Of two spellings with the most usual quote the file is written in the one that made sense of more lines.
    raise max((fault for quote, fault in faults if quote == faults[0][0]), key=lambda fault: fault.line).told


class _Fault(Exception):
    """Say that a file is not written in a dialect, and how far it seemed to be."""

    def __init__(self, told: ValidationError, line: int) -> None:
        super().__init__(str(told))
        self.told, self.line = told, line


def _spellings(path: Path, work: Workplace) -> Iterator[tuple[Path, str]]:
    """Give the ways a file may quote its values, most usual first: each as a file with doubled quotes, and its quote."""
    with path.open("rb") as file:
        head = file.read(_HEAD).decode("utf-8-sig", errors="ignore").lstrip("\r\n")
    quotes = [quote for quote, there in (('"', True), ("'", _SINGLE.search(head))) if there]
    for quote in reversed(quotes) if _SINGLE_HEADER.match(head) else quotes:
        yield path, quote
        if readable := without_backslashes(path, work, quote=quote):
            yield readable, quote


def _with_line_feeds(path: Path, work: Workplace) -> Path:
    """Return the path of the same text with line feeds, where lines end in carriage returns alone."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if b"\r" not in head or b"\n" in head:
        return path
    target = work.new(path.suffix)
    with path.open(encoding="utf-8-sig", newline=None) as reader, target.open("w", encoding="utf-8", newline="") as writer:
        shutil.copyfileobj(reader, writer)
    return target


def _dialect(path: Path, name: str, delimiter: str | None, quote: str) -> Dialect:
    with path.open("rb") as file:
        head = file.read(_HEAD).decode("utf-8-sig", errors="ignore")
    if not head.strip():
        raise ValidationError.field("source", f"{name} is empty. Give it a header line and rows", name)
    body = head.lstrip("\r\n")
    skip = head[: len(head) - len(body)].replace("\r\n", "\n").count("\n")
    if told := _TOLD_DELIMITER.match(body):
        body, skip, delimiter = body[told.end() :], skip + 1, told[1]
    delimiters = (delimiter,) if delimiter else _DELIMITERS
    best, records = _likeliest(body, delimiters, quote)
    if (comments := _COMMENTS.match(body)) and not _is_table(records):
        rest = _likeliest(body[comments.end() :], delimiters, quote)
        if _is_table(rest[1]):
            (best, records), skip = rest, skip + comments[0].count("\n")
    if len(records[0]) == 1 and delimiter is None:
        best = _NO_DELIMITER
        records = _records(body, best, quote)
    return Dialect(best, tuple(with_index([cell.strip() for cell in records[0]])), skip, quote)


def _likeliest(text: str, delimiters: tuple[str, ...], quote: str) -> tuple[str, list[list[str]]]:
    """Return the delimiter that parts the first records best, and those records."""
    sampled = {d: _records(text, d, quote) for d in delimiters}
    best = max(sampled, key=lambda d: _fit(sampled[d]))
    return best, sampled[best]


def _is_table(records: list[list[str]]) -> bool:
    """Return whether there are rows below a header, all of its width and of more than one column."""
    several, share, _ = _fit(records)
    return several and share == 1 and len(records) > 1


def _records(text: str, delimiter: str, quote: str) -> list[list[str]]:
    found: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text), delimiter=delimiter, quotechar=quote):
            if record:
                found.append(record)
            if len(found) >= _SAMPLE_RECORDS:
                break
    except csv.Error:
        pass
    return found or [[text.splitlines()[0]]]


def _fit(records: list[list[str]]) -> tuple[bool, float, int]:
    width = len(records[0])
    return width > 1, sum(len(record) == width for record in records) / len(records), width


def _types(path: Path, dialect: Dialect, name: str) -> tuple[dict[str, str], int]:
    """Read the whole file once as text: find faulty lines, the types that lose nothing, and the number of rows."""
    guesses = _guesses(path, dialect)
    wanted = [(column, kind) for column in dialect.header for kind in _CANDIDATES.get(guesses.get(column, ""), ())]
    tests = [f"bool_and({quoted(c)} is null or ({_LOSSLESS[kind].format(c=quoted(c))}))" for c, kind in wanted]
    checks = ", ".join(["count(*)", "bit_xor(hash(t))", *tests])
    with scratch() as cursor:
        try:
            (count, _, *passed) = cursor.execute(f"select {checks} from {dialect.reading(path, {})} t").fetchone()
        except duckdb.Error as error:
            raise _explained(error, name) from error
    if not count:
        raise ValidationError.field("source", f"{name} has a header and no rows. Add rows and import it again", name)
    types: dict[str, str] = {}
    for (column, kind), kept in zip(wanted, passed, strict=True):
        if kept:
            types.setdefault(column, kind)
    return types, count


def _guesses(path: Path, dialect: Dialect) -> dict[str, str]:
    with scratch() as cursor:
        try:
            (columns,) = cursor.execute(f"select Columns from {dialect.sniffing(path)}").fetchone()
        except duckdb.Error:
            return {}
    if len(columns) != len(dialect.header):
        return {}
    return {name: column["type"] for name, column in zip(dialect.header, columns, strict=True)}


_LINE = re.compile(r"CSV Error on Line: (\d+)")
_WIDTH = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


def _explained(error: duckdb.Error, name: str) -> _Fault:
    text = str(error)
    line = found[1] if (found := _LINE.search(text)) else None
    place = f"{name}, line {line}" if line else name
    if width := _WIDTH.search(text):
        what = (
            f"{width[2]} values where the header names {width[1]} columns. Mend the line, or quote values that hold the delimiter"
        )
    elif "unterminated quote" in text:
        what = "a quoted value does not end. Close the quote, or double quotes inside a value"
    elif "Maximum line size" in text:
        what = f"longer than {_LONGEST_LINE >> 20} MiB. Is a quote left open?"
    else:
        what = text.split("\n", 1)[0].removeprefix("Invalid Input Error: ")
    return _Fault(ValidationError.field("source", f"{place}: {what}", name), int(line or 0))
