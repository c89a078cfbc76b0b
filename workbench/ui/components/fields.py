"""Input fields, described by the parameters of an operation or by a JSON schema."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.contract import UNSET

LONG_TEXT = 1000


@dataclass(frozen=True)
class Field:
    """One input: what it is called, which values it takes and what it is for.

    `kind` is text, long, integer, number, flag, choice, several (of some choices), words or json; a long text begins with so many `rows`.
    """

    name: str
    kind: str
    doc: str = ""
    default: Any = None
    required: bool = False
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()
    title: str = ""
    rows: int = 3


def fields_of_operation(
    call: Callable[..., Any], *, only: Collection[str] | None = None, leave_out: Collection[str] = ()
) -> list[Field]:
    """Return the inputs of a facade method, path parameters left out."""
    operation = call.operation
    schema = operation.model.model_json_schema()
    wanted = [
        a for a in operation.arguments if a.place != "path" and a.name not in leave_out and (only is None or a.name in only)
    ]
    required = {a.name for a in wanted if a.required}
    defaults = {a.name: None if a.required or a.default is UNSET else a.default for a in wanted}
    parts = schema.get("properties", {})
    return [_field(a.name, parts[a.name], schema, a.name in required, defaults[a.name]) for a in wanted if a.name in parts]


def fields_of_schema(schema: Mapping[str, Any]) -> list[Field]:
    """Return the inputs that a JSON schema of an object describes."""
    required = set(schema.get("required", ()))
    parts = schema.get("properties", {})
    return [_field(name, part, schema, name in required, part.get("default")) for name, part in parts.items()]


def _field(name: str, part: Mapping[str, Any], root: Mapping[str, Any], required: bool, default: Any) -> Field:
    inner, nullable = _plain(part, root)
    low, high = inner.get("minimum", inner.get("exclusiveMinimum")), inner.get("maximum", inner.get("exclusiveMaximum"))
    return Field(
        name=name,
        kind=_kind(inner),
        doc=part.get("description") or inner.get("description") or "",
        default=default,
        required=required,
        nullable=nullable,
        minimum=low,
        maximum=high,
        choices=tuple(inner.get("enum") or inner.get("items", {}).get("enum", ())),
    )


def _plain(part: Mapping[str, Any], root: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Follow a reference and take the null out of a union."""
    if "$ref" in part:
        return _plain(root["$defs"][part["$ref"].rsplit("/", 1)[-1]], root)
    if "anyOf" in part:
        others = [p for p in part["anyOf"] if p.get("type") != "null"]
        inner, _ = _plain(others[0], root)
        return {**inner, **{k: v for k, v in part.items() if k == "description"}}, len(others) < len(part["anyOf"])
    return part, False


def _kind(part: Mapping[str, Any]) -> str:
    if "enum" in part:
        return "choice"
    kind = part.get("type")
    if kind == "array" and "enum" in part.get("items", {}):
        return "several"
    if kind == "array":
        return "words" if part.get("items", {}).get("type") == "string" else "json"
    if kind == "string":
        return "long" if part.get("maxLength", 0) > LONG_TEXT else "text"
    return {"integer": "integer", "number": "number", "boolean": "flag"}.get(str(kind), "json")
