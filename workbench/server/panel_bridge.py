"""Serve Panel pages from a FastAPI application, with every repair of bokeh-fastapi in this one file.

Each repair names the fault it mends and has a test that fails when the repair is removed, and another
that fails when upstream has mended it, so that nothing here outlives its reason.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
import threading
import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import bokeh.io.doc as current_documents
import bokeh_fastapi.application as upstream
import panel as pn
from bokeh.document import Document
from bokeh.protocol import Protocol
from bokeh.protocol.messages.patch_doc import patch_doc
from bokeh.util.token import check_token_signature, get_session_id
from bokeh_fastapi import BokehFastAPI
from bokeh_fastapi.handler import DocHandler, WSHandler
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import FileResponse, HTMLResponse
from panel.io.document import extra_socket_handlers
from panel.io.fastapi import add_applications
from starlette.types import Message, Receive, Scope, Send

from workbench.ui.components.ready import left

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
USER_HEADER = "X-Workbench-User"
PAGE_HEADERS = ["Host", "User-Agent", USER_HEADER]
REFUSED = 1008
YEAR = "public, max-age=31536000, immutable"
FAVICON = Path(__file__).parent.parent / "ui" / "favicon.svg"


def mount_pages(
    app: FastAPI,
    pages: Mapping[str, Callable[[], Any]],
    *,
    titles: Mapping[str, str] | None = None,
    secret: bytes | None = None,
    allowed_hosts: Collection[str] | None = None,
    allowed_origins: Collection[str] = (),
    threads: int = 4,
    unused_session_s: float = 60,
    check_s: float = 17,
) -> BokehFastAPI:
    """Add one-segment pages such as `/home` to the application.

    `allowed_hosts` None accepts any Host header; loopback servers pass `LOOPBACK_HOSTS`.
    `allowed_origins` may connect beside the server's own origin.
    """
    wrong = [path for path in pages if path.count("/") != 1]
    if wrong:
        raise ValueError(f"Page paths have one segment, state goes into the query: {', '.join(wrong)}.")
    _separate_documents()
    _start_pool(threads)
    pn.extension()
    with patch.object(upstream, "WSHandler", PageSocket), patch.object(upstream, "DocHandler", PageDocument):
        bridge = add_applications(
            dict(pages),
            app=app,
            title=dict(titles or {}) or None,
            location=True,
            sign_sessions=True,
            secret_key=secret or secrets.token_bytes(32),
            include_headers=PAGE_HEADERS,
            include_cookies=[],
            unused_session_lifetime_milliseconds=round(unused_session_s * 1000),
            check_unused_sessions_milliseconds=round(check_s * 1000),
        )
    bridge.allowed_hosts = None if allowed_hosts is None else frozenset(allowed_hosts)
    bridge.allowed_origins = frozenset(allowed_origins)
    _hide_from_schema(app, pages)
    _add_favicon(app)
    app.add_middleware(CachedAssets)
    return bridge


class SessionPool(ThreadPoolExecutor):
    """Run callbacks of different sessions side by side, those of one session in their order.

    Mends: a button's click can overtake the text typed before it, as each event takes a thread; what is still
    being drawn when a tab leaves ends in a traceback.
    """

    def __init__(self, threads: int) -> None:
        super().__init__(threads, thread_name_prefix="page")
        self._lines: dict[Document, deque[tuple[Future[Any], Callable[[], Any]]]] = {}
        self._guard = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue behind what the same document waits for; without a document run at once."""
        document = next((arg for arg in args if isinstance(arg, Document)), None)
        if document is None:
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        with self._guard:
            line = self._lines.setdefault(document, deque())
            line.append((future, functools.partial(fn, *args, **kwargs)))
            if len(line) == 1:
                super().submit(self._serve, document)
        return future

    def _serve(self, document: Document) -> None:
        future, work = self._lines[document][0]
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001  belongs to whoever waits for the future
                if left(document, error):
                    future.set_result(None)
                else:
                    future.set_exception(error)
        with self._guard:
            line = self._lines[document]
            line.popleft()
            if line:
                super().submit(self._serve, document)
            else:
                del self._lines[document]


class CurrentDocuments:
    """Keep the documents being worked on apart by thread and task.

    Mends: Bokeh keeps them in one list for the whole process, and an exception leaves its entry there,
    so that work for one tab takes another tab's document for its own.
    """

    _stack: ContextVar[tuple[weakref.ref[Document], ...]] = ContextVar("documents", default=())

    def __len__(self) -> int:
        return len(self._stack.get())

    def __getitem__(self, index: int) -> weakref.ref[Document]:
        return self._stack.get()[index]

    @contextmanager
    def patch(self, document: Document) -> Iterator[None]:
        """Make `document` the current one for the duration of the block."""
        token = self._stack.set((*self._stack.get(), weakref.ref(document)))
        try:
            yield
        finally:
            self._stack.reset(token)

    def append(self, document: weakref.ref[Document]) -> None:
        """Take a document from code that still holds Bokeh's own `patch_curdoc`."""
        self._stack.set((*self._stack.get(), document))

    def pop(self) -> None:
        """Give the last document back."""
        self._stack.set(self._stack.get()[:-1])


def _separate_documents() -> None:
    if not isinstance(current_documents._PATCHED_CURDOCS, CurrentDocuments):
        documents = CurrentDocuments()
        current_documents._PATCHED_CURDOCS = documents  # type: ignore[assignment]
        current_documents.patch_curdoc = documents.patch  # type: ignore[assignment]


def _start_pool(threads: int) -> None:
    """Give Panel threads once per process: with none, one slow callback freezes the API and every tab."""
    if not isinstance(pn.state._thread_pool, SessionPool):
        pn.state._thread_pool = None
        pn.config.nthreads = threads
        pn.state._thread_pool = SessionPool(threads)


