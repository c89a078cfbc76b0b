"""R2: sixteen reviewers with five hundred decisions each, over HTTP, at one to three reviewers a pair."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench as wb
from tests.e2e.processes import Served, serving
from tests.e2e.reviewing import exact, review, training_sheet

PEOPLE = 16
DECISIONS_EACH = 500


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path: Path = tmp_path_factory.mktemp("reviewers") / "team.duckdb"
    with serving(path) as server:
        yield server


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_sixteen_reviewers(benchmark, served: Served, overlap: int) -> None:
    pairs = PEOPLE * DECISIONS_EACH // overlap
    with wb.open(served.url) as ws:
        sheet = training_sheet(ws, pairs, overlap)
    start = time.perf_counter()
    work = benchmark.pedantic(review, args=(served.url, sheet, overlap, PEOPLE), rounds=1)
    seconds = time.perf_counter() - start
    exact(served.url, work, pairs)
    claims, decisions = (statistics.quantiles(spans, n=100) for spans in (work.claims_ms, work.decisions_ms))
    print(
        f"\noverlap {overlap}: {pairs} pairs, {len(work.decided)} decisions in {seconds:.0f} s ({len(work.decided) / seconds:.0f}/s), "
        f"no double claim, exactly {overlap} a pair; claims p50 {claims[49]:.0f} p95 {claims[94]:.0f} ms, "
        f"decisions p50 {decisions[49]:.0f} p95 {decisions[94]:.0f} ms"
    )
