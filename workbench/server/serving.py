"""One uvicorn server on a thread: the API, and the dashboards where wanted, from the first visit on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI

from workbench.api.access import Access
from workbench.api.app import build_api
from workbench.errors import Conflict, WorkbenchError
from workbench.server.late_pages import LatePages
from workbench.services.application import Application

STOP_S = 10.0
# Turns of the loop in which it hears of connections that were closed just before.
HEARD = 5


class Server:
    """Serve one application until `stop()`; `url` is its address."""

    def __init__(self, app: Application, *, host: str, port: int, token: str | None = None, pages: bool = True) -> None:
        self._socket = listen(host, port)
        self.host, self.port = host, self._socket.getsockname()[1]
        self.token = token
        api = build_api(app)
        if pages:
            LatePages(api, lambda: _dashboards(app))
        outer = Access(api, token=token, origins=app.settings.cors_origins)
        config = uvicorn.Config(
            outer, log_level="warning", access_log=False, ws="websockets-sansio", lifespan="on", timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
        )  # fmt: skip
        self._server = _Uvicorn(config)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="workbench-server", daemon=True)

    @property
    def url(self) -> str:
        """Return the address without the token."""
        return f"http://{self.host}:{self.port}"

    @property
    def address(self) -> str:
        """Return the address a person opens, with the token where one is asked for."""
        return f"{self.url}/?token={self.token}" if self.token else self.url

    def start(self) -> Server:
        """Start on a thread and return once requests are answered."""
        self._thread.start()
        if not self._server.ready.wait(30):
            raise WorkbenchError(f"The server at {self.url} did not start. Its log says why.")
        return self

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except Exception:
            logging.getLogger(__name__).exception("the server stopped")
        finally:
            self._done.set()

    def wait(self) -> None:
        """Block until the server stops or Ctrl-C."""
        # An interrupted Thread.join may take a running thread for a finished one, so the thread says itself when it is done.
        with contextlib.suppress(KeyboardInterrupt):
            while not self._done.wait(0.5):
                pass

    def stop(self) -> None:
        """Stop answering; open pages show the lost connection."""
        self._server.leave()
        self._done.wait(STOP_S)
        self._socket.close()


def _dashboards(app: Application) -> FastAPI:
    from workbench.server.dashboards import build_dashboards

    return build_dashboards(app)


class _Uvicorn(uvicorn.Server):
    """Waits for its end instead of looking for it ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave = asyncio.Event()

    def leave(self) -> None:
        """Stop, from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._leave.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        # A tick that is a multiple of ten renews the date of the answers: once a second is enough.
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leave.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for _ in range(HEARD):
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets=sockets)
            return
        for server in self.servers:  # with nobody connected there is nothing to wait for
            server.close()
        await self.lifespan.shutdown()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave the signals to whoever started the process; the server runs on a thread."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, or say what holds the port.

    The protocol is named because asyncio otherwise leaves Nagle's algorithm on: 44 ms an answer.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(512)
    except OSError as error:
        found.close()
        raise Conflict(
            f"Port {port} on {host} cannot be used: {error.strerror}. Choose another with --port, or stop what holds it.",
            host=host, port=port,
        ) from None  # fmt: skip
    return found
