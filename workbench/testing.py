"""Workspaces on a frozen clock, for notebooks and tests."""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workbench.client.http import HttpTransport
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.clock import FrozenClock
from workbench.config import Settings
from workbench.server.bootstrap import Owner
from workbench.store import Database

START = dt.datetime(2026, 1, 1, 9, 0)
TRANSPORTS = ("local", "http")


@contextlib.contextmanager
def frozen(
    path: str | os.PathLike[str] | None = None,
    *,
    start: dt.datetime = START,
    transport: str = "local",
    user: str = "local",
    settings: Settings | None = None,
) -> Iterator[Workspace]:
    """Open a workspace whose time stands still and whose ids count from one.

    Without a path it lives in a temporary folder. `transport="http"` serves it on a loopback port
    and connects; `transport="local"` sends every argument and answer through JSON, so that what
    passes on one transport passes on the other. `ws.clock` advances the time, `ws.app` is the owner's
    side. Jobs that still run at the end are killed.
    """
    clock = FrozenClock(start)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="workbench-")))
        if path is None:
            path = shutil.copy(_empty(start), folder / "workspace.duckdb")
        owner = Owner.of(os.fspath(path), clock=clock, settings=settings)
        stack.callback(owner.release)
        stack.callback(owner.app.engine.close, detach=False)
        workspace = Workspace(_transport(owner, transport, user, stack), publish=owner.publish)
        workspace.clock = clock  # type: ignore[attr-defined]
        workspace.app = owner.app  # type: ignore[attr-defined]
        stack.callback(workspace.close)
        yield workspace


@functools.cache
def _empty(start: dt.datetime) -> Path:
    """Make an empty workspace once a process: to copy it takes a quarter of the time of all the migrations."""
    folder = tempfile.TemporaryDirectory(prefix="workbench-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "empty.duckdb"
    Database.open(path, clock=FrozenClock(start)).close()
    return path


def _transport(owner: Owner, kind: str, user: str, stack: contextlib.ExitStack) -> LocalTransport | HttpTransport:
    if kind == "local":
        return LocalTransport(owner.app, user=user, strict=True)
    from workbench.server.serving import Server

    server = Server(owner.app, host="127.0.0.1", port=0, pages=False).start()
    stack.callback(server.stop)
    return HttpTransport(server.url, user=user)
