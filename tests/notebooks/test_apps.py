"""`panel serve notebooks/apps/*.py`: the dashboards without the API, owning the file or joining its owner."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import workbench as wb
from tests.e2e.processes import ROOT, Served, free_port, serving, start, stop
from workbench.client import discovery
from workbench.ui.pages import SCREENS

APPS = sorted((ROOT / "notebooks" / "apps").glob("*.py"))


def test_every_page_has_an_app_of_three_lines() -> None:
    expected = {s.path.strip("/"): f'from workbench.server.dashboards import show\n\nshow("{s.path}")\n' for s in SCREENS}

    assert expected.items() <= {app.stem: app.read_text() for app in APPS}.items()


@contextlib.contextmanager
def panel_serve(database: Path, app: str) -> Iterator[Served]:
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", f"notebooks/apps/{app}.py", "--port", str(port), "--address", "127.0.0.1"]
    served = start(
        command, f"http://127.0.0.1:{port}/{app}", database.with_suffix(".panel.log"), WORKBENCH_DATABASE=str(database)
    )
    try:
        yield served
    finally:
        stop(served.process)


@pytest.mark.notebook
@pytest.mark.slow
def test_panel_serve_owns_a_file_nobody_holds(tmp_path: Path) -> None:
    database = tmp_path / "team.duckdb"
    with panel_serve(database, "home") as served:
        page = httpx.get(served.url, trust_env=False)
        with wb.open(database) as ws:
            ws.sheets.create("Tickets", rows=[{"text": "hello"}])
            names = [sheet.name for sheet in ws.sheets.list()]

        assert (page.status_code, "<title>Home</title>" in page.text) == (200, True)
        assert ["Tickets"] == names
        assert served.process.pid == discovery.read(database).pid
        assert "Traceback" not in served.words


@pytest.mark.notebook
@pytest.mark.slow
def test_panel_serve_joins_the_server_that_owns_the_file(tmp_path: Path) -> None:
    database = tmp_path / "team.duckdb"
    with serving(database) as owner, panel_serve(database, "home") as served:
        page = httpx.get(served.url, trust_env=False)

        assert (page.status_code, "<title>Home</title>" in page.text) == (200, True)
        assert owner.process.pid == discovery.read(database).pid
        assert "Traceback" not in served.words
