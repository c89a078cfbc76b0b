"""Who judged a pair, and when: the verdict it stands under, whatever has happened to the pair since."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.test_reassembly import PLAN, ROWS, SHORT, change_row, drop_row
from tests.services.test_review_import import TASKS
from tests.services.test_votes import Person
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace

PEOPLE = ("ann", "bob", "cy", "local", "ada@example.org", "user 7")


@pytest.fixture
def made(ws: Any) -> Any:
    sheet = ws.sheets.create("rows", rows=ROWS, item_id_column="id")
    return ws.training_sheets.assemble(sheet.id, template=PLAN, filter="n < 30")


@pytest.fixture
def people(ws: Any) -> list[Any]:
    """Return the reviews of two people beside the one who is there."""
    return [Workspace(LocalTransport(ws.app, user=name)).review for name in PEOPLE[:2]]


@pytest.fixture
def reviewed(ws: Any, made: Any, people: Any) -> Any:
    """Let two people judge some pairs, a day before anything else happens."""
    ann, bob = people
    ann.bulk_approve(made.id, row_indices=[0, 1])
    bob.decide(made.id, 2, action="reject")
    bob.decide(made.id, 3, action="flag", flag_reason="odd")
    ws.clock.advance(days=1)
    return made


def judged(ws: Any, made: Any) -> dict[str, list[int]]:
    """Return the pairs by who judged them, as the queue has it; the figures have to say the same."""
    found = {name: [pair.row_index for pair in ws.review.queue(made.id, status="all", reviewer=name)] for name in PEOPLE}
    found = {name: rows for name, rows in found.items() if rows}
    counts = {name: len(rows) for name, rows in found.items()}
    facets = {facet.name: {value.value: value.count for value in facet.values} for facet in ws.review.facets(made.id).facets}
    assert facets["reviewer"] == counts
    assert {one.reviewer: one.decisions for one in ws.review.progress(made.id).by_reviewer} == counts
    return found


def done(ws: Any, made: Any) -> dict[str, tuple[int, int, int]]:
    """Return what everybody has approved, rejected and flagged, as the page on agreement has it."""
    people = ws.review.agreement(made.id, samples=0).by_reviewer
    return {one.reviewer: (one.approved, one.rejected, one.flagged) for one in people}


def days(ws: Any, made: Any) -> dict[str, int]:
    return {one.day: one.decisions for one in ws.review.progress(made.id).by_day}


def tag(ws: Any, made: Any) -> None:
    ws.sheets.update(made.sheet_id, tags=["PII"])


def note(ws: Any, made: Any) -> None:
    for row in range(6):
        ws.review.decide(made.id, row, notes="seen")


def rights(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, prohibited_uses=["testing"])
    ws.review.bulk_rights(made.id, filter={}, allowed_uses=["training"])


def rights_and_back(ws: Any, made: Any) -> None:
    rights(ws, made)
    ws.review.undo(made.id)
    ws.review.redo(made.id)
    ws.review.undo(made.id)


def reason(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 3, flag_reason="too long")


def text(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 2, response="another", prompt="Another?")


def other_prompts(ws: Any, made: Any) -> None:
    ws.training_sheets.reassemble(made.id, template=SHORT)


def other_prompts_and_back(ws: Any, made: Any) -> None:
    other_prompts(ws, made)
    ws.review.undo(made.id)


@pytest.mark.parametrize("change", [tag, note, rights, rights_and_back, reason, text, other_prompts, other_prompts_and_back])
def test_what_judges_nothing_leaves_each_verdict_to_whom_it_belongs(ws: Any, reviewed: Any, change: Any) -> None:
    change(ws, reviewed)

    assert judged(ws, reviewed) == {"ann": [0, 1], "bob": [2, 3]}
    assert days(ws, reviewed) == {"2026-01-01": 4}
    assert done(ws, reviewed) == {"ann": (2, 0, 0), "bob": (0, 1, 1)}


def test_the_last_verdict_counts_and_undo_gives_the_one_before_back(ws: Any, reviewed: Any, people: Any) -> None:
    ann, bob = people
    bob.decide(reviewed.id, 0, action="reject")
    assert judged(ws, reviewed) == {"ann": [1], "bob": [0, 2, 3]}
    assert days(ws, reviewed) == {"2026-01-01": 3, "2026-01-02": 1}
    bob.undo(reviewed.id)
    assert judged(ws, reviewed) == {"ann": [0, 1], "bob": [2, 3]}
    assert days(ws, reviewed) == {"2026-01-01": 4}
    bob.redo(reviewed.id)
    assert judged(ws, reviewed) == {"ann": [1], "bob": [0, 2, 3]}

    whole = ann.bulk_flag(reviewed.id, row_indices=[0, 1, 2, 7])
    assert judged(ws, reviewed) == {"ann": [0, 1, 2, 7], "bob": [3]}
    ws.review.undo(reviewed.id, batch_id=whole.batch_id)
    assert judged(ws, reviewed) == {"ann": [1], "bob": [0, 2, 3]}
    ws.review.redo(reviewed.id, batch_id=whole.batch_id)
    assert judged(ws, reviewed) == {"ann": [0, 1, 2, 7], "bob": [3]}


def test_what_is_open_again_was_judged_by_nobody(ws: Any, reviewed: Any, people: Any) -> None:
    ws.review.decide(reviewed.id, 0, action="reset")
    many = ws.review.bulk_reset(reviewed.id, row_indices=[1, 2])
    assert judged(ws, reviewed) == {"bob": [3]}
    ws.review.undo(reviewed.id, batch_id=many.batch_id)
    assert judged(ws, reviewed) == {"ann": [1], "bob": [2, 3]}


def test_another_text_of_an_approved_pair_is_an_approval(ws: Any, reviewed: Any, people: Any) -> None:
    _, bob = people
    bob.decide(reviewed.id, 1, response="better")

    assert judged(ws, reviewed) == {"ann": [0], "bob": [1, 2, 3]}
    assert done(ws, reviewed) == {"ann": (1, 0, 0), "bob": (1, 1, 1)}


def test_a_version_that_is_brought_back_is_the_verdict_of_who_gave_it(ws: Any, reviewed: Any, people: Any) -> None:
    _, bob = people
    bob.decide(reviewed.id, 0, action="reject")
    ws.review.decide(reviewed.id, 0, notes="hm")

    back = ws.review.undo(reviewed.id, row_index=0, version=2)
    assert judged(ws, reviewed) == {"ann": [0, 1], "bob": [2, 3]}
    assert days(ws, reviewed) == {"2026-01-01": 4}
    ws.review.undo(reviewed.id, batch_id=back.batch_id)
    assert judged(ws, reviewed) == {"ann": [1], "bob": [0, 2, 3]}
    ws.review.redo(reviewed.id, batch_id=back.batch_id)
    assert judged(ws, reviewed) == {"ann": [0, 1], "bob": [2, 3]}
    ws.review.undo(reviewed.id, row_index=0, version=1)
    assert judged(ws, reviewed) == {"ann": [1], "bob": [2, 3]}


def test_the_same_verdict_of_another_is_told_apart(ws: Any, reviewed: Any, people: Any) -> None:
    ann, _ = people
    ws.review.decide(reviewed.id, 2, action="reset")
    ann.decide(reviewed.id, 2, action="reject")
    assert judged(ws, reviewed) == {"ann": [0, 1, 2], "bob": [3]}
    assert ws.review.undo(reviewed.id, row_index=2, version=2).undone == 1
    assert judged(ws, reviewed) == {"ann": [0, 1], "bob": [2, 3]}


def test_a_flag_for_a_row_that_is_gone_is_nobodys(ws: Any, reviewed: Any) -> None:
    for row in (0, 2, 5):
        drop_row(ws, reviewed.sheet_id, row)
    change_row(ws, reviewed.sheet_id, 35, n=3)
    found = ws.training_sheets.reassemble(reviewed.id)
    assert (found.removed, found.added) == (2, 1)
    assert ws.review.get(reviewed.id, 0).status == "flagged"
    assert judged(ws, reviewed) == {"ann": [1], "bob": [2, 3]}
    ws.review.undo(reviewed.id)
    assert judged(ws, reviewed) == {"ann": [0, 1], "bob": [2, 3]}
    ws.review.redo(reviewed.id)
    assert judged(ws, reviewed) == {"ann": [1], "bob": [2, 3]}


def test_nobody_has_judged_what_is_written_anew_or_known_already(ws: Any, reviewed: Any) -> None:
    asked = {"row_indices": [0, 2, 4], "overwrite_existing": True, "force": True}
    job = ws.training_sheets.generate(reviewed.id, "simulated", **asked).wait(progress=False)
    assert job.result["taken_over"] == 3
    assert judged(ws, reviewed) == {"ann": [1], "bob": [3]}
    ws.review.undo(reviewed.id)
    assert judged(ws, reviewed) == {"ann": [0, 1], "bob": [2, 3]}

    known = ws.training_sheets.assemble(reviewed.sheet_id, template=PLAN)
    assert known.counts["status"]["labeled"] == 2
    assert judged(ws, known) == {}


def test_what_was_judged_elsewhere_stays_the_verdict_of_who_gave_it(ws: Any) -> None:
    done = ws.training_sheets.import_reviews("Intents", rows=TASKS)
    told = judged(ws, done)
    assert {"ada@example.org": 2, "user 7": 2, "local": 1} == {name: len(rows) for name, rows in told.items()}
    tag(ws, done)
    note(ws, done)
    assert judged(ws, done) == told


def shared(local: Any) -> Any:
    sheet = local.sheets.create("rows", rows=ROWS, item_id_column="id")
    return local.training_sheets.assemble(sheet.id, template=PLAN, overlap=2)


def reviewers(local: Any, made: Any) -> dict[str, int]:
    facets = {facet.name: facet.values for facet in local.review.facets(made.id).facets}
    return {value.value: value.count for value in facets["reviewer"]}


def test_the_last_vote_settles_whatever_comes_later(local: Any) -> None:
    made = shared(local)
    ann, bob, cy = (Person(local, made.id, name) for name in ("ann", "bob", "cy"))
    ann.bulk_approve(row_indices=[0, 1, 2])
    bob.vote(0)
    bob.bulk_approve(row_indices=[1])
    tag(local, made)
    cy.decide(0, notes="hm")
    assert reviewers(local, made) == {"bob": 2}
    people = local.review.progress(made.id).by_reviewer
    assert [(one.reviewer, one.approved, one.decisions) for one in people] == [("ann", 2, 3), ("bob", 2, 2)]

    ann.vote(3)
    voted = bob.vote(3)
    assert voted.status == "labeled" and bob.undo().undone == 1
    assert reviewers(local, made) == {"bob": 2}
    assert local.review.redo(made.id, scope="all").undone == 1
    assert reviewers(local, made) == {"bob": 3}, "who makes a vote again has judged nothing"
    assert local.review.undo(made.id).undone == local.review.redo(made.id).undone == 1
    assert reviewers(local, made) == {"bob": 3}


def test_who_asks_for_fewer_votes_has_judged_nothing(local: Any) -> None:
    made = shared(local)
    ann, cy = (Person(local, made.id, name) for name in ("ann", "cy"))
    ann.bulk_approve(row_indices=[0, 1, 2])
    cy.vote(3, "reject")
    local.training_sheets.update(made.id, overlap=1)

    assert reviewers(local, made) == {"ann": 3, "cy": 1}
    assert [pair.row_index for pair in local.review.queue(made.id, status="all", reviewer="cy")] == [3]


def test_the_steward_who_has_the_last_word_gave_it(local: Any) -> None:
    made = shared(local)
    ann, bob, dot = (Person(local, made.id, *who) for who in (("ann",), ("bob",), ("dot", "data_steward")))
    ann.vote(0)
    bob.vote(0, "reject")
    assert reviewers(local, made) == {}
    dot.adjudicate(0, "reject")
    assert reviewers(local, made) == {"dot": 1}
    dot.vote(0, "reset")
    assert reviewers(local, made) == {}
