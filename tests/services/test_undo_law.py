"""Random steps by four people, undone in reverse, lead back to the start: row for row, label for label."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.services.undo_law import Walk, told
from workbench.store.doctor import doctor
from workbench.testing import frozen

STEPS = 140


class Newcomer(Walk):
    """Do without what older files do not tell exactly: which of two like versions was brought back."""

    _kinds = {name: kind for name, kind in Walk._kinds.items() if name != "restore"}


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


def verdicts(db: Any) -> list[Any]:
    """Return whose verdict each pair stands under, and what the log says of that."""
    pairs = db.tuples("select training_sheet_id, row_index, decided_batch from pair_rows order by all")
    return [pairs, db.tuples("select id, decided_before, decided_after from decision_log order by id")]


@pytest.mark.slow
def test_an_older_file_learns_whose_each_verdict_is(tmp_path: Any) -> None:
    with frozen(tmp_path / "walk.duckdb") as ws:
        ws.transport.strict = False
        walk = Newcomer(ws, seed=1)
        for _ in range(110):
            walk.step()
        walk.clock.advance(minutes=5)
        for made, batch in reversed(walk.done[-20:]):
            walk.people[0].review.undo(made, batch_id=batch)
        told = verdicts(walk.db)
        with walk.db.write():
            walk.db.execute("alter table pair_rows drop column decided_batch")
            walk.db.execute("alter table decision_log drop column decided_before")
            walk.db.execute("alter table decision_log drop column decided_after")
            walk.db.execute("delete from schema_migration where number = 28")
    with frozen(tmp_path / "walk.duckdb") as ws:
        assert verdicts(ws.app.db) == told
        assert len({batch for *_, batch in told[0]}) > 10


@pytest.mark.parametrize("seed", range(2))
def test_the_last_steps_come_back_when_made_again(tmp_path: Any, seed: int) -> None:
    with frozen(tmp_path / "walk.duckdb") as ws:
        ws.transport.strict = False
        walk, dice = Walk(ws, seed=seed), random.Random(seed)
        for _ in range(70):
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
