"""Parquet files that answer queries as if they were the tables of a workspace."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from workbench.store.reads import Reads, Scope
from workbench.store.scratch import text_literal
from workbench.store.transaction import quoted

MEMORY = "600MB"


class ParquetTables(Reads):
    """Answer queries over Parquet files by name, in an instance of their own; what does not fit in memory goes to disk.

    `prelude` is SQL to run first, such as the macros the queries call.
    """

    def __init__(self, tables: Mapping[str, Path], *, prelude: Sequence[str] = (), threads: int | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True)
        config = {"memory_limit": MEMORY, "temp_directory": self._folder.name, "autoinstall_known_extensions": False}
        self._connection = duckdb.connect(":memory:", config=config | ({"threads": threads} if threads else {}))
        self._scope = Scope()
        for name, path in tables.items():
            self._connection.execute(f"create view {quoted(name)} as select * from read_parquet({text_literal(str(path))})")
        for statement in prelude:
            self.run(statement)

    def run(self, statement: str) -> None:
        """Run a statement that makes something the queries need."""
        self.connection.execute(statement)

    def __enter__(self) -> ParquetTables:
        return self

    def __exit__(self, *error: object) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._folder.cleanup()
