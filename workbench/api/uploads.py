"""Files sent as multipart/form-data to an operation that takes a source."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import types
import typing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from workbench.contract.context import Upload
from workbench.contract.operation import Operation
from workbench.domain.plain import made_plain
from workbench.errors import FileTooLarge, ValidationError
from workbench.services.application import Application

CHUNK = 1 << 20
JSON_LIMIT = 64 << 20
# Bytes of a file's own name, its ending among them; file systems take 255.
LONGEST_NAME = 150
# What a form cannot hold in the name of a file, and writes as its code.
_CODED = re.compile("%(0[0-9A-F]|1[0-9A-F]|22)")


def application(request: Request) -> Application:
    """Return the application that a request is for."""
    found: Application = request.app.state.application
    return found


def upload_endpoint(operation: Operation, respond: Callable[..., Response]) -> Callable[..., Any]:
    """Return an endpoint that takes JSON, or a file with the same fields as a form."""

    async def endpoint(request: Request) -> Response:
        app = application(request)
        limit = app.settings.max_upload_mb << 20
        context = request.scope["workbench"]
        in_path = dict(request.path_params)
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            given = await _json(request)
            answer = await run_in_threadpool(app.call, operation, in_path | given, context)
            return respond(request, operation, answer)
        with tempfile.TemporaryDirectory(dir=app.engine.uploads(), ignore_cleanup_errors=True) as folder:
            given, upload = await _form(request, operation, Path(folder), limit)
            answer = await run_in_threadpool(app.call, operation, in_path | given, replace(context, upload=upload))
        return respond(request, operation, answer)

    endpoint.__name__ = operation.id.replace(".", "_")
    return endpoint


async def _json(request: Request) -> dict[str, Any]:
    if int(request.headers.get("content-length") or 0) > JSON_LIMIT:
        raise FileTooLarge("The body is larger than 64 MB. Send the rows as a file instead.", limit=JSON_LIMIT)
    try:
        body = json.loads(await request.body() or b"{}")
    except RecursionError:
        raise ValidationError("The body is nested too deeply.", fields=[]) from None
    except (ValueError, UnicodeDecodeError) as error:
        raise ValidationError(f"The body is not JSON: {error}.", fields=[]) from None
    if not isinstance(body, dict):
        raise ValidationError.field("body", "Input should be an object")
    return body


async def _form(request: Request, operation: Operation, folder: Path, limit: int) -> tuple[dict[str, Any], Upload]:
    if int(request.headers.get("content-length") or 0) > limit + JSON_LIMIT:
        raise FileTooLarge(f"The file is larger than {limit >> 20} MiB, the limit of this server.", limit=limit)
    async with request.form(max_files=1) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise ValidationError.field("file", "Required")
        upload = await _saved(file, folder, limit)
        fields = {name: [str(value) for value in form.getlist(name)] for name in form if name != "file"}
    if beside := [name for name in ("source", "rows") if fields.get(name, [""]) != [""]]:
        faults = [
            {"field": name, "message": "goes with no file: the rows are those of the file", "value": None} for name in beside
        ]
        raise ValidationError.of(faults)
    names = {a.name: a for a in operation.arguments if a.place == "body"}
    given = {name: _value(names[name].annotation, texts) if name in names else texts[-1] for name, texts in fields.items()}
    return given | {"source": upload.path, "source_type": "file"}, upload


async def _saved(file: UploadFile, folder: Path, limit: int) -> Upload:
    """Write the file under its own base name inside `folder`."""
    name = _named(file.filename or "")
    target = folder / name.encode(errors="ignore")[-LONGEST_NAME:].decode(errors="ignore")
    size, content = 0, hashlib.sha256()
    with target.open("wb") as out:
        while chunk := await file.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise FileTooLarge(f"{name} is larger than {limit >> 20} MiB, the limit of this server.", limit=limit)
            content.update(chunk)
            out.write(chunk)
    return Upload(path=str(target), filename=name, sha256=content.hexdigest())


def _named(sent: str) -> str:
    """Return the name of a file on one line, without a path."""
    told = made_plain(_CODED.sub(lambda code: chr(int(code[1], 16)), sent))
    name = PurePosixPath(PureWindowsPath(told).name).name.strip()
    return name if name.strip(".") else "upload"


def _value(annotation: Any, texts: list[str]) -> Any:
    """Form fields are text; what is not declared as text is JSON, and a list may also be a field that is repeated."""
    kinds, text = _kinds(annotation), texts[-1]
    if list in kinds:
        found = _loaded(text)
        return found if isinstance(found, list) else [one for one in texts if one]
    return text if str in kinds and dict not in kinds else _loaded(text)


def _kinds(annotation: Any) -> set[Any]:
    """Return the plain types that an argument may be of; words to choose from are text."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kinds(inner[0])
    if origin in (typing.Union, types.UnionType):
        return set().union(*map(_kinds, inner))
    return {str} if origin is typing.Literal else {origin or annotation}


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
