"""What was measured on a text goes with the text, and comes back with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.test_queues import MEASURED
from tests.services.test_reassembly import PLAN, SHORT, change_row
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.store.doctor import doctor

ROWS = [{"id": f"i{n}", "q": f"what {n}", "a": f"answer {n % 4}", "n": n} for n in range(12)]
STANDING = "select row_index, signals, training_loss, prompt, response from pair_rows order by row_index"


@pytest.fixture
def made(ws: Any) -> Any:
    """Return a training sheet on whose pairs, but the last, something was measured."""
    sheet = ws.sheets.create("rows", rows=ROWS, item_id_column="id")
    made = ws.training_sheets.assemble(sheet.id, template=PLAN, filter="n < 10")
    measure(ws, "row_index < 9")
    return made


def measure(ws: Any, where: str, *, add: float = 0) -> None:
    """Measure some pairs, as a scan and a training do."""
    with ws.app.db.write():
        ws.app.db.execute(f"update pair_rows set signals = {MEASURED}, training_loss = row_index + {add} where {where}")


def standing(ws: Any) -> list[tuple[Any, ...]]:
    """Return texts of all pairs with what is measured on them."""
    return ws.app.db.tuples(STANDING)


def bare(ws: Any) -> list[int]:
    """Return the pairs on which nothing is measured."""
    return [row for row, signals, loss, *_ in standing(ws) if signals is None and loss is None]


def edited(ws: Any, made: Any) -> Callable[[], Any]:
    return lambda: ws.review.decide(made.id, 3, response="by hand", action="approve")


def rewritten(ws: Any, made: Any) -> Callable[[], Any]:
    return lambda: ws.review.decide(made.id, 3, prompt="Another?")


def restored(ws: Any, made: Any) -> Callable[[], Any]:
    """Bring back what a pair was before it was edited and measured anew."""
    before = ws.review.get(made.id, 3).version
    ws.review.decide(made.id, 3, response="by hand")
    measure(ws, "row_index = 3", add=40)
    return lambda: ws.review.undo(made.id, row_index=3, version=before)


def reassembled(ws: Any, made: Any) -> Callable[[], Any]:
    return lambda: ws.training_sheets.reassemble(made.id, template=SHORT)


def followed(ws: Any, made: Any) -> Callable[[], Any]:
    """Let two responses follow their column, and a row join."""
    change_row(ws, made.sheet_id, 3, a="other")
    change_row(ws, made.sheet_id, 5, a="other too")
    change_row(ws, made.sheet_id, 10, n=1)
    return lambda: ws.training_sheets.reassemble(made.id)


def person(ws: Any, name: str) -> Workspace:
    return Workspace(LocalTransport(ws.app, user=name))


def voted(ws: Any, made: Any) -> Callable[[], Any]:
    """Let the second of two people agree on another answer."""
    ws.training_sheets.update(made.id, overlap=2)
    person(ws, "ann").review.decide(made.id, 3, response="settled", action="approve")
    return lambda: person(ws, "bob").review.decide(made.id, 3, response="settled", action="approve")


@pytest.mark.parametrize("change", [edited, rewritten, restored, reassembled, followed, voted])
def test_a_step_back_brings_back_what_was_measured(ws: Any, made: Any, change: Callable[..., Any]) -> None:
    do = change(ws, made)
    start, bare_at_start = standing(ws), bare(ws)
    do()
    batch, changed = ws.review.batches(made.id)[0].id, standing(ws)
    assert len(bare(ws)) > len(bare_at_start) or change is restored

    ws.review.undo(made.id, batch_id=batch)
    assert standing(ws) == start
    if change is not voted:  # votes are cast anew, as a batch of their own
        ws.review.redo(made.id, batch_id=batch)
        assert standing(ws) == changed
        ws.review.undo(made.id, batch_id=batch)
        assert standing(ws) == start
    assert doctor(ws.app.db) == []


@pytest.mark.parametrize("change", [edited, restored, reassembled, followed])
def test_what_was_measured_since_goes_and_comes_with_its_text(ws: Any, made: Any, change: Callable[..., Any]) -> None:
    change(ws, made)()
    batch = ws.review.batches(made.id)[0].id
    measure(ws, "row_index >= 3", add=100)
    changed = standing(ws)

    ws.review.undo(made.id, batch_id=batch)
    measure(ws, "row_index = 3", add=200)
    start = standing(ws)
    ws.review.redo(made.id, batch_id=batch)
    assert standing(ws) == changed
    ws.review.undo(made.id, batch_id=batch)
    assert standing(ws) == start


def test_a_state_brought_back_leaves_what_was_measured(ws: Any, made: Any) -> None:
    version = ws.review.get(made.id, 3).version
    ws.review.decide(made.id, 3, action="reject")
    start = standing(ws)
    batch = ws.review.undo(made.id, row_index=3, version=version).batch_id
    assert standing(ws) == start
    ws.review.undo(made.id, batch_id=batch)
    assert standing(ws) == start


def test_only_a_change_of_a_measured_text_is_kept_with_figures(ws: Any, made: Any) -> None:
    ws.review.bulk_approve(made.id, row_indices=[0, 1, 2])
    ws.review.decide(made.id, 3, notes="hm")
    ws.review.decide(made.id, 9, response="never measured")
    assert ws.app.db.tuples("select row_index from decisions where measured_before is not null") == []
    ws.review.decide(made.id, 3, response="by hand")
    assert ws.app.db.tuples("select row_index, measured_before.training_loss from decisions where measured_before is not null") == [(3, 3)]


def test_a_look_back_shows_what_was_measured_then(ws: Any, made: Any) -> None:
    then, version, quality = ws.clock.now(), ws.review.get(made.id, 3).version, ws.review.get(made.id, 3).quality
    ws.clock.advance(minutes=1)
    ws.review.decide(made.id, 3, response="by hand")

    assert ws.review.get(made.id, 3).quality is None
    assert ws.review.get(made.id, 3, version=version).quality == quality
    assert ws.review.rows(made.id, as_of=then)[3].quality == quality
    ws.clock.advance(minutes=1)
    since = ws.clock.now()
    ws.clock.advance(minutes=1)
    ws.review.undo(made.id)
    assert ws.review.rows(made.id, as_of=since)[3].quality is None
    assert ws.review.get(made.id, 3).quality == quality
