"""The one class behind every record: a constant, strict, documented set of parameters."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection
from typing import Any, ClassVar, Self

import param

from workbench.domain.one_line import one_line


class Time(param.Date):
    """A moment in naive UTC."""


class Choice(param.Selector):
    """One word of a closed set."""

    def __init__(self, default: str | None = None, *, objects: Collection[str], **options: Any) -> None:
        super().__init__(default=default, objects=list(objects), **options)


class Json(param.Parameter):
    """A JSON value: null, boolean, number, string, list or object."""


class Texts(Json):
    """An object of text by text."""


class Items(param.Parameter):
    """A tuple of values of one type; lists are accepted and frozen."""

    __slots__ = ["item_type"]

    def __init__(self, default: tuple[Any, ...] | None = (), *, item_type: type = str, **options: Any) -> None:
        self.item_type = item_type
        super().__init__(default=None if default is None else tuple(default), **options)

    def __set__(self, obj: Any, val: Any) -> None:
        if isinstance(val, (list, tuple)):
            val = tuple(_built(self.item_type, item) for item in val)
        super().__set__(obj, val)

    def _validate(self, val: Any) -> None:
        if val is None and self.allow_None:
            return
        if not isinstance(val, tuple) or not all(isinstance(item, self.item_type) for item in val):
            raise ValueError(f"{self.name} takes a list of {self.item_type.__name__}, not {val!r}.")


class Nested(param.ClassSelector):
    """A record inside a record; a dict is accepted and built."""

    def __set__(self, obj: Any, val: Any) -> None:
        super().__set__(obj, _built(self.class_, val))


def _built(kind: type, value: Any) -> Any:
    return kind(**value) if isinstance(value, dict) and issubclass(kind, Record) else value


class Record(param.Parameterized):
    """A thing of the domain at one version: constant, compared by id and version.

    Subclasses declare parameters and nothing else of substance. `derived` names those that a
    service computes and no table stores; `wire_names` maps a parameter to its name on the wire.
    """

    kind: ClassVar[str] = "record"
    table: ClassVar[str | None] = None
    derived: ClassVar[frozenset[str]] = frozenset()
    wire_names: ClassVar[dict[str, str]] = {}
    casing: ClassVar[str] = "snake"
    omit_unknown: ClassVar[bool] = False

    name = param.String("", doc="What param calls the object; no field of the record.")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for parameter in vars(cls).values():
            if isinstance(parameter, param.Parameter):
                parameter.constant = True
                parameter.instantiate = False
                # Said aloud, it spares param a look into each value for something to follow.
                parameter.allow_refs = False

    def __init__(self, **values: Any) -> None:
        values.setdefault("name", "")
        # What is the default anyway need not be set and checked: most fields of most records, and half of the time.
        known = _defaults(type(self))
        super().__init__(**{name: value for name, value in values.items() if name not in known or value is not known[name]})

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in type(self).param:
            raise AttributeError(f"{type(self).__name__} has no parameter {name!r}.")
        super().__setattr__(name, value)

    @classmethod
    def own_fields(cls) -> tuple[str, ...]:
        """Return the parameters that belong to the record, in the order of declaration.

        `name` counts only where a subclass declares it with documentation of its own.
        """
        seen: dict[str, None] = {}
        for base in reversed(cls.__mro__):
            if base is not Record and issubclass(base, Record):
                seen.update(dict.fromkeys(k for k, v in vars(base).items() if isinstance(v, param.Parameter) and _declared(k, v)))
        return tuple(seen)

    @classmethod
    def stored_fields(cls) -> tuple[str, ...]:
        """Return the parameters that are columns of `table`."""
        return tuple(name for name in cls.own_fields() if name not in cls.derived)

    @classmethod
    def default_of(cls, name: str) -> Any:
        """Return a parameter's default; param fills `name` with the class name, which is no value."""
        return "" if name == "name" else cls.param[name].default

    def bind(self, workspace: Any) -> Self:
        """Tie the record to the workspace it came from, so that `live()` and actions work."""
        object.__setattr__(self, "_workspace", workspace)
        return self

    @property
    def workspace(self) -> Any:
        """Return the workspace the record came from, or raise RuntimeError."""
        found = getattr(self, "_workspace", None)
        if found is None:
            raise RuntimeError(f"This {self.kind} does not come from an open workspace.")
        return found

    def __getattr__(self, name: str) -> Any:
        """Find an operation of the record's namespace: `sheet.publish()` is `ws.sheets.publish(sheet.id)`."""
        if not name.startswith("_"):
            workspace = self.__dict__.get("_workspace")
            method = workspace.record_method(self, name) if workspace is not None else None
            if method is not None:
                return method
        raise AttributeError(f"{type(self).__name__} has no {name!r}.")

    @classmethod
    def topic(cls) -> str:
        """Return the outbox topic on which changes of such records are announced."""
        return cls.table or f"{cls.kind}s"

    @property
    def address(self) -> tuple[Any, ...]:
        """Return what names the record in paths, usually its id alone."""
        return (self.id,)

    def live(self) -> Any:
        """Return a twin whose `value` follows the database until `close()`."""
        return self.workspace.live(self)

    def refresh(self) -> Self:
        """Return the record as it is now."""
        return self.workspace.fetch(self)

    def values(self) -> dict[str, Any]:
        """Return the parameters as a dict, nested records left as they are."""
        return {name: getattr(self, name) for name in self.own_fields()}

    def with_(self, **changes: Any) -> Self:
        """Return a copy with some values changed."""
        return type(self)(**{**self.values(), **changes})

    def _identity(self) -> tuple[Any, ...]:
        return (type(self), getattr(self, "id", None) or id(self), getattr(self, "version", None))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        fields = self.own_fields()
        if "id" in fields:
            shown = [f"{n}={getattr(self, n)!r}" for n in ("id", "name", "status", "version") if n in fields]
            return f"{type(self).__name__}({', '.join(shown)})"
        # What sums the rest up comes first.
        order = sorted((name for name in fields if name != "actions"), key=lambda name: name != "summary")
        values = {name: getattr(self, name) for name in order}
        return one_line(type(self).__name__, values, {name: self.default_of(name) for name in order})

    __str__ = __repr__


@functools.cache
def _defaults(cls: type[Record]) -> dict[str, Any]:
    return {name: cls.param[name].default for name in cls.param}


def _declared(name: str, parameter: param.Parameter) -> bool:
    # param itself gives every class a `name`, with the documentation it inherits.
    return name != "name" or parameter.doc != vars(Record)["name"].doc


class Action(Record):
    """Something that may be done to a record now, or the reason why not."""

    kind = "action"

    name = param.String("", doc="Name of the operation in the record's namespace.")
    label = param.String("", doc="Words on the button.")
    enabled = param.Boolean(True, doc="True when the action is allowed now.")
    reason = param.String(None, allow_None=True, doc="Why the action is not allowed.")
    confirm = param.String(None, allow_None=True, doc="Question to ask before a destructive action.")


def utc(moment: dt.datetime) -> dt.datetime:
    """Return an aware or naive moment as naive UTC."""
    return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
