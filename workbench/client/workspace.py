"""The face of a workspace: one object, embedded or over HTTP."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.client.live import LiveQuery, LiveRecord
from workbench.client.namespace import Namespace, namespace_class
from workbench.client.run import interrupt_runs
from workbench.client.transport import Listener, Transport
from workbench.client.wait import wait_for_job
from workbench.contract.operation import Operation
from workbench.domain.record import Record
from workbench.errors import ValidationError, did_you_mean
from workbench.services import SERVICES


class Workspace:
    """Reach every operation as `ws.<namespace>.<operation>(...)`.

    The namespaces are generated from the services; `dir(ws)` lists them. Use as a context manager,
    or call `close()`.
    """

    def __init__(self, transport: Transport, *, publish: Callable[..., Any] | None = None) -> None:
        self.transport = transport
        self._publish = publish
        self._server: Any = None
        for name, cls in namespaces().items():
            setattr(self, name, cls(self))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(
            f"A workspace has no {name!r}.{did_you_mean(name, [*namespaces(), 'sql', 'tables', 'serve', 'close'])}"
        )

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Workspace {self.transport.label}>"

    @property
    def url(self) -> str | None:
        """Return the address others can open, or None when the workspace is not published."""
        return self._server.url if self._server else self.transport.url

    @property
    def user(self) -> str:
        """Return who this workspace acts as."""
        return self.transport.user

    def sql(self, query: str, params: Sequence[Any] = (), *, max_rows: int | None = None) -> Any:
        """Run one read-only SELECT over the published tables and return a DataFrame."""
        if isinstance(params, (str, Mapping)):
            words = "is a list with a value for each `?`, in their order"
            raise ValidationError.field("params", words, params if isinstance(params, str) else dict(params))
        given = {"params": list(params)} if params else {}
        return self.system.sql(query, **given, **({"max_rows": max_rows} if max_rows else {}))

    def tables(self) -> Any:
        """Return the tables that `sql` may read, with their columns and docs."""
        return self.system.tables()

    def serve(self, *, port: int = 5006, host: str = "127.0.0.1", open_browser: bool = False) -> str:
        """Publish the dashboards and the API from this process and return their address."""
        if self._publish is None:
            raise RuntimeError(f"{self.transport.label} is served by another process already: {self.url}.")
        if self._server is None:
            self._server = self._publish(host=host, port=port, open_browser=open_browser)
        return self._server.url

    def page(self, href: str) -> str:
        """Return the full address of a page such as `./label?row=3`; unpublished dashboards are published first.

        They then answer on a free port of this machine, to whoever has the token in the address.
        """
        if self._server is None and self.transport.url is None and self._publish is not None:
            self._server = self._publish(host="127.0.0.1", port=0, token=secrets.token_urlsafe(24))
        token = getattr(self._server, "token", None)
        path = href.removeprefix("./")
        address = f"{self.url}/{path}"
        return f"{address}{'&' if '?' in path else '?'}token={token}" if token else address

    def attach(self, server: Any) -> None:
        """Remember the server that publishes this workspace, to stop it on close."""
        self._server = server

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(changes)` after each commit; returns the way to stop it."""
        return self.transport.subscribe(listener)

    def live(self, record: Record) -> LiveRecord:
        """Return a twin of `record` whose parameters follow the database until `close()`."""
        return LiveRecord.of(self, record)

    def query(self, call: Callable[..., Any], **arguments: Any) -> LiveQuery:
        """Return a live query of a facade method: its value follows the database once started."""
        return LiveQuery(call, arguments)

    def fetch(self, record: Record) -> Any:
        """Return the record as it is now."""
        return self.get(type(record), *record.address)

    def get(self, record_type: type[Record], *address: Any) -> Any:
        """Return a record by its type and what names it in paths, usually its id."""
        return getattr(self, record_namespaces()[record_type]).get(*address)

    def record_method(self, record: Record, name: str) -> Callable[..., Any] | None:
        """Return the operation `name` of the record's namespace with its id filled in, or None."""
        if name == "wait" and hasattr(type(record), "progress_percent"):
            return functools.partial(wait_for_job, self, record)
        home = record_namespaces().get(type(record))
        if home is None:
            return None
        own = namespaces()[home]._operations
        named = own["get"].arguments[0].name
        for namespace in (home, *_elsewhere(record, name, named)):
            operation = namespaces()[namespace]._operations.get(name)
            # Without the record's id as its first argument it is about something else.
            if operation is not None and operation.arguments and _names(operation.arguments[0], named):
                places = max(1, sum(argument.place == "path" for argument in operation.arguments))
                return functools.partial(getattr(getattr(self, namespace), name), *record.address[:places])
        return None

    def close(self) -> None:
        """Stop serving, release the file or the connection; running jobs go on, open runs end as interrupted."""
        interrupt_runs(self, why="its workspace was closed.")
        if self._server is not None:
            self._server.stop()
            self._server = None
        self.transport.close()


def _names(argument: Any, named: str) -> bool:
    return argument.place == "path" or argument.name == named


def _elsewhere(record: Record, name: str, named: str) -> list[str]:
    """Return the namespaces that hold an action of a record: a sheet is assembled where training sheets are."""
    # Asked of the type: what a record lacks would be looked for here once more.
    actions = record.actions if hasattr(type(record), "actions") else ()
    if name not in {action.name for action in actions or ()}:
        return []
    found = ((namespace, cls._operations.get(name)) for namespace, cls in namespaces().items())
    return [namespace for namespace, one in found if one is not None and one.arguments and one.arguments[0].name == named]


@functools.cache
def namespaces() -> dict[str, type[Namespace]]:
    """Return the generated Namespace classes by name."""
    return {s.namespace: namespace_class(s.namespace, s.operations, (s.__doc__ or "").strip()) for s in SERVICES}


@functools.cache
def record_namespaces() -> dict[type[Record], str]:
    """Return the namespace whose `get` answers with a record type."""
    found: dict[type[Record], str] = {}
    for service in SERVICES:
        operation: Operation | None = service.operations.get("get")
        if operation is not None and operation.record_type is not None:
            found.setdefault(operation.record_type, service.namespace)
    return found
