"""How soon what is typed on the Label page is kept, and how soon another tab shows a decision."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from tests.browser.conftest import browser, tab, visitor  # noqa: F401  fixtures
from tests.browser.test_label import Review, _draft, at, eventually, review  # noqa: F401  fixtures

ROUNDS = 20


def told(name: str, work: Callable[[int], float], target: str) -> None:
    """Do some work a few times and print how long it took."""
    took = sorted(work(turn) for turn in range(ROUNDS))
    p95 = took[int(0.95 * ROUNDS)]
    print(f"\n{name}: p50 {statistics.median(took) * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms of {ROUNDS} (target {target})")


def test_what_is_typed_is_kept(review: Review, tab: Any) -> None:  # noqa: F811
    tab.goto(review.page())
    at(tab, 0)
    tab.keyboard.press("e")
    answer = tab.locator("textarea[aria-label=Response]")
    answer.wait_for()

    def typed(turn: int) -> float:
        begun = time.perf_counter()
        answer.fill(f"words {turn}")
        assert eventually(lambda: _draft(review, 0) == f"words {turn}")
        return time.perf_counter() - begun

    told("a typed answer kept as a draft", typed, "2 s")


def test_a_second_tab_shows_a_decision(review: Review, tab: Any) -> None:  # noqa: F811
    other = tab.context.new_page()
    for page in (other, tab):
        page.goto(review.page())
        at(page, 0)
    tab.bring_to_front()

    def decided(turn: int) -> float:
        at(tab, turn)
        begun = time.perf_counter()
        tab.keyboard.press("a")
        other.get_by_text(f"{turn + 1} labeled", exact=False).first.wait_for()
        return time.perf_counter() - begun

    told("from a key to the counts of another tab", decided, "p50 200 ms")
