"""The type stub of the facade, written from the operations: `python -m workbench.client.stub`."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from pathlib import Path
from typing import Any

from workbench.client.namespace import HANDLES
from workbench.contract.operation import Operation
from workbench.contract.schema import UNSET
from workbench.services import SERVICES

STUB = Path(__file__).with_name("workspace.pyi")
_HEAD = '''"""The face of a workspace: one object, embedded or over HTTP. Generated; do not edit."""

import datetime
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pandas as pd

from workbench.client.live import LiveQuery, LiveRecord
from workbench.client.namespace import Namespace
from workbench.client.run import Run
from workbench.client.transport import Listener, Transport
from workbench.contract.page import Page
from workbench.domain.jobs import Job
from workbench.domain.record import Record
'''


def text() -> str:
    """Return the stub of every namespace and of Workspace."""
    imports = sorted(
        {f"from {t.__module__} import {t.__name__}" for s in SERVICES for o in s.operations.values() for t in _records(o)}
    )
    classes = [_namespace(s.namespace, s.operations) for s in SERVICES]
    return _HEAD + "\n".join(imports) + "\n\n" + "\n".join(classes) + "\n" + _workspace()


def _records(operation: Operation) -> set[type]:
    from workbench.domain.record import Record

    found: set[type] = set()
    todo = [operation.returns, *(a.annotation for a in operation.arguments)]
    while todo:
        item = todo.pop()
        todo.extend(typing.get_args(item))
        if isinstance(item, type) and issubclass(item, Record):
            found.add(item)
    return found


def _namespace(name: str, operations: dict[str, Operation]) -> str:
    lines = [f"class {_class(name)}(Namespace):"]
    for operation in operations.values():
        lines.append(f"    def {operation.name}({', '.join(_arguments(operation))}) -> {_returned(operation)}:")
        lines.append(f'        """{operation.doc.splitlines()[0]}"""')
    return "\n".join(lines)


def _class(namespace: str) -> str:
    return namespace.title().replace("_", "")


def _arguments(operation: Operation) -> list[str]:
    found, keyword = ["self"], False
    for parameter in operation.signature().parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not keyword:
            keyword = True
            found.append("*")
        annotation = next(a.annotation for a in operation.arguments if a.name == parameter.name)
        default = "" if parameter.default is inspect.Parameter.empty else " = ..."
        found.append(f"{parameter.name}: {_written(annotation)}{default}")
    if operation.kind == "command":
        found += [] if keyword else ["*"]
        found.append("idempotency_key: str | None = ...")
    if operation.long:
        found.append("wait: bool = ...")
    return found


def _returned(operation: Operation) -> str:
    if operation.id in HANDLES:
        return HANDLES[operation.id].__name__
    if operation.is_table:
        return "pd.DataFrame"
    if operation.long:
        return f"{_written(operation.returns)} | Job"
    return f"Page[{operation.record_type.__name__}]" if operation.is_page else _written(operation.returns)


def _written(annotation: Any) -> str:
    if annotation is UNSET or annotation is Any:
        return "Any"
    if annotation in (None, type(None), ...):
        return "..." if annotation is ... else "None"
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _written(inner[0])
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, inner))}]"
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(_written, inner))
    if origin is not None:
        return f"{origin.__name__}[{', '.join(map(_written, inner))}]"
    return f"{annotation.__module__}.{annotation.__name__}" if annotation.__module__ == "datetime" else annotation.__name__


def _workspace() -> str:
    namespaces = "\n".join(f"    {s.namespace}: {_class(s.namespace)}" for s in SERVICES)
    return f'''class Workspace:
    """Reach every operation as `ws.<namespace>.<operation>(...)`."""

    transport: Transport
{namespaces}
    def __init__(self, transport: Transport, *, publish: Callable[..., Any] | None = ...) -> None: ...
    def __enter__(self) -> Workspace: ...
    def __exit__(self, *error: object) -> None: ...
    @property
    def url(self) -> str | None: ...
    @property
    def user(self) -> str: ...
    def sql(self, query: str, params: Sequence[Any] = ..., *, max_rows: int | None = ...) -> pd.DataFrame: ...
    def tables(self) -> Page[TableInfo]: ...
    def serve(self, *, port: int = ..., host: str = ..., open_browser: bool = ...) -> str: ...
    def attach(self, server: Any) -> None: ...
    def subscribe(self, listener: Listener) -> Callable[[], None]: ...
    def live(self, record: Record) -> LiveRecord: ...
    def query(self, call: Callable[..., Any], **arguments: Any) -> LiveQuery: ...
    def fetch(self, record: Record) -> Any: ...
    def get(self, record_type: type[Record], record_id: str) -> Any: ...
    def record_method(self, record: Record, name: str) -> Callable[..., Any] | None: ...
    def close(self) -> None: ...
'''


if __name__ == "__main__":
    sys.stdout.write(f"{STUB.name}\n")
    STUB.write_text(text())
