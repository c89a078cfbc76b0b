"""P13: cold start and first paint. P14: commit to another tab. Real server process, real Chromium."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

import httpx
import pytest
from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, chromium_path

PORT = 7733
FIRST_CONTENT = "Reviewed"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("serve") / "w.duckdb"


class Served:
    """A `workbench serve` process and the seconds until its first answer."""

    def __init__(self, path):
        started = time.monotonic()
        command = [sys.executable, "-m", "workbench.cli", "serve", "--database", str(path), "--port", str(PORT), "--no-browser"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=dict(os.environ))
        self.url = f"http://127.0.0.1:{PORT}"
        while True:
            try:
                httpx.get(f"{self.url}/api/v1/system", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.02)
        self.cold = time.monotonic() - started

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def served(path):
    found = Served(path)
    rows = {"name": "First", "source_type": "inline", "rows": [{"a": 1}]}
    httpx.post(f"{found.url}/api/v1/sheets", json=rows, trust_env=False).raise_for_status()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield found
        found.close()


def report(name, seconds, target):
    figures = f"median {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s of {len(seconds)}"
    print(f"\n{name}: {figures}; target {target}")


def test_cold_start(path):
    """P13: from the command to the first answered request."""
    seconds = []
    for _ in range(3):
        found = Served(path)
        seconds.append(found.cold)
        found.stop()
    report("P13 cold start", seconds, "<= 3 s")


def test_first_paint(served, browser):
    """P13: from the request of /home to its content, in a browser that has been here before."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    seconds = []
    for _ in range(6):
        page = context.new_page()
        started = time.monotonic()
        page.goto(f"{served.url}/home", wait_until="commit")
        page.get_by_text(FIRST_CONTENT).first.wait_for()
        seconds.append(time.monotonic() - started)
        page.close()
    report("P13 first paint, warm", seconds[1:], "<= 1.5 s")
    context.close()


def test_commit_to_other_tab(served, browser):
    """P14: from the command's answer to the text in another tab."""
    page = browser.new_page()
    page.goto(f"{served.url}/data")
    page.wait_for_timeout(3000)
    seconds = []
    with httpx.Client(base_url=served.url, trust_env=False) as http:
        for number in range(10):
            name = f"Sheet number {time.monotonic_ns()}-{number}"
            http.post("/api/v1/sheets", json={"name": name, "source_type": "inline", "rows": [{"a": 1}]}).raise_for_status()
            started = time.monotonic()
            page.get_by_text(name).first.wait_for()
            seconds.append(time.monotonic() - started)
    report("P14 commit to other tab", seconds, "p50 <= 0.2 s")
    page.close()
