"""Keep every served request, written in groups by one thread."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.domain.serving import RequestLog

if TYPE_CHECKING:
    from workbench.store import Database

GROUP_ROWS = 1000
GROUP_SECONDS = 0.1
RETRY_SECONDS = 1.0
_TYPES = {"logged_at": pa.timestamp("us"), "latency_ms": pa.float64(), "confidence": pa.float64(), "cost": pa.float64()}
_TYPES |= {"status_code": pa.int64(), "tokens_in": pa.int64(), "tokens_out": pa.int64()}
_TYPES |= {"altered": pa.bool_(), "sample": pa.bool_()}
SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in RequestLog.stored_fields()])


class RequestWriter:
    """Take request rows without waiting and commit them in groups, in order, none lost on close."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: deque[dict[str, Any]] = deque()
        self._changed = threading.Condition()
        self._taken = 0
        self._kept = 0
        self._hurry = False
        self._closing = False
        self._thread: threading.Thread | None = None

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Queue rows; they are in the database within about a tenth of a second."""
        with self._changed:
            if self._closing:
                raise RuntimeError("The request log is closed.")
            first = not self._waiting
            self._waiting.extend(rows)
            self._taken += len(rows)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="request-log", daemon=True)
                self._thread.start()
            if first or len(self._waiting) >= GROUP_ROWS:
                self._changed.notify_all()

    def flush(self, *, seconds: float = 2.0) -> bool:
        """Wait until what was queued so far is committed; inside a transaction this returns at once."""
        if self._db.in_transaction:
            return False
        with self._changed:
            target = self._taken
            if self._kept >= target:
                return True
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._kept >= target, timeout=seconds)

    def close(self) -> None:
        """Commit what is queued and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout=30)

    def _work(self) -> None:
        while rows := self._next_group():
            while not self._commit(rows):
                time.sleep(RETRY_SECONDS)
            with self._changed:
                self._kept += len(rows)
                self._changed.notify_all()

    def _next_group(self) -> list[dict[str, Any]]:
        """Return the next rows, giving a small group a moment to grow; empty when closing with nothing left."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._changed.wait_for(self._due, timeout=GROUP_SECONDS)
            rows = [self._waiting.popleft() for _ in range(min(GROUP_ROWS, len(self._waiting)))]
            if not self._waiting:
                self._hurry = False
            return rows

    def _due(self) -> bool:
        return self._hurry or self._closing or len(self._waiting) >= GROUP_ROWS

    def _commit(self, rows: list[dict[str, Any]]) -> bool:
        try:
            with self._db.write(actor="serving") as transaction:
                transaction.insert_arrow("requests", pa.Table.from_pylist(rows, schema=SCHEMA))
                for endpoint in {row["endpoint"] for row in rows}:
                    transaction.emit("requests", endpoint, None, "created")
            return True
        except Exception:
            logging.getLogger(__name__).exception("%d requests could not be written yet", len(rows))
            return self._db.closed
