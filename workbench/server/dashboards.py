"""The dashboards in the server's process: every session acts as the user who opened it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import panel as pn
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse

from workbench.api import faults
from workbench.api.access import USER_COOKIE
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.contract.caller import from_header
from workbench.server.bootstrap import default_database, open
from workbench.server.panel_bridge import LOOPBACK_HOSTS, USER_HEADER, mount_pages
from workbench.services.application import Application
from workbench.ui.pages import SCREENS, Screen, build_page, titles


def build_dashboards(app: Application) -> FastAPI:
    """Return one page per screen; visitors of `/` are sent to the first."""
    pages = FastAPI(openapi_url=None)
    faults.install(pages)
    shown = {screen.path: _page(app, screen) for screen in SCREENS}
    mount_pages(pages, shown, titles=titles(), allowed_hosts=LOOPBACK_HOSTS, allowed_origins=app.settings.cors_origins)

    @pages.get("/")
    def first(request: Request) -> RedirectResponse:
        return RedirectResponse(f".{SCREENS[0].path}", status_code=307)

    return pages


def _page(app: Application, screen: Screen) -> Callable[[], Any]:
    # Panel serves functions and nothing else that can be called.
    def page() -> Any:
        user = from_header(pn.state.headers.get(USER_HEADER, "")) or "local"
        return build_page(Workspace(LocalTransport(app, user=user, served=True)), screen, SCREENS)

    return page


def show(path: str) -> None:
    """Serve one screen under `panel serve`: WORKBENCH_DATABASE names the file, which is joined or owned."""
    pn.state.as_cached("workbench", _opened)  # the file is held as long as the server runs, whoever comes and goes
    # Every visit is a client of its own, so that leases and numbers of two tabs are told apart.
    ws = _opened(from_header(pn.state.cookies.get(USER_COOKIE, "")))
    screen = next(s for s in SCREENS if s.path == path)
    build_page(ws, screen, (screen,)).servable(title=screen.title)
    pn.state.on_session_destroyed(lambda context: ws.close())


def _opened(user: str = "") -> Workspace:
    return open(os.environ.get("WORKBENCH_DATABASE", default_database()), user=user or None)
