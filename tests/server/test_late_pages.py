"""Pages are made for the first visitor, once, and end with the API."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.e2e.processes import environment
from tests.server.serving import running
from workbench.api import faults
from workbench.server.late_pages import LatePages


class Site:
    """An API beside pages that tell how often they were made, begun and ended."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.fails = False
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.api = FastAPI()
        faults.install(self.api)
        self.api.get("/api/health")(lambda: "well")
        LatePages(self.api, self.make)

    def make(self) -> FastAPI:
        self.told.append("made")
        self.begun.set()
        self.may_go_on.wait(30)
        if self.fails:
            raise OSError("a library is broken")
        pages = FastAPI(openapi_url=None, lifespan=self.lifespan)
        faults.install(pages)
        pages.get("/home")(lambda: "at home")
        return pages

    @contextlib.asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        self.told.append("begun")
        yield
        self.told.append("ended")


@pytest.fixture
def site() -> Site:
    return Site()


def test_what_only_programs_ask_makes_no_pages(site: Site) -> None:
    with running(site.api) as url:
        assert httpx.get(f"{url}/api/health").json() == "well"
        assert httpx.get(f"{url}/api/nothing").json()["error_code"] == "NOT_FOUND"

    assert site.told == []


def test_visitors_at_once_get_pages_made_once_and_ended_with_the_api(site: Site) -> None:
    async def visit(url: str) -> list[str]:
        async with httpx.AsyncClient() as client:
            return [answer.text for answer in await asyncio.gather(*(client.get(f"{url}/home") for _ in range(5)))]

    with running(site.api) as url:
        assert asyncio.run(visit(url)) == ['"at home"'] * 5
        assert httpx.get(f"{url}/away").json()["error_code"] == "NOT_FOUND"
        assert site.told == ["made", "begun"]

    assert site.told == ["made", "begun", "ended"]


def test_the_api_answers_while_pages_are_made(site: Site) -> None:
    site.may_go_on.clear()
    with running(site.api) as url:
        visitor = threading.Thread(target=httpx.get, args=(f"{url}/home",))
        visitor.start()
        assert site.begun.wait(30)
        assert httpx.get(f"{url}/api/health").json() == "well"
        site.may_go_on.set()
        visitor.join()


def test_pages_that_could_not_be_made_are_tried_again(site: Site) -> None:
    with running(site.api) as url:
        site.fails = True
        assert httpx.get(f"{url}/home").status_code == 500
        site.fails = False
        assert httpx.get(f"{url}/home").text == '"at home"'


def test_a_server_loads_the_libraries_of_pages_with_the_first_page() -> None:
    code = (
        "import sys, httpx; from workbench.server.serving import Server; from workbench.testing import frozen\n"
        "loaded = lambda: [m for m in ('panel', 'bokeh') if m in sys.modules]\n"
        "with frozen() as ws:\n"
        "    server = Server(ws.app, host='127.0.0.1', port=0).start()\n"
        "    httpx.get(server.url + '/api/health'); print(loaded())\n"
        "    print(httpx.get(server.url + '/home', timeout=120).status_code, loaded()); server.stop()"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=150, check=False)

    assert done.stdout.splitlines() == ["[]", "200 ['panel', 'bokeh']"], done.stderr
