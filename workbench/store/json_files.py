"""JSON and JSON lines: every value kept as it is written, the faulty line named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pyarrow as pa

from workbench.errors import ValidationError
from workbench.store.names import refuse_names
from workbench.store.plain_text import Workplace, literal_path
from workbench.store.scratch import scratch, streamed, text_literal
from workbench.store.transaction import quoted

LARGEST_OBJECT = 16 << 20
_SMALL_ENOUGH = 64 << 20
_NUMBERED = re.compile(r"(.+)_\d+$", re.DOTALL)
_SAFE = re.compile(r"(VARCHAR|BIGINT|BOOLEAN|DOUBLE)((\[\])*)$")

# A guessed type is kept only where every value survives it; {c} is the value as text.
_LOSSLESS = {
    "DOUBLE": "(isfinite(try_cast({c} as double)) and not regexp_matches({c}, '^-?[^.eE]{{16}}|^[^eE]{{18}}'))",
    "DATE": "(length({c}) = 10 and try_cast({c} as date) is not null)",
    "TIMESTAMP": "(try_cast({c} as timestamp) is not null and not regexp_matches({c}, '(Z|[+-]\\d\\d(:?\\d\\d)?)\\s*$'))",
}


def read_json(path: Path, work: Workplace, *, name: str, lines: bool) -> pa.RecordBatchReader:
    """Return the rows of a UTF-8 file: a list of objects, or one object a line.

    A cell that is an object, or that is not of one kind in all rows, is kept as JSON text.
    """
    with path.open("rb") as file:
        first = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not first:
        raise _fault(name, f"{name} is empty. Give it a list of objects")
    try:
        return _read(path, work, name, lines=lines, first=first)
    except ValidationError as error:
        better = first_bad_line if lines else _in_list if first == b"[" else _no_rows
        raise better(path, name) or error from error


def _read(path: Path, work: Workplace, name: str, *, lines: bool, first: bytes) -> pa.RecordBatchReader:
    shape = "newline_delimited" if lines else "array" if first == b"[" else "auto"
    place = text_literal(str(literal_path(path, work)))
    options = f"format='{shape}', records=true, maximum_object_size={LARGEST_OBJECT}"
    guessed = _guessed(f"read_json({place}, {options}, sample_size=-1)", name)
    _refuse_alike(f"read_json_objects({place}, format='{shape}', maximum_object_size={LARGEST_OBJECT})", guessed, name)
    reading = {title: _reading(kind) for title, kind in guessed.items()}
    kept, count = _kept(f"read_json({place}, {options}, columns={_struct(reading)})", guessed, name)
    types = {title: guessed[title] if kept.get(title) else kind for title, kind in reading.items()}
    listed = ", ".join(_plain_column(title, kind) for title, kind in types.items())
    return streamed(f"select {listed} from read_json({place}, {options}, columns={_struct(types)})", work, total=count)


def first_bad_line(path: Path, name: str) -> ValidationError | None:
    """Look for the first line that is no object; DuckDB counts lines by the parts it reads in."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line.rstrip("\r\n"))
            except ValueError as error:
                place = f"{name}, line {number}, column {getattr(error, 'colno', 1)}"
                return _fault(name, f"{place}: {getattr(error, 'msg', error)}. Mend it and import the file again")
            if not isinstance(found, dict):
                return _fault(name, f"{name}, line {number}: holds no object. Write one object a line")
    return None


def first_bad_place(path: Path) -> json.JSONDecodeError | None:
    """Look where a file stops to be JSON; the place that DuckDB names counts the parts it reads in."""
    if path.stat().st_size <= _SMALL_ENOUGH:
        try:
            json.loads(path.read_text("utf-8-sig"))
        except json.JSONDecodeError as found:
            return found
        except RecursionError:
            pass
    return None


def _in_list(path: Path, name: str) -> ValidationError | None:
    """Say that a list is empty, or where it stops to be one."""
    if (empty := _no_rows(path, name)) or (found := first_bad_place(path)) is None:
        return empty
    place = f"{name}, line {found.lineno}, column {found.colno}"
    return _fault(name, f"{place}: {found.msg}. Mend it and import the file again")


