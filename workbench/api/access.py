"""Who may come in: host, origin and token are checked before anything else sees a request."""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Collection
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.api.faults import error_body
from workbench.contract.caller import as_header, from_header
from workbench.contract.context import Context
from workbench.errors import Forbidden, Unauthenticated, WorkbenchError

USER_HEADER = b"x-workbench-user"
TOKEN_COOKIE = "workbench_token"
USER_COOKIE = "workbench_user"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"SAMEORIGIN"),
)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_REQUEST_ID = re.compile(r"[\w.:-]{1,80}")


class Access:
    """Outermost ASGI layer: refuse foreign hosts and origins, ask for the token, name the caller.

    A client's own `X-Workbench-User` is taken only where anybody on this machine is admin
    (loopback without accounts); behind it every page and socket sees the true name.
    """

    def __init__(self, inner: ASGIApp, *, token: str | None = None, origins: Collection[str] = ()) -> None:
        self.inner = inner
        self.token = token
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an allowed request on with its context, refuse the others."""
        if scope["type"] not in ("http", "websocket"):
            await self.inner(scope, receive, send)
            return
        request = _Seen(scope)
        try:
            self._check(request)
        except WorkbenchError as error:
            await _refuse(scope, send, error, request.request_id)
            return
        if scope["type"] == "http" and self.token and request.query_token and request.method == "GET":
            await self._enter(request, send)
            return
        scope["workbench"] = Context(
            actor=request.user, client=request.headers.get("x-workbench-client", ""), request_id=request.request_id,
            idempotency_key=request.headers.get("idempotency-key"), served=True,
            respond_async="respond-async" in request.headers.get("prefer", ""),
        )  # fmt: skip
        others = [(k, v) for k, v in scope["headers"] if k != USER_HEADER]
        scope["headers"] = [*others, (USER_HEADER, as_header(request.user).encode())]
        await self.inner(scope, receive, _signed(send, request.request_id))

    def _check(self, request: _Seen) -> None:
        host = urlsplit(f"//{request.host}").hostname or ""
        if host not in LOOPBACK:
            raise Forbidden(f"This server answers on this machine only, not as {host!r}.", host=host)
        origin = request.headers.get("origin")
        changes = request.method not in _SAFE or request.kind == "websocket"
        if origin and changes and urlsplit(origin).netloc != request.host and origin not in self.origins:
            raise Forbidden(f"Pages of {origin} may not change anything here.", origin=origin)
        if self.token and not hmac.compare_digest(request.token, self.token):
            raise Unauthenticated("This workspace asks for its token. Open it with the printed address, or pass token=.")

    async def _enter(self, request: _Seen, send: Send) -> None:
        """Turn the token of the address into a cookie, so that it leaves the address bar."""
        rest = {k: v for k, v in request.query.items() if k != "token"}
        target = quote(request.path) + (f"?{urlencode(rest, doseq=True)}" if rest else "")
        cookie = f"{TOKEN_COOKIE}={self.token}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"location", target.encode()), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


class _Seen:
    """What a request says of itself."""

    def __init__(self, scope: Scope) -> None:
        self.kind = scope["type"]
        self.method = scope.get("method", "GET")
        self.path = scope["path"]
        self.headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        self.host = self.headers.get("host", "")
        self.query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(self.headers.get("cookie", ""))
        except Exception:
            cookies.clear()
        self.cookies = {name: morsel.value for name, morsel in cookies.items()}
        self.query_token = self.query.get("token", [""])[0]
        bearer = self.headers.get("authorization", "")
        given = bearer.removeprefix("Bearer ") if bearer.startswith("Bearer ") else ""
        self.token = given or self.cookies.get(TOKEN_COOKIE, "") or self.query_token or self.query.get("access_token", [""])[0]
        wanted = self.headers.get("x-request-id", "")
        self.request_id = wanted if _REQUEST_ID.fullmatch(wanted) else secrets.token_hex(8)
        self.user = from_header(self.headers.get("x-workbench-user") or self.cookies.get(USER_COOKIE, "")) or "local"


def _signed(send: Send, request_id: str) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            extra = [(b"x-request-id", request_id.encode()), *SECURITY_HEADERS]
            message["headers"] = [*message["headers"], *((k, v) for k, v in extra if k not in present)]
        await send(message)

    return wrapped


async def _refuse(scope: Scope, send: Send, error: WorkbenchError, request_id: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error.message[:120]})
        return
    body = json.dumps(error_body(error, request_id)).encode()
    headers = [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
    ]  # fmt: skip
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
