"""A visitor says once who they are; decisions are then made under that name."""

from __future__ import annotations

import httpx
import pytest

from workbench.server.bootstrap import Owner
from workbench.server.serving import Server
from workbench.testing import frozen

pytestmark = pytest.mark.browser


@pytest.fixture
def served(tmp_path):
    path = tmp_path / "w.duckdb"
    with frozen(path):
        owner = Owner.of(str(path))
        server = Server(owner.app, host="127.0.0.1", port=0).start()
        yield server
        server.stop()
        owner.release()


def test_the_name_given_is_kept_and_used(tab, served):
    tab.goto(f"{served.url}/settings")
    tab.locator(".visitor").get_by_text("local").click()
    tab.get_by_label("Your name").fill("Ann Lee")
    tab.locator(".keep-name").click()
    tab.locator(".visitor").get_by_text("Ann Lee").wait_for()
    cookies = {cookie["name"]: cookie["value"] for cookie in tab.context.cookies()}
    with httpx.Client(base_url=served.url, cookies=cookies, trust_env=False) as http:
        assert "Ann Lee" == http.get("/api/v1/system").json()["user"]
    assert tab.journal.clean(), tab.journal
