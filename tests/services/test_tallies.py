"""Tallies that are carried on with each decision say what counting all pairs anew would say."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.services.undo_law import Walk
from workbench.services import tallies
from workbench.testing import frozen

STEPS = 100
KINDS = {"by_state": "count_states", "by_exclusion": "count_exclusions", "by_signals": "count_signals"}


def told(db: Any, made: str, names: Any) -> list[Any]:
    return [getattr(tallies, name)(db, made) for name in names]


def test_tallies_follow_every_kind_of_step(tmp_path: Path) -> None:
    with frozen(tmp_path / "walk.duckdb") as ws:
        ws.transport.strict = False
        walk = Walk(ws, seed=5)
        for _ in range(STEPS):
            walk.step()
            for made in walk.made:
                assert told(walk.db, made, KINDS) == told(walk.db, made, KINDS.values()), walk.counts


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Say how often all pairs were counted."""
    times: Counter[str] = Counter()
    for name in KINDS.values():
        real = getattr(tallies, name)

        def count(db: Any, made: str, name: str = name, real: Any = real) -> Any:
            times[name] += 1
            return real(db, made)

        monkeypatch.setattr(tallies, name, count)
    return times


@pytest.fixture
def made(local: Any) -> str:
    sheet = local.sheets.create("rows", rows=[{"id": f"i{n}", "q": f"what {n}", "a": f"answer {n}"} for n in range(40)])
    return local.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "a"}).id


DECISIONS: tuple[dict[str, Any], ...] = (
    {"action": "approve"},
    {"action": "flag", "flag_reason": "hm"},
    {"action": "approve", "prompt": "Another?"},
    {"prohibited_uses": ["training"]},
    {"action": "reset"},
)


def test_a_decision_lets_nothing_be_counted_anew(local: Any, made: str, counted: Counter[str]) -> None:
    look = (local.review.progress, local.review.facets, local.review.eligibility)
    for call in look:
        call(made)
    before = counted.copy()
    for row in range(10):
        local.review.decide(made, row, **DECISIONS[row % 5])
        local.review.decide(made, row, action="reject")
        for call in look:
            call(made)

    assert counted == before
    assert local.review.progress(made).rejected == 10
    assert local.review.eligibility(made).excluded["rejected"] == 10


def test_anything_bigger_is_counted_anew(local: Any, made: str, counted: Counter[str]) -> None:
    local.review.progress(made)
    local.review.bulk_approve(made, row_indices=[1, 2, 3])

    assert local.review.progress(made).labeled == 3
    assert counted["count_states"] == 2


def test_decisions_of_many_threads_are_all_counted(local: Any, made: str) -> None:
    """Counting and deciding at the same time: whatever comes across, the next look is right."""
    db = local.transport.app.db

    def decide(first: int) -> None:
        for row in range(first, 40, 4):
            local.review.decide(made, row, action=("approve", "reject")[row % 2])
            local.review.progress(made)

    threads = [threading.Thread(target=decide, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told(db, made, KINDS) == told(db, made, KINDS.values())
