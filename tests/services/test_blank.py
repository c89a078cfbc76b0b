"""Blank texts: what nobody can read is no answer, wherever it is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.approved import change
from workbench.errors import InvalidTransition, ValidationError

PLAN = {"prompt_template": "{{q}}", "response_source_mode": "existing_column", "response_column": "a", "label_type": "answer"}
BLANKS = ["\n\t", "\u00a0", "\u200b\ufeff", "  "]


@pytest.fixture
def made(ws: Any) -> Any:
    rows = [{"q": f"what {n}", "a": BLANKS[n] if n < len(BLANKS) else f"answer {n % 2}"} for n in range(20)]
    return ws.training_sheets.assemble(ws.sheets.create("edges", rows=rows).id, template=PLAN)


def test_one_by_one_and_in_bulk_the_same_pairs_are_refused(ws: Any, made: Any) -> None:
    for row in range(len(BLANKS)):
        with pytest.raises(InvalidTransition):
            ws.review.decide(made.id, row, action="approve")

    found = ws.review.bulk_approve(made.id, filter={})

    assert (found.done, found.skipped) == (16, {"no_response": 4})


def test_votes_in_bulk_leave_blank_responses_out(ws: Any, made: Any) -> None:
    ws.training_sheets.update(made.id, overlap=2)

    assert ws.review.bulk_approve(made.id, row_indices=[0, 1, 2, 3, 4]).skipped == {"no_response": 4}


def test_a_blank_response_is_asked_for(ws: Any, made: Any) -> None:
    assert ws.training_sheets.estimate(made.id, "simulated").rows == len(BLANKS)


def test_blank_pairs_that_were_approved_keep_no_other_from_training(local: Any, made_before: Any) -> None:
    found = local.review.eligibility(made_before.id)

    assert (found.eligible, found.excluded["blank"]) == (17, 3)
    assert [(one.label, one.count) for one in found.reasons] == [("with a blank prompt or response", 3)]
    job = local.training.create(made_before.id, "m", "ngrams-tfidf")
    assert job.total_pairs == 17
    assert local.training_sheets.export(made_before.id).files[0].rows == 17


@pytest.fixture
def made_before(local: Any) -> Any:
    """Return a training sheet whose blank pairs were approved when that was still possible."""
    rows = [{"q": f"what {n}", "a": f"answer {n % 2}"} for n in range(20)]
    made = local.training_sheets.assemble(local.sheets.create("old", rows=rows).id, template=PLAN)
    local.review.bulk_approve(made.id, filter={})
    change(local, made.id, "response = chr(10)", "row_index < 2")
    change(local, made.id, "prompt = chr(8203)", "row_index = 2")
    return made


def test_a_blank_truth_is_refused(ws: Any, made: Any) -> None:
    with pytest.raises(ValidationError, match="label: is blank"):
        ws.labels.create(made.sheet_id, "5", "\n")
