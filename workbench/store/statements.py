"""Statements parsed once: to read its text takes DuckDB as long as to run many a small one."""

from __future__ import annotations

import atexit
import threading
from collections import OrderedDict

import duckdb

KEPT = 1000
LONGEST = 20_000


class Statements:
    """Keep the statements asked for last as DuckDB has read them; any cursor of any database may run them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, duckdb.Statement] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget them all: what is left when the program ends would be told as a leak."""
        with self._lock:
            self._kept.clear()

    def parsed(self, cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement | str:
        """Return the statement of a text, or the text itself where it is none, several or very long."""
        if len(sql) > LONGEST:
            return sql
        with self._lock:
            if (known := self._kept.get(sql)) is not None:
                self._kept.move_to_end(sql)
                return known
        found = cursor.extract_statements(sql)
        if len(found) != 1:
            return sql
        with self._lock:
            self._kept[sql] = found[0]
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found[0]


STATEMENTS = Statements()
atexit.register(STATEMENTS.clear)
