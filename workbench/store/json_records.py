"""Read the records of a JSON file one after the other, whatever their shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from workbench.contract.codec import known_total
from workbench.errors import ValidationError
from workbench.store.delimited import read_delimited
from workbench.store.json_files import LARGEST_OBJECT, first_bad_line, first_bad_place
from workbench.store.plain_text import PACKED, Workplace, as_utf8, literal_path, unpacked
from workbench.store.reader import read_source
from workbench.store.scratch import scratch, text_literal

_BATCH_ROWS = 2_000
_TABLES = (".parquet", ".pq", ".arrow", ".feather", ".xlsx", ".xlsm")
_LINES = (".jsonl", ".ndjson")
_DELIMITED = {".csv": None, ".tsv": "\t", ".tab": "\t"}


class JsonRecords:
    """Iterate over the objects of a file as often as needed: a list of objects, one object a line, or a table."""

    def __init__(self, path: Path, *, name: str, split: str | None = None, encoding: str | None = None) -> None:
        if not path.exists():
            raise ValidationError.field("source", f"there is no file {name} any more. Put it back and bring it in again", name)
        self._work = Workplace()
        self._name, self._split = name, split
        inner = Path(name).stem if Path(name).suffix.lower() in PACKED else name
        self._ending = Path(inner).suffix.lower()
        self._table = path.is_dir() or self._ending in _TABLES
        self._path = path
        if not self._table:
            self._path = as_utf8(unpacked(path, self._work, name=name), self._work, name=name, encoding=encoding)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._table or self._ending in _DELIMITED:
            found = self._rows()
            for batch in found if isinstance(found, pa.RecordBatchReader) else found.to_batches(_BATCH_ROWS):
                yield from batch.to_pylist()
            return
        with scratch() as cursor:
            try:
                cursor.execute(f"select json from {self._objects}")
                count = 0
                while texts := cursor.fetchmany(_BATCH_ROWS):
                    yield from (self._record(text, number) for number, (text,) in enumerate(texts, start=count))
                    count += len(texts)
            except duckdb.Error as error:
                if self._in_lines and (bad := first_bad_line(self._path, self._name)) is not None:
                    raise bad from error
                message = f"{self._name} is not JSON: {self._reason(error)}. Export it again, or name a table by its ending"
                raise ValidationError.field("source", message, self._name) from error

    def count(self) -> int | None:
        """Return how many objects there are, which takes a small part of reading them; None where it cannot be told."""
        if self._table or self._ending in _DELIMITED:
            with suppress(ValidationError):
                rows = self._rows()
                return rows.num_rows if isinstance(rows, pa.Table) else known_total(rows.schema)
            return None
        with scratch() as cursor, suppress(duckdb.Error):
            found = cursor.execute(f"select count(*) from {self._objects}").fetchone()
            return found[0] if found else None
        return None

    @property
    def _objects(self) -> str:
        """Return SQL for the objects of a JSON file."""
        place = text_literal(str(literal_path(self._path, self._work)))
        return f"read_json_objects({place}, format='auto', maximum_object_size={LARGEST_OBJECT})"

    def _reason(self, error: duckdb.Error) -> str:
        """Say where a file is broken; the place that the database names counts the parts it reads in."""
        if (found := first_bad_place(self._path)) is not None:
            return f"line {found.lineno}, column {found.colno}: {found.msg}"
        text = str(error).split("\n", 1)[0].replace(f'"{self._path}"', self._name)
        return text.split(": ", 1)[-1].split(" at byte ")[0].rstrip("., ")

    @property
    def _in_lines(self) -> bool:
        """Return whether each line is an object of its own."""
        with self._path.open(encoding="utf-8-sig") as file:
            try:
                return isinstance(json.loads(file.readline()), dict)
            except ValueError:
                return self._ending in _LINES

    def _rows(self) -> pa.Table | pa.RecordBatchReader:
        """Return the rows of a table; cells of a text file stay as they are written."""
        if self._table:
            return read_source(self._path, name=self._name, split=self._split)
        path = literal_path(self._path, self._work)
        return read_delimited(path, self._work, name=self._name, delimiter=_DELIMITED[self._ending], typed=False)

    def _record(self, text: str, number: int) -> dict[str, Any]:
        try:
            found = json.loads(text)
        except RecursionError:
            message = f"Record {number} (counted from 0) of {self._name} is nested too deeply to be read"
            raise ValidationError.field("source", message, self._name) from None
        if not isinstance(found, dict):
            message = f"Record {number} (counted from 0) of {self._name} is {text[:40]!r} where an object is expected"
            raise ValidationError.field("source", message, self._name)
        return found
