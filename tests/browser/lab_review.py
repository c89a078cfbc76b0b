"""A review in a cell of JupyterLab, worked through by keyboard, with the kernel restarted half-way."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect
from playwright.sync_api import Page as Tab

import workbench as wb
from tests.browser import lab
from workbench.client.http import HttpTransport

NOTEBOOK = "review.ipynb"
DATABASE = "review.duckdb"
TYPED = " typed a r f"
_SETUP = """\
import workbench as wb
%load_ext workbench
ws = wb.open("{database}", user="ann")
if not ws.sheets.list().total:
    rows = [{{"question": f"Question number {{n}}?", "answer": f"answer {{n}}"}} for n in range({rows})]
    sheet = ws.sheets.create("questions", rows=rows)
    ws.training_sheets.assemble(sheet.id, template={{"prompt_template": "Q: {{{{question}}}}", "response_column": "answer"}})
pairs = ws.training_sheets.list()[0]
"""


def write(folder: Path, rows: int) -> None:
    """Write the notebook; its first run makes the pairs, each later one opens them."""
    lab.write_notebook(folder / NOTEBOOK, [_SETUP.format(database=DATABASE, rows=rows), "pairs"])


def work_through(tab: Tab, count: int) -> None:
    """Approve pairs by keyboard; half-way the kernel restarts under what is being typed."""
    half = count // 2
    lab.run_all(tab)
    cell = lab.output(tab, 1)
    cell.scroll_into_view_if_needed()
    expect(question(cell, 0)).to_be_visible(timeout=lab.STARTUP_MS)
    cell.locator(".place").click()  # the one click: it gives the cell the keys
    approve(tab, cell, range(half))
    tab.keyboard.press("e")
    expect(answer(cell)).to_be_focused()
    tab.keyboard.type(TYPED)
    expect(cell.get_by_text("draft kept")).to_be_visible()
    tab.keyboard.press("Escape")
    restart_under(tab, cell, half)
    tab.keyboard.press("Control+Enter")
    approve(tab, cell, range(half + 1, count))


def restart_under(tab: Tab, cell: Locator, row: int) -> None:
    """Restart the kernel, go on in what it left on the screen, and run the cells again."""
    lab.restart(tab)
    cell.locator(".place").click()
    expect(cell.get_by_text("kernel restarted: run this cell again")).to_be_visible()
    tab.keyboard.press("e")
    expect(cell.get_by_text("the key waits: run this cell again")).to_be_visible()
    tab.keyboard.press("a")  # one key waits; a second one would decide on a pair that nobody has seen

    lab.run_all(tab)
    expect(cell.get_by_text("the key waits: run this cell again")).to_have_count(0, timeout=120_000)
    expect(question(cell, row)).to_be_visible(timeout=120_000)
    # The same pair with what was typed, and the key that waited has put the cursor there.
    expect(answer(cell)).to_have_value(f"answer {row}{TYPED}")
    expect(answer(cell)).to_be_focused()


def approve(tab: Tab, cell: Locator, rows: range) -> None:
    """Approve one pair after the other, each once it is on the screen."""
    for row in rows:
        expect(question(cell, row)).to_be_visible()
        tab.keyboard.press("a")
    expect(question(cell, rows[-1] + 1)).to_be_visible()


def question(cell: Locator, row: int) -> Locator:
    """Return where the prompt of a pair is read."""
    return cell.get_by_label("Prompt as it is").get_by_text(f"Question number {row}?")


def answer(cell: Locator) -> Locator:
    """Return the field of the response."""
    return cell.locator("textarea[aria-label=Response]")


def assert_stored(folder: Path, count: int) -> None:
    """Assert, over the API that the kernel answers, that each key was one decision and the draft one answer."""
    half = count // 2
    with wb.open(folder / DATABASE) as ws:
        assert isinstance(ws.transport, HttpTransport)
        pairs = ws.training_sheets.list()[0]
        rows = ws.review.rows(pairs.id, page_size=count + 1).rows
        done = ws.review.history(pairs.id, page_size=1000).total
    assert ["labeled"] * count + ["unlabeled"] == [row["status"] for row in rows]
    assert [f"answer {n}{TYPED if n == half else ''}" for n in range(count + 1)] == [row["response"] for row in rows]
    assert count == done
