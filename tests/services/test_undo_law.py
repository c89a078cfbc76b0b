"""Random steps by four people, undone in reverse, lead back to the start: row for row, label for label."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.services.undo_law import Walk, told
from workbench.store.doctor import doctor
from workbench.testing import frozen

STEPS = 200


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_undoing_everything_in_reverse_leads_back(tmp_path: Any) -> None:
    with frozen(tmp_path / "walk.duckdb") as ws:
        ws.transport.strict = False
        walk = Walk(ws, seed=11)
        for _ in range(STEPS):
            walk.step()
        assert len(walk.done) > STEPS / 3
        end = told(walk.db)
        walk.undo_all()

        assert walk.difference() == []
        assert end != walk.start
        assert doctor(walk.db) == []


@pytest.mark.parametrize("seed", range(2))
def test_the_last_steps_come_back_when_made_again(tmp_path: Any, seed: int) -> None:
    with frozen(tmp_path / "walk.duckdb") as ws:
        ws.transport.strict = False
        walk, dice = Walk(ws, seed=seed), random.Random(seed)
        for _ in range(100):
            walk.step()
        walk.clock.advance(minutes=5)
        for _ in range(5):
            some = walk.done[-dice.randint(1, 20) :]
            end = told(walk.db)
            for made, batch in reversed(some):
                walk.people[0].review.undo(made, batch_id=batch)
            for made, batch in some:
                walk.people[0].review.redo(made, batch_id=batch)
            assert told(walk.db) == end
        walk.undo_all()
        assert walk.difference() == []
