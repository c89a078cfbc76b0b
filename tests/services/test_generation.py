"""Answers written by a provider, in a job."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import NotEligible, ValidationError

ROWS = [{"q": f"what {n}"} for n in range(150)]
PLAN = {"prompt_template": "Q: {{q}}?", "response_source_mode": "ai_generated"}


@pytest.fixture
def made(ws: Any) -> Any:
    return ws.training_sheets.assemble(ws.sheets.create("rows", rows=ROWS, sample=True).id, template=PLAN)


def test_answers_say_that_they_are_simulated(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, response="mine")
    job = ws.training_sheets.generate(made.id, "simulated")
    assert (job.kind, job.sample) == ("generate", True)
    done = job.wait(progress=False)

    assert (done.status, done.result["generated_count"], done.result["failed_count"], done.result["simulated"]) == (
        "succeeded",
        149,
        0,
        True,
    )
    pair = ws.review.get(made.id, 1)
    assert (pair.response, pair.response_source, pair.simulated) == ("Simulated answer to: Q: what 1?", "ai_generated", True)
    assert (pair.status, 0.5 <= pair.confidence <= 1, pair.sample) == ("unlabeled", True, True)
    assert ws.review.get(made.id, 0).response == "mine"
    edited = ws.review.decide(made.id, 1, action="approve", response="checked")
    assert (edited.response_source, edited.verified_by, edited.simulated) == ("human_verified", "local", False)
    ws.review.undo(made.id)
    assert ws.review.undo(made.id).undone == 149
    assert ws.review.progress(made.id).unlabeled == 150
    assert ws.review.get(made.id, 1).response == ""


def test_a_closed_set_of_answers_is_kept(ws: Any) -> None:
    plan = PLAN | {"label_classes": [{"name": "yes"}, {"name": "no"}]}
    made = ws.training_sheets.assemble(ws.sheets.create("rows", rows=ROWS).id, template=plan)
    ws.training_sheets.generate(made.id, "simulated", row_indices=list(range(20))).wait(progress=False)

    answers = {pair.response for pair in ws.review.queue(made.id, limit=20)}
    assert answers == {"yes", "no"}
    assert ws.training_sheets.get(made.id).counts["response_source"]["ai_generated"] == 20


def test_what_cannot_be_answered_is_refused(ws: Any, made: Any) -> None:
    with pytest.raises(ValidationError, match="simulated"):
        ws.training_sheets.generate(made.id, "simulatd")
    ws.review.decide(made.id, 3, response="mine")
    with pytest.raises(NotEligible):
        ws.training_sheets.generate(made.id, "simulated", row_indices=[3], overwrite_existing=True)
