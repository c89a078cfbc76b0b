"""Every error a caller can meet, embedded or over HTTP.

WorkbenchError                INTERNAL_ERROR        500
|-- ValidationError           VALIDATION_ERROR      422   context.fields: [{field, message, value}]
|-- NotFound                  NOT_FOUND             404   context.kind, context.id; context.href where it is shown otherwise
|   `-- ProjectNotFound       PROJECT_NOT_FOUND     404
|-- InvalidTransition         INVALID_TRANSITION    409   context.current, context.allowed
|-- Conflict                  CONFLICT              409   context.yours, context.current_version
|-- NotEligible               NOT_ELIGIBLE          409   context.excluded: {reason: count}
|-- NotReady                  NOT_READY             409   context.status
|-- InUse                     IN_USE                409   context.used_by
|-- GateNotPassed             GATE_NOT_PASSED       409
|-- DeploymentFailed          DEPLOYMENT_FAILED     409
|-- DatabaseInUse             DATABASE_IN_USE       409
|-- DatabaseTooNew            DATABASE_TOO_NEW      409
|-- SameModel                 SAME_MODEL            400
|-- Unauthenticated           UNAUTHENTICATED       401
|-- Forbidden                 FORBIDDEN             403
|-- GovernanceViolation       GOVERNANCE_VIOLATION  403
|-- MethodNotAllowed          METHOD_NOT_ALLOWED    405   context.allowed
|-- FileTooLarge              FILE_TOO_LARGE        413
|-- InvalidFileType           INVALID_FILE_TYPE     415
|-- PipelineFailed            PIPELINE_FAILED       422
|-- RateLimited               RATE_LIMITED          429   context.retry_after
|-- ProviderError             PROVIDER_ERROR        502
`-- ConnectionLost            CONNECTION_LOST       503

Code, status and context are data: the API writes them on the wire and the HTTP client rebuilds
the same class from them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, ClassVar


class WorkbenchError(Exception):
    """Say what failed, which thing it was, and what to do next.

    `message` is for people; `details` adds a sentence or is None; `context` holds the facts.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, details: str | None = None, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.context = context
        self.request_id: str | None = None

    def __str__(self) -> str:
        return f"{self.message} {self.details}" if self.details else self.message


class ValidationError(WorkbenchError):
    """Refuse input, naming every faulty field at once."""

    code = "VALIDATION_ERROR"
    status = 422

    @classmethod
    def of(cls, fields: Iterable[dict[str, Any]]) -> ValidationError:
        """Build the error from `[{field, message, value}]`."""
        found = list(fields)
        lines = "; ".join(f"{f['field']}: {f['message'].rstrip('.')}" for f in found)
        return cls(f"The input is not valid: {lines}{'' if lines.endswith('?') else '.'}", fields=found)

    @classmethod
    def field(cls, name: str, message: str, value: Any = None) -> ValidationError:
        """Build the error for one faulty field."""
        return cls.of([{"field": name, "message": message, "value": value}])


class NotFound(WorkbenchError):
    """Say that no such thing exists, with near names where there are any."""

    code = "NOT_FOUND"
    status = 404

    @classmethod
    def of(cls, kind: str, wanted: str, known: Iterable[str] = ()) -> NotFound:
        """Build the error for one `kind` ("sheet", "job"), hinting at `known` names."""
        return cls(f"No {kind} {wanted!r}.{did_you_mean(wanted, known)}", kind=kind, id=wanted)


class ProjectNotFound(NotFound):
    """Say that no such project exists."""

    code = "PROJECT_NOT_FOUND"


class InvalidTransition(WorkbenchError):
    """Refuse an action the current state does not allow."""

    code = "INVALID_TRANSITION"
    status = 409

    @classmethod
    def of(cls, kind: str, wanted: str, current: str, allowed: Iterable[str]) -> InvalidTransition:
        """Build the error from the wanted action, the current state and the allowed actions."""
        names = list(allowed)
        then = f"Allowed now: {', '.join(names)}." if names else "Nothing is allowed any more."
        # What has an object of its own, "change a row", cannot take another one.
        what = f"{wanted}: the {kind} is {current}" if " " in wanted else f"{wanted} a {kind} that is {current}"
        return cls(f"Cannot {what}. {then}", current=current, allowed=names)