def _no_rows(path: Path, name: str) -> ValidationError | None:
    empty = path.stat().st_size < 100 and "".join(path.read_text("utf-8-sig").split()) == "[]"
    return _fault(name, f"{name} is a list without rows. Add rows and import it again") if empty else None


def _reading(kind: str) -> str:
    """Return the type to read a column by: text until its guess is proven, JSON for whatever is nested."""
    if kind in _LOSSLESS:
        return "VARCHAR"
    if _SAFE.match(kind):
        return kind
    return "VARCHAR" if kind in ("UUID", "TIME", "TIMESTAMP WITH TIME ZONE", "HUGEINT", "UBIGINT") else "JSON"


def _struct(columns: dict[str, str]) -> str:
    return "{" + ", ".join(f"{text_literal(title)}: {text_literal(kind)}" for title, kind in columns.items()) + "}"


def _guessed(source: str, name: str) -> dict[str, str]:
    with scratch() as cursor:
        try:
            found = cursor.execute(f"describe select * from {source}").fetchall()
        except duckdb.Error as error:
            raise _explained(error, name) from error
    refuse_names([row[0] for row in found], name)
    return {row[0]: row[1] for row in found}


def _refuse_alike(objects: str, guessed: dict[str, str], name: str) -> None:
    """Refuse keys that differ by case only: DuckDB numbers the second one, and loses what is in it."""
    known = {title.lower() for title in guessed}
    if not any((numbered := _NUMBERED.match(title.lower())) and numbered[1] in known for title in guessed):
        return
    with scratch() as cursor:
        keys = [row[0] for row in cursor.execute(f"select distinct unnest(json_keys(json)) as key from {objects} order by 1").fetchall()]
    first: dict[str, str] = {}
    for key in keys:
        if (other := first.setdefault(key.lower(), key)) != key:
            raise _fault(name, f"{name} has the columns {other!r} and {key!r}, which differ by case only. Rename one of them")


def _kept(source: str, guessed: dict[str, str], name: str) -> tuple[dict[str, bool], int]:
    """Read the whole file once: find faulty places, the guesses that lose nothing, and the number of rows."""
    asked = {title: _LOSSLESS[kind].format(c=quoted(title)) for title, kind in guessed.items() if kind in _LOSSLESS}
    tests = [f"bool_and({quoted(title)} is null or {test})" for title, test in asked.items()]
    with scratch() as cursor:
        try:
            facts = cursor.execute(f"select {', '.join(['count(*)', 'bit_xor(hash(t))', *tests])} from {source} t").fetchone()
        except duckdb.Error as error:
            raise _explained(error, name) from error
    assert facts is not None
    if not facts[0]:
        raise _fault(name, f"{name} has no rows. Add rows and import it again")
    return dict(zip(asked, facts[2:], strict=True)), facts[0]


def _plain_column(name: str, kind: str) -> str:
    column = quoted(name)
    if kind == "JSON":
        return f"case json_type({column}) when 'VARCHAR' then {column} ->> '$' else cast({column} as varchar) end as {column}"
    return column


_PLACE = re.compile(r"at byte (\d+) in (line|record/value) (\d+): ([^.\n]+)")
_RECORD = re.compile(r"in (?:line|record/value) (\d+): ([^\n]+)")


def _explained(error: duckdb.Error, name: str) -> ValidationError:
    text = str(error)
    if "non-record JSON" in text or "expected records" in text:
        return _fault(name, f'{name} must hold objects such as {{"column": "value"}}, in a list or one a line, no name empty')
    if place := _PLACE.search(text):
        unit = "line" if place[2] == "line" else "record"
        return _fault(name, f"{name}, {unit} {place[3]}, byte {place[1]}: {place[4]}. Mend it and import the file again")
    if place := _RECORD.search(text):
        return _fault(name, f"{name}, record {place[1]}: {place[2]}")
    return _fault(name, f"{name} cannot be read: {text.split(chr(10), 1)[0].split(': ', 1)[-1]}")


def _fault(name: str, message: str) -> ValidationError:
    return ValidationError.field("source", message.rstrip("."), name)
