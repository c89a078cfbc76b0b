"""The answer of an operation, to the wire and back."""

from __future__ import annotations

from typing import Any

from workbench.contract import codec
from workbench.contract.operation import Operation
from workbench.domain.jobs import Job

# Status of the answer to a command that makes something, where it was asked to tell only what it would make.
PREVIEWED = 200
# Status of the answer that is a Job, where the operation would otherwise answer with something finished.
STARTED = 202


def to_wire(operation: Operation, value: Any) -> Any:
    """Return the JSON-ready answer of `operation`."""
    if operation.is_page:
        return codec.encode_page(value, operation.key)
    return codec.encode(value)


def is_started(operation: Operation, value: Any) -> bool:
    """Return True when a long operation answered with the Job it started."""
    return operation.long and isinstance(value, Job)


def status(operation: Operation, value: Any) -> int:
    """Return the status of an answer: one of its own tells a started job, or a preview, from something made."""
    if is_started(operation, value):
        return STARTED
    return PREVIEWED if may_preview(operation) and getattr(value, "preview", False) else operation.status


def may_preview(operation: Operation) -> bool:
    """Return True for an operation that makes something, or only tells what it would make."""
    return operation.status == 201 and any(argument.name == "preview" for argument in operation.arguments)


def from_wire(operation: Operation, wire: Any, *, started: bool = False) -> Any:
    """Rebuild the answer of `operation` from decoded JSON; `started` says that it is a Job."""
    if wire is None:
        return None
    if started and operation.long:
        return codec.decode_record(Job, wire)
    if operation.is_page:
        return codec.decode_page(operation.record_type, wire, operation.key)
    if operation.record_type is not None:
        return codec.decode_record(operation.record_type, wire)
    if operation.is_table:
        import pyarrow as pa

        return pa.Table.from_pylist(wire["rows"]).select(wire["columns"]) if wire["rows"] else pa.table({})
    return wire
