"""Read rows, values and Arrow tables, each on a cursor of its own or on the current transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa

from workbench.errors import WorkbenchError
from workbench.store.statements import STATEMENTS
from workbench.store.time_limit import limited
from workbench.store.transaction import Params


class Scope(threading.local):
    """Hold the cursor and the transaction of the current thread, if it has one."""

    cursor: duckdb.DuckDBPyConnection | None = None
    transaction: Any = None
    changed_at: Mapping[str, int] | None = None


class Reads:
    """Answer queries. `seconds` interrupts a query that runs longer."""

    _connection: duckdb.DuckDBPyConnection | None
    _scope: Scope
    _changed_at: Mapping[str, int] = MappingProxyType({})

    def rows(self, sql: str, params: Params = (), *, seconds: float | None = None) -> list[dict[str, Any]]:
        """Return the rows of a query as dicts."""
        with self.cursor(seconds=seconds) as cursor:
            cursor.execute(STATEMENTS.parsed(cursor, sql), params)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def tuples(self, sql: str, params: Params = (), *, seconds: float | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query as tuples."""
        with self.cursor(seconds=seconds) as cursor:
            return cursor.execute(STATEMENTS.parsed(cursor, sql), params).fetchall()

    def row(self, sql: str, params: Params = (), *, seconds: float | None = None) -> dict[str, Any] | None:
        """Return the first row of a query as a dict, or None."""
        with self.cursor(seconds=seconds) as cursor:
            found = cursor.execute(STATEMENTS.parsed(cursor, sql), params).fetchone()
            return None if found is None else dict(zip((column[0] for column in cursor.description), found, strict=True))

    def value(self, sql: str, params: Params = (), *, seconds: float | None = None) -> Any:
        """Return the first column of the first row, or None."""
        with self.cursor(seconds=seconds) as cursor:
            found = cursor.execute(STATEMENTS.parsed(cursor, sql), params).fetchone()
            return None if found is None else found[0]

    def arrow(self, sql: str, params: Params = (), *, seconds: float | None = None) -> pa.Table:
        """Return the rows of a query as an Arrow table."""
        with self.cursor(seconds=seconds) as cursor:
            # Inside a block the read before may have taken one row of many.
            cursor.complete()
            return cursor.sql(sql, params=_sequence(params)).to_arrow_table()

    @contextmanager
    def stream(self, sql: str, params: Params = (), *, batch_rows: int = 10_000) -> Iterator[pa.RecordBatchReader]:
        """Hand out the rows of a query batch by batch, on a cursor that stays open meanwhile."""
        cursor = self.connection.cursor()
        try:
            yield cursor.sql(sql, params=_sequence(params)).to_arrow_reader(batch_rows)
        finally:
            cursor.close()

    @contextmanager
    def read(self) -> Iterator[None]:
        """Let every read of this thread inside the block see one state of the database."""
        if self._scope.cursor is not None:
            yield
            return
        cursor = self.connection.cursor()
        # Taken first: what is read may be newer than the mark it is kept under, never older.
        self._scope.changed_at = self._changed_at
        cursor.execute("begin transaction read only")
        self._scope.cursor = cursor
        try:
            yield
        finally:
            self._scope.cursor = self._scope.changed_at = None
            cursor.rollback()
            cursor.close()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return the one connection, or say that the workspace is closed."""
        if self._connection is None:
            raise WorkbenchError("The workspace is closed. Open it again to go on.")
        return self._connection

    def within(self, seconds: float | None, late: Callable[[float], Exception]) -> AbstractContextManager[None]:
        """Limit what a `read()` or `write()` of this thread asks inside the block; `late` makes the error."""
        assert self._scope.cursor is not None
        return limited(self._scope.cursor, seconds, late)

    @contextmanager
    def cursor(self, *, seconds: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Hand out the cursor to read on: the current transaction's, or a fresh one."""
        current = self._scope.cursor
        cursor = current or self.connection.cursor()
        try:
            with limited(cursor, seconds):
                yield cursor
        finally:
            if current is None:
                cursor.close()


def _sequence(params: Params) -> Any:
    return params if params else None
