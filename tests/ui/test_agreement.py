"""The agreement tab over a real review by several people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.services.test_votes import PLAN, ROWS, Person
from tests.ui.rendered import eventually, shows, started, texts
from workbench.ui.agreement import AgreementView
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


def test_the_tab_follows_the_training_sheet_under_review(local: Any, made: Any) -> None:
    review = started(ReviewView(local, sheet=made.id, mode="agreement"))
    shows(review, "6 pairs reviewed")
    review.mode = "card"
    assert eventually(lambda: review.row == 6 or review.row is not None)
    assert eventually(lambda: not review.faces["agreement"].visible)
    review.close()


def test_without_votes_it_says_why(local: Any, made: Any) -> None:
    alone = local.training_sheets.assemble(made.sheet_id, template=PLAN)
    view = started(AgreementView(local, sheet=alone.id))
    shows(view, "by one person", "Nobody has decided", "No pair is disputed.")
    view.close()
