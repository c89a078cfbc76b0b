"""Values to JSON and Arrow, and back."""

from __future__ import annotations

import datetime as dt
import decimal
import functools
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.contract.page import Page
from workbench.contract.schema import parameter_type, wire_name
from workbench.domain.record import Action, Items, Nested, Record, Time

if TYPE_CHECKING:
    import pyarrow as pa

ARROW = "application/vnd.apache.arrow.stream"
_TOTAL = b"workbench.total"


def encode(value: Any) -> Any:
    """Return the JSON-ready form of a record, page, table or plain value."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, Record):
        return encode_record(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.datetime):
        return (
            value.isoformat() + "Z" if value.tzinfo is None else value.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"
        )
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [encode(v) for v in value]
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "to_pylist"):
        return encode_table(value)
    if hasattr(value, "tolist"):
        return encode(value.tolist())
    return str(value)


def encode_record(record: Record) -> dict[str, Any]:
    """Return the wire object of a record."""
    return encode_row(type(record), {name: getattr(record, name) for name, _ in _wire_names(type(record))})


def encode_row(record_type: type[Record], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wire object of a raw row; parameters the row lacks appear with their default."""
    out = {wire: encode(row[name]) if name in row else encode(default) for name, wire, default in _fields(record_type)}
    if record_type.omit_unknown:
        out = {key: value for key, value in out.items() if value is not None}
    return out


def encode_page(page: Page[Any], key: str) -> dict[str, Any]:
    """Return the wire object of a page, its rows under `key`."""
    body: dict[str, Any] = {key: [encode_row(page.record_type, row) for row in page.rows], "total": page.total}
    body |= {"page": page.page, "page_size": page.page_size}
    if page.next_cursor is not None or key == "items":
        body["next_cursor"] = page.next_cursor
    return body | {name: encode(value) for name, value in page.extra.items()}


def encode_table(table: pa.Table) -> dict[str, Any]:
    """Return an Arrow table as columns and rows."""
    return {"columns": table.column_names, "rows": encode(table.to_pylist()), "total": total_of(table)}


def with_total(table: pa.Table, total: int) -> pa.Table:
    """Note on a table that is part of a larger one how many rows that has."""
    return table.replace_schema_metadata(counted(table.schema, total).metadata)


def counted(schema: pa.Schema, total: int) -> pa.Schema:
    """Return a schema that tells how many rows there are in all."""
    return schema.with_metadata({**(schema.metadata or {}), _TOTAL: str(total)})


def known_total(schema: pa.Schema) -> int | None:
    """Return how many rows a schema says there are in all, or None."""
    told = (schema.metadata or {}).get(_TOTAL)
    return None if told is None else int(told)


def total_of(table: pa.Table) -> int:
    """Return the number of rows of the whole that a table is part of."""
    return int((table.schema.metadata or {}).get(_TOTAL, table.num_rows))


def decode_record(record_type: type[Record], wire: Mapping[str, Any]) -> Record:
    """Rebuild a record from its wire object; keys of a newer server are ignored."""
    return record_type(**decode_row(record_type, wire))


def decode_row(record_type: type[Record], wire: Mapping[str, Any]) -> dict[str, Any]:
    """Return the raw row of a wire object."""
    return {name: read(wire[key]) for name, key, read in _readers(record_type) if key in wire}


def decode_page(record_type: type[Record], wire: Mapping[str, Any], key: str) -> Page[Any]:
    """Rebuild a page from its wire object."""
    known = {key, "total", "page", "page_size", "next_cursor"}
    rows = [decode_row(record_type, row) for row in wire[key]]
    return Page(
        record_type,
        rows,
        total=wire["total"],
        page=wire.get("page", 1),
        page_size=wire.get("page_size", len(rows)),
        next_cursor=wire.get("next_cursor"),
        extra={k: v for k, v in wire.items() if k not in known},
    )


def table_to_bytes(table: pa.Table) -> bytes:
    """Return an Arrow IPC stream."""
    import pyarrow as pa

    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def table_from_bytes(raw: bytes) -> pa.Table:
    """Read an Arrow IPC stream."""
    import pyarrow as pa

    return pa.ipc.open_stream(raw).read_all()


def page_to_table(page: Page[Any]) -> pa.Table:
    """Return a page as an Arrow table, wire names, without actions."""
    import pyarrow as pa

    names = [(n, w) for n, w in _wire_names(page.record_type) if n != "actions"]
    return pa.table({wire: _column([_flat(row.get(name)) for row in page.rows]) for name, wire in names})


def rows_to_table(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> pa.Table:
    """Return rows of a preview as an Arrow table with these columns."""
    import pyarrow as pa

    return pa.table({name: _column([_flat(row.get(name)) for row in rows]) for name in names})


def _column(values: list[Any]) -> pa.Array:
    """Return values as one column; free forms that have no type in common travel as JSON text."""
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowException, ArithmeticError):
        return pa.array([None if value is None else json.dumps(encode(value), ensure_ascii=False) for value in values])


def _flat(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_flat(one) for one in value]
    return encode(value) if isinstance(value, (Record, Mapping)) else value


@functools.cache
def _wire_names(record_type: type[Record]) -> tuple[tuple[str, str], ...]:
    return tuple((name, wire_name(record_type, name)) for name in record_type.own_fields())


@functools.cache
def _fields(record_type: type[Record]) -> tuple[tuple[str, str, Any], ...]:
    return tuple((name, wire, record_type.default_of(name)) for name, wire in _wire_names(record_type))


@functools.cache
def _readers(record_type: type[Record]) -> tuple[tuple[str, str, Callable[[Any], Any]], ...]:
    return tuple((name, wire, _reader(record_type.param[name])) for name, wire in _wire_names(record_type))


def _reader(parameter: Any) -> Callable[[Any], Any]:
    if isinstance(parameter, Time):
        return _moment
    if isinstance(parameter, Nested):
        kind = parameter.class_
        return lambda value: decode_record(kind, value) if isinstance(value, Mapping) else value
    if isinstance(parameter, Items) and isinstance(parameter.item_type, type) and issubclass(parameter.item_type, Record):
        item = parameter.item_type
        read = _action if item is Action else functools.partial(decode_record, item)
        return lambda value: tuple(read(v) for v in value) if value is not None else None
    return _plain


def _action(wire: Mapping[str, Any]) -> Action:
    return _same_action(*((name, wire[key]) for name, key in _wire_names(Action) if key in wire))


# The rows of a list are offered the same few actions: to build them for each row takes longer than all the rest of it.
@functools.lru_cache(maxsize=2048)
def _same_action(*values: tuple[str, Any]) -> Action:
    return Action(**dict(values))


def _plain(value: Any) -> Any:
    return value


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    moment = dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)


__all__ = [
    "ARROW",
    "counted",
    "decode_page",
    "decode_record",
    "decode_row",
    "encode",
    "encode_page",
    "encode_record",
    "encode_row",
    "encode_table",
    "known_total",
    "page_to_table",
    "parameter_type",
    "rows_to_table",
    "table_from_bytes",
    "table_to_bytes",
    "total_of",
    "with_total",
]
