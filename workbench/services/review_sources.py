"""Where reviews come from: records read here, or given to a job that reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from workbench.contract import current
from workbench.errors import ValidationError
from workbench.services import sources
from workbench.services.service import Service
from workbench.store.json_records import JsonRecords

LINES = "records.jsonl"
_BATCH_ROWS = 2_000
Records = Iterable[dict[str, Any]]


class ReviewSource(Protocol):
    """Records of another tool; those that are opened can be iterated as often as needed."""

    @property
    def label(self) -> str | None:
        """Return what the source is called, if anything."""

    def open(self) -> Records:
        """Return the records."""

    def holds_more(self, rows: int) -> bool:
        """Return True when there are more records than `rows`, or too much to wait for."""

    def give(self, folder: Path) -> dict[str, Any]:
        """Put what a job needs into its folder and return what to tell it; paths count from that folder."""


def resolve(service: Service, source_type: str | None, source: str | None, rows: Any, reading: dict[str, Any]) -> ReviewSource:
    """Return how to read the records that a caller described, or say which field is wrong."""
    if rows is not None and source is None:
        # Records in a list need not be alike, as rows of a table are.
        alone = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        return ListedRecords(rows) if alone else FrameRecords(sources.InlineRows(sources.inline_table(rows)))
    if rows is None and source is None and current().upload is None:
        raise ValidationError.field("source", "Name a file, or send one, or give the records as rows")
    # Reviews come from files: a source that looks like an address or a query is a path here too.
    found = sources.resolve(service, source_type or "file", source, None, reading)
    if not isinstance(found, (sources.FrameFile, sources.FileSource)):
        raise ValidationError.field("source_type", "Reviews come from a file, or as rows", source_type)
    if not found.path.exists():
        message = f"there is no file {found.label}. Check the path, relative ones count from {Path.cwd()}"
        raise ValidationError.field("source", message, found.label)
    return FileRecords(found)


@dataclass(frozen=True)
class ListedRecords:
    """Records given with the call."""

    rows: list[dict[str, Any]]
    label: str | None = None

    def open(self) -> Records:
        """Return the records."""
        return self.rows

    def holds_more(self, rows: int) -> bool:
        """Return True when there are more records."""
        return len(self.rows) > rows

    def give(self, folder: Path) -> dict[str, Any]:
        """Write each record as a line."""
        with (folder / LINES).open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in self.rows)
        return {"lines": LINES}


@dataclass(frozen=True)
class FrameRecords:
    """Rows of a frame given with the call."""

    rows: sources.InlineRows
    label: str | None = None

    def open(self) -> Records:
        """Return the records."""
        return TableRecords(self.rows.table)

    def holds_more(self, rows: int) -> bool:
        """Return True when there are more records."""
        return self.rows.holds_more(rows)

    def give(self, folder: Path) -> dict[str, Any]:
        """Write the rows."""
        return self.rows.give(folder)


@dataclass(frozen=True)
class TableRecords:
    """Iterate over the rows of a table as records, some at a time."""

    table: pa.Table

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self.table.to_batches(_BATCH_ROWS):
            yield from batch.to_pylist()


@dataclass(frozen=True)
class FileRecords:
    """Records of a file on this machine, or of one that was sent."""

    file: sources.FileSource | sources.FrameFile

    @property
    def label(self) -> str | None:
        """Return the name or path of the file; a frame that was sent has none."""
        return self.file.label

    def open(self) -> Records:
        """Return the records."""
        if isinstance(self.file, sources.FrameFile):
            return JsonRecords(self.file.path, name=self.file.path.name)
        return JsonRecords(self.file.path, name=Path(self.file.label).name, **self.file.reading)

    def holds_more(self, rows: int) -> bool:
        """Return True when there are more records."""
        return self.file.holds_more(rows)

    def give(self, folder: Path) -> dict[str, Any]:
        """Move a file that was sent; others are read where they lie."""
        return self.file.give(folder)
