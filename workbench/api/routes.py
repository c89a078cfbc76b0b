"""REST routes projected from the operations; no route is written by hand here."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model
from starlette.routing import BaseRoute

from workbench.api.tables import gives_rows, table_of
from workbench.api.uploads import application, upload_endpoint
from workbench.clock import Clock
from workbench.contract import answers, codec
from workbench.contract.operation import Argument, Operation
from workbench.contract.schema import UNSET, fits, input_type, wire_model
from workbench.domain.jobs import Job
from workbench.errors import ValidationError, did_you_mean
from workbench.services.application import Application

JSON = "application/json"


def add_routes(api: FastAPI, app: Application, operations: Iterable[Operation], prefix: str) -> None:
    """Add one route per operation."""
    api.state.application = app
    api.router.routes.extend(_routes(tuple(operations), prefix))


@functools.cache
def _routes(operations: tuple[Operation, ...], prefix: str) -> list[BaseRoute]:
    """Return the routes, literal paths before those with parameters; made once a process, whatever it serves."""
    router = APIRouter()
    for operation in sorted(operations, key=lambda op: _literal_first(op.full_path(prefix))):
        router.add_api_route(
            operation.full_path(prefix),
            upload_endpoint(operation, respond) if operation.upload else _endpoint(operation),
            methods=[operation.method],
            status_code=operation.status,
            response_model=None if operation.returns is str else response_model(operation),
            response_class=_Csv
            if operation.path.endswith(".csv")
            else PlainTextResponse
            if operation.returns is str
            else JSONResponse,
            operation_id=operation.id,
            summary=operation.doc.split("\n")[0],
            description=operation.doc,
            tags=[operation.namespace],
            openapi_extra=_upload_schema(operation) if operation.upload else None,
            responses=_responses(operation),
        )
    return router.routes


class _Csv(PlainTextResponse):
    media_type = "text/csv"


def _responses(operation: Operation) -> dict[int | str, dict[str, Any]]:
    """Document errors, the Arrow form of lists and the started Job of long operations."""
    found: dict[int | str, dict[str, Any]] = {"default": {"description": "Error", "model": _ErrorBody}}
    if operation.returns is str:  # a model would be documented as text, like the answer
        found["default"] = {"description": "Error", "content": {"application/json": {"schema": _ErrorBody.model_json_schema()}}}
    if gives_rows(operation):
        found[operation.status] = {"content": {codec.ARROW: {"schema": {"type": "string", "format": "binary"}}}}
    if operation.long:
        found[answers.STARTED] = {"description": "Started", "model": wire_model(Job)}
    if answers.may_preview(operation):
        found[answers.PREVIEWED] = {"description": "Preview: nothing was made", "model": response_model(operation)}
    return found


def _literal_first(path: str) -> list[tuple[bool, str]]:
    return [(part.startswith("{"), part) for part in path.split("/")]


def _endpoint(operation: Operation) -> Callable[..., Response]:
    """Return a sync endpoint, run in the thread pool, with the signature FastAPI validates by."""
    query_names = [a.name for a in operation.arguments if a.place == "query"]

    def endpoint(request: Request, **values: Any) -> Response:
        given = {a.name: values[a.name] for a in operation.arguments if a.place == "path"}
        given |= {name: values[name] for name in query_names if name in request.query_params}
        _refuse_unknown(request, query_names if operation.method == "GET" else [])
        _refuse_several(request, [name for name in query_names if not isinstance(values[name], list)])
        body = values.get("body")
        if body is not None:
            given |= {name: getattr(body, name) for name in body.model_fields_set}
        return respond(request, operation, application(request).call(operation, given, request.scope["workbench"]))

    parameters = [inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)]
    parameters += [_parameter(a) for a in operation.arguments if a.place != "body"]
    if operation.body_model is not None:
        needed = any(a.required for a in operation.arguments if a.place == "body")
        kind = operation.body_model if needed else operation.body_model | None
        default = inspect.Parameter.empty if needed else None
        annotation = Annotated[kind, Body()]
        parameters.append(inspect.Parameter("body", inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default))
    endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    endpoint.__name__ = operation.id.replace(".", "_")
    endpoint.operation = operation  # type: ignore[attr-defined]
    return endpoint


def _parameter(argument: Argument) -> inspect.Parameter:
    where = Path() if argument.place == "path" else Query()
    kind = input_type(argument.annotation, strict=False)
    kind = Annotated[int, AfterValidator(fits)] if kind is int else kind
    default = inspect.Parameter.empty if argument.required else None if argument.default is UNSET else argument.default
    if default is None:
        kind = kind | None
    return inspect.Parameter(argument.name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, where], default=default)


def _refuse_unknown(request: Request, known: list[str]) -> None:
    unknown = [name for name in request.query_params if name not in (*known, "access_token")]
    if unknown:
        raise ValidationError.of(
            {
                "field": name,
                "message": f"Unknown query parameter.{did_you_mean(name, known)}",
                "value": request.query_params[name],
            }
            for name in unknown
        )


def _refuse_several(request: Request, single: list[str]) -> None:
    """Refuse values of which all but the last would be dropped without a word."""
    given = ((name, request.query_params.getlist(name)) for name in single)
    if several := [(name, values) for name, values in given if values[1:]]:
        words = "takes one value, {} were given"
        raise ValidationError.of({"field": name, "message": words.format(len(values)), "value": values} for name, values in several)


def respond(request: Request, operation: Operation, answer: Any) -> Response:
    """Return the answer as Arrow where it has rows and the caller wishes, else as JSON; unchanged reads are 304."""
    if codec.ARROW in request.headers.get("accept", "") and gives_rows(operation):
        return _tagged(request, _arrow(answer))
    if isinstance(answer, str) and operation.returns is str:
        return _tagged(request, _text(operation, answer))
    wire = answers.to_wire(operation, answer)
    body = json.dumps(wire, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")
    headers = {"X-Total-Count": str(answer.total)} if operation.is_page else {}
    return _tagged(request, Response(body, status_code=answers.status(operation, answer), media_type=JSON, headers=headers))


def _tagged(request: Request, response: Response) -> Response:
    """Give the answer of a GET its ETag; what the caller has already is answered with 304."""
    if request.method != "GET":
        return response
    tag = f'"{hashlib.blake2b(response.body, digest_size=12).hexdigest()}"'
    response.headers["ETag"] = tag
    if tag in request.headers.get("if-none-match", ""):
        kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        return Response(status_code=304, headers=kept)
    return response


def _arrow(answer: Any) -> Response:
    table, total = table_of(answer)
    headers = {"X-Total-Count": str(total)}
    if getattr(answer, "next_cursor", None):
        headers["X-Next-Cursor"] = answer.next_cursor
    return Response(codec.table_to_bytes(table), media_type=codec.ARROW, headers=headers)


def _text(operation: Operation, text: str) -> Response:
    headers = {}
    if operation.file:
        name = f"{operation.file}-{Clock().now():%Y-%m-%d}{PurePosixPath(operation.path).suffix}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return (_Csv if operation.path.endswith(".csv") else PlainTextResponse)(text, headers=headers)


class _ErrorBody(BaseModel):
    """The one shape of every error."""

    error: str
    error_code: str
    details: str | None
    context: dict[str, Any]
    timestamp: str
    request_id: str
    detail: str


def response_model(operation: Operation) -> Any:
    """Return the pydantic model of the answer, for the OpenAPI document."""
    if operation.is_page:
        row = wire_model(operation.record_type)
        fields: dict[str, Any] = {
            operation.key: (list[row], ...),
            "total": (int, Field(ge=0)),
            "page": (int, Field(ge=1)),
            "page_size": (int, Field(ge=0)),
        }
        if operation.key == "items":
            fields["next_cursor"] = (str | None, None)
        return create_model(f"{row.__name__}Page_{operation.key}", __config__=ConfigDict(extra="allow"), **fields)
    if operation.record_type is not None:
        return wire_model(operation.record_type)
    if operation.is_table:
        return create_model("TableAnswer", columns=(list[str], ...), rows=(list[dict[str, Any]], ...), total=(int, ...))
    return operation.returns


def _upload_schema(operation: Operation) -> dict[str, Any]:
    model = operation.body_model
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}") if model else {}
    schema.pop("$defs", None)
    form = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}, **schema.get("properties", {})}}
    content = {JSON: {"schema": schema}, "multipart/form-data": {"schema": {**form, "required": ["file"]}}}
    return {"requestBody": {"required": True, "content": content}}
