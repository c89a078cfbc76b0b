"""The agreement tab over a real review by several people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.services.test_votes import PLAN, ROWS, Person
from tests.ui.rendered import eventually, shows, started, texts
from workbench.domain.record import Action
from workbench.services import disputes, votes
from workbench.ui.agreement import LEADING, AgreementView
from workbench.ui.components.working_button import WorkingButton
from workbench.ui.label_card import dispute_markup
from workbench.ui.label_review import ReviewView


@pytest.fixture
def made(local: Any) -> Any:
    sheet = local.sheets.create("rows", rows=ROWS, item_id_column="id")
    found = local.training_sheets.assemble(sheet.id, template=PLAN, overlap=2)
    ann, bob = Person(local, found.id, "ann"), Person(local, found.id, "bob")
    ann.bulk_approve(row_indices=[0, 1, 2, 3])
    bob.bulk_approve(row_indices=[0, 1])
    ann.bulk_reject(row_indices=[4, 5])
    bob.bulk_reject(row_indices=[3, 4, 5])
    bob.vote(2, response="another text", notes="look again")
    return found


@pytest.fixture
def view(local: Any, made: Any) -> Iterator[AgreementView]:
    found = started(AgreementView(local, sheet=made.id))
    yield found
    found.close()


def test_figures_people_and_disputes_are_shown(view: AgreementView) -> None:
    words = shows(view, "6 pairs reviewed", "Krippendorff's alpha", "Gwet's AC1", "ann", "bob", "disputed", "look again")

    assert "83.3" in words or "0.833" in words


def test_a_dispute_is_settled_from_the_page(local: Any, made: Any, view: AgreementView) -> None:
    shows(view, "look again")
    disputes = view.disputes.query.value
    assert [dispute.row_index for dispute in disputes] == [2, 3]
    view._settle(disputes[0], "approve", response=disputes[0].votes[1].response)

    assert local.review.get(made.id, 2).response == "another text"
    assert eventually(lambda: "look again" not in texts(view))
    view._undo("approve", None)()
    shows(view, "look again")


def test_a_prompt_that_was_voted_on_is_shown_and_followed(local: Any, made: Any, view: AgreementView) -> None:
    shows(view, "look again")
    for name, given in (("ann", {}), ("bob", {"prompt": "another prompt"})):
        Person(local, made.id, name).vote(6, **given)
    assert eventually(lambda: 6 in [dispute.row_index for dispute in view.disputes.query.value])
    assert eventually(lambda: "another" in texts(view))

    dispute = next(one for one in view.disputes.query.value if one.row_index == 6)
    (follow,) = view._vote(dispute, dispute.votes[1]).select(WorkingButton)
    follow.clicks += 1

    assert eventually(lambda: local.review.get(made.id, 6).prompt == "another prompt")


def test_the_tab_follows_the_training_sheet_under_review(local: Any, made: Any) -> None:
    review = started(ReviewView(local, sheet=made.id, mode="agreement"))
    shows(review, "6 pairs reviewed")
    review.mode = "card"
    assert eventually(lambda: review.row == 6 or review.row is not None)
    assert eventually(lambda: not review.faces["agreement"].visible)
    review.close()


def test_a_disputed_pair_leads_to_its_adjudication(local: Any, made: Any) -> None:
    review = started(ReviewView(local, sheet=made.id, status="", row=3))
    assert eventually(lambda: "waits for adjudication" in review.card.pane.shown["parts"].get("notice", ""))
    assert 'data-do="adjudicate"' in review.card.pane.shown["parts"]["notice"]

    review.act("adjudicate")

    shows(review, "look again")
    assert review.mode == "agreement"
    assert [dispute.row_index for dispute in review.agreement.disputes.query.value] == [3, 2]
    assert review.agreement.waiting.styles == LEADING
    review.close()


def test_without_a_disputed_pair_on_the_desk_the_figures_lead(local: Any, made: Any) -> None:
    review = started(ReviewView(local, sheet=made.id, status="", row=6))
    assert eventually(lambda: review.card.pane.shown["item"] == "6")
    assert review.card.pane.shown["parts"]["notice"] == ""

    review.mode = "agreement"

    shows(review, "look again")
    assert review.agreement.waiting.styles == {}
    review.close()


def test_who_may_not_see_disputes_is_never_refused_them(local: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disputes, "ADJUDICATORS", frozenset({"nobody"}))
    monkeypatch.setattr(votes, "ADJUDICATORS", frozenset({"nobody"}))
    view = started(AgreementView(local, sheet=made.id))
    shows(view, "Adjudicating needs the role nobody.")

    view.row = 3

    assert eventually(lambda: view.agreement.query.revision == 2)
    assert view.disputes.query.arguments.get("first") is None and view.disputes.query.revision == 0
    view.close()


def test_who_may_not_adjudicate_reads_who_may() -> None:
    words = dispute_markup((Action(name="adjudicate", enabled=False, reason="It needs somebody else."),))

    assert words == "<div>It needs somebody else.</div>"


def test_without_votes_it_says_why(local: Any, made: Any) -> None:
    alone = local.training_sheets.assemble(made.sheet_id, template=PLAN)
    view = started(AgreementView(local, sheet=alone.id))
    shows(view, "by one person", "Nobody has decided", "No pair is disputed.")
    view.close()
