"""Methods made from operations: the same signature, docstring and errors on every transport."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from workbench.client.run import Run
from workbench.client.wait import ENDED, wait_for_job
from workbench.contract import answers, codec, frames
from workbench.contract.operation import Operation
from workbench.contract.page import Page
from workbench.contract.schema import UNSET
from workbench.domain.record import Record
from workbench.errors import NotReady, ValidationError, WorkbenchError, did_you_mean, rebuild

# Operations whose answer stays in the caller's hands: it gets this instead of the bare record.
HANDLES: dict[str, type[Run]] = {"jobs.start_external": Run}


class Namespace:
    """Group the operations of one service; `ws.sheets`, `ws.jobs`, ..."""

    _operations: dict[str, Operation] = {}

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(f"No operation {name!r} here.{did_you_mean(name, self._operations)}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(sorted(self._operations))}>"


def namespace_class(name: str, operations: dict[str, Operation], doc: str) -> type[Namespace]:
    """Return the Namespace subclass of one service."""
    methods: dict[str, Any] = {op.name: _method(op) for op in operations.values()}
    return type(name.title().replace("_", ""), (Namespace,), {"__doc__": doc, "_operations": operations, **methods})


def _method(operation: Operation) -> Callable[..., Any]:
    """Return the method of one operation.

    A long one waits for its job by default; `wait=False` always returns the job. `wait=None`, for those who show
    progress themselves, returns what is at hand: the finished record, or the job of what takes longer.
    """
    signature = operation.signature()

    @functools.wraps(operation.function)
    def method(self: Namespace, *args: Any, **kwargs: Any) -> Any:
        key = kwargs.pop("idempotency_key", None) if operation.kind == "command" else None
        wait = kwargs.pop("wait", True) if operation.long else True
        given = _bound(operation, signature, args, kwargs)
        handle = HANDLES.get(operation.id)
        given = handle.defaults | given if handle else given
        answer = finish(self._workspace, self._workspace.transport.call(operation, given, key=key, respond_async=wait is False))
        if handle:
            return handle(self._workspace, answer)
        return made_by(self._workspace, operation, answer) if wait and answers.is_started(operation, answer) else answer

    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [me, *signature.parameters.values()]
    if operation.kind == "command":
        keyed = inspect.Parameter("idempotency_key", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="str | None")
        parameters.append(keyed)
    if operation.long:
        parameters.append(inspect.Parameter("wait", inspect.Parameter.KEYWORD_ONLY, default=True, annotation="bool"))
    method.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    method.operation = operation  # type: ignore[attr-defined]
    return method


def _bound(operation: Operation, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return only what was given; a wrong keyword is a ValidationError, as it is over REST."""
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        known = list(signature.parameters)
        unknown = [name for name in kwargs if name not in known]
        if unknown:
            faults = [{"field": n, "message": f"Unknown field.{did_you_mean(n, known)}", "value": None} for n in unknown]
            raise ValidationError.of(faults) from None
        if missing := _missing(signature, args, kwargs):
            raise ValidationError.of({"field": name, "message": "Required", "value": None} for name in missing) from None
        raise ValidationError(f"{operation.id}: {error}.", fields=[]) from None
    return {name: _portable(name, value) for name, value in given.items() if value is not UNSET}


def _missing(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    """Return the names of required arguments that a call lacks."""
    try:
        given = signature.bind_partial(*args, **kwargs).arguments
    except TypeError:
        return []
    empty = inspect.Parameter.empty
    return [name for name, parameter in signature.parameters.items() if parameter.default is empty and name not in given]


def _portable(name: str, value: Any) -> Any:
    """Turn frames into Arrow tables and other collections into lists, which every transport carries.

    Rows with more than JSON can say, dates or numbers of numpy, travel as a table too: they mean the same everywhere.
    """
    if name == "source":
        # Sent as a file, a frame would pass for the file that a source is.
        try:
            frames.refuse_rows(value)
        except ValueError as error:
            raise ValidationError.field(name, str(error)) from None
    if frames.is_frame(value):
        return frames.table_of(value)
    if hasattr(value, "tolist") or isinstance(value, tuple):
        value = value.tolist() if hasattr(value, "tolist") else list(value)
    if name == "rows" and isinstance(value, list) and not frames.are_plain(value):
        return frames.objects_table(value)
    return value


def made_by(workspace: Any, operation: Operation, job: Any) -> Any:
    """Wait for the job a long operation started and return the record it made, or raise its error."""
    ended = wait_for_job(workspace, job)
    if ended.status != "succeeded":
        raise _fault(workspace, ended)
    kind = operation.record_type
    made = (ended.result or {}).get(f"{kind.kind.replace(' ', '_')}_id")
    if made is None:
        return codec.decode_record(kind, ended.result or {}).bind(workspace)
    return workspace.get(kind, made)


def _fault(workspace: Any, job: Any) -> WorkbenchError:
    """Return the error that ended a job, with the facts it would have had within the call."""
    if job.status not in ENDED:
        return NotReady(f"{job.name} goes on as job {job.id}. Wait for it with wait().", job_id=job.id, status=job.status)
    context = {"job_id": job.id, "status": job.status}
    for event in workspace.jobs.events(job.id, type="error"):
        context |= (event.data or {}).get("context") or {}
    words = job.error_message or f"{job.name} was {job.status}."
    return rebuild({"error_code": job.error_code, "error": words, "details": job.error_details, "context": context})


def finish(workspace: Any, answer: Any) -> Any:
    """Tie records to the workspace and turn Arrow tables into DataFrames."""
    if isinstance(answer, (Record, Page)):
        return answer.bind(workspace)
    if hasattr(answer, "to_pandas") and hasattr(answer, "schema"):
        return answer.to_pandas()
    return answer
