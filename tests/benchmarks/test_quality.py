"""What a quality scan costs, measure by measure and as a whole, and the profile of a sheet.

Sizes come from WORKBENCH_BENCH_ROWS (100000).
"""

from __future__ import annotations

import csv
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

import workbench as wb
from workbench.config import dataset_path
from workbench.signals.duplicates import exact, near
from workbench.signals.language import languages
from workbench.signals.pii import personal

SIZES = [int(size) for size in os.environ.get("WORKBENCH_BENCH_ROWS", "100000").split(",")]
# With few words texts resemble each other by chance, so they are those of a real text.
WORDS = [word for row in csv.DictReader(dataset_path("stdlib_functions.csv").open()) for word in row["doc"].split()]


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size:,}")
def rows(request: pytest.FixtureRequest) -> pa.Table:
    """Return questions and answers; one in a hundred repeats the row before it, one in a hundred nearly."""
    r, made = random.Random(1), [("", "")]
    for n in range(request.param):
        question, answer = " ".join(r.choices(WORDS, k=r.randint(8, 30))), " ".join(r.choices(WORDS, k=r.randint(5, 40)))
        if n % 100 == 50:
            question, answer = made[-1]
        elif n % 100 == 70:
            question, answer = f"{made[-1][0]} {r.choice(WORDS)}", made[-1][1]
        elif n % 100 == 90:
            question += f" write to name{n}@example.com"
        made.append((question, answer))
    questions, answers = zip(*made[1:], strict=True)
    return pa.table({"id": [f"i{n}" for n in range(request.param)], "question": questions, "answer": answers})


@pytest.fixture(scope="module")
def kept(rows: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """Return a workspace with the rows as a sheet."""
    with wb.open(tmp_path_factory.mktemp("quality") / "team.duckdb", share=False) as ws:
        yield ws, ws.sheets.create("rows", rows=rows, item_id_column="id")


def once(benchmark: Any, name: str, size: int, work: Callable[[], Any]) -> Any:
    """Do the work once, print its seconds on the wall and on the processor, and return what it returned."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = benchmark.pedantic(work, rounds=1)
    print(f"\n{name}, {size:,} rows: {time.perf_counter() - wall:.2f} s, {time.process_time() - cpu:.2f} s of this process")
    return found


def texts(rows: pa.Table) -> pa.ChunkedArray:
    """Return question and answer of each row as one text."""
    pairs = zip(rows["question"].to_pylist(), rows["answer"].to_pylist(), strict=True)
    return pa.chunked_array([pa.array([f"{question}\n{answer}" for question, answer in pairs])])


def test_exact_duplicates(benchmark: Any, rows: pa.Table) -> None:
    whole = texts(rows)
    once(benchmark, "exact duplicates", len(whole), lambda: exact(whole))


def test_near_duplicates(benchmark: Any, rows: pa.Table) -> None:
    whole = texts(rows)
    once(benchmark, "near duplicates", len(whole), lambda: near(whole, lambda done, words: None))


@pytest.mark.parametrize("measure", [personal, languages], ids=lambda measure: measure.__name__)
def test_measures_of_single_rows(benchmark: Any, rows: pa.Table, measure: Callable[[Any], Any]) -> None:
    whole = texts(rows).combine_chunks()
    once(benchmark, measure.__name__, len(whole), lambda: measure(whole))


def test_scan(benchmark: Any, kept: tuple[Any, Any]) -> None:
    """The whole scan in its own process, then what a page asks of it."""
    ws, sheet = kept
    scan = lambda: ws.sheets.scan(sheet.id, response_column="answer").wait(progress=False)  # noqa: E731
    assert once(benchmark, "scan", sheet.item_count, scan).status == "succeeded"
    begun = time.perf_counter()
    found = ws.sheets.quality(sheet.id)
    summary = time.perf_counter() - begun
    begun = time.perf_counter()
    page = ws.sheets.quality_rows(sheet.id, order="concern", descending=True)
    print(f"its summary {summary:.2f} s, a page of rows {time.perf_counter() - begun:.2f} s: {found.summary}")
    assert found.scanned == page.total == sheet.item_count


def test_profile(benchmark: Any, kept: tuple[Any, Any]) -> None:
    ws, sheet = kept
    assert len(once(benchmark, "profile", sheet.item_count, lambda: ws.sheets.profile(sheet.id)).columns) == 3
