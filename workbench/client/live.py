"""Queries and records that follow the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import param

from workbench.domain.record import Record
from workbench.domain.system import Change

COALESCE_S = 0.1
TIMER = "workbench-live"


class LiveQuery(param.Parameterized):
    """Hold the newest answer of a query; it runs again when one of its topics changes.

    `call` is a facade method such as `ws.sheets.list`; its operation names the topics. Changes
    within 100 ms of the first one are answered by one run. Nothing runs before `start()`. With `about`
    only changes of the thing with that id count: what one job logs leaves the curves of the others alone.
    """

    value = param.Parameter(None, doc="The newest answer.")
    busy = param.Boolean(False, doc="True while the query runs.")
    error = param.Parameter(None, doc="The error of the last run, or None.")
    revision = param.Integer(0, doc="Counts the answers.")

    def __init__(
        self,
        call: Callable[..., Any],
        arguments: Mapping[str, Any] | None = None,
        topics: Collection[str] | None = None,
        subscribe: Callable[[Any], Callable[[], None]] | None = None,
        about: str | None = None,
    ) -> None:
        super().__init__()
        self._about = about
        operation = getattr(call, "operation", None)
        namespace = getattr(call, "__self__", None)
        self._call = call
        self._arguments = dict(arguments or {})
        self._topics = frozenset(topics if topics is not None else operation.topics if operation else ())
        self._subscribe = subscribe or (namespace._workspace.subscribe if namespace is not None else None)
        self._stop: Callable[[], None] | None = None
        self._timer: threading.Timer | None = None
        self._guard = threading.Lock()
        self._running = threading.Lock()
        self._closed = False
        self._took = 0.0

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the query."""
        return dict(self._arguments)

    def start(self) -> LiveQuery:
        """Run the query and follow its topics."""
        if self._stop is None and self._subscribe is not None and not self._closed:
            self._stop = self._subscribe(self._heard)
        self.refresh()
        return self

    def ask(self, **arguments: Any) -> None:
        """Change arguments and run again at once."""
        self.aim(**arguments)
        self.refresh()

    def aim(self, **arguments: Any) -> None:
        """Change arguments for the next run."""
        self._arguments = {**self._arguments, **arguments}

    def forget(self, *names: str) -> None:
        """Leave arguments out of the next run."""
        self._arguments = {name: value for name, value in self._arguments.items() if name not in names}

    def refresh(self) -> None:
        """Run the query now; the last answer of two overlapping runs stays."""
        with self._running:
            if self._closed:
                return
            self.busy = True
            begun = time.monotonic()
            try:
                value = self._call(**self._arguments)
            except Exception as error:
                self.param.update(error=error, busy=False)
            else:
                self.param.update(value=value, error=None, busy=False, revision=self.revision + 1)
            finally:
                self._took = time.monotonic() - begun

    def close(self) -> None:
        """Stop following; the value stays."""
        self._closed = True
        if self._stop is not None:
            self._stop()
            self._stop = None
        with self._guard:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _heard(self, changes: Sequence[Change]) -> None:
        """Run 100 ms after the first change heard; later ones join that run."""
        if any(self._concerns(change) for change in changes):
            self._run_later()

    def _concerns(self, change: Change) -> bool:
        if change.topic == "*":
            return True
        return change.topic in self._topics and self._about in (None, change.id)

    def _run_later(self) -> None:
        """Set one timer; a query that takes long waits as long before it runs again, so that others get their turn."""
        with self._guard:
            if self._timer is None and not self._closed:
                self._timer = threading.Timer(max(COALESCE_S, self._took), self._due)
                self._timer.daemon = True
                self._timer.name = TIMER
                self._timer.start()

    def _due(self) -> None:
        with self._guard:
            self._timer = None
        if self._running.locked():
            self._run_later()  # one more run is enough, however many changes came meanwhile
        else:
            self.refresh()


class LiveRecord(param.Parameterized):
    """A record whose parameters follow the database; subclasses mirror one record type."""

    _types: dict[type[Record], type[LiveRecord]] = {}

    @classmethod
    def of(cls, workspace: Any, record: Record) -> LiveRecord:
        """Return a started live twin of `record`."""
        kind = type(record)
        if kind not in cls._types:
            fields = {n: _followed(n, kind.param[n].doc) for n in kind.own_fields()}
            cls._types[kind] = type(f"Live{kind.__name__}", (LiveRecord,), {"__doc__": kind.__doc__, **fields})
        twin = cls._types[kind](**record.values())
        twin._follow(workspace, record)
        return twin

    def _follow(self, workspace: Any, record: Record) -> None:
        self._query = LiveQuery(lambda: workspace.fetch(record), topics=(record.topic(),), subscribe=workspace.subscribe)
        self._query.param.watch(self._take, "value")
        self._query.start()

    def _take(self, event: Any) -> None:
        self.param.update(**event.new.values())

    def close(self) -> None:
        """Stop following."""
        self._query.close()


def _followed(name: str, doc: str | None) -> param.Parameter:
    """Return a parameter that takes what the database says; param's own `name` is text and may not change."""
    return param.String(None, allow_None=True, constant=False, doc=doc) if name == "name" else param.Parameter(doc=doc)
