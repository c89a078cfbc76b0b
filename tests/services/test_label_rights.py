"""A truth is handed on with the rights of the pairs it came from, and goes when they are rejected."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.test_reassembly import change_row
from workbench.errors import NotFound, ValidationError

ROWS = [{"id": f"k{n}", "q": f"what {n}", "a": f"answer {n}"} for n in range(8)]
PLAN = {"prompt_template": "{{q}}", "response_source_mode": "existing_column", "response_column": "a"}


@pytest.fixture
def sheet(ws: Any) -> Any:
    return ws.sheets.create("rows", rows=ROWS, item_id_column="id")


@pytest.fixture
def made(ws: Any, sheet: Any) -> Any:
    return ws.training_sheets.assemble(sheet.id, template=PLAN)


def rights(ws: Any, sheet: Any, item: str) -> Any:
    label = ws.labels.lookup(sheet.id, item)
    return label.allowed_uses, label.prohibited_uses


def known(ws: Any, sheet: Any, item: str) -> str | None:
    try:
        return ws.labels.lookup(sheet.id, item).label
    except NotFound:
        return None


def test_rights_given_with_or_after_an_approval_reach_the_label(ws: Any, sheet: Any, made: Any) -> None:
    ws.review.bulk_approve(made.id, row_indices=[0, 1, 2, 3])
    ws.review.decide(made.id, 0, response="secret", prohibited_uses=["training"])
    ws.review.decide(made.id, 1, prohibited_uses=["testing"], allowed_uses=["few_shot"])
    bulk = ws.review.bulk_rights(made.id, row_indices=[2, 3], prohibited_uses=["training"])
    ws.review.decide(made.id, 4, action="approve", prohibited_uses=["evaluation"])

    assert rights(ws, sheet, "k0") == (None, ("training",))
    assert rights(ws, sheet, "k1") == (("few_shot",), ("testing",))
    assert rights(ws, sheet, "k2") == rights(ws, sheet, "k3") == (None, ("training",))
    assert rights(ws, sheet, "k4") == (None, ("evaluation",))
    other = ws.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}?", "response_source_mode": "manual_labeling"})
    assert [ws.review.get(other.id, row).prohibited_uses for row in range(3)] == [("training",), ("testing",), ("training",)]
    assert ws.review.get(other.id, 1).allowed_uses == ("few_shot",)

    ws.review.decide(made.id, 4, prohibited_uses=[])
    assert rights(ws, sheet, "k4") == (None, ("evaluation",)), "a pair that relies on it is still barred"
    assert ws.review.undo(made.id, batch_id=bulk.batch_id).undone == 2


def test_undo_gives_a_label_its_rights_back(ws: Any, sheet: Any, made: Any) -> None:
    stated = ws.labels.create(sheet.id, "k5", "answer 5", prohibited_uses=["testing"])
    steps = [
        lambda: ws.review.decide(made.id, 5, action="approve", prohibited_uses=["training"]),
        lambda: ws.review.bulk_rights(made.id, row_indices=[5], prohibited_uses=["few_shot"], allowed_uses=["evaluation"]),
        lambda: ws.review.decide(made.id, 5, action="flag"),
        lambda: ws.review.decide(made.id, 5, action="approve"),
        lambda: ws.review.decide(made.id, 5, response="other"),
        lambda: ws.review.bulk_reset(made.id, row_indices=[5]),
    ]
    seen = [(known(ws, sheet, "k5"), rights(ws, sheet, "k5"))]
    for step in steps:
        step()
        seen.append((known(ws, sheet, "k5"), rights(ws, sheet, "k5")))

    assert seen[1] == ("answer 5", (None, ("training", "testing")))
    assert seen[2] == ("answer 5", (("evaluation",), ("few_shot", "testing")))
    assert seen[-1] == seen[0] == ("answer 5", (None, stated.prohibited_uses))
    for state in reversed(seen[:-1]):
        ws.review.undo(made.id)
        assert (known(ws, sheet, "k5"), rights(ws, sheet, "k5")) == state
    for state in seen[1:]:
        ws.review.redo(made.id)
        assert (known(ws, sheet, "k5"), rights(ws, sheet, "k5")) == state


@pytest.mark.parametrize("action", ["reject", "reset", "flag"])
@pytest.mark.parametrize("bulk", [False, True])
def test_what_is_not_approved_any_more_is_no_truth(ws: Any, sheet: Any, made: Any, action: str, bulk: bool) -> None:
    ws.review.decide(made.id, 0, action="approve")
    ws.review.decide(made.id, 0, response="better")
    if bulk:
        getattr(ws.review, f"bulk_{action}")(made.id, row_indices=[0, 1])
    else:
        ws.review.decide(made.id, 0, action=action)

    assert known(ws, sheet, "k0") is None
    other = ws.training_sheets.assemble(sheet.id, template=PLAN)
    assert (ws.review.get(other.id, 0).status, ws.review.get(other.id, 0).response_source) == ("unlabeled", "imported")

    ws.review.undo(made.id)
    assert known(ws, sheet, "k0") == "better"
    ws.review.redo(made.id)
    assert known(ws, sheet, "k0") is None


def test_what_somebody_relies_on_stays(ws: Any, sheet: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve")
    other = ws.training_sheets.assemble(sheet.id, template=PLAN)
    ws.review.decide(made.id, 0, action="reject")
    assert known(ws, sheet, "k0") == "answer 0"

    ws.review.decide(other.id, 0, action="reject")
    assert known(ws, sheet, "k0") is None
    ws.review.undo(other.id)
    ws.review.undo(made.id)
    assert (known(ws, sheet, "k0"), ws.review.get(made.id, 0).status) == ("answer 0", "labeled")


def test_a_doubted_truth_waits_until_somebody_decides(ws: Any, sheet: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve", prohibited_uses=["training"])
    ws.review.decide(made.id, 0, action="flag")
    assert known(ws, sheet, "k0") is None
    ws.review.decide(made.id, 0, action="reject")
    assert known(ws, sheet, "k0") is None
    ws.review.undo(made.id)
    assert (known(ws, sheet, "k0"), ws.review.get(made.id, 0).status) == (None, "flagged")
    ws.review.undo(made.id)
    assert (known(ws, sheet, "k0"), rights(ws, sheet, "k0")) == ("answer 0", (None, ("training",)))

    ws.review.redo(made.id)
    ws.review.decide(made.id, 0, action="approve")
    assert (known(ws, sheet, "k0"), rights(ws, sheet, "k0")) == ("answer 0", (None, ("training",)))


def test_a_pair_that_a_new_assembly_flags_keeps_its_truth_back_too(ws: Any, sheet: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN, filter="q <> 'left'")
    ws.review.decide(made.id, 0, action="approve")
    change_row(ws, sheet.id, 0, q="left")

    batch = ws.training_sheets.reassemble(made.id).batch_id
    states = [(ws.review.get(made.id, 0).status, known(ws, sheet, "k0"))]
    ws.review.undo(made.id, batch_id=batch)
    states.append((ws.review.get(made.id, 0).status, known(ws, sheet, "k0")))
    ws.review.redo(made.id, batch_id=batch)

    states.append((ws.review.get(made.id, 0).status, known(ws, sheet, "k0")))
    assert states == [("flagged", None), ("labeled", "answer 0"), ("flagged", None)]


def test_a_pair_that_states_another_kind_of_truth_has_no_say_in_its_former_one(ws: Any, sheet: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve")
    other = ws.training_sheets.assemble(sheet.id, template=PLAN)
    assert ws.review.get(other.id, 0).status == "labeled"
    ws.training_sheets.reassemble(made.id, template={**PLAN, "prompt_template": "{{q}}?", "label_type": "told"})
    ws.review.decide(made.id, 0, response="another", action="approve")
    ws.review.decide(made.id, 0, action="flag")

    ws.review.decide(other.id, 0, action="reject")
    assert known(ws, sheet, "k0") == "answer 0"
    ws.review.undo(other.id)
    assert (known(ws, sheet, "k0"), ws.review.get(other.id, 0).status) == ("answer 0", "labeled")


@pytest.mark.parametrize("bulk", [False, True])
def test_what_binds_a_pair_binds_what_it_stated_under_another_template(ws: Any, sheet: Any, made: Any, bulk: bool) -> None:
    ws.review.decide(made.id, 0, action="approve")
    ws.training_sheets.reassemble(made.id, template={**PLAN, "prompt_template": "{{q}}?", "label_type": "told"})
    ws.review.decide(made.id, 0, action="approve")

    def barred() -> dict[str, Any]:
        return {label.label_type: label.prohibited_uses for label in ws.labels.list(sheet_id=sheet.id)}

    if bulk:
        ws.review.bulk_rights(made.id, row_indices=[0], prohibited_uses=["training"])
    else:
        ws.review.decide(made.id, 0, prohibited_uses=["training"])
    states = [barred()]
    ws.review.undo(made.id)
    assert [*states, barred()] == [{"response": ("training",), "told": ("training",)}, {"response": (), "told": ()}]


def test_a_truth_that_somebody_stated_by_hand_outlives_the_doubt_in_a_pair(ws: Any, sheet: Any, made: Any) -> None:
    ws.labels.create(sheet.id, "k0", "answer 0")
    ws.review.decide(made.id, 0, action="approve")
    ws.review.decide(made.id, 0, action="flag")
    assert known(ws, sheet, "k0") == "answer 0"


def test_a_bar_said_by_hand_outlives_other_rights_of_the_pair(ws: Any, sheet: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve")
    label = ws.labels.lookup(sheet.id, "k0")
    ws.labels.update(label.id, prohibited_uses=["training"])
    ws.review.decide(made.id, 0, prohibited_uses=["testing"])
    assert rights(ws, sheet, "k0") == (None, ("training", "testing"))
    assert ws.labels.update(label.id, prohibited_uses=[]).prohibited_uses == ("testing",)


def test_no_use_allowed_is_not_every_use(ws: Any, sheet: Any) -> None:
    ws.labels.create(sheet.id, "k0", "x", allowed_uses=[])
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    assert ws.review.get(made.id, 0).allowed_uses == ()


def test_a_late_tag_bars_the_labels(ws: Any, sheet: Any, made: Any) -> None:
    ws.labels.create(sheet.id, "k7", "x")
    ws.review.decide(made.id, 0, action="approve")
    ws.sheets.update(sheet.id, tags=["PII"])

    assert rights(ws, sheet, "k0") == rights(ws, sheet, "k7") == (None, ("training", "validation"))


@pytest.mark.parametrize("blank", [" ", "\n\t", "\u00a0"])
def test_a_blank_label_is_refused(ws: Any, sheet: Any, blank: str) -> None:
    label = ws.labels.create(sheet.id, "k0", " x ")
    assert label.label == " x "
    for state in (lambda: ws.labels.create(sheet.id, "k1", blank), lambda: ws.labels.update(label.id, label=blank)):
        with pytest.raises(ValidationError, match="blank"):
            state()
    assert (known(ws, sheet, "k0"), known(ws, sheet, "k1")) == (" x ", None)
