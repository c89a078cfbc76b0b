"""The services of one open workspace and the one door through which operations are called."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.clock import Clock
from workbench.config import Settings
from workbench.contract.context import Context, current, use
from workbench.contract.operation import Operation
from workbench.engine import Engine
from workbench.errors import Forbidden, ValidationError
from workbench.services import SERVICES
from workbench.services.answering import answering
from workbench.services.idempotency import Idempotency
from workbench.services.service import Service
from workbench.store import Database


class Application:
    """Build every service over one database and run operations on them.

    Services find each other as attributes by namespace: `app.sheets`, `app.jobs`.
    """

    def __init__(self, db: Database, *, clock: Clock, settings: Settings) -> None:
        self.db = db
        self.db.actor_of = lambda: current().actor
        self.clock = clock
        self.settings = settings
        self.artifacts: Path = db.artifacts
        self.engine = Engine(db, clock=clock, settings=settings, artifacts=self.artifacts)
        self.idempotency = Idempotency(db, clock.now)
        self.services: dict[str, Service] = {cls.namespace: cls(self) for cls in SERVICES}
        self._started = False

    def __getattr__(self, namespace: str) -> Any:
        services = self.__dict__.get("services", {})
        if namespace in services:
            return services[namespace]
        raise AttributeError(f"There is no service {namespace!r}.")

    def start(self) -> None:
        """Start the services, then the job engine."""
        for service in self.services.values():
            service.start()
        self.engine.start()
        self.idempotency.forget_old()
        self._started = True

    def close(self) -> None:
        """Stop the engine (running jobs go on) and the services, then close the file."""
        if self._started:
            self.engine.close()
            for service in reversed(list(self.services.values())):
                with contextlib.suppress(Exception):
                    service.close()
        self.db.close()

    def call(self, operation: Operation, given: dict[str, Any], context: Context) -> Any:
        """Check the caller and the arguments, then run one operation.

        A command that declares `transaction=True` runs in one write transaction.
        """
        if not operation.roles & context.roles:
            needed = " or ".join(sorted(operation.roles))
            raise Forbidden(
                f"{context.actor} may not call {operation.id}: it needs the role {needed}.", needed=sorted(operation.roles)
            )
        try:
            arguments = operation.validate(given)
        except ValidationError as error:
            raise self.all_faults(operation, given, error, context) from None
        try:
            with use(context):
                if operation.kind == "query":
                    return self._invoke(operation, arguments)
                return self.idempotency.run(operation, given, context, lambda keep: self._command(operation, arguments, keep))
        except UnicodeEncodeError as error:
            # JSON can spell half of a surrogate pair; no file and no database can hold one.
            half = f"The text holds {error.object[error.start]!r}, half of a character. Send whole characters."
            raise ValidationError(half, fields=[]) from error

    def all_faults(self, operation: Operation, given: dict[str, Any], error: ValidationError, context: Context) -> ValidationError:
        """Return the error on arguments that cannot be read together with what is wrong with those that can."""
        if operation.further is None or not operation.roles & context.roles:
            return error
        faults = error.context["fields"]
        told = {fault["field"].split(".")[0] for fault in faults}
        with use(context):
            found = getattr(self.services[operation.namespace], operation.further)(operation.parsed(given))
        return ValidationError.of([*faults, *(fault for fault in found if fault["field"].split(".")[0] not in told)])

    def _command(self, operation: Operation, arguments: dict[str, Any], keep: Callable[[Any], None]) -> Any:
        """Run a command; what it did, the note of it and its answer are committed together.

        A command without a transaction of its own keeps its answer where it publishes (`answered`).
        """

        def note(result: Any) -> None:
            self._audit(operation, arguments, result)
            keep(result)

        if operation.transaction:
            with self.db.write():
                result = self._invoke(operation, arguments)
                note(result)
                return result
        with answering(operation, note) as answer:
            result = self._invoke(operation, arguments)
        if not answer.kept:
            with self.db.write():
                note(result)
        return result

    def _audit(self, operation: Operation, arguments: dict[str, Any], result: Any) -> None:
        """Note who did what to which thing, in the command's own transaction where it has one."""
        if not operation.audited:
            return
        named = next((arguments.get(a.name) for a in operation.arguments if a.place == "path"), None)
        target = getattr(result, "id", None) or named
        who = current()
        with self.db.write():
            self.db.execute(
                "insert into audit_log (id, actor, operation, target_kind, target_id, outcome, request_id, logged_at) "
                "values (?, ?, ?, ?, ?, 'done', ?, ?)",
                (
                    self.clock.new_id("audit"),
                    who.actor,
                    operation.id,
                    getattr(result, "kind", None),
                    target,
                    who.request_id,
                    self.clock.now(),
                ),
            )

    def _invoke(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        return getattr(self.services[operation.namespace], operation.name)(**arguments)
