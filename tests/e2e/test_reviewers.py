"""Sixteen reviewers at one server: no pair is handed out once too often, each gets exactly its decisions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench as wb
from tests.e2e.processes import Served, serving
from tests.e2e.reviewing import exact, review, training_sheet

# A busy machine takes its time.
pytestmark = pytest.mark.timeout(600)
PEOPLE = 16
DECISIONS_EACH = 10


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path: Path = tmp_path_factory.mktemp("reviewers") / "team.duckdb"
    with serving(path) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_every_pair_gets_exactly_its_decisions(served: Served, overlap: int) -> None:
    pairs = PEOPLE * DECISIONS_EACH // overlap
    with wb.open(served.url) as ws:
        sheet = training_sheet(ws, pairs, overlap)
    exact(served.url, review(served.url, sheet, overlap, PEOPLE), pairs)
