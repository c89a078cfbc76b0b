"""The event socket: `WS <prefix>/events?after=seq` announces every commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from workbench.client.local import as_change
from workbench.contract.codec import encode_record
from workbench.services.application import Application
from workbench.store import Event

REPLAY_LIMIT = 1000


def add_event_socket(api: FastAPI, app: Application, prefix: str) -> None:
    """Add the socket: first what was missed after `after`, then each commit as it happens."""

    @api.websocket(f"{prefix}/events")
    async def events(socket: WebSocket, after: int | None = None) -> None:
        await socket.accept()
        feed = _Feed(asyncio.get_running_loop())
        stop = app.db.subscribe(feed.put)
        try:
            seen = await _replay(socket, app, after)
            await asyncio.gather(_send(socket, feed, seen, app.settings.ws_heartbeat_interval), _until_closed(socket))
        except (WebSocketDisconnect, _Closed, RuntimeError):
            pass
        finally:
            stop()


class _Closed(Exception):
    """The other side has left."""


class _Feed:
    """Hand events from committing threads to one socket's loop; a slow socket delays nobody."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Sequence[Event]] = asyncio.Queue()

    def put(self, events: Sequence[Event]) -> None:
        """Take the events of one commit, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, events)
        except RuntimeError:
            pass

    async def get(self, timeout: float) -> list[Event]:
        """Return all waiting events, or nothing after `timeout` seconds."""
        try:
            batch = list(await asyncio.wait_for(self._queue.get(), timeout))
        except TimeoutError:
            return []
        while not self._queue.empty():
            batch.extend(self._queue.get_nowait())
        return batch


async def _replay(socket: WebSocket, app: Application, after: int | None) -> int:
    last = app.db.last_seq
    missed = [] if after is None else await run_in_threadpool(app.db.events_after, after, REPLAY_LIMIT + 1)
    first = 0 if after is None else await run_in_threadpool(lambda: app.db.first_seq)
    gap = len(missed) > REPLAY_LIMIT or (after is not None and (after > last or after < first - 1))
    events = [] if gap else missed
    seen = events[-1].seq if events else last
    await socket.send_json(_message(events, seen) | {"gap": gap})
    return seen


async def _send(socket: WebSocket, feed: _Feed, seen: int, heartbeat: float) -> None:
    while True:
        batch = await feed.get(heartbeat)
        fresh = [event for event in batch if event.seq > seen]
        seen = max([seen, *(event.seq for event in fresh)])
        if fresh or not batch:
            await socket.send_json(_message(fresh, seen))


async def _until_closed(socket: WebSocket) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise _Closed


def _message(events: Sequence[Event], seq: int) -> dict[str, Any]:
    return {"seq": seq, "events": [encode_record(as_change(event)) for event in events]}
