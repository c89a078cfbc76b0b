"""What follows a single decision in memory is what counting anew would find."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.services.approved import ended
from tests.services.undo_law import PLAN, Walk
from workbench.services import followed_counts
from workbench.store.memory import Memory
from workbench.testing import frozen

TEXTS = ("a text", " \u200b", "")


@pytest.fixture
def ws() -> Iterator[Any]:
    with frozen() as workspace:
        yield workspace


def shown(ws: Any, made: str) -> list[str]:
    """Return all figures of a review as text."""
    found = (ws.review.progress(made), ws.review.facets(made), ws.review.eligibility(made))
    return [repr(figures.values()) for figures in found]


def anew(ws: Any, made: str) -> list[str]:
    """Return the same with nothing kept; what was kept stays for the next step."""
    db = ws.app.db
    kept, db._memory = db._memory, Memory()
    try:
        return shown(ws, made)
    finally:
        db._memory = kept


def followed(ws: Any, made: str) -> set[str]:
    """Return what is known of a training sheet without counting."""
    db = ws.app.db
    return {key[0] for key in db._memory.under(db.seen("pairs")) if key[1] == made}


ALL = {
    followed_counts.BY_STATE, followed_counts.BY_SOURCE, followed_counts.BY_EXCLUSION, followed_counts.BY_SIGNALS,
    followed_counts.BY_VOTER,
}  # fmt: skip


@pytest.mark.slow
def test_figures_after_random_steps_are_those_counted_anew(ws: Any) -> None:
    walk = Walk(ws, seed=4)
    for _ in range(60):
        walk.step()
        for made in walk.made:
            assert shown(ws, made) == anew(ws, made), walk.counts


def test_single_decisions_are_followed_and_every_one_is_counted(ws: Any) -> None:
    sheet = ws.sheets.create("rows", rows=[{"id": f"i{n}", "q": f"what {n}", "a": f"so {n}"} for n in range(30)], item_id_column="id")
    made, other = (ws.training_sheets.assemble(sheet.id, template=PLAN).id for _ in range(2))
    shown(ws, made), shown(ws, other)
    told = [
        {"action": "approve"}, {"action": "reject"}, {"action": "reset"}, {"response": "mended", "action": "approve"},
        {"prohibited_uses": ["training"]}, {"notes": "a remark"}, {"allowed_uses": ["few_shot"], "prohibited_uses": []},
        {"action": "flag", "flag_reason": "odd"}, {"status": "labeled"}, {"prompt": "asked otherwise"}, {"allowed_uses": None},
        {"response": "mended again"},
    ]  # fmt: skip
    for number, given in enumerate(told * 2):
        ws.clock.advance(hours=7)
        ws.review.decide(made, 3 if number < len(told) else number, **given)

        assert followed(ws, made) >= ALL, given
        assert shown(ws, made) == anew(ws, made), given
        assert followed(ws, other) >= ALL, "what was decided elsewhere changes nothing here"


def test_what_was_measured_on_a_text_that_changes_counts_no_more(ws: Any) -> None:
    rows = [{"id": f"i{n}", "q": f"what {n}", "a": "the very same words of an answer"} for n in range(4)]
    sheet = ws.sheets.create("rows", rows=rows, item_id_column="id")
    made = ws.training_sheets.assemble(sheet.id, template=PLAN).id
    ended(ws, ws.training_sheets.scan(made))
    before = shown(ws, made)

    ws.review.decide(made, 1, response="other words")

    assert shown(ws, made) == anew(ws, made) != before


def test_what_changes_many_or_is_voted_on_is_counted_anew(ws: Any) -> None:
    sheet = ws.sheets.create("rows", rows=[{"id": f"i{n}", "q": f"what {n}", "a": f"so {n}"} for n in range(9)], item_id_column="id")
    made = ws.training_sheets.assemble(sheet.id, template=PLAN).id
    shown(ws, made)

    ws.review.bulk_approve(made, row_indices=[1, 2])
    assert followed(ws, made) == set()
    assert shown(ws, made) == anew(ws, made)
    ws.review.undo(made)
    assert followed(ws, made) == set()
    assert shown(ws, made) == anew(ws, made)


def test_a_refused_decision_moves_nothing(ws: Any) -> None:
    sheet = ws.sheets.create("rows", rows=[{"id": f"i{n}", "q": f"what {n}", "a": ""} for n in range(3)], item_id_column="id")
    made = ws.training_sheets.assemble(sheet.id, template=PLAN).id
    before = shown(ws, made)

    with pytest.raises(Exception, match="response is empty"):
        ws.review.decide(made, 1, action="approve")

    assert (shown(ws, made), anew(ws, made)) == (before, before)


def test_what_keeps_a_pair_out_is_what_the_view_says(ws: Any) -> None:
    sheet = ws.sheets.create("rows", rows=[{"id": "i0", "q": "what", "a": "so"}], item_id_column="id")
    made = ws.training_sheets.assemble(sheet.id, template=PLAN).id
    db = ws.app.db
    names = ("status", "stale", "prohibited_mask", "allowed_mask", "prompt", "response")
    states = itertools.product(("labeled", "flagged"), (False, True), (0, 1, 2), (None, 0, 1, 2), TEXTS, TEXTS)
    for state in states:
        with db.write():
            settings = ", ".join(f"{name} = ?" for name in names)
            db.execute(f"update pair_rows set {settings} where training_sheet_id = ?", [*state, made])

        expected = db.value("select excluded_by from pair_eligibility where training_sheet_id = ?", [made])
        assert followed_counts.excluded_by(dict(zip(names, state, strict=True))) == expected, state
