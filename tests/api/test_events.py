"""The event socket announces every commit, resumes after a break and tells of gaps."""

from __future__ import annotations

import json
import threading
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from workbench.api import events as event_socket
from workbench.client.http import HttpTransport
from workbench.client.workspace import Workspace
from workbench.server.bootstrap import Owner
from workbench.server.serving import Server
from workbench.store import database, transaction
from workbench.testing import frozen


@pytest.fixture
def served(tmp_path):
    path = tmp_path / "w.duckdb"
    with frozen(path):
        owner = Owner.of(str(path))
        server = Server(owner.app, host="127.0.0.1", port=0, pages=False).start()
        server.app = owner.app
        yield server
        server.stop()
        owner.release()


def commit(app, topic="things", id="t1"):
    with app.db.write():
        app.db.emit(topic, id, 1, "updated")


def socket(served, after=None, **options):
    resume = "" if after is None else f"?after={after}"
    return connect(served.url.replace("http", "ws") + "/api/v1/events" + resume, proxy=None, **options)


def test_a_commit_is_announced_with_identity_and_no_state(served):
    with socket(served) as live:
        hello = json.loads(live.recv(60))
        commit(served.app)
        (event,) = json.loads(live.recv(60))["events"]

    assert (0, False) == (hello["seq"], hello["gap"])
    assert ("things", "t1", "updated", 1) == (event["topic"], event["id"], event["kind"], event["seq"])
    assert {"seq", "topic", "id", "version", "kind", "actor", "at"} == set(event)


def test_what_was_missed_comes_first(served):
    for number in range(3):
        commit(served.app, id=f"t{number}")
    with socket(served, after=1) as live:
        missed = json.loads(live.recv(60))

    assert ["t1", "t2"] == [e["id"] for e in missed["events"]]


def test_too_much_missed_is_a_gap(served, monkeypatch):
    monkeypatch.setattr(event_socket, "REPLAY_LIMIT", 2)
    for number in range(4):
        commit(served.app, id=f"t{number}")
    with socket(served, after=0) as live:
        message = json.loads(live.recv(60))

    assert (True, [], 4) == (message["gap"], message["events"], message["seq"])


def test_what_is_no_longer_kept_is_a_gap(served, monkeypatch):
    monkeypatch.setattr(transaction, "KEPT_EVENTS", 5)
    monkeypatch.setattr(database, "_TRIM_EVERY", 10)
    for number in range(12):
        commit(served.app, id=f"t{number}")
    messages = {}
    for after in (2, 4, 5, 8):
        with socket(served, after=after) as live:
            messages[after] = json.loads(live.recv(60))

    assert (6, 12) == (served.app.db.first_seq, served.app.db.last_seq)
    assert {2: True, 4: True, 5: False, 8: False} == {after: message["gap"] for after, message in messages.items()}
    assert ["t5", "t6", "t7", "t8", "t9", "t10", "t11"] == [event["id"] for event in messages[5]["events"]]


def test_a_foreign_page_may_not_listen(served):
    with pytest.raises((InvalidStatus, ConnectionClosed)), socket(served, origin="https://evil.example") as live:
        live.recv(60)


def test_a_remote_live_query_follows_a_commit(served):
    with Workspace(HttpTransport(served.url)) as ws:
        live = ws.query(ws.system.changes)
        live._topics = frozenset({"things"})
        live.start()
        seen = threading.Event()
        live.param.watch(lambda event: seen.set(), "value")
        commit(served.app)

        assert seen.wait(60)
        assert 1 == live.value.total
        live.close()


def test_a_closed_socket_is_forgotten(served):
    subscribers = served.app.db._subscribers._subscribers
    before = set(subscribers)
    with socket(served) as live:
        live.recv(60)
        assert set(subscribers) > before
    end = time.monotonic() + 60
    while set(subscribers) != before and time.monotonic() < end:
        time.sleep(0.02)

    assert set(subscribers) == before
    assert httpx.get(f"{served.url}/api/health", trust_env=False).is_success