# What never got a session's content stays blank for good: it is loaded again, and not for ever.
_AGAIN = """<script>
(function look(empty) {
  const blank = document.readyState === "complete" && window.Bokeh && !window.Bokeh.documents.length
  const times = Number(sessionStorage.getItem("workbench-again") || 0)
  if (window.Bokeh && window.Bokeh.documents.length) { sessionStorage.removeItem("workbench-again"); return }
  if (blank && empty > 4 && times < 5) { sessionStorage.setItem("workbench-again", times + 1); window.location.reload(); return }
  setTimeout(() => look(blank ? empty + 1 : 0), 2000)
})(0)
</script>"""


class PageDocument(DocHandler):
    """Make a page's session.

    Mends: a caller may choose the session id and so join a foreign session; a page whose socket came
    too late stays blank.
    """

    async def get(self, request: Request) -> HTMLResponse:
        """Answer the page in a session of its own."""
        page = await super().get(request, None)
        return HTMLResponse(bytes(page.body).decode().replace("<head>", f"<head>{_AGAIN}", 1), page.status_code)


class PatchLine(Protocol):
    """Make messages, and know which patches of the document were made and not yet sent, the oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self._made: deque[Any] = deque()

    def create(self, msgtype: Any, *args: Any, **metadata: Any) -> Any:
        """Make a message; a patch joins the line."""
        message = super().create(msgtype, *args, **metadata)
        if msgtype == patch_doc.msgtype:
            self._made.append(message)
        return message

    def up_to(self, message: Any) -> Iterator[Any]:
        """Take what has to be sent before a message out of the line, then the message; nothing when it has gone already."""
        if message.msgtype != patch_doc.msgtype:
            yield message
            return
        while any(message is waiting for waiting in self._made):
            yield self._made.popleft()


class PageSocket(WSHandler):
    """Carry one tab's messages.

    Mends: a foreign page may connect; a forged or missing token is a 500 with a traceback; a closed
    tab is never noticed, so its session leaks; the frames of two messages can interleave; a patch can
    overtake an older one that brings the parts it speaks of, and is lost; for a session that is gone
    another is made, whose parts the page does not know; what a tab says as it leaves ends in a traceback.
    """

    def __init__(self, *args: Any) -> None:
        self._sending = asyncio.Lock()
        self._line = PatchLine()
        super().__init__(*args)

    @property
    def connection(self) -> Any:
        """Return the connection of this socket to its session."""
        return self._connection

    @connection.setter
    def connection(self, connection: Any) -> None:
        self._connection = connection
        if connection is not None:
            connection._protocol = self._line

    async def ws_connect(self, websocket: WebSocket) -> None:
        """Refuse whom we do not know, then serve until the tab is gone."""
        if not (origin_allowed(websocket, self.application) and self._token_valid(websocket)):
            await websocket.close(REFUSED)
            return
        try:
            await super().ws_connect(websocket)
        finally:
            if self.connection is not None:
                self.application.client_lost(self.connection)

    def _token_valid(self, websocket: WebSocket) -> bool:
        protocols = websocket.scope["subprotocols"]
        if len(protocols) != 2:
            return False
        try:
            known = self.application_context.sessions
            signed = check_token_signature(protocols[1], signed=True, secret_key=self.application.secret_key)
            return signed and get_session_id(protocols[1]) in {session.id for session in known}
        except Exception:  # a token that cannot even be decoded raises what its decoder happens to raise
            return False

    async def _handle(self, message: Any) -> Any:
        """Answer a message; what a tab said last has no session to go to once a send has noticed that it left."""
        return None if self.connection._session is None else await super()._handle(message)

    async def send_message(self, message: Any) -> int:
        """Send all frames of one message before the first of the next, patches in the order in which they were made."""
        async with self._sending:
            return sum([await super(PageSocket, self).send_message(due) for due in self._line.up_to(message)])


def origin_allowed(websocket: WebSocket, bridge: BokehFastAPI) -> bool:
    """Say whether the socket's Host is ours and its Origin is the page we served."""
    host = websocket.headers.get("host", "")
    if bridge.allowed_hosts is not None and _hostname(host) not in bridge.allowed_hosts:
        return False
    origin = websocket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == host.lower() or origin in bridge.allowed_origins


def _hostname(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""


def _hide_from_schema(app: FastAPI, pages: Mapping[str, Any]) -> None:
    for route in app.routes:
        if getattr(route, "path", None) in pages and hasattr(route, "include_in_schema"):
            route.include_in_schema = False


def _add_favicon(app: FastAPI) -> None:
    @app.get("/favicon.ico", include_in_schema=False)
    def favicon() -> FileResponse:
        return FileResponse(FAVICON, media_type="image/svg+xml", headers={"Cache-Control": YEAR})


class CachedAssets:
    """Let browsers keep versioned assets. Mends: each of ~30 files is asked for again on every page."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add a lifetime to the answers under /static that carry a version in query or path."""
        if scope["type"] != "http" or not _versioned(scope):
            await self.app(scope, receive, send)
            return

        async def send_kept(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.OK:
                message["headers"] = [*message["headers"], (b"cache-control", YEAR.encode())]
            await send(message)

        await self.app(scope, receive, send_kept)


def _versioned(scope: Scope) -> bool:
    path = scope["path"]
    return path.startswith("/static/") and bool(scope["query_string"] or "@" in path or path.endswith((".woff", ".woff2")))


def _register_socket() -> None:
    # Panel looks the exact class up when it dispatches from a thread; a subclass must be listed too.
    extra_socket_handlers[PageSocket] = extra_socket_handlers[WSHandler]


_register_socket()
