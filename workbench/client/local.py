"""Operations run in this process, which owns the file."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from typing import Any

from workbench.client.transport import Listener
from workbench.contract import answers
from workbench.contract.codec import encode
from workbench.contract.context import Context
from workbench.contract.operation import Operation
from workbench.domain.system import Change
from workbench.services.application import Application
from workbench.store import Event


class LocalTransport:
    """Call the application directly, as one user.

    `strict=True` sends arguments and answers through JSON, so that what works here works over HTTP.
    """

    def __init__(
        self,
        app: Application,
        *,
        user: str = "local",
        roles: frozenset[str] = frozenset({"admin"}),
        served: bool = False,
        strict: bool = False,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self.app = app
        self.user = user
        self.roles = roles
        self.served = served
        self.strict = strict
        self.client = secrets.token_hex(6)
        self.label = str(app.db.path)
        self.url: str | None = None
        self._on_close = on_close

    @property
    def connected(self) -> bool:
        """Return True: changes arrive in the process that commits them."""
        return True

    def call(self, operation: Operation, given: dict[str, Any], *, key: str | None = None, respond_async: bool = False) -> Any:
        """Run one operation."""
        context = Context(
            actor=self.user, roles=self.roles, client=self.client, idempotency_key=key, served=self.served, respond_async=respond_async
        )  # fmt: skip
        given = {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in given.items()}
        if not self.strict:
            return self.app.call(operation, given, context)
        given = {k: v if hasattr(v, "schema") else json.loads(json.dumps(encode(v))) for k, v in given.items()}
        answer = self.app.call(operation, given, context)
        if operation.is_table:
            return answer
        wire = json.loads(json.dumps(answers.to_wire(operation, answer)))
        return answers.from_wire(operation, wire, started=answers.is_started(operation, answer))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after each commit, on the committing thread."""
        return self.app.db.subscribe(lambda events: listener([as_change(event) for event in events]))

    def close(self) -> None:
        """Close what this transport opened."""
        if self._on_close:
            self._on_close()
            self._on_close = None


def as_change(event: Event) -> Change:
    """Return a committed outbox event as the record that travels."""
    return Change(
        seq=event.seq, topic=event.topic, id=event.id, version=event.version, change=event.kind,
        actor=event.actor, logged_at=event.logged_at,
    )  # fmt: skip
