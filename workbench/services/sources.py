"""Where the rows of a new sheet come from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.contract import current
from workbench.errors import Forbidden, ValidationError
from workbench.services.service import Service
from workbench.store import sandbox
from workbench.store.reader import read_source

FRAME_FILE = "rows.parquet"


@dataclass(frozen=True)
class Resolved:
    """Say what the source is and how to open it."""

    source_type: str
    label: str | None
    open: Callable[[], pa.Table | pa.RecordBatchReader]


def resolve(service: Service, source_type: str | None, source: str | None, rows: Any, reading: dict[str, Any]) -> Resolved:
    """Return how to read the rows that a caller described, or say which field is wrong."""
    upload = current().upload
    if upload is not None:
        return _uploaded(upload.path, upload.filename, reading)
    kind = source_type or ("inline" if rows is not None else "file")
    if kind == "inline":
        if source is not None or rows is None:
            raise ValidationError.field("rows", "An inline sheet takes rows and no source")
        table = inline_table(rows)
        return Resolved("inline", None, lambda: table)
    if rows is not None or not source:
        raise ValidationError.field("source", f"A sheet of type {kind} takes a source and no rows", source)
    if kind == "sql":
        return Resolved("sql", source, lambda: sandbox.query(service.db, source, [], seconds=service.settings.sql_seconds))
    if kind == "file":
        refuse_outside(service, source)
    limit = service.settings.max_upload_mb << 20 if kind == "url" else None
    internal = service.settings.internal_urls or not current().served
    return Resolved(kind, source, lambda: read_source(source, kind=kind, max_bytes=limit, internal=internal, **reading))


def _uploaded(path: str, filename: str, reading: dict[str, Any]) -> Resolved:
    if filename == FRAME_FILE:
        return Resolved("inline", None, lambda: pq.read_table(path))
    return Resolved("file", filename, lambda: read_source(path, name=filename, **reading))


def inline_table(rows: Any) -> pa.Table:
    """Return rows given as objects, or as a frame, as an Arrow table."""
    if isinstance(rows, pa.Table):
        return rows
    if isinstance(rows, pa.RecordBatchReader):
        return rows.read_all()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValidationError.field("rows", "Rows are a list of objects by column name, or a frame")
    if not rows:
        raise ValidationError.field("rows", "There are no rows; give at least one")
    names = dict.fromkeys(str(name) for row in rows for name in row)
    columns = {name: _column(name, [row.get(name) for row in rows]) for name in names}
    return pa.table(columns)


def _column(name: str, values: list[Any]) -> pa.Array:
    if any(isinstance(value, dict) or (isinstance(value, list) and _nested(value)) for value in values):
        # Objects rarely have the same keys in every row: as text nothing is added and nothing lost.
        values = [None if v is None else v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values]
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        first = next((v for v in values if v is not None), None)
        odd = next((i for i, v in enumerate(values) if v is not None and type(v) is not type(first)), 0)
        message = (
            f"Column {name!r} mixes kinds of values: row {odd} has {type(values[odd]).__name__}, "
            f"earlier rows {type(first).__name__}. Make them one kind"
        )
        raise ValidationError.field("rows", message, name) from None
    return pa.array([None] * len(values), pa.string()) if pa.types.is_null(array.type) else array


def _nested(values: list[Any]) -> bool:
    return any(isinstance(value, dict) or (isinstance(value, list) and _nested(value)) for value in values)


def refuse_outside(service: Service, source: str) -> None:
    """Refuse a path outside the allowed folders when the caller is not the owner of the process."""
    if not current().served:
        return
    settings = service.settings
    roots = [Path(root) for root in settings.allowed_roots] or [Path(str(service.db.path)).parent, Path.cwd()]
    real = Path(os.path.realpath(source))
    if not any(real.is_relative_to(os.path.realpath(root)) for root in roots):
        raise Forbidden(
            f"{source} lies outside the folders this server reads from. Upload the file, or let the operator "
            "add its folder to WORKBENCH_ALLOWED_ROOTS.",
            source=source,
        )
