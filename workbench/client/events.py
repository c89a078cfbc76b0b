"""The event socket: changes as they are committed, resumed after a break."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from workbench.client.transport import Listener
from workbench.contract.codec import decode_record
from workbench.domain.system import Change

PAUSES = (1.0, 2.0, 5.0)
LONG_PAUSE = 30.0
_log = logging.getLogger(__name__)


class EventStream:
    """Read the socket on a thread of its own while anybody listens.

    After a break it resumes behind the last change it saw; listeners then also hear topic `*`,
    which means that anything may have changed.
    """

    def __init__(self, url: str, *, headers: dict[str, str]) -> None:
        self._url = url.replace("http", "ws", 1)
        self._headers = headers
        self._listeners: list[Listener] = []
        self._guard = threading.Lock()
        self._closed = threading.Event()
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._socket: Any = None
        self._seen: int | None = None
        self.connected = False

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener and wait until the socket is open, at most 5 s."""
        with self._guard:
            self._listeners.append(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="workbench-events", daemon=True)
                self._thread.start()
        self._ready.wait(5)
        return lambda: self._remove(listener)

    def _remove(self, listener: Listener) -> None:
        with self._guard:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _run(self) -> None:
        failures = 0
        while not self._closed.is_set():
            try:
                self._follow()
                failures = 0
            except (OSError, WebSocketException, TimeoutError) as error:
                _log.debug("event socket: %s", error)
            self.connected = False
            pause = PAUSES[failures] if failures < len(PAUSES) else LONG_PAUSE
            failures += 1
            self._closed.wait(pause)

    def _follow(self) -> None:
        resume = "" if self._seen is None else f"?after={self._seen}"
        again = self._seen is not None
        with connect(self._url + resume, additional_headers=self._headers, open_timeout=5, proxy=None) as socket:
            self._socket = socket
            self.connected = True
            for message in socket:
                self._take(json.loads(message))
                if again:
                    self._tell([Change(topic="*")])
                    again = False

    def _take(self, message: dict[str, Any]) -> None:
        changes = [decode_record(Change, wire) for wire in message.get("events", [])]
        self._seen = message.get("seq", self._seen)
        self._ready.set()
        if message.get("gap"):
            changes.append(Change(topic="*"))
        if changes:
            self._tell(changes)

    def _tell(self, changes: Sequence[Change]) -> None:
        with self._guard:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener(changes)
            except Exception:
                _log.exception("a listener failed on %s", changes)

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        if self._socket is not None:
            self._socket.close()
