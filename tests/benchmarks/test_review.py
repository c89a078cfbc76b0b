"""P4 and P5: one decision, and a bulk action with its undo; a look back, a re-assembly, and what it takes in memory."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow as pa
import pytest

import workbench as wb
from workbench.server.serving import Server

SIZES = [int(size) for size in os.environ.get("WORKBENCH_SIZES", "10000,100000,1000000").split(",")]
DECISIONS = 300
MANY = int(os.environ.get("WORKBENCH_DECISIONS", "10000"))
PLAN = {"prompt_template": "Question {{n}}: {{q}}", "response_column": "a", "label_type": "answer"}
OTHER = {**PLAN, "prompt_template": "Question {{n}}: {{q}}{{hint}}"}


def rss() -> float:
    """Return what this process holds, in MiB."""
    return psutil.Process().memory_info().rss / 2**20


def p95(times: list[float]) -> float:
    """Return the 95th percentile in milliseconds."""
    return 1000 * statistics.quantiles(times, n=20)[-1]


@contextlib.contextmanager
def served(ws: Any) -> Iterator[str]:
    """Serve the workspace of this process and give the address."""
    server = Server(ws.transport.app, host="127.0.0.1", port=0, pages=False).start()
    try:
        yield server.url
    finally:
        server.stop()


def timed(call: Callable[[], Any]) -> float:
    """Return the seconds a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@pytest.fixture(scope="module", params=SIZES)
def made(request: Any, tmp_path_factory: Any) -> Any:
    """Make a training sheet of so many pairs; one row in a hundred has a hint."""
    size = request.param
    path: Path = tmp_path_factory.mktemp("review") / "team.duckdb"
    with wb.open(path) as ws:
        numbers = range(size)
        rows = pa.table({
            "id": [f"i{n}" for n in numbers], "n": list(numbers), "q": [f"what is known about item {n}, and since when" for n in numbers],
            "a": [f"answer {n % 1000}" for n in numbers], "hint": ["look closely" if n % 100 == 0 else None for n in numbers],
        })  # fmt: skip
        sheet = ws.sheets.create("rows", rows=rows, item_id_column="id")
        del rows
        yield ws, ws.training_sheets.assemble(sheet.id, template=PLAN), size


def decisions(ws: Any, made: Any, count: int, offset: int = 0) -> list[float]:
    """Decide on pair after pair; return the times."""
    actions = ("approve", "flag", "reject", "reset")
    rows = [(offset + number * 7919) % made.total_rows for number in range(count)]
    return [timed(partial(ws.review.decide, made.id, row, action=actions[n % 4])) for n, row in enumerate(rows)]


def told(times: list[float]) -> str:
    """Return median and 95th percentile in milliseconds."""
    return f"p50 {1000 * statistics.median(times):.1f} p95 {p95(times):.1f} ms"


def bare(path: Path) -> list[float]:
    """Commit row after row to a DuckDB file of their own, with nothing around: the least that durability takes here."""
    with duckdb.connect(path) as connection:
        connection.execute("create table rows (id bigint, text varchar)")
        cursor = connection.cursor()

        def commit(number: int) -> None:
            cursor.begin()
            cursor.execute("insert into rows values (?, 'some words')", [number])
            cursor.commit()

        return [timed(partial(commit, number)) for number in range(DECISIONS)]


def test_one_decision(benchmark: Any, made: Any, tmp_path: Path) -> None:
    """P4: committed, with log and counters, embedded and over HTTP, beside the least a commit takes here."""
    ws, pairs, size = made
    decisions(ws, pairs, 20)
    least = told(bare(tmp_path / "bare.duckdb"))
    embedded = told(decisions(ws, pairs, DECISIONS))
    with served(ws) as url, wb.open(url) as remote:
        decisions(remote, pairs, 20)
        over_http = told(decisions(remote, pairs, DECISIONS, offset=13))
    benchmark.pedantic(lambda: decisions(ws, pairs, 1, offset=5), rounds=20)
    print(f"\nP4 {size} pairs: one decision {embedded} embedded, {over_http} over HTTP; one bare row committed {least}")


def test_bulk(benchmark: Any, made: Any) -> None:
    """P5: approve a tenth by filter, then undo it."""
    ws, pairs, size = made
    approve, undo = [], []
    for turn in range(3):
        wanted = {"where": f"row_index % 10 = {turn + 3}"}
        approve.append(timed(partial(ws.review.bulk_approve, pairs.id, filter=wanted)))
        undo.append(timed(lambda: ws.review.undo(pairs.id)))
    benchmark.pedantic(lambda: ws.review.history(pairs.id, page_size=50), rounds=5)
    shown = [f"{statistics.median(times):.2f} s (worst {max(times):.2f})" for times in (approve, undo)]
    print(f"\nP5 {size} pairs: bulk approve of {size // 10} {shown[0]}, its undo {shown[1]}")


def test_look_back(benchmark: Any, made: Any) -> None:
    """A page, and all pairs, as they were before a bulk action."""
    ws, pairs, size = made
    before = dt.datetime.now(dt.UTC)
    ws.review.bulk_approve(pairs.id, filter={"where": "row_index % 10 = 9"})
    deep = size // 100
    page = [timed(lambda: ws.review.rows(pairs.id, as_of=before, page=deep, page_size=50)) for _ in range(10)]
    table = timed(lambda: ws.review.table(pairs.id, as_of=before))
    benchmark.pedantic(lambda: ws.review.rows(pairs.id, as_of=before, page=deep), rounds=3)
    print(f"\nAs of a time, {size} pairs: a page p95 {p95(page):.0f} ms, all as a DataFrame {table:.2f} s")


def test_reassemble(benchmark: Any, made: Any) -> None:
    """Another template that changes one pair in a hundred, then the way back."""
    ws, pairs, size = made
    preview = timed(lambda: ws.training_sheets.reassemble(pairs.id, template=OTHER, preview=True))
    found: list[Any] = []
    commit = timed(lambda: found.append(ws.training_sheets.reassemble(pairs.id, template=OTHER)))
    back = timed(lambda: ws.review.undo(pairs.id, batch_id=found[0].batch_id))
    benchmark.pedantic(lambda: ws.review.batches(pairs.id), rounds=3)
    print(
        f"\nRe-assembly of {size} pairs, {found[0].changed} change: preview {preview:.2f} s, commit {commit:.2f} s, undo {back:.2f} s"
    )


def test_memory(benchmark: Any, made: Any) -> None:
    """Eight people over HTTP, thousands of decisions: what the owner holds before and after."""
    ws, pairs, size = made
    with served(ws) as url:
        people = [wb.open(url, user=f"user{n}") for n in range(8)]
        for person in people:
            person.review.queue(pairs.id, order="random", seed=3)
            person.review.card(pairs.id, 5)
        gc.collect()
        marks = [rss()]
        for part in range(5):
            for number in range(MANY // 40):
                for person in people:
                    decisions(person, pairs, 1, offset=part * 104_729 + number * 31)
            marks.append(rss())
        benchmark.pedantic(lambda: people[0].review.progress(pairs.id), rounds=5)
        for person in people:
            person.close()
    print(f"\nMemory at {size} pairs, 8 people, {MANY} decisions: {' -> '.join(f'{mark:.0f}' for mark in marks)} MiB")
