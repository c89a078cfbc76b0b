"""The second DuckDB instance: in memory, allowed to read and write files, never near the workspace."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb
import pyarrow as pa

from workbench.contract.codec import counted

_BATCH_ROWS = 20_000
_creating = threading.Lock()


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """Hand out a cursor of the memory instance."""
    with _creating:
        cursor = _instance().cursor()
    try:
        yield cursor
    finally:
        cursor.close()


def streamed(sql: str, *keep: object, total: int | None = None) -> pa.RecordBatchReader:
    """Return the rows of a query batch by batch; `keep` (temporary files) lives until the last one.

    A `total` that is known already travels with the schema.
    """
    with _creating:
        cursor = _instance().cursor()
    source = cursor.sql(sql).to_arrow_reader(_BATCH_ROWS)

    def batches() -> Iterator[pa.RecordBatch]:
        kept = keep
        try:
            yield from source
        finally:
            source.close()
            cursor.close()
            del kept

    return pa.RecordBatchReader.from_batches(source.schema if total is None else counted(source.schema, total), batches())


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "temp_directory": tempfile.mkdtemp(prefix="workbench-"),
        },
    )


def text_literal(text: str) -> str:
    """Return an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
