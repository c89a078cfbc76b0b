"""Records and signatures as pydantic types: one source for validation, wire schema and forms."""

from __future__ import annotations

import datetime as dt
import functools
import types
import typing
from copy import copy
from typing import Annotated, Any, Literal

import param
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, TypeAdapter, create_model
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from workbench.domain.record import Choice, Items, Json, Nested, Record, Texts, utc


class _Unset:
    """Mark an argument that was not given, where None is a value of its own."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Any = _Unset()


def _no_text(value: Any) -> Any:
    if isinstance(value, (bool, str)):
        raise ValueError("Input should be a number, not text or true/false")
    return value


def _only_bool(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError("Input should be true or false")
    return value


def fits(value: int) -> int:
    """Return a number that a column can hold, or raise ValueError."""
    if not -(2**63) <= value < 2**63:
        raise ValueError("Input should be a number of at most 64 bits")
    return value


def _zulu(moment: dt.datetime) -> str:
    return moment.isoformat() + "Z"


Moment = Annotated[dt.datetime, AfterValidator(utc), PlainSerializer(_zulu, return_type=dt.datetime)]


class WireRecord(BaseModel):
    """Base of every generated wire model."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class _RecordSchema:
    """Let pydantic take a wire object or a record, and hand out the record."""

    def __init__(self, record_type: type[Record]) -> None:
        self.record_type = record_type

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        model = wire_model(self.record_type)
        build = core_schema.no_info_after_validator_function(self._build, handler(model))
        direct = core_schema.is_instance_schema(self.record_type)
        return core_schema.union_schema([direct, build], mode="left_to_right")

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return handler(schema["choices"][1])

    def _build(self, model: BaseModel) -> Record:
        given = {name: getattr(model, name) for name in model.model_fields_set}
        return self.record_type(**given)

    def __hash__(self) -> int:
        return hash(self.record_type)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _RecordSchema) and other.record_type is self.record_type


@functools.cache
def wire_model(record_type: type[Record]) -> type[BaseModel]:
    """Return the pydantic model of a record, fields by parameter name, aliases as on the wire."""
    fields: dict[str, Any] = {}
    for name in record_type.own_fields():
        parameter = record_type.param[name]
        kind = parameter_type(parameter)
        if parameter.allow_None:
            kind = kind | None
        alias = wire_name(record_type, name)
        info = Field(default=record_type.default_of(name), alias=alias, description=parameter.doc or None)
        fields[name] = (kind, info)
    return create_model(
        record_type.__name__,
        __base__=WireRecord,
        __doc__=(record_type.__doc__ or "").strip().split("\n")[0],
        __config__=None,
        **fields,
    )


def wire_name(record_type: type[Record], name: str) -> str:
    """Return the name of a parameter on the wire."""
    if name in record_type.wire_names:
        return record_type.wire_names[name]
    if record_type.casing == "camel":
        head, *rest = name.split("_")
        return head + "".join(part.capitalize() for part in rest)
    return name


def parameter_type(parameter: param.Parameter) -> Any:
    """Return the type pydantic knows a Parameter by; dates are Numbers to param and come first."""
    if isinstance(parameter, param.Date):
        return Moment
    if isinstance(parameter, param.Boolean):
        return Annotated[bool, BeforeValidator(_only_bool)]
    if isinstance(parameter, param.Number):
        return _number_type(parameter)
    if isinstance(parameter, (Choice, param.Selector)) and not isinstance(parameter, param.ClassSelector):
        return Literal[tuple(parameter.objects)] if parameter.objects else Any
    if isinstance(parameter, Items):
        return list[input_type(parameter.item_type)]
    if isinstance(parameter, Nested):
        return input_type(parameter.class_)
    if isinstance(parameter, param.Dict):
        return dict[str, Any]
    if isinstance(parameter, Texts):
        return dict[str, str]
    if isinstance(parameter, Json):
        return Any
    if isinstance(parameter, param.String):
        return Annotated[str, Field(pattern=parameter.regex)] if parameter.regex else str
    return Any


def _number_type(parameter: param.Number) -> Any:
    kind = int if isinstance(parameter, param.Integer) else float
    low, high = parameter.bounds or (None, None)
    with_low, with_high = getattr(parameter, "inclusive_bounds", (True, True))
    limits = {
        "ge" if with_low else "gt": low,
        "le" if with_high else "lt": high,
    }
    given = {key: value for key, value in limits.items() if value is not None}
    return Annotated[kind, Field(**given), BeforeValidator(_no_text)]


def input_type(annotation: Any, *, strict: bool = True) -> Any:
    """Return the pydantic type of a service argument: records built, numbers strict where asked."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return Annotated[annotation, _RecordSchema(annotation)]
    if annotation is dt.datetime:
        return Moment
    if strict and annotation is int:
        return Annotated[int, AfterValidator(fits), BeforeValidator(_no_text)]
    if strict and annotation is float:
        return Annotated[float, BeforeValidator(_no_text)]
    if strict and annotation is bool:
        return Annotated[bool, BeforeValidator(_only_bool)]
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _annotated(annotation, strict=strict)
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(input_type(a, strict=strict) for a in typing.get_args(annotation))]  # noqa: UP007
    if origin in (list, dict, tuple):
        return origin[tuple(input_type(a, strict=strict) for a in typing.get_args(annotation))]
    return annotation


def _annotated(annotation: Any, *, strict: bool) -> Any:
    """Keep bounds before the strictness check: the other order drops them from the JSON schema."""
    inner, *metadata = typing.get_args(annotation)
    if inner in (int, float):
        whole = [AfterValidator(fits)] if inner is int else []
        return Annotated[(inner, *metadata, *whole, *([BeforeValidator(_no_text)] if strict else []))]
    choices = typing.get_args(inner) if typing.get_origin(inner) in (typing.Union, types.UnionType) else ()
    if {int, float} & set(choices):
        bounds, metadata = _bounds_apart(metadata)
        inner = typing.Union[tuple(Annotated[(c, *bounds)] if bounds and c in (int, float) else c for c in choices)]  # noqa: UP007
    return Annotated[(input_type(inner, strict=strict), *metadata)]


def _bounds_apart(metadata: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the bounds, which belong to a number alone, and the rest, which tells about the argument."""
    bounds, told = [], []
    for one in metadata:
        if isinstance(one, FieldInfo):
            bounds += one.metadata
            one = copy(one)
            one.metadata = []
        told.append(one)
    return bounds, told


@functools.cache
def adapter(record_type: type[Record]) -> TypeAdapter[Any]:
    """Return the adapter that builds a record from its wire object."""
    return TypeAdapter(input_type(record_type))
