"""How an operation is declared: one decorator on a typed service method.

The facade, the REST route, the OpenAPI entry, the CLI command, the HTTP client method, the stub
and the buttons are projections of what is collected here.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import param
import pydantic
from pydantic import ConfigDict, Field, create_model

from workbench.contract.context import ROLES
from workbench.contract.page import Page
from workbench.contract.schema import UNSET, input_type
from workbench.domain.record import Record
from workbench.errors import ValidationError

PageNumber = Annotated[int, Field(ge=1, le=10_000_000, description="Page, counted from 1.")]
PageSize = Annotated[int, Field(ge=1, le=1000, description="Rows of a page.")]
MOST_LEVELS = 64


class Table:
    """Mark an operation whose answer is an Arrow table; Python callers get a DataFrame."""


class Deleted(Record):
    """Say that a thing is deleted."""

    kind = "deletion"

    status = param.String("deleted", doc="Always `deleted`.")
    id = param.String("", doc="Id of the deleted thing.")


@dataclass(frozen=True)
class Argument:
    """One argument of an operation and where it travels: path, query or body."""

    name: str
    annotation: Any
    default: Any
    place: str

    @property
    def required(self) -> bool:
        """Return True when the caller has to give it."""
        return self.default is inspect.Parameter.empty

    @property
    def doc(self) -> str:
        """Return the description declared with `Field(description=...)`."""
        for item in getattr(self.annotation, "__metadata__", ()):
            if getattr(item, "description", None):
                return str(item.description)
        return ""


@dataclass(frozen=True, eq=False)
class Operation:
    """Everything that is known about one operation."""

    namespace: str
    name: str
    kind: str
    method: str
    path: str
    roles: frozenset[str]
    status: int
    key: str
    topics: frozenset[str]
    transaction: bool
    label: str
    confirm: str | None
    upload: bool
    audited: bool
    long: bool
    file: str | None
    further: str | None
    doc: str
    arguments: tuple[Argument, ...]
    returns: Any
    function: Callable[..., Any] = field(repr=False)

    @property
    def id(self) -> str:
        """Return `namespace.name`."""
        return f"{self.namespace}.{self.name}"

    @property
    def record_type(self) -> type[Record] | None:
        """Return the record that the answer, or each row of it, is made of."""
        found = typing.get_args(self.returns)[0] if self.is_page else self.returns
        return found if isinstance(found, type) and issubclass(found, Record) else None

    @property
    def is_page(self) -> bool:
        """Return True when the answer is a page of records."""
        return typing.get_origin(self.returns) is Page

    @property
    def is_table(self) -> bool:
        """Return True when the answer is an Arrow table."""
        return self.returns is Table

    def full_path(self, prefix: str) -> str:
        """Return the path with the API prefix, unless the operation declares an absolute one."""
        return self.path if self.path.startswith("/api/") else prefix + self.path

    def signature(self) -> inspect.Signature:
        """Return the signature for callers: no self, the first path arguments positional."""
        return inspect.signature(self.function).replace(parameters=list(inspect.signature(self.function).parameters.values())[1:])

    @cached_property
    def model(self) -> type[pydantic.BaseModel]:
        """Return the pydantic model of all arguments."""
        return self._model_of(self.arguments, strict=True)

    @cached_property
    def body_model(self) -> type[pydantic.BaseModel] | None:
        """Return the pydantic model of the body arguments, or None."""
        body = [a for a in self.arguments if a.place == "body"]
        return self._model_of(body, strict=True) if body else None

    def _model_of(self, arguments: Collection[Argument], *, strict: bool) -> type[pydantic.BaseModel]:
        fields: dict[str, Any] = {}
        for argument in arguments:
            kind = input_type(argument.annotation, strict=strict)
            default = ... if argument.required else None if argument.default is UNSET else argument.default
            fields[argument.name] = (kind, default)
        name = "".join(part.capitalize() for part in f"{self.namespace}_{self.name}".split("_")) + "Body"
        return create_model(name, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True), **fields)

    def validate(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the given arguments checked and converted, or raise ValidationError with all faults."""
        if deep := [name for name, value in given.items() if too_deep(value)]:
            words = f"is nested more than {MOST_LEVELS} levels deep"
            raise ValidationError.of({"field": name, "message": words, "value": None} for name in deep)
        try:
            model = self.model.model_validate(dict(given))
        except pydantic.ValidationError as error:
            raise ValidationError.of(faults(error)) from None
        return {name: getattr(model, name) for name in model.model_fields_set}

    def parsed(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what can be read of arguments while others are faulty: the default stands for those that have one."""
        found = {a.name: a.default for a in self.arguments if not a.required}
        for argument in self.arguments:
            if argument.name in given and not too_deep(given[argument.name]):
                with suppress(pydantic.ValidationError):
                    model = self._model_of([argument], strict=True).model_validate({argument.name: given[argument.name]})
                    found[argument.name] = getattr(model, argument.name)
        return found


def too_deep(value: Any) -> bool:
    """Return whether free JSON is nested so deep that what is kept of it could not be read back."""
    level = [value] if isinstance(value, (dict, list, tuple)) else []
    for _ in range(MOST_LEVELS):
        if not level:
            return False
        parts = (one.values() if isinstance(one, dict) else one for one in level)
        level = [part for some in parts for part in some if isinstance(part, (dict, list, tuple))]
    return bool(level)


def faults(error: pydantic.ValidationError | Any) -> list[dict[str, Any]]:
    """Return pydantic's complaints as `[{field, message, value}]`."""
    items = error.errors()
    precise = [item for item in items if item["type"] != "is_instance_of"] or items
    found = {}
    for item in precise:
        place = [str(part) for part in item["loc"] if part not in ("body", "query", "path")]
        place = [part for part in place if not re.match(r"(is-instance|function-|chain|literal|list\[|dict\[)", part)]
        value = item.get("input")
        plain = value if isinstance(value, (str, int, float, bool, type(None))) else None
        message = _MESSAGES.get(item["type"], item["msg"].removeprefix("Value error, "))
        # Its location is an offset in the text, no field.
        name = "body" if item["type"] == "json_invalid" else ".".join(place) or "body"
        found[name, message] = {"field": name, "message": message, "value": plain}
    return list(found.values())


_MESSAGES = {"extra_forbidden": "Unknown field", "missing": "Required"}


def query(
    method: str,
    path: str,
    *,
    key: str = "items",
    roles: Collection[str] = ROLES,
    topics: Collection[str] | None = None,
    label: str | None = None,
    file: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a read: its path, the key of its list and the topics that change its answer.

    `file` names the file that a browser keeps the answer in; the date is added.
    """
    return _declare("query", method, path, key=key, roles=roles, topics=topics, label=label, transaction=False, file=file)


def command(
    method: str,
    path: str,
    *,
    roles: Collection[str],
    status: int = 200,
    key: str = "items",
    transaction: bool = True,
    label: str | None = None,
    confirm: str | None = None,
    upload: bool = False,
    audited: bool = True,
    long: bool = False,
    further: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a write: its path, who may call it, and whether it runs in one transaction.

    `audited=False` is for commands that keep a log of their own, such as decisions on pairs.
    `long=True` may answer with a started Job instead of the finished record: beyond the inline limit,
    or when the caller asks for it (`wait=False` in Python, `Prefer: respond-async` over HTTP).
    `further` names the method of the service that finds what is wrong with the arguments that can be read,
    when others cannot: so that all faults are told at once.
    """
    return _declare(
        "command", method, path, key=key, roles=roles, topics=(), label=label,
        transaction=transaction, status=status, confirm=confirm, upload=upload, audited=audited, long=long,
        further=further,
    )  # fmt: skip


def _declare(kind: str, method: str, path: str, **facts: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__operation__ = {"kind": kind, "method": method, "path": path, **facts}  # type: ignore[attr-defined]
        return function

    return mark


def collect(cls: type, namespace: str) -> dict[str, Operation]:
    """Return the operations a service class declares, hints resolved, faults raised at import."""
    found = {}
    for base in reversed(cls.__mro__):
        for name, function in vars(base).items():
            if hasattr(function, "__operation__"):
                found[name] = _operation(namespace, name, function, dict(function.__operation__))
    return found


def _operation(namespace: str, name: str, function: Callable[..., Any], facts: dict[str, Any]) -> Operation:
    hints = typing.get_type_hints(function, include_extras=True)
    if "return" not in hints or not function.__doc__:
        raise TypeError(f"{namespace}.{name} needs a return annotation and a docstring.")
    in_path = set(re.findall(r"{(\w+)}", facts["path"]))
    rest = "query" if facts["method"] == "GET" else "body"
    arguments = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{namespace}.{name} may not take *args or **kwargs.")
        place = "path" if parameter.name in in_path else rest
        arguments.append(Argument(parameter.name, hints[parameter.name], parameter.default, place))
    missing = in_path - {a.name for a in arguments}
    if missing:
        raise TypeError(f"{namespace}.{name} lacks the path arguments {sorted(missing)}.")
    topics = facts.pop("topics")
    return Operation(
        namespace=namespace,
        name=name,
        kind=facts["kind"],
        method=facts["method"],
        path=facts["path"],
        roles=frozenset(facts["roles"]),
        status=facts.get("status", 200),
        key=facts["key"],
        topics=frozenset((namespace,) if topics is None else topics),
        transaction=facts["transaction"],
        label=facts["label"] or name.replace("_", " ").capitalize(),
        confirm=facts.get("confirm"),
        upload=facts.get("upload", False),
        audited=facts.get("audited", False),
        long=facts.get("long", False),
        file=facts.get("file"),
        further=facts.get("further"),
        doc=inspect.cleandoc(function.__doc__),
        arguments=tuple(arguments),
        returns=hints["return"],
        function=function,
    )
