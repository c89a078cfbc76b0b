"""Headless Chromium for the browser tests. A missing browser fails them; it never skips them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from playwright.sync_api import Page as Tab

from tests.browser.desk import Review, make
from tests.e2e.processes import free_port
from workbench.testing import frozen

# A busy machine takes its time; what never comes still fails.
expect.set_options(timeout=60_000)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str:
    """Return the browser named by WORKBENCH_CHROMIUM or found on the PATH."""
    named = os.environ.get("WORKBENCH_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if not found:
        raise RuntimeError("The browser tests need Chromium: install it or name it in WORKBENCH_CHROMIUM.")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run one browser for all tests."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield found
        found.close()


class Journal:
    """What a tab asked for and complained about."""

    def __init__(self) -> None:
        self.outside: list[str] = []
        self.failed: list[str] = []
        self.complaints: list[str] = []

    def follow(self, tab: Tab) -> None:
        """Write down requests to other hosts, failed answers and errors of the console."""
        tab.on("request", lambda request: self._request(request.url))
        tab.on("response", lambda answer: answer.status >= 400 and self.failed.append(f"{answer.status} {answer.url}"))
        tab.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("127.0.0.1", "localhost"):
            self.outside.append(url)

    def clean(self) -> bool:
        """Return True when nothing left this machine and nothing went wrong."""
        return not (self.outside or self.failed or self.complaints)

    def __repr__(self) -> str:
        return f"outside={self.outside} failed={self.failed} complaints={self.complaints}"


@pytest.fixture(scope="module")
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """Keep what one visitor's browser keeps: the scripts of the pages are loaded once a file."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def tab(visitor: BrowserContext) -> Iterator[Any]:
    """Open a tab of its own, of somebody nobody knows yet; `tab.journal` holds what it asked for."""
    found = visitor.new_page()
    found.set_default_timeout(60_000)
    found.journal = Journal()  # type: ignore[attr-defined]
    found.journal.follow(found)  # type: ignore[attr-defined]
    yield found
    for page in visitor.pages:
        page.close()
    visitor.clear_cookies()
    visitor.clear_permissions()


@pytest.fixture
def review() -> Iterator[Review]:
    """Serve a training sheet of questions to review."""
    with frozen() as ws:
        made = make(ws)
        yield Review(ws.serve(port=free_port()), made)