class Conflict(WorkbenchError):
    """Refuse a write based on an outdated version, or a name already taken."""

    code = "CONFLICT"
    status = 409


class NotEligible(WorkbenchError):
    """Say why too few pairs may be used, with counts by reason."""

    code = "NOT_ELIGIBLE"
    status = 409


class NotReady(WorkbenchError):
    """Refuse to work on something that is not finished yet."""

    code = "NOT_READY"
    status = 409


class InUse(WorkbenchError):
    """Refuse to delete what something else refers to."""

    code = "IN_USE"
    status = 409


class GateNotPassed(WorkbenchError):
    """Refuse a deployment whose gate has not passed."""

    code = "GATE_NOT_PASSED"
    status = 409


class DeploymentFailed(WorkbenchError):
    """Say why a model version could not be served."""

    code = "DEPLOYMENT_FAILED"
    status = 409


class DatabaseInUse(WorkbenchError):
    """Say which process owns the file and what to do."""

    code = "DATABASE_IN_USE"
    status = 409


class DatabaseTooNew(WorkbenchError):
    """Refuse a file written by a newer release."""

    code = "DATABASE_TOO_NEW"
    status = 409


class SameModel(WorkbenchError):
    """Refuse an A/B test of a model against itself."""

    code = "SAME_MODEL"
    status = 400


class Unauthenticated(WorkbenchError):
    """Ask for a log-in."""

    code = "UNAUTHENTICATED"
    status = 401


class Forbidden(WorkbenchError):
    """Refuse what the caller's role or origin does not allow."""

    code = "FORBIDDEN"
    status = 403


class GovernanceViolation(WorkbenchError):
    """Refuse a use that the rights of the data prohibit."""

    code = "GOVERNANCE_VIOLATION"
    status = 403


class MethodNotAllowed(WorkbenchError):
    """Name the methods a route does answer."""

    code = "METHOD_NOT_ALLOWED"
    status = 405


class FileTooLarge(WorkbenchError):
    """Refuse an upload beyond the limit."""

    code = "FILE_TOO_LARGE"
    status = 413


class InvalidFileType(WorkbenchError):
    """Refuse a file of a kind that cannot be read."""

    code = "INVALID_FILE_TYPE"
    status = 415


class PipelineFailed(WorkbenchError):
    """Say which stage of a pipeline failed and why."""

    code = "PIPELINE_FAILED"
    status = 422


class RateLimited(WorkbenchError):
    """Ask the caller to come back later."""

    code = "RATE_LIMITED"
    status = 429


class ProviderError(WorkbenchError):
    """Pass on what a model provider refused."""

    code = "PROVIDER_ERROR"
    status = 502


class ConnectionLost(WorkbenchError):
    """Say that the owner of the workspace does not answer."""

    code = "CONNECTION_LOST"
    status = 503


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """Return a hint naming the closest known names, or nothing."""
    near = difflib.get_close_matches(wanted, list(known), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def error_classes() -> dict[str, type[WorkbenchError]]:
    """Return every error class by its code."""
    found: dict[str, type[WorkbenchError]] = {}
    queue: list[type[WorkbenchError]] = [WorkbenchError]
    while queue:
        cls = queue.pop()
        found[cls.code] = cls
        queue.extend(cls.__subclasses__())
    return found


def rebuild(payload: dict[str, Any]) -> WorkbenchError:
    """Rebuild the error a server answered with; an unknown code becomes the base class."""
    cls = error_classes().get(payload.get("error_code", ""), WorkbenchError)
    message = str(payload.get("error") or payload.get("detail") or "The server failed.")
    error = cls(message, details=payload.get("details"))
    error.context = dict(payload.get("context") or {})
    error.request_id = payload.get("request_id")
    return error
