"""The answer of an operation, to the wire and back."""

from __future__ import annotations

from typing import Any

from workbench.contract import codec
from workbench.contract.operation import Operation


def to_wire(operation: Operation, value: Any) -> Any:
    """Return the JSON-ready answer of `operation`."""
    if operation.is_page:
        return codec.encode_page(value, operation.key)
    return codec.encode(value)


def from_wire(operation: Operation, wire: Any) -> Any:
    """Rebuild the answer of `operation` from decoded JSON."""
    if wire is None:
        return None
    if operation.is_page:
        return codec.decode_page(operation.record_type, wire, operation.key)
    if operation.record_type is not None:
        return codec.decode_record(operation.record_type, wire)
    if operation.is_table:
        import pyarrow as pa

        return pa.Table.from_pylist(wire["rows"]).select(wire["columns"]) if wire["rows"] else pa.table({})
    return wire
