"""Turn parameter values into column values and back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import param

from workbench.domain.record import Choice, Items, Json, Nested, Record, Time

Convert = Callable[[Any], Any] | None

_ITEM_TYPES = {str: "VARCHAR[]", int: "BIGINT[]", float: "DOUBLE[]", bool: "BOOLEAN[]"}


def sql_type(parameter: param.Parameter) -> str:
    """Return the column type that keeps a parameter."""
    if isinstance(parameter, Items):
        return _ITEM_TYPES.get(parameter.item_type, "JSON")
    for kind, name in _COLUMN_TYPES:
        if isinstance(parameter, kind):
            return name
    raise TypeError(f"{parameter.owner.__name__}.{parameter.name}: no column type keeps a {type(parameter).__name__}.")


_COLUMN_TYPES: tuple[tuple[type, str], ...] = (
    (Time, "TIMESTAMP"),
    (Choice, "VARCHAR"),
    (Json, "JSON"),
    (Nested, "JSON"),
    (param.Boolean, "BOOLEAN"),
    (param.Integer, "BIGINT"),
    (param.Number, "DOUBLE"),
    (param.String, "VARCHAR"),
)


def encoder(parameter: param.Parameter) -> Convert:
    """Return what turns a value of the parameter into a column value, or None when nothing is to do."""
    kind = sql_type(parameter)
    if kind == "JSON":
        return _to_json
    if kind.endswith("[]"):
        return _to_list
    return None


def decoder(parameter: param.Parameter) -> Convert:
    """Return what turns a column value into a value of the parameter, or None when nothing is to do."""
    if sql_type(parameter) != "JSON":
        return None
    kind = _record_type(parameter)
    if kind is None:
        return _from_json
    shape = _shape_of(kind)
    if isinstance(parameter, Items):
        return lambda text: None if text is None else [shape(item) for item in json.loads(text)]
    return lambda text: None if text is None else shape(json.loads(text))


def _record_type(parameter: param.Parameter) -> type[Record] | None:
    kind = parameter.item_type if isinstance(parameter, Items) else getattr(parameter, "class_", None)
    return kind if isinstance(kind, type) and issubclass(kind, Record) else None


def _shape_of(kind: type[Record]) -> Callable[[Any], Any]:
    """Return what builds the values of a nested record from its JSON; fields unknown by now are left out."""
    converts = {name: _nested_convert(kind.param[name]) for name in kind.own_fields()}

    def shape(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        known = ((name, converts[name], item) for name, item in value.items() if name in converts)
        return {name: item if convert is None or item is None else convert(item) for name, convert, item in known}

    return shape


def _nested_convert(parameter: param.Parameter) -> Convert:
    if isinstance(parameter, Time):
        return dt.datetime.fromisoformat
    if (kind := _record_type(parameter)) is None:
        return None
    shape = _shape_of(kind)
    return (lambda items: [shape(item) for item in items]) if isinstance(parameter, Items) else shape


def _to_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False)


def _from_json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _to_list(value: Any) -> list[Any] | None:
    return None if value is None else list(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return {name: item for name, item in value.values().items() if name not in value.derived}
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON.")
