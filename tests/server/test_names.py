"""One name of a caller, whichever way it came in: a client's header, a browser's cookie, a page's session."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from workbench.api.access import Access
from workbench.client.http import HttpTransport
from workbench.server import dashboards
from workbench.server.panel_bridge import USER_HEADER
from workbench.ui.components.identity import COOKIE

NAMES = ["ann", "Jürgen", "Łukasz 王", "O'Brien", "ann+test@example.org"]


def let_in(*headers: tuple[bytes, bytes]) -> tuple[str, str]:
    """Return the name that the API is called under, and the header that a page sees as its server reads it."""
    seen: dict[str, Any] = {}

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost"), *headers]}
    asyncio.run(Access(inner)(scope, None, None))
    return seen["workbench"].actor, dict(seen["headers"])[USER_HEADER.lower().encode()].decode("latin-1")


@pytest.mark.parametrize("name", NAMES)
def test_a_client_and_a_header_of_its_own_give_the_same_name(name: str) -> None:
    transport = HttpTransport("http://127.0.0.1:1", user=name)
    sent = dict(transport._http.headers.raw)[USER_HEADER.encode()]
    transport.close()

    assert name == let_in((b"x-workbench-user", sent))[0]
    assert name == let_in((b"x-workbench-user", name.encode()))[0]
    assert not name.isascii() or sent == name.encode()


def test_a_header_in_latin_1_is_read_as_such() -> None:
    assert "Jürgen" == let_in((b"x-workbench-user", "Jürgen".encode("latin-1")))[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_acts_under_the_name_in_the_cookie(local: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kept = quote(name, safe="!'()*")
    actor, header = let_in((b"cookie", f"{COOKIE}={kept}".encode()))
    monkeypatch.setattr(dashboards.pn, "state", SimpleNamespace(headers={USER_HEADER: header}))
    monkeypatch.setattr(dashboards, "build_page", lambda ws, *_: ws.transport.user)

    assert (name, name) == (actor, dashboards._page(local.transport.app, dashboards.SCREENS[0])())


def test_what_no_name_has_is_left_out() -> None:
    assert "scriptx" == let_in((b"x-workbench-user", b"%3Cscript%3E%0D%0Ax%00"))[0]
    assert "local" == let_in((b"x-workbench-user", b"<>"))[0]
