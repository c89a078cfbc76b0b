"""What is sent again when the connection breaks, and what is not."""

from __future__ import annotations

import httpx
import pytest

from workbench.client import http
from workbench.client.http import HttpTransport
from workbench.client.workspace import Workspace
from workbench.errors import ConnectionLost


@pytest.fixture
def broken(monkeypatch):
    """A workspace whose server breaks every connection after it has read the request; `sent` lists the paths."""
    sent = []

    def read_and_break(request):
        sent.append(request.url.path)
        raise httpx.ReadError("broken", request=request)

    monkeypatch.setattr(http, "RETRIES", (0, 0, 0))
    transport = HttpTransport("http://127.0.0.1:1")
    transport._http = httpx.Client(base_url="http://127.0.0.1:1", transport=httpx.MockTransport(read_and_break))
    ws = Workspace(transport)
    ws.sent = sent
    yield ws
    ws.close()


@pytest.mark.parametrize(
    ("call", "times"),
    [
        (lambda ws: ws.sheets.list(), 4),
        (lambda ws: ws.sheets.publish("sheet_1"), 4),
        (lambda ws: ws.endpoints.invocations("topics", inputs=["x"]), 1),
    ],
    ids=["a read", "a command with its key", "a question to a model"],
)
def test_only_what_cannot_happen_twice_is_sent_again(broken, call, times):
    with pytest.raises(ConnectionLost):
        call(broken)

    assert times == len(broken.sent)
