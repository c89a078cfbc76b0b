"""One error shape for everything that can go wrong on the wire."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from workbench.api.uploads import application
from workbench.clock import Clock
from workbench.contract.codec import encode
from workbench.contract.operation import faults
from workbench.errors import MethodNotAllowed, NotFound, ValidationError, WorkbenchError, did_you_mean

_log = logging.getLogger("workbench.api")


def error_body(error: WorkbenchError, request_id: str) -> dict[str, Any]:
    """Return the wire object of an error."""
    return {
        "error": error.message,
        "error_code": error.code,
        "details": error.details,
        "context": encode(error.context),
        "timestamp": Clock().now().isoformat() + "Z",
        "request_id": request_id,
        "detail": error.message,
    }


def error_response(error: WorkbenchError, request_id: str) -> Response:
    """Return the HTTP answer of an error."""
    headers = {"X-Request-ID": request_id}
    if "retry_after" in error.context:
        headers["Retry-After"] = str(error.context["retry_after"])
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.context["allowed"])
    body = json.dumps(error_body(error, request_id), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(body, status_code=error.status, media_type="application/json", headers=headers)


def install(api: FastAPI) -> None:
    """Answer every failure of `api` in the one shape."""

    async def known(request: Request, error: Exception) -> Response:
        return error_response(error, request_id(request))  # type: ignore[arg-type]

    async def invalid(request: Request, error: Exception) -> Response:
        return error_response(await run_in_threadpool(_every_fault, request, error), request_id(request))

    async def http(request: Request, error: Exception) -> Response:
        return error_response(_translated(request, error), request_id(request))  # type: ignore[arg-type]

    async def unknown(request: Request, error: Exception) -> Response:
        _log.error("request %s failed", request_id(request), exc_info=error)
        plain = WorkbenchError(f"Something failed inside. The log has it under request {request_id(request)}.")
        return error_response(plain, request_id(request))

    api.add_exception_handler(WorkbenchError, known)
    api.add_exception_handler(RequestValidationError, invalid)
    api.add_exception_handler(HTTPException, http)
    api.add_exception_handler(Exception, unknown)


def _every_fault(request: Request, error: Exception) -> ValidationError:
    """Return what is wrong with a body, also with those of its fields that could be read."""
    found, body = ValidationError.of(faults(error)), getattr(error, "body", None)
    operation = getattr(request.scope.get("endpoint"), "operation", None)
    if operation is None or not isinstance(body, dict):
        return found
    given = {**request.scope.get("path_params", {}), **body}
    return application(request).all_faults(operation, given, found, request.scope["workbench"])


def request_id(request: Request) -> str:
    """Return the id of the request, the caller's own if it sent one."""
    context = request.scope.get("workbench")
    return context.request_id if context else "-"


def _translated(request: Request, error: HTTPException) -> WorkbenchError:
    path = request.url.path
    if error.status_code == 405:
        allowed = _methods(request.app, path)
        return MethodNotAllowed(f"{path} does not answer {request.method}, only {', '.join(allowed)}.", allowed=allowed)
    if error.status_code == 404:
        paths = [route.path for route in request.app.routes if hasattr(route, "path")]
        return NotFound(f"There is no {path} here.{did_you_mean(path, paths)}", kind="route", id=path)
    if error.status_code in (400, 422):
        return ValidationError(f"The request cannot be read: {str(error.detail).rstrip('.')}.", fields=[])
    wrapped = WorkbenchError(str(error.detail))
    wrapped.status = error.status_code  # type: ignore[misc]
    return wrapped


def _methods(api: FastAPI, path: str) -> list[str]:
    """Return every method that some route answers for a path."""
    found: set[str] = set()
    for route in api.routes:
        scope = {"type": "http", "path": path, "method": "OPTIONS", "root_path": ""}
        match, _ = route.matches(scope)
        if match is not Match.NONE:
            found |= set(getattr(route, "methods", None) or ())
    return sorted(found - {"HEAD"})
