"""`workbench serve`: own the file and serve it until Ctrl-C or SIGTERM."""

from __future__ import annotations

import contextlib
import secrets
import signal
import sys
from pathlib import Path

from workbench.client.workspace import Workspace
from workbench.errors import DatabaseInUse
from workbench.server import bootstrap


def serve(
    database: str | Path,
    *,
    port: int = 5006,
    host: str = "127.0.0.1",
    open_browser: bool = True,
    require_token: bool = False,
) -> None:
    """Serve a workspace file in the foreground; print its address once it answers."""
    bootstrap.refuse_other_hosts(host)
    token = secrets.token_urlsafe(24) if require_token else None
    ws = bootstrap.open(database, share=False)
    if ws.url is not None:
        raise _already_served(database, ws)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        server = ws._publish(host=host, port=port, open_browser=open_browser, token=token)
        print(f"The workbench is at {server.address}  (API docs: {server.url}/docs)  Ctrl-C stops it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.wait()
    finally:
        ws.close()
    print("Stopped. Everything is saved.", file=sys.stderr)


def _already_served(database: str | Path, ws: Workspace) -> DatabaseInUse:
    url = ws.url
    ws.close()
    return DatabaseInUse(f"{database} is served already, at {url}. Open that address, or stop it first.", url=url)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
