"""Where the rows of a new sheet come from."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.contract import current, frames
from workbench.errors import FileTooLarge, Forbidden, InvalidFileType, ValidationError
from workbench.services.service import Service
from workbench.store import Database, sandbox, sql_check
from workbench.store.download import downloaded, without_secrets
from workbench.store.plain_text import Workplace
from workbench.store.reader import read_source
from workbench.store.row_count import holds_more

# A frame is sent under a name that nobody gives a file of theirs.
FRAME_FILE = "rows.frame.parquet"
ADDRESS_FILE = "address.txt"
FETCHED_IN_A_CALL = 64 << 20
_ADDRESS = re.compile(r"[a-z][a-z0-9+.]+://", re.IGNORECASE)
_QUERY = re.compile(r"\s*(select|with|from)\s", re.IGNORECASE)
# The database, its log, and the file that tells whoever may read it the token of the workspace.
_OWN = ("", ".wal", ".server.json")
Rows = pa.Table | pa.RecordBatchReader


class Source(Protocol):
    """Where rows come from: read here, or given to a job that reads them."""

    source_type: str
    label: str | None

    def open(self) -> Rows:
        """Return the rows, all of them checked."""

    def holds_more(self, rows: int) -> bool:
        """Return True when there are more rows than `rows`, or too much to wait for."""

    def give(self, folder: Path) -> dict[str, Any]:
        """Put what a job needs into its folder and return what to tell it; paths count from that folder."""


def resolve(service: Service, source_type: str | None, source: str | None, rows: Any, reading: dict[str, Any]) -> Source:
    """Return how to read the rows that a caller described, or say which field is wrong."""
    upload = current().upload
    if upload is not None:
        path = Path(upload.path)
        return FrameFile(path) if upload.filename == FRAME_FILE else FileSource(upload.filename, path, reading, sent=True)
    kind = source_type or ("inline" if rows is not None else "file")
    if kind == "inline":
        if source is not None or rows is None:
            raise ValidationError.field("rows", "An inline sheet takes rows and no source")
        return InlineRows(inline_table(rows))
    if rows is None and not source:
        raise ValidationError.field("source", "is missing; give a path, an address or a query, or rows")
    if rows is not None or not source:
        raise ValidationError.field("source", f"A sheet of type {kind} takes a source and no rows", source)
    if kind == "sql":
        return SqlSource(source, service.db, service.settings.sql_seconds)
    if kind == "url":
        limit, internal = service.settings.max_upload_mb << 20, service.settings.internal_urls or not current().served
        return UrlSource(without_secrets(source), source, reading, {"max_bytes": limit, "internal": internal})
    if source_type is None and (meant := _meant(source)):
        raise ValidationError.field("source_type", f"is missing; name {meant!r} for a source like this one", source)
    refuse_outside(service, source)
    return FileSource(source, Path(source).expanduser(), reading)


def _meant(source: str) -> str | None:
    """Return the kind of a source that cannot be a path; None: it may be one."""
    if _ADDRESS.match(source):
        return "url"
    return "sql" if _QUERY.match(source) and not Path(source).exists() else None


def in_place(found: Source) -> str:
    """Return the path of a source that stays where it is, or refuse one that cannot."""
    if not isinstance(found, FileSource) or found.sent:
        message = "An external sheet reads a Parquet file by its path on this machine; anything else is copied"
        raise ValidationError.field("external", message, True)
    return str(found.path)


@dataclass(frozen=True)
class InlineRows:
    """Rows given with the call."""

    table: pa.Table
    source_type: str = "inline"
    label: str | None = None

    def open(self) -> Rows:
        """Return the rows."""
        return self.table

    def holds_more(self, rows: int) -> bool:
        """Return True when there are more rows."""
        return bool(self.table.num_rows > rows)

    def give(self, folder: Path) -> dict[str, Any]:
        """Write the rows."""
        pq.write_table(self.table, folder / FRAME_FILE)
        return {"frame": FRAME_FILE}


@dataclass(frozen=True)
class FrameFile:
    """A frame that was sent as Parquet."""

    path: Path
    source_type: str = "inline"
    label: str | None = None

    def open(self) -> Rows:
        """Return the rows."""
        try:
            with pq.ParquetFile(self.path) as file:
                return frames.kept(file.read())
        except (pa.ArrowException, OSError) as error:
            raise InvalidFileType(f"The frame is not a whole Parquet file: {str(error).rstrip('.')}. Send it again.") from error

    def holds_more(self, rows: int) -> bool:
        """Return True when there are more rows."""
        return holds_more(self.path, rows)

    def give(self, folder: Path) -> dict[str, Any]:
        """Move the file."""
        shutil.move(self.path, folder / FRAME_FILE)
        return {"frame": FRAME_FILE}


@dataclass(frozen=True)
class FileSource:
    """A file on this machine, or one that was sent."""

    label: str
    path: Path
    reading: dict[str, Any]
    sent: bool = False
    source_type: str = "file"

    def open(self) -> Rows:
        """Return the rows."""
        return read_source(str(self.path), name=Path(self.label).name, **self.reading)

    def holds_more(self, rows: int) -> bool:
        """Return True when there are more rows."""
        return holds_more(self.path, rows, name=Path(self.label).name)

    def give(self, folder: Path) -> dict[str, Any]:
        """Move a file that was sent; others are read where they lie."""
        if self.sent:
            shutil.move(self.path, folder / self.path.name)
        path = self.path.name if self.sent else str(self.path.absolute())
        return {"source": path, "name": Path(self.label).name, **self.reading}


@dataclass(frozen=True)
class UrlSource:
    """A file at an address; a small one is fetched to see how many rows it holds."""

    label: str
    address: str
    reading: dict[str, Any]
    fetching: dict[str, Any]
    source_type: str = "url"
    work: Workplace = field(default_factory=Workplace)

    @cached_property
    def _fetched(self) -> FileSource | None:
        try:
            bounds = {**self.fetching, "max_bytes": min(self.fetching["max_bytes"], FETCHED_IN_A_CALL)}
            path, name = downloaded(self.address, self.work, **bounds)
        except FileTooLarge:
            return None
        return FileSource(name, path, self.reading)

    def open(self) -> Rows:
        """Return the rows."""
        return self._fetched.open() if self._fetched else read_source(self.address, **self._told)

    def holds_more(self, rows: int) -> bool:
        """Return True when the file is larger than 64 MB or holds more rows."""
        return self._fetched is None or self._fetched.holds_more(rows)

    def give(self, folder: Path) -> dict[str, Any]:
        """Leave the fetching to the job, and the address in a file that goes with it: what a job is told, others may read."""
        path = folder / ADDRESS_FILE
        path.touch(mode=0o600)
        path.write_text(self.address, encoding="utf-8")
        return {"address": ADDRESS_FILE, **self._told}

    @property
    def _told(self) -> dict[str, Any]:
        return {"kind": "url", **self.fetching, **self.reading}


@dataclass(frozen=True)
class SqlSource:
    """The answer of a query over this workspace, kept in a file until it is taken in."""

    label: str
    db: Database
    seconds: float
    source_type: str = "sql"
    work: Workplace = field(default_factory=Workplace)

    @cached_property
    def _answer(self) -> FrameFile:
        path = self.work.new(".parquet")
        sandbox.write(self.db, self.label, path, seconds=self.seconds)
        return FrameFile(path)

    @property
    def relations(self) -> set[str]:
        """Return the names of all tables and views the query reads."""
        return sql_check.relations(self.label)

    def limited_to(self, table: str, column: str) -> set[str] | None:
        """Return the values that the query limits a column of a table to wherever it reads it; None: it does not."""
        return sql_check.limited_to(self.label, table, column)

    def open(self) -> Rows:
        """Return the rows."""
        return self._answer.open()

    def holds_more(self, rows: int) -> bool:
        """Return True when the query has more rows."""
        return self._answer.holds_more(rows)

    def give(self, folder: Path) -> dict[str, Any]:
        """Move the answer."""
        return self._answer.give(folder)


def inline_table(rows: Any) -> pa.Table:
    """Return rows given as objects, or as a frame, as an Arrow table."""
    if isinstance(rows, (pa.Table, pa.RecordBatchReader)):
        return frames.table_of(rows)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValidationError.field("rows", "Rows are a list of objects by column name, or a frame")
    if not rows:
        raise ValidationError.field("rows", "There are no rows; give at least one")
    return frames.objects_table(rows)


def refuse_outside(service: Service, source: str) -> None:
    """Refuse a path outside the allowed folders when the caller is not the owner of the process."""
    if not current().served:
        return
    settings = service.settings
    roots = [Path(root) for root in settings.allowed_roots] or [Path(str(service.db.path)).parent, Path.cwd()]
    real = Path(os.path.realpath(Path(source).expanduser()))
    if str(real) in {os.path.realpath(service.db.path) + ending for ending in _OWN}:
        raise Forbidden(f"{source} is a file that the workspace keeps for itself. Import another one.", source=source)
    if not any(real.is_relative_to(os.path.realpath(root)) for root in roots):
        raise Forbidden(
            f"{source} lies outside the folders this server reads from. Upload the file, or let the operator "
            "add its folder to WORKBENCH_ALLOWED_ROOTS.",
            source=source,
        )
