"""Live views in a real JupyterLab, with the network blocked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

import workbench as wb
from tests.browser import lab
from tests.e2e.processes import Served

pytestmark = [pytest.mark.browser, pytest.mark.notebook, pytest.mark.slow, pytest.mark.timeout(400)]

SETUP = """\
import workbench as wb
%load_ext workbench
ws = wb.open("team.duckdb", user="ann")
WORDS = {"math": "matrix cosine", "net": "socket packet", "draw": "canvas pixel"}
topics = list(WORDS)
rows = [{"id": f"r{n}", "text": f"{WORDS[topics[n % 3]]} number {n}", "topic": topics[n % 3]} for n in range(120)]
sheet = ws.sheets.create("Topics", rows=rows, item_id_column="id")
template = {"prompt_template": "{{text}}?", "response_source_mode": "existing_column", "response_column": "topic", "label_type": "topic"}
pairs = ws.training_sheets.assemble(sheet.id, template=template)
outcome = ws.review.bulk_approve(pairs.id, filter={"status": "unlabeled"})
job = ws.training.create(pairs.id, "topics", "ngrams-tfidf", training_config={"epochs": 10})
"""
MODEL = "model = ws.models.get(job.wait(progress=False).model_version_id)\nmodel"
FIRST = [SETUP, "ws", "sheet", "pairs", "job", MODEL]
SHOWN = {
    1: ["made the training sheet Topics #1"],
    2: ["draft", "matrix cosine number 0"],
    3: ["labeled", "Nothing is left in this queue."],
    4: ["succeeded", "Held-out accuracy", "96 to learn from", "24 held out"],
    5: ["development", "Mean confidence"],
}
SECOND = [
    'import workbench as wb\n%load_ext workbench\nws = wb.open("team.duckdb", user="bob")',
    "ws.sheets.list()[0]",
    'ws.sheets.create("From the second notebook", rows=[{"text": "hello"}])\n[(s.name, s.created_by) for s in ws.sheets.list()]',
]
REVIEW = [
    """\
import workbench as wb
%load_ext workbench
ws = wb.open("review.duckdb", user="ann")
if not ws.sheets.list().total:
    rows = [{"question": f"Question number {n}?", "answer": f"answer {n}"} for n in range(60)]
    sheet = ws.sheets.create("questions", rows=rows)
    ws.training_sheets.assemble(sheet.id, template={"prompt_template": "Q: {{question}}", "response_column": "answer"})
pairs = ws.training_sheets.list()[0]
""",
    "pairs",
]
REVIEWED = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("lab")
    lab.write_notebook(found / "first.ipynb", FIRST)
    lab.write_notebook(found / "second.ipynb", SECOND)
    lab.write_notebook(found / "review.ipynb", REVIEW)
    return found


@pytest.fixture(scope="module")
def jupyter(folder: Path) -> Iterator[Served]:
    with lab.laboratory(folder) as served:
        yield served


@pytest.fixture
def offline(tab: Any) -> Any:
    """Return a tab that reaches nothing but this machine."""

    def only_here(route: Route) -> None:
        here = route.request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
        route.continue_() if here else route.abort()

    tab.route("**/*", only_here)
    tab.set_default_timeout(60_000)
    return tab


def shows(tab: Any, cell: int, *texts: str) -> None:
    """Assert that the output of a cell comes to show texts; JupyterLab renders a cell once it is in sight."""
    found = lab.output(tab, cell)
    found.scroll_into_view_if_needed()
    for text in texts:
        expect(found.get_by_text(text).first).to_be_attached(timeout=60_000)


def test_records_show_live_views_and_a_second_notebook_joins(offline: Any, browser: Any, jupyter: Served) -> None:
    tab = offline
    lab.open_notebook(tab, jupyter, "first.ipynb")
    lab.run_all(tab)
    for cell, texts in SHOWN.items():
        shows(tab, cell, *texts)

    other = tab.context.new_page()
    tab.journal.follow(other)
    other.set_default_timeout(60_000)
    lab.open_notebook(other, jupyter, "second.ipynb")
    for _ in SECOND:
        lab.run_next(other)
    shows(other, 1, "Topics", "draft", "matrix cosine number 0")
    shows(other, 2, "('From the second notebook', 'bob'), ('Topics', 'ann')")

    # The first notebook owns the file and hears of what the second one did.
    shows(tab, 1, "imported From the second notebook")
    assert tab.journal.clean(), tab.journal


def test_a_review_in_a_cell_outlives_its_kernel(offline: Any, jupyter: Served, folder: Path) -> None:
    """Forty pairs by keyboard, the kernel restarted in the middle of typing into one of them."""
    tab = offline
    lab.open_notebook(tab, jupyter, "review.ipynb")
    lab.run_all(tab)
    cell = lab.output(tab, 1)
    answer = cell.locator("textarea[aria-label=Response]")
    half = REVIEWED // 2
    review(tab, cell, range(half))
    tab.keyboard.press("e")
    expect(answer).to_be_focused()
    tab.keyboard.type(" typed a r f")
    expect(cell.get_by_text("Not saved yet")).to_be_visible()

    lab.restart_and_run_all(tab)

    expect(answer).to_have_value(f"answer {half} typed a r f", timeout=120_000)
    review(tab, cell, range(half, REVIEWED))
    with wb.open(folder / "review.duckdb") as ws:
        pairs = ws.training_sheets.list()[0]
        rows = ws.review.rows(pairs.id, page_size=REVIEWED + 1).rows
    assert ["labeled"] * REVIEWED + ["unlabeled"] == [row["status"] for row in rows]
    assert f"answer {half} typed a r f" == rows[half]["response"]
    assert tab.journal.clean(), tab.journal


def review(tab: Any, cell: Any, rows: range) -> None:
    """Approve pairs by keyboard; a click into the card gives it the keys."""
    cell.scroll_into_view_if_needed()
    expect(cell.get_by_text(f"Question number {rows[0]}?").first).to_be_visible(timeout=60_000)
    cell.locator(".place").click()
    for row in rows:
        expect(cell.get_by_text(f"Question number {row}?").first).to_be_visible()
        tab.keyboard.press("a")
    expect(cell.get_by_text(f"Question number {rows[-1] + 1}?").first).to_be_visible()
