"""One answer per key: a repeated command gets the first answer, not a second effect."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from workbench.contract import answers
from workbench.contract.codec import encode
from workbench.contract.context import Context
from workbench.contract.operation import Operation
from workbench.errors import ValidationError
from workbench.store import Database

Action = Callable[[Callable[[Any], None]], Any]

KEPT_HOURS = 24
# So many keys are remembered to tell a new one without asking the database.
KNOWN_KEYS = 100_000
FORGET_EVERY = 1_000


@dataclass
class _Gate:
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: int = 0


class Idempotency:
    """Remember the answers of keyed commands for a day, in the transaction that takes effect."""

    def __init__(self, db: Database, now: Callable[[], Any]) -> None:
        self._db = db
        self._now = now
        self._gates: dict[tuple[str, str], _Gate] = {}
        self._guard = threading.Lock()
        self._kept = 0
        self._known: set[int] = set()
        self._loaded = False

    def run(self, operation: Operation, given: dict[str, Any], context: Context, action: Action) -> Any:
        """Run `action` once per actor and key; later calls with the same request get its answer.

        `action` gets the function that keeps its answer, to call in the transaction that takes effect.
        Calls with one key queue up, so that the second finds the first one's answer.
        """
        if not context.idempotency_key:
            return action(lambda result: None)
        identity = (context.actor, context.idempotency_key)
        digest = _digest(operation, given | _sent(context))
        with self._gate(identity):
            return self._once(operation, identity, digest, action)

    @contextmanager
    def _gate(self, identity: tuple[str, str]) -> Iterator[None]:
        """Let one call per key in; the gate stays until the last one waiting at it has passed."""
        with self._guard:
            gate = self._gates.setdefault(identity, _Gate())
            gate.waiting += 1
        try:
            with gate.lock:
                yield
        finally:
            with self._guard:
                gate.waiting -= 1
                if not gate.waiting:
                    del self._gates[identity]

    def _once(self, operation: Operation, identity: tuple[str, str], digest: str, action: Action) -> Any:
        stored = self._stored(identity)
        if stored:
            if stored["request_hash"] != digest:
                raise ValidationError.field(
                    "Idempotency-Key", "This key was used for another request; choose a new one", identity[1]
                )
            return answers.from_wire(operation, json.loads(stored["answer"]), started=stored["status"] == answers.STARTED)
        return action(lambda result: self._keep(operation, identity, digest, result))

    def _stored(self, identity: tuple[str, str]) -> dict[str, Any] | None:
        if not self._may_be_stored(identity):
            return None
        return self._db.row("select request_hash, status, answer from idempotency where actor = ? and key = ?", identity)

    def _may_be_stored(self, identity: tuple[str, str]) -> bool:
        """Return False for a key that is surely new; nothing is ever taken from the keys known, only added."""
        with self._guard:
            if not self._loaded:
                found = self._db.tuples(f"select actor, key from idempotency limit {KNOWN_KEYS}")
                self._known.update(hash(pair) for pair in found)
                self._loaded = True
        return len(self._known) >= KNOWN_KEYS or hash(identity) in self._known

    def _keep(self, operation: Operation, identity: tuple[str, str], digest: str, result: Any) -> None:
        answer = json.dumps(answers.to_wire(operation, result))
        self._db.execute(
            "insert into idempotency (actor, key, request_hash, status, answer, created_at) values (?, ?, ?, ?, ?, ?)",
            (*identity, digest, answers.status(operation, result), answer, self._now()),
        )
        self._known.add(hash(identity))
        self._kept += 1
        if self._kept % FORGET_EVERY == 0:
            self.forget_old()

    def forget_old(self) -> None:
        """Drop the answers older than a day."""
        with self._db.write():
            self._db.execute(f"delete from idempotency where created_at < ? - interval {KEPT_HOURS} hour", (self._now(),))


def _sent(context: Context) -> dict[str, Any]:
    """Return what stands for a file that was sent: a repeated one lies under another path, with the same content."""
    return {} if context.upload is None else {"source": [context.upload.filename, context.upload.sha256]}


def _digest(operation: Operation, given: dict[str, Any]) -> str:
    plain = json.dumps([operation.id, encode(given)], sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()
