"""Opening a workspace: own the file, or join whoever owns it."""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import threading
from pathlib import Path
from typing import Any

from workbench.client import discovery
from workbench.client.http import HttpTransport
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.clock import Clock
from workbench.config import Settings
from workbench.errors import DatabaseInUse, Forbidden, ValidationError
from workbench.services.application import Application
from workbench.store import Database
from workbench.store.database import MEMORY

LOOPBACK = ("127.0.0.1", "localhost")
# An owner that has just opened the file needs a moment until it answers others.
OWNER_STARTS_S = 3.0
_log = logging.getLogger(__name__)


def open(
    path_or_url: str | os.PathLike[str],
    *,
    token: str | None = None,
    user: str | None = None,
    share: bool = True,
    clock: Clock | None = None,
    settings: Settings | None = None,
) -> Workspace:
    """Open a workspace file, creating it when absent, or one served at an `http://` address.

    A file owned by another process is reached through that process. `share=False` keeps this
    process from answering others.
    """
    name = os.fspath(path_or_url)
    if name.startswith(("http://", "https://")):
        return _joined(name, token=token, user=user)
    try:
        owner = Owner.of(name, clock=clock, settings=settings)
    except DatabaseInUse as error:
        sidecar = discovery.find(name, seconds=OWNER_STARTS_S)
        if sidecar is None:
            raise
        _log.info("joining the owner of %s: %s", name, error)
        return _joined(sidecar.url, token=token or sidecar.token, user=user)
    if share:
        owner.share()
    transport = LocalTransport(owner.app, user=user or "local", on_close=owner.release)
    return Workspace(transport, publish=owner.publish)


def refuse_memory(name: str) -> None:
    """Refuse the name that DuckDB has for a database without a file."""
    if name == MEMORY:
        words = "is no file, and a workspace keeps models and exports beside its file. Name one, such as scratch.duckdb"
        raise ValidationError.field("path_or_url", words, name)


def _joined(url: str, *, token: str | None, user: str | None) -> Workspace:
    """Connect to a served workspace and learn who the server takes us for."""
    transport = HttpTransport(url, token=token, user=user, prefix=discovery.api_prefix(url, token))
    workspace = Workspace(transport)
    try:
        info = workspace.system.info()
    except BaseException:
        transport.close()
        raise
    transport.user = info.user
    transport.label = f"{info.name} at {url}"
    return workspace


class Owner:
    """Hold one application per file in this process, shared by every `open` of it."""

    _owners: dict[str, Owner] = {}
    _guard = threading.RLock()

    def __init__(self, path: str, *, clock: Clock, settings: Settings) -> None:
        self.path = path
        self.holders = 0
        self.server: Any = None
        self.published: list[Any] = []
        self._closed = False
        db = Database.open(path, clock=clock)
        try:
            self.app = Application(db, clock=clock, settings=settings)
            self.app.start()
        except BaseException:
            db.close()
            raise

    @classmethod
    def of(cls, name: str, *, clock: Clock | None = None, settings: Settings | None = None) -> Owner:
        """Return the owner of a file, opening it where this process does not hold it yet."""
        refuse_memory(name)
        path = os.path.realpath(name)
        with cls._guard:
            owner = cls._owners.get(path)
            if owner is None:
                owner = cls._owners[path] = cls(path, clock=clock or Clock(), settings=settings or Settings.from_environment())
                atexit.register(owner.close)
            owner.holders += 1
            return owner

    def share(self) -> None:
        """Answer other processes of this user on a loopback port, with a token, from a thread."""
        with self._guard:
            if self.server is None:
                self.server = threading.Thread(target=self._share, name="workbench-share", daemon=True)
                self.server.start()

    def _share(self) -> None:
        from workbench.server.serving import Server

        server = Server(self.app, host="127.0.0.1", port=0, token=secrets.token_urlsafe(24), pages=False).start()
        with self._guard:
            if self._closed:
                server.stop()
                return
            self.published.append(server)
            self._announce()

    def publish(self, *, host: str = "127.0.0.1", port: int = 5006, open_browser: bool = False, token: str | None = None) -> Any:
        """Serve dashboards and API; without accounts only this machine may come in."""
        refuse_other_hosts(host)
        from workbench.server.serving import Server

        server = Server(self.app, host=host, port=port, token=token).start()
        with self._guard:
            self.published.append(server)
            self._announce()
        if open_browser:
            import webbrowser

            webbrowser.open(server.address)
        return server

    def _announce(self) -> None:
        """Name the server that other processes should join: the newest one still running."""
        if self.published and not self._closed:
            newest = self.published[-1]
            discovery.announce(self.path, url=newest.url, token=newest.token or "")

    def release(self) -> None:
        """Give up one hold; the last one closes the file."""
        with self._guard:
            self.holders -= 1
            if self.holders <= 0:
                self.close()

    def close(self) -> None:
        """Stop serving and close the file; running jobs go on."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            self._owners.pop(self.path, None)
        atexit.unregister(self.close)
        discovery.withdraw(self.path)
        for server in self.published:
            server.stop()
        self.app.close()


def refuse_other_hosts(host: str) -> None:
    """Refuse to listen beyond this machine: there are no accounts to tell visitors apart."""
    if host not in LOOPBACK:
        raise Forbidden(
            f"The workbench listens on this machine only, not on {host}: without accounts anybody there would be admin. "
            "Use --host 127.0.0.1 and reach it through an SSH tunnel or a proxy that asks for a log-in.",
            host=host,
        )


def default_database() -> Path:
    """Return the file that `workbench serve` opens when none is named."""
    return Path("workbench.duckdb")
