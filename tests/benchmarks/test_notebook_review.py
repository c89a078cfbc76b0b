"""Two hundred pairs by keyboard alone in a cell of JupyterLab, the kernel restarted half-way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.browser import lab, lab_review
from tests.browser.conftest import browser, tab, visitor  # noqa: F401  fixtures

PAIRS = 200


def test_two_hundred_pairs_in_a_cell(benchmark: Any, tab: Any, tmp_path: Path) -> None:  # noqa: F811
    lab_review.write(tmp_path, PAIRS + 5)
    with lab.laboratory(tmp_path) as served:
        tab.set_default_timeout(60_000)
        lab.open_notebook(tab, served, lab_review.NOTEBOOK)
        start = time.perf_counter()
        benchmark.pedantic(lab_review.work_through, args=(tab, PAIRS), rounds=1)
        seconds = time.perf_counter() - start
        lab_review.assert_stored(tmp_path, PAIRS)
        assert tab.journal.clean(), tab.journal
    print(f"\n{PAIRS} pairs in {seconds:.0f} s, with two starts of the kernel: none lost, none twice, the draft came back")
