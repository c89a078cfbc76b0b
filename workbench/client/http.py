"""Operations run by the owner of the file, reached over HTTP."""

from __future__ import annotations

import contextlib
import io
import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from workbench.client.certificates import trusted
from workbench.client.events import EventStream
from workbench.client.transport import Listener
from workbench.contract import answers, codec
from workbench.contract.caller import as_header
from workbench.contract.operation import Operation
from workbench.errors import ConnectionLost, ValidationError, rebuild

RETRIES = (0.2, 0.5, 1.0)
TIMEOUT = httpx.Timeout(60.0, connect=5.0)


class HttpTransport:
    """Call a served workspace; reads and keyed commands are tried again when the connection breaks."""

    def __init__(self, url: str, *, token: str | None = None, user: str | None = None, prefix: str = "/api/v1") -> None:
        self.url: str | None = url.rstrip("/")
        self.label = self.url
        self.prefix = prefix
        self.client = secrets.token_hex(6)
        headers = {"X-Workbench-Client": self.client}
        if user:
            headers["X-Workbench-User"] = as_header(user)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT, trust_env=False, verify=trusted(self.url))
        self._events = EventStream(self.url + prefix + "/events", headers=headers)
        self.user = user or "local"

    @property
    def connected(self) -> bool:
        """Return True while the event socket is open."""
        return self._events.connected

    def call(self, operation: Operation, given: dict[str, Any], *, key: str | None = None, respond_async: bool = False) -> Any:
        """Run one operation over HTTP."""
        with contextlib.ExitStack() as opened:
            request = self._request(operation, given, opened)
            if operation.kind == "command":
                request.headers["Idempotency-Key"] = key or secrets.token_hex(16)
            if respond_async:
                request.headers["Prefer"] = "respond-async"
            if operation.is_table:
                request.headers["Accept"] = codec.ARROW
            response = self._send(request)
        if response.is_error:
            raise rebuild(_payload(response))
        if response.headers.get("content-type", "").startswith(codec.ARROW):
            return codec.table_from_bytes(response.content)
        if response.headers.get("content-type", "").startswith("text/"):
            return response.text  # an answer that is meant to be a file
        return answers.from_wire(operation, response.json(), started=response.status_code == answers.STARTED)

    def _request(self, operation: Operation, given: dict[str, Any], opened: contextlib.ExitStack) -> httpx.Request:
        path = operation.full_path(self.prefix)
        rest = dict(given)
        for argument in operation.arguments:
            if argument.place == "path" and argument.name in rest:
                path = path.replace("{" + argument.name + "}", quote(str(rest.pop(argument.name)), safe=""))
        if tables := {name: value for name, value in rest.items() if hasattr(value, "schema")}:
            return self._upload(operation, path, rest, tables)
        if files := {name: value for name, value in rest.items() if isinstance(value, Path)}:
            return self._upload_file(operation, path, rest, files, opened)
        if operation.method == "GET":
            return self._http.build_request("GET", path, params=_query(rest))
        body = json.dumps(codec.encode(rest))
        return self._http.build_request(operation.method, path, content=body, headers={"Content-Type": "application/json"})

    def _upload(self, operation: Operation, path: str, rest: dict[str, Any], tables: dict[str, Any]) -> httpx.Request:
        """Send a frame as a Parquet file beside the other fields."""
        import pyarrow.parquet as pq

        (name, table), *_ = tables.items()
        sink = io.BytesIO()
        pq.write_table(table, sink)
        files = {"file": (f"{name}.frame.parquet", sink.getvalue(), "application/vnd.apache.parquet")}
        return self._http.build_request(operation.method, path, data=_fields(rest, name), files=files)

    def _upload_file(
        self, operation: Operation, path: str, rest: dict[str, Any], files: dict[str, Path], opened: contextlib.ExitStack
    ) -> httpx.Request:
        """Send a file of this machine beside the other fields; it stays open until the answer is there."""
        (name, given), *_ = files.items()
        file = given.expanduser()
        if not file.is_file():
            what = "is a folder, which cannot be sent" if file.is_dir() else "is no file of this machine"
            raise ValidationError.field(name, f"{given} {what}. A path that the server can read is given as text", str(given))
        content = opened.enter_context(file.open("rb"))
        return self._http.build_request(
            operation.method, path, data=_fields(rest, name), files={"file": (file.name, content, "application/octet-stream")}
        )

    def _send(self, request: httpx.Request) -> httpx.Response:
        for pause in (*RETRIES, None):
            try:
                return self._http.send(request)
            except httpx.TransportError as error:
                if pause is None or not _repeatable(request, error):
                    raise ConnectionLost(
                        f"The workspace at {self.url} does not answer ({type(error).__name__}). Is its server running?"
                    ) from None
                time.sleep(pause)
        raise AssertionError("unreachable")

    def fetch(self, url: str, target: Path) -> None:
        """Write a file of the server's, such as one that an export names, to this machine."""
        with self._http.stream("GET", url) as answer, target.open("wb") as out:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                out.write(chunk)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for each batch of changes the server announces."""
        return self._events.subscribe(listener)

    def close(self) -> None:
        """Close the socket and the connections."""
        self._events.close()
        self._http.close()


def _repeatable(request: httpx.Request, error: httpx.TransportError) -> bool:
    """Return True when sending it again cannot do anything twice: an asked model would log two requests."""
    return request.method == "GET" or "Idempotency-Key" in request.headers or isinstance(error, httpx.ConnectError)


def _query(rest: dict[str, Any]) -> dict[str, Any]:
    wire = {name: codec.encode(value) for name, value in rest.items() if value is not None}
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in wire.items()}


def _fields(rest: dict[str, Any], sent: str) -> dict[str, str]:
    """Return the other arguments as fields of a form."""
    return {k: v if isinstance(v, str) else json.dumps(codec.encode(v)) for k, v in rest.items() if k != sent}


def _payload(response: httpx.Response) -> dict[str, Any]:
    try:
        return response.json()
    except ValueError:
        return {"error": f"The server answered {response.status_code} without saying why."}
