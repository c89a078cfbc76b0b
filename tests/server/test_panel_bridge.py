"""Every repair of bokeh-fastapi, shown with it and without it."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import MagicMock

import bokeh.io.doc as current_documents
import httpx
import panel as pn
import pytest
from bokeh.document import Document
from bokeh.document.events import DocumentPatchedEvent
from bokeh.protocol import Protocol
from bokeh.server.connection import ServerConnection
from bokeh.server.protocol_handler import ProtocolHandler
from bokeh.util.token import generate_jwt_token, get_session_id, get_token_payload
from bokeh_fastapi.handler import WSHandler
from fastapi import FastAPI
from panel.io.fastapi import add_applications
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.server.serving import running
from workbench.server.panel_bridge import LOOPBACK_HOSTS, USER_HEADER, CurrentDocuments, PageSocket, SessionPool, mount_pages

UPSTREAM_PATCH = current_documents.patch_curdoc
SECRET = b"a secret of the test, long enough to sign"
# A busy machine may take its time between a page and its socket.
LONG = 60.0


def page() -> Any:
    return pn.pane.Markdown("hello")


class Site(str):
    """An address, and what serves the pages there."""

    __slots__ = ("bridge",)

    bridge: Any

    def forget_after(self, seconds: float) -> None:
        """From now on let sessions without a tab last so long."""
        self.bridge._unused_session_lifetime_milliseconds = int(seconds * 1000)


@contextmanager
def serving(app: FastAPI, bridge: Any) -> Iterator[Site]:
    with running(app) as url:
        site = Site(url)
        site.bridge = bridge
        yield site


@contextmanager
def repaired(view: Callable[[], Any] = page, **options: Any) -> Iterator[Site]:
    app = FastAPI()
    bridge = mount_pages(app, {"/home": view}, secret=SECRET, unused_session_s=LONG, check_s=0.2, **options)
    with serving(app, bridge) as site:
        yield site


@contextmanager
def upstream(view: Callable[[], Any] = page) -> Iterator[Site]:
    app = FastAPI()
    bridge = add_applications(
        {"/home": view},
        app=app,
        sign_sessions=True,
        secret_key=SECRET,
        unused_session_lifetime_milliseconds=int(LONG * 1000),
        check_unused_sessions_milliseconds=200,
    )
    with serving(app, bridge) as site:
        yield site


def token_of(url: str, **request: Any) -> str:
    text = httpx.get(f"{url}/home", **request).raise_for_status().text
    return re.search(r'"token":"([^"]+)"', text)[1]


def open_socket(url: str, token: str, **options: Any) -> ClientConnection:
    address = url.replace("http", "ws") + "/home/ws"
    return connect(address, subprotocols=["bokeh", token], max_size=None, **options)


def refusal(url: str, token: str, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as caught:
        open_socket(url, token, **options)
    return caught.value.response.status_code


def destroyed_after_close(serve: Callable[..., Any], *, within: float) -> bool:
    destroyed = threading.Event()

    def view() -> Any:
        pn.state.on_session_destroyed(lambda context: destroyed.set())
        return page()

    with serve(view) as site:
        with open_socket(site, token_of(site)) as socket:
            socket.recv()
            site.forget_after(0.2)
            assert not destroyed.wait(1.5), "a session with an open tab was destroyed"
        return destroyed.wait(within)


def test_closed_tab_frees_its_session() -> None:
    assert destroyed_after_close(repaired, within=60)


def test_upstream_still_leaks_closed_tabs() -> None:
    assert not destroyed_after_close(upstream, within=3)


def late(serve: Callable[..., Any]) -> bool:
    """Say whether a socket that opens when its session is gone is taken all the same."""
    gone = threading.Event()

    def view() -> Any:
        pn.state.on_session_destroyed(lambda context: gone.set())
        return page()

    with serve(view) as url:
        token = token_of(url)
        url.forget_after(0.2)
        assert gone.wait(60)
        with suppress(InvalidStatus):
            open_socket(url, token).close()
            return True
    return False


def test_a_socket_without_a_session_is_refused() -> None:
    assert not late(repaired)


def test_upstream_still_takes_sockets_without_a_session() -> None:
    assert late(upstream)


def test_foreign_origin_is_refused() -> None:
    with repaired() as url:
        assert refusal(url, token_of(url), origin="http://evil.example") == 403


def test_own_and_listed_origins_connect() -> None:
    with repaired(allowed_origins=["https://front.example"]) as url:
        for origin in (url, "https://front.example", None):
            with open_socket(url, token_of(url), origin=origin) as socket:
                assert "ACK" in socket.recv()


def test_upstream_still_accepts_foreign_origins() -> None:
    with upstream() as url, open_socket(url, token_of(url), origin="http://evil.example") as socket:
        assert "ACK" in socket.recv()


def test_foreign_host_is_refused_on_loopback() -> None:
    with repaired(allowed_hosts=LOOPBACK_HOSTS) as url:
        port = url.rsplit(":", 1)[1]
        rebound = {"Host": f"rebound.example:{port}", "Origin": f"http://rebound.example:{port}"}
        token = token_of(url)
        assert raw_handshake(int(port), token, rebound) == 403
        assert raw_handshake(int(port), token, {"Host": f"localhost:{port}"}) == 101


def raw_handshake(port: int, token: str, headers: dict[str, str]) -> int:
    """Return the status of a WebSocket handshake with headers of our own."""
    fixed = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": f"bokeh, {token}",
    }
    with httpx.Client() as client, client.stream("GET", f"http://127.0.0.1:{port}/home/ws", headers=fixed | headers) as got:
        return got.status_code


def forged(token: str) -> str:
    payload = {k: v for k, v in get_token_payload(token).items() if k != "session_expiry"}
    return generate_jwt_token(get_session_id(token), secret_key=b"another secret", signed=True, extra_payload=payload)


@pytest.mark.parametrize("spoil", [forged, lambda token: "nonsense", lambda token: token[:-4]], ids=["forged", "nonsense", "cut"])
def test_forged_token_is_forbidden(spoil: Callable[[str], str]) -> None:
    with repaired() as url:
        assert refusal(url, spoil(token_of(url))) == 403


def test_upstream_still_fails_on_forged_tokens() -> None:
    with upstream() as url:
        assert refusal(url, forged(token_of(url))) == 500


def test_session_id_cannot_be_chosen() -> None:
    with repaired() as url:
        victim = get_session_id(token_of(url))
        assert get_session_id(token_of(url, params={"bokeh_session_id": victim})) != victim


def test_upstream_still_lets_callers_join_a_session() -> None:
    with upstream() as url:
        victim = get_session_id(token_of(url))
        assert get_session_id(token_of(url, params={"bokeh_session_id": victim})) == victim


def test_page_token_carries_no_credentials() -> None:
    with repaired() as url:
        sent = {"Cookie": "session=abc", "Authorization": "Bearer xyz", USER_HEADER: "ann"}
        payload = get_token_payload(token_of(url, headers=sent))
    assert payload["headers"][USER_HEADER] == "ann"
    assert payload["cookies"] == {}
    assert not {"Cookie", "Authorization"} & set(payload["headers"])


class SlowSocket:
    """Record frames and give way to others after each."""

    class application_state:
        name = "CONNECTED"

    def __init__(self) -> None:
        self.frames: list[str] = []

    async def send_text(self, text: str) -> None:
        self.frames.append(text)
        await asyncio.sleep(0)


class Letter:
    msgtype = "OK"
    _buffers = ()

    def __init__(self, name: str) -> None:
        self.header_json, self.metadata_json, self.content_json = f"{name}1", f"{name}2", f"{name}3"


async def frames_of_two(kind: type[WSHandler]) -> list[str]:
    handler = kind(None, None)
    handler._socket = SlowSocket()
    await asyncio.gather(handler.send_message(Letter("a")), handler.send_message(Letter("b")))
    return handler._socket.frames


def test_messages_do_not_interleave() -> None:
    assert asyncio.run(frames_of_two(PageSocket)) == ["a1", "a2", "a3", "b1", "b2", "b3"]


def test_upstream_still_interleaves_messages() -> None:
    assert asyncio.run(frames_of_two(WSHandler)) != ["a1", "a2", "a3", "b1", "b2", "b3"]


async def order_of_patches(kind: type[WSHandler], *, awaited: list[int]) -> list[str]:
    """Return what tells three patches of one document apart, as sent; the last is made while the first is on its way."""
    handler, document = kind(None, None), Document()
    handler._socket, session = SlowSocket(), MagicMock()
    handler.connection = ServerConnection(Protocol(), handler, None, session)
    changes: list[DocumentPatchedEvent] = []
    document.callbacks.on_change(changes.append)
    for title in ("first", "second", "third"):
        document.title = title
    made = [handler.connection.send_patch_document(change) for change in changes]
    await asyncio.gather(*(made[index] for index in awaited))
    return [title for frame in handler._socket.frames for title in re.findall("first|second|third", frame)]


def test_no_patch_overtakes_an_older_one() -> None:
    told = asyncio.run(order_of_patches(PageSocket, awaited=[0, 2, 1]))
    assert told == ["first", "second", "third"]


def test_upstream_still_lets_patches_overtake_older_ones() -> None:
    assert asyncio.run(order_of_patches(WSHandler, awaited=[0, 2, 1])) != ["first", "second", "third"]


def last_words(kind: type[WSHandler]) -> Any:
    """Return what is answered to a tab whose leaving was noticed before its last message."""
    handler = kind(None, None)
    handler.handler = ProtocolHandler()
    handler.connection = ServerConnection(Protocol(), handler, None, MagicMock())
    handler.connection.detach_session()
    return asyncio.run(handler._handle(Protocol().create("PULL-DOC-REQ")))


def test_the_last_words_of_a_tab_that_left_are_no_error() -> None:
    assert last_words(PageSocket) is None


def test_upstream_still_takes_them_for_one() -> None:
    assert last_words(WSHandler).msgtype == "ERROR"


def order_of_work(pool: ThreadPoolExecutor) -> list[int]:
    document, done = Document(), []

    def work(document: Document, number: int) -> None:
        time.sleep(0.02 if number % 2 == 0 else 0)
        done.append(number)

    for future in [pool.submit(work, document, number) for number in range(8)]:
        future.result(5)
    return done


def test_callbacks_of_one_session_keep_their_order() -> None:
    assert order_of_work(SessionPool(4)) == list(range(8))


def test_a_plain_pool_still_lets_clicks_overtake_text() -> None:
    assert order_of_work(ThreadPoolExecutor(4)) != list(range(8))


def test_sessions_do_not_wait_for_each_other_and_failures_arrive() -> None:
    pool, entered = SessionPool(2), threading.Event()
    slow = pool.submit(lambda document: entered.wait(60), Document())
    quick = pool.submit(lambda document: entered.set(), Document())
    assert quick.result(5) is None
    assert slow.result(5) is True
    failed = pool.submit(lambda document: 1 / 0, Document())
    with pytest.raises(ZeroDivisionError):
        failed.result(5)


@pytest.mark.parametrize(("pool", "outcome"), [(SessionPool, type(None)), (ThreadPoolExecutor, AttributeError)])
def test_a_tab_may_leave_while_it_is_drawn(pool: Any, outcome: type) -> None:
    def draw(document: Document) -> None:
        leave(document)
        document.add_next_tick_callback(print)

    with pool(1) as threads:
        assert isinstance(threads.submit(draw, shown()).exception(LONG), outcome)


def test_what_else_goes_wrong_is_told_whether_the_tab_has_left_or_not() -> None:
    def fail(document: Document, *, gone: bool, error: Exception) -> None:
        if gone:
            leave(document)
        raise error

    with SessionPool(1) as pool:
        for gone, error in (
            (True, ValueError("real")),
            (True, AttributeError("real", name="x", obj=pool)),
            (False, KeyError("real")),
        ):
            assert pool.submit(fail, shown(), gone=gone, error=error).exception(LONG) is error


def shown() -> Document:
    """Return a document with a session."""
    document = Document()
    document._session_context = lambda: MagicMock()  # type: ignore[assignment, return-value]
    return document


def leave(document: Document) -> None:
    """Destroy a document as Panel does when its tab has left."""
    document.callbacks._change_callbacks[None] = lambda event: event
    document.destroy(None)


def test_pages_run_on_the_ordered_pool() -> None:
    mount_pages(FastAPI(), {"/home": page}, threads=3)
    assert isinstance(pn.state._thread_pool, SessionPool)


def test_pages_stay_out_of_the_schema_and_there_is_an_icon() -> None:
    app = FastAPI()
    mount_pages(app, {"/home": page})
    assert app.openapi()["paths"] == {}
    with running(app) as url:
        icon = httpx.get(f"{url}/favicon.ico")
        script = httpx.get(f"{url}/static/js/bokeh.min.js?v=1")
        plain = httpx.get(f"{url}/static/js/bokeh.min.js")
    assert icon.headers["content-type"].startswith("image/svg")
    assert "immutable" in script.headers["cache-control"]
    assert "cache-control" not in plain.headers


def test_paths_of_two_segments_are_refused() -> None:
    with pytest.raises(ValueError, match="one segment"):
        mount_pages(FastAPI(), {"/jobs/job_1": page})


@contextmanager
def documents(*, mended: bool) -> Iterator[None]:
    """Work with Bokeh's own list of current documents, or with ours."""
    kept = (current_documents._PATCHED_CURDOCS, current_documents.patch_curdoc)
    ours = CurrentDocuments()
    current_documents._PATCHED_CURDOCS = ours if mended else []
    current_documents.patch_curdoc = ours.patch if mended else UPSTREAM_PATCH
    try:
        yield
    finally:
        current_documents._PATCHED_CURDOCS, current_documents.patch_curdoc = kept


def seen_beside_another_thread() -> bool:
    """Say whether a thread still finds its own document while another works on one."""
    mine, other, inside, done = Document(), Document(), threading.Event(), threading.Event()

    def work() -> None:
        with current_documents.patch_curdoc(other):
            inside.set()
            done.wait(60)

    thread = threading.Thread(target=work)
    with current_documents.patch_curdoc(mine):
        thread.start()
        inside.wait(60)
        found = current_documents.curdoc()
    done.set()
    thread.join()
    return found is mine


def left_after_an_error() -> int:
    """Count the documents still current after a callback has failed."""
    with suppress(ValueError), current_documents.patch_curdoc(Document()):
        raise ValueError
    return len(current_documents._PATCHED_CURDOCS)


@pytest.mark.parametrize("mended", [True, False], ids=["repaired", "upstream"])
def test_each_thread_has_its_own_document(mended: bool) -> None:
    with documents(mended=mended):
        assert mended == seen_beside_another_thread()


@pytest.mark.parametrize("mended", [True, False], ids=["repaired", "upstream"])
def test_a_failed_callback_leaves_no_document_behind(mended: bool) -> None:
    with documents(mended=mended):
        assert (0 if mended else 1) == left_after_an_error()
