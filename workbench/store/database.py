"""The one owner of a database file: a connection, a write lock, cursors for readers."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import duckdb
import pyarrow as pa

from workbench.clock import Clock
from workbench.contract import context
from workbench.errors import NotReady, ValidationError
from workbench.store.backup import copy_by_child, refuse_target
from workbench.store.external import SCHEME, ExternalFiles
from workbench.store.faults import cannot_open, explained, refuse_unusable_folder
from workbench.store.memory import Memory
from workbench.store.migrate import migrate
from workbench.store.reads import Reads, Scope
from workbench.store.subscribers import Subscriber, Subscribers
from workbench.store.transaction import OUTBOX_COLUMNS, Carry, Event, Params, Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")
MEMORY = ":memory:"

_LOCKED_DOWN = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    # A bulk action writes tens of megabytes of log: folding them into the file each time would double its time.
    "checkpoint_threshold": "256MB",
}
# Only names that we give out lead to files; nothing changes that afterwards.
_LOCK = (
    f"set allowed_directories = ['{SCHEME}://']",
    "set enable_external_access = false",
    "set lock_configuration = true",
)
_TRIM_EVERY = 1_000
_CLOSE_WAIT_S = 5
_BACKUP_WAIT_S = 10.0


class Database(Reads):
    """Own one database file in this process; `open` hands out the same object for the same path.

    Reads run on cursors beside each other, writes one after the other under `write()`.
    """

    _registry: ClassVar[dict[str, Database]] = {}
    _registry_lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(self, path: str, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self.actor_of: Callable[[], str] = _caller
        self.external = ExternalFiles()
        self._connection = _connect(path, self.external)
        self._scope = Scope()
        self._write_lock = threading.RLock()
        self._subscribers = Subscribers()
        self._holders = 0
        self._last_seq = 0
        self._changed_at: Mapping[str, int] = {}
        self._memory = Memory()

    @classmethod
    def open(cls, path: str | os.PathLike[str] = MEMORY, *, clock: Clock | None = None) -> Database:
        """Open a file, creating or migrating it, and lock other processes out; every open wants a close."""
        name = os.fspath(path)
        if name == MEMORY:
            return cls._opened(name, clock or Clock())
        full = os.path.realpath(name)
        with cls._registry_lock:
            if (known := cls._registry.get(full)) is None:
                refuse_unusable_folder(full)
                known = cls._registry[full] = cls._opened(full, clock or Clock())
            known._holders += 1
            return known

    @classmethod
    def _opened(cls, path: str, clock: Clock) -> Database:
        database = cls(path, clock)
        try:
            migrate(database)
            database._last_seq = database.value("select coalesce(max(seq), 0) from outbox")
            if database.artifacts is not None:
                database.artifacts.mkdir(exist_ok=True)
        except BaseException:
            database._shut()
            raise
        return database

    @property
    def artifacts(self) -> Path | None:
        """Return the folder for files beside the database, or None in memory."""
        return None if self.path == MEMORY else Path(f"{self.path}.artifacts")

    @property
    def closed(self) -> bool:
        """Return True once the last holder has closed the database."""
        return self._connection is None

    @property
    def last_seq(self) -> int:
        """Return the number of the last committed event."""
        return self._last_seq

    def seen(self, *topics: str) -> tuple[int, ...] | None:
        """Return a mark that changes whenever something of these topics does; None while this transaction changes it."""
        if self._scope.transaction is not None and self._scope.transaction.touches(topics):
            return None
        changed_at = self._changed_at if self._scope.changed_at is None else self._scope.changed_at
        return tuple(changed_at.get(topic, 0) for topic in topics)

    def recall(self, key: tuple[Hashable, ...], topics: tuple[str, ...], work_out: Callable[[], T]) -> T:
        """Return what `work_out` returns, from memory as long as nothing of these topics has changed."""
        return self._memory.recall(key, self.seen(*topics), work_out)

    @property
    def in_transaction(self) -> bool:
        """Return True inside `write()` on this thread."""
        return self._scope.transaction is not None

    @contextmanager
    def write(self, *, actor: str | None = None) -> Iterator[Transaction]:
        """Run a block as one transaction under the write lock; a nested block joins the outer one.

        A nested block that failed after writing spoils the whole: the outermost commit is refused.
        """
        if (outer := self._scope.transaction) is not None:
            yield from _joined(outer)
            return
        if self._scope.cursor is not None:
            raise RuntimeError("write() inside read(): open the write block first.")
        with self._write_lock:
            transaction = Transaction(self.connection.cursor(), actor or self.actor_of())
            with self._bound(transaction):
                yield transaction
                events = self._commit(transaction)
            if events:
                self._subscribers.enqueue(events)
        self._subscribers.deliver()
        for follower in transaction.followers:
            _follow(follower)

    @contextmanager
    def _bound(self, transaction: Transaction) -> Iterator[None]:
        self._scope.cursor, self._scope.transaction = transaction.cursor, transaction
        transaction.cursor.begin()
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):
                transaction.cursor.rollback()
            raise
        finally:
            self._scope.cursor = self._scope.transaction = None
            transaction.cursor.close()

    def _commit(self, transaction: Transaction) -> list[Event]:
        if transaction.spoiled is not None:
            raise transaction.spoiled
        events = transaction.outbox(self._last_seq, self.clock.now())
        if (self._last_seq + len(events)) // _TRIM_EVERY > self._last_seq // _TRIM_EVERY:
            transaction.trim_outbox(self._last_seq + len(events), self.clock.now())
        carries = transaction.carries()
        # Before the commit: who reads from then on keeps new answers under the old mark.
        known = {topic: self._memory.under((self._changed_at.get(topic, 0),)) for topic in carries}
        with explained():
            transaction.cursor.commit()
        self._last_seq += len(events)
        # A new mapping each time: an open block of reads keeps the one it began with.
        self._changed_at = {**self._changed_at, **{event.topic: event.seq for event in events}}
        for topic, steps in carries.items():
            self._carry_on(known[topic], steps, (self._changed_at[topic],))
        return events

    def _carry_on(self, known: Mapping[Hashable, Any], steps: Sequence[Carry], mark: Hashable) -> None:
        """Keep what was worked out before the commit, changed as the commit changed it."""
        for key, answer in known.items():
            try:
                for step in steps:
                    answer = None if answer is None else step(key, answer)
            except Exception:
                log.exception("What is kept under %s could not follow a change; it is worked out anew.", key)
                continue
            if answer is not None:
                self._memory.keep(key, mark, answer)

    @contextmanager
    def load(self) -> Iterator[Transaction]:
        """Fill tables nobody else touches yet, without holding the write lock until the commit.

        For bulk loads: create and fill a new table here, then publish it in a `write()`. Emits nothing.
        """
        cursor = self.connection.cursor()
        cursor.begin()
        try:
            yield Transaction(cursor, self.actor_of())
            with self._write_lock, explained():
                cursor.commit()
        except BaseException:
            with suppress(duckdb.Error):
                cursor.rollback()
            raise
        finally:
            cursor.close()

    def execute(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """Run one statement of the current transaction and return its rows."""
        return self._current().execute(sql, params)

    def insert_arrow(self, table: str, data: pa.Table | pa.RecordBatchReader) -> int:
        """Append Arrow data to a table by column name, in the current transaction."""
        return self._current().insert_arrow(table, data)

    def emit(self, topic: str, id: str, version: int | None = None, kind: str = "updated") -> None:
        """Put an event in the outbox of the current transaction."""
        self._current().emit(topic, id, version, kind)

    def carry(self, topic: str, id: str, change: Carry) -> None:
        """Let what `recall` keeps of this topic alone follow the event of this id: `change(key, answer)` returns the new answer.

        It returns None for what has to be worked out anew; so has all where the transaction emits other events of the topic.
        """
        self._current().carry(topic, id, change)

    def on_commit(self, follower: Callable[[], None]) -> None:
        """Call `follower` once the current transaction has committed, outside the lock."""
        self._current().on_commit(follower)

    def _current(self) -> Transaction:
        if self._scope.transaction is None:
            raise RuntimeError("Writing takes a transaction: wrap it in `with db.write():`.")
        return self._scope.transaction

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with the events of each commit; return the function that ends it."""
        return self._subscribers.add(subscriber)

    def events_after(self, seq: int, limit: int = 1000) -> list[Event]:
        """Return the committed events numbered beyond `seq`, oldest first."""
        found = self.tuples(f"select {OUTBOX_COLUMNS} from outbox where seq > ? order by seq limit ?", [seq, limit])
        return [Event(*row) for row in found]

    @property
    def first_seq(self) -> int:
        """Return the number of the oldest event still kept, or 0."""
        return self.value("select coalesce(min(seq), 0) from outbox")

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file; wait a while for a running bulk load."""
        with self._checkpointed():
            pass

    def backup(self, target: str | os.PathLike[str], *, artifacts: bool = True) -> Path:
        """Copy the database, and its artifacts, to a new file while everything goes on running."""
        if self.path == MEMORY:
            raise ValidationError.field("target", "a workspace in memory cannot be backed up. Open a file", str(target))
        source, wanted = Path(self.path), Path(target).absolute()
        refuse_target(source, wanted)
        with self._checkpointed():
            copy_by_child(source, wanted, artifacts=artifacts)
        return wanted

    @contextmanager
    def _checkpointed(self) -> Iterator[None]:
        """Hold the write lock over a file that is complete without its log.

        While a bulk load is under way there is no checkpoint: the lock is let go, so that the load can commit.
        """
        if self.in_transaction:
            raise RuntimeError("A backup inside write() would miss it: end the block first.")
        deadline = time.monotonic() + _BACKUP_WAIT_S
        while True:
            with self._write_lock:
                if self._try_checkpoint():
                    yield
                    return
            if time.monotonic() > deadline:
                raise NotReady("An import is still running. Try again when it has ended.", status="importing")
            time.sleep(0.05)

    def _try_checkpoint(self) -> bool:
        cursor = self.connection.cursor()
        try:
            cursor.execute("checkpoint")
        except duckdb.TransactionException:
            return False
        finally:
            cursor.close()
        return True

    def close(self) -> None:
        """Give the database back; the last of its holders closes the file."""
        with self._registry_lock:
            self._holders -= 1
            if self._holders > 0 or self.closed:
                return
            self._registry.pop(self.path, None)
            self._shut()

    def _shut(self) -> None:
        with self._write_lock:
            self._subscribers.clear()
            connection, self._connection = self._connection, None
            if connection is not None:
                _closed(connection)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _closed(connection: duckdb.DuckDBPyConnection) -> None:
    """Close a connection; a thread that takes its cursor at this moment is let through first."""
    deadline = time.monotonic() + _CLOSE_WAIT_S
    while True:
        try:
            connection.close()
            return
        except duckdb.Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _follow(follower: Callable[[], None]) -> None:
    try:
        follower()
    except Exception:
        log.exception("What follows a commit failed; the commit stands.")


def _caller() -> str:
    return context.current().actor


def _connect(path: str, external: ExternalFiles) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(path, config=_LOCKED_DOWN)
        external.serve(connection)
        for statement in _LOCK:
            connection.execute(statement)
        return connection
    except duckdb.Error as error:
        raise cannot_open(path, error) from error


def _joined(outer: Transaction) -> Iterator[Transaction]:
    before = outer.writes
    try:
        yield outer
    except BaseException as error:
        if outer.writes > before:
            outer.spoiled = error
        raise
