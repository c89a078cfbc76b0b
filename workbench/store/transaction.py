"""One unit of work: its statements, and the outbox rows that commit with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass
from typing import Any

import duckdb
import pyarrow as pa

from workbench.store.faults import explained
from workbench.store.statements import STATEMENTS
from workbench.store.time_limit import limited

Params = Sequence[Any] | Mapping[str, Any]
# From a key and what is kept under it to what becomes of it, or None where that has to be worked out anew.
Carry = Callable[[Any, Any], Any]

OUTBOX_COLUMNS = "seq, topic, id, version, kind, actor, logged_at"
_ROWS_PER_INSERT = 200
# So many events are kept, and none longer than a day, except the newest that a reader may have missed.
KEPT_EVENTS = 20_000
KEPT_ANYWAY = 1_000
KEPT_HOURS = 24


@dataclass(frozen=True, slots=True)
class Event:
    """Say what changed, not what it is now."""

    seq: int
    topic: str
    id: str
    version: int | None
    kind: str
    actor: str
    logged_at: dt.datetime


class Transaction:
    """Collect statements and events that take effect together or not at all."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, actor: str) -> None:
        self.cursor = cursor
        self.actor = actor
        self.writes = 0
        self.spoiled: BaseException | None = None
        self.followers: list[Callable[[], None]] = []
        self._emitted: dict[tuple[str, str, str], int | None] = {}
        self._carried: dict[str, list[tuple[str, Carry]]] = {}

    def execute(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows; a DML statement returns its row count or RETURNING rows."""
        self.writes += 1
        with explained():
            return self.cursor.execute(STATEMENTS.parsed(self.cursor, sql), params).fetchall()

    def within(self, seconds: float | None, late: Callable[[float], Exception]) -> AbstractContextManager[None]:
        """Limit what is executed inside the block; `late` makes the error."""
        return limited(self.cursor, seconds, late)

    def insert_arrow(self, table: str, data: pa.Table | pa.RecordBatchReader) -> int:
        """Append Arrow data to a table by column name and return the number of rows."""
        self.writes += 1
        return insert_arrow(self.cursor, table, data)

    def emit(self, topic: str, id: str, version: int | None = None, kind: str = "updated") -> None:
        """Put an event in the outbox; of equal topic, id and kind the latest version counts."""
        key = (topic, id, kind)
        self._emitted.pop(key, None)
        self._emitted[key] = version

    def touches(self, topics: Collection[str]) -> bool:
        """Return whether an event of one of these topics waits for the commit."""
        return any(topic in topics for topic, _, _ in self._emitted)

    def carry(self, topic: str, id: str, change: Carry) -> None:
        """Say how what was worked out of a topic follows an event."""
        self._carried.setdefault(topic, []).append((id, change))

    def carries(self) -> dict[str, list[Carry]]:
        """Return, for each topic all of whose events can be followed, how."""
        found = {topic: {id for other, id, _ in self._emitted if other == topic} for topic in self._carried}
        return {
            topic: [change for _, change in steps]
            for topic, steps in self._carried.items()
            if found[topic] == {id for id, _ in steps}
        }

    def on_commit(self, follower: Callable[[], None]) -> None:
        """Call `follower` after the commit, outside the lock, and never after a rollback."""
        self.followers.append(follower)

    def trim_outbox(self, last: int, now: dt.datetime) -> None:
        """Drop the oldest events; those left are numbered without a gap, the newest is always among them."""
        self.execute(
            "delete from outbox where seq <= greatest(?, least(?, "
            "(select coalesce(max(seq), 0) from outbox where logged_at < ?)))",
            [last - KEPT_EVENTS, last - KEPT_ANYWAY, now - dt.timedelta(hours=KEPT_HOURS)],
        )

    def outbox(self, after: int, now: dt.datetime) -> list[Event]:
        """Write the collected events, numbered from `after` + 1, and return them."""
        events = [
            Event(after + i, topic, id, version, kind, self.actor, now)
            for i, ((topic, id, kind), version) in enumerate(self._emitted.items(), start=1)
        ]
        for start in range(0, len(events), _ROWS_PER_INSERT):
            chunk = events[start : start + _ROWS_PER_INSERT]
            marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(chunk))
            values = [value for event in chunk for value in astuple(event)]
            self.execute(f"insert into outbox ({OUTBOX_COLUMNS}) values {marks}", values)
        return events


def insert_arrow(cursor: duckdb.DuckDBPyConnection, table: str, data: pa.Table | pa.RecordBatchReader) -> int:
    """Append Arrow data to `table` by column name and return the number of rows."""
    # A read that took one row and left the rest keeps the cursor busy.
    cursor.complete()
    cursor.register("_incoming", data)
    try:
        with explained():
            return cursor.execute(f"insert into {quoted(table)} by name select * from _incoming").fetchall()[0][0]
    finally:
        cursor.unregister("_incoming")


def quoted(name: str) -> str:
    """Return an SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'
