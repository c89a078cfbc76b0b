"""P3 and P6: pages of the review queue by order, filter and depth, and the figures beside it.

Sizes come from WORKBENCH_BENCH_ROWS (100000).
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import workbench as wb
from workbench.services.queues import Order, encode_cursor

SIZES = [int(size) for size in os.environ.get("WORKBENCH_BENCH_ROWS", "100000").split(",")]
ROUNDS = 10
DEPTHS = (0.0, 0.5, 0.9)
WORDS = ["river", "stone", "market", "window", "garden", "letter", "mountain", "bridge", "paper", "engine", "silver", "planet"]
PLAN = {"prompt_template": "Question {{id}}: {{question}}", "response_column": "answer"}
ORDERS = ("row_index", "confidence", "length", "random", "updated", "disagreement", "concern", "outlier")
FILTERS: dict[str, dict[str, Any]] = {
    "all": {"status": "all"},
    "unlabeled": {"status": "unlabeled"},
    "labeled": {"status": "labeled"},
    "signals": {"status": "all", "signals": ["outlier:2..8", "language:en"]},
    "search": {"search": "silver planet"},
    "regex": {"regex": r"river \w+ stone"},
    "where": {"where": "length(response) > 60 and topic = 'topic 5'"},
}
# What a scan of so many distinct texts would leave, without waiting for it.
SIGNED = """update pair_rows set signals = {'duplicates': (hash(row_index) % 3)::bigint, 'duplicate_group': row_index,
'near_duplicates': 0, 'near_group': null, 'length': length(response), 'words': 3,
'language': case hash(row_index) % 4 when 0 then 'en' when 1 then 'de' else 'fr' end, 'pii': (hash(row_index) % 50 = 0)::int,
'pii_kinds': case when hash(row_index) % 50 = 0 then 'email' else '' end, 'leakage': (hash(row_index * 3) % 1000) / 1000.0,
'refusal': hash(row_index) % 100 = 0, 'repetition': 0.0, 'outlier': (hash(row_index * 7) % 10000) / 1000.0,
'outlier_by': 'length', 'concern': (hash(row_index * 11) % 1000) / 1000.0}"""


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size:,}")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str, int]]:
    """Make a training sheet of so many pairs, a tenth of them approved; nothing is scanned yet."""
    size, r = request.param, random.Random(1)
    path: Path = tmp_path_factory.mktemp("queue") / "team.duckdb"
    columns = {
        "id": [f"i{n}" for n in range(size)],
        "question": [" ".join(r.choices(WORDS, k=12)) for _ in range(size)],
        "answer": [" ".join(r.choices(WORDS, k=r.randint(3, 20))) for _ in range(size)],
        "topic": [f"topic {n % 40}" for n in range(size)],
    }
    with wb.open(path, share=False) as ws:
        sheet = ws.sheets.create("rows", rows=pa.table(columns), item_id_column="id")
        del columns
        pairs = ws.training_sheets.assemble(sheet.id, template=PLAN)
        ws.review.bulk_approve(pairs.id, filter={"where": "row_index % 10 = 3"})
        yield ws, pairs.id, size


@pytest.fixture(scope="module")
def scanned(made: tuple[Any, str, int]) -> tuple[Any, str, int]:
    """Give every pair its signals."""
    db = made[0].transport.app.db
    with db.write():
        db.execute(SIGNED)
    db.checkpoint()
    return made


def took(call: Callable[[], Any]) -> str:
    """Return median and 95th percentile of a call in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - begun))
    return f"p50 {statistics.median(times):6.1f} ms, p95 {statistics.quantiles(times, n=20)[-1]:6.1f}"


def cursor_at(ws: Any, order: str, depth: float, size: int) -> str | None:
    """Return the cursor that lies so deep in the whole queue."""
    if not depth:
        return None
    wanted = Order(name=order)
    place = "select {0}, row_index from pair_rows order by {0}, row_index limit 1 offset {1}"
    return encode_cursor(wanted, *ws.transport.app.db.tuples(place.format(wanted.sql, int(size * depth)))[0])


def test_length_before_a_scan(benchmark: Any, made: tuple[Any, str, int]) -> None:
    """P3: the longest answers first, while no signal says how long they are."""
    ws, pairs, size = made
    page = lambda: ws.review.queue(pairs, order="length", descending=True)  # noqa: E731
    print(f"\nP3 {size:,} pairs, by length before a scan: {took(page)}")
    benchmark.pedantic(page, rounds=3)


@pytest.mark.parametrize("order", ORDERS)
def test_pages(benchmark: Any, scanned: tuple[Any, str, int], order: str) -> None:
    """P3: a page at the beginning, in the middle and near the end, for each filter."""
    ws, pairs, size = scanned
    for name, wanted in FILTERS.items():
        for depth in DEPTHS:
            cursor = cursor_at(ws, order, depth, size)
            page = ws.review.queue(pairs, order=order, cursor=cursor, **wanted)
            assert page.total > 0, name
            times = took(lambda cursor=cursor, wanted=wanted: ws.review.queue(pairs, order=order, cursor=cursor, **wanted))
            print(f"\nP3 {size:,} pairs, {name} by {order} at {depth:.0%}: {times}", end="")
    benchmark.pedantic(lambda: ws.review.queue(pairs, order=order), rounds=3)


def test_figures(benchmark: Any, scanned: tuple[Any, str, int]) -> None:
    """P6: what stands beside the queue, drawn again after each decision."""
    ws, pairs, size = scanned
    calls = {"progress": ws.review.progress, "facets": ws.review.facets, "eligibility": ws.review.eligibility}
    for name, call in calls.items():
        print(f"\nP6 {size:,} pairs, {name}: {took(lambda call=call: call(pairs))}", end="")
    assert ws.review.progress(pairs).total == size
    benchmark.pedantic(lambda: ws.review.progress(pairs), rounds=3)
