"""A training sheet to review in the browser, and ways to ask what is stored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

ROWS = 240


@dataclass
class Review:
    """A served workspace with one training sheet, and ways to ask what is stored."""

    url: str
    sheet: str

    def stored(self, row: int) -> dict[str, Any]:
        return httpx.get(f"{self.url}/api/v1/assemblies/{self.sheet}/rows/{row}").json()

    def progress(self) -> dict[str, Any]:
        return httpx.get(f"{self.url}/api/v1/assemblies/{self.sheet}/review-progress").json()

    def page(self, **query: Any) -> str:
        return f"{self.url}/label?sheet={self.sheet}" + "".join(f"&{name}={value}" for name, value in query.items())


def make(ws: Any) -> str:
    """Make a training sheet of questions and return its id."""
    rows = [{"question": f"Question number {i}?", "answer": f"answer {i}"} for i in range(ROWS)]
    sheet = ws.sheets.create("questions", rows=rows)
    plan = {"prompt_template": "Q: {{question}}", "response_column": "answer"}
    return ws.training_sheets.assemble(sheet.id, template=plan, guidelines="Be **kind**.").id


def eventually(check: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (result := check()) and time.monotonic() < until:
        time.sleep(0.05)
    return result


def at(tab: Tab, row: int) -> None:
    """Wait until the pair is on the desk."""
    expect(tab.get_by_text(f"Question number {row}?").first).to_be_visible()
