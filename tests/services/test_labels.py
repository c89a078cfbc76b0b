"""Canonical labels over both transports."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import Conflict, InUse, NotFound, ValidationError

PLAN = {"prompt_template": "{{q}}", "response_column": "a", "label_type": "answer"}


@pytest.fixture
def sheet(ws: Any) -> Any:
    return ws.sheets.create("rows", rows=[{"id": f"i{n}", "q": f"q{n}", "a": f"a{n}"} for n in range(4)], item_id_column="id")


def test_a_label_has_versions(ws: Any, sheet: Any) -> None:
    label = ws.labels.create(sheet.id, "i1", "first", label_type="answer", confidence="low")
    ws.labels.update(label.id, label="second", version=1)
    ws.labels.update(label.id, notes="hm", prohibited_uses=["training"])

    known = ws.labels.lookup(sheet.id, "i1", label_type="answer")
    assert (known.id, known.label, known.version, known.prohibited_uses) == (label.id, "second", 3, ("training",))
    assert [(v.number, v.label) for v in ws.labels.versions(label.id)] == [(2, "second"), (1, "first")]
    with pytest.raises(Conflict):
        ws.labels.create(sheet.id, "i1", "other", label_type="answer")
    with pytest.raises(Conflict):
        ws.labels.update(label.id, label="late", version=1)


def test_lookups(ws: Any, sheet: Any) -> None:
    ws.labels.create(sheet.id, "i1", "one")
    ws.labels.create(sheet.id, "i2", "two")
    found = ws.labels.bulk_lookup(sheet.id, ["i2", "i9", "i1", "i9"])

    assert ([label.label for label in found.labels], found.missing) == (["one", "two"], ("i9",))
    assert ws.labels.list(search="TWO").total == 1
    assert ws.labels.stats().by_label_type == {"response": 2}
    with pytest.raises(NotFound):
        ws.labels.lookup(sheet.id, "i9")
    with pytest.raises(ValidationError):
        ws.labels.create(sheet.id, "i3", "x", confidence="sure")


def test_assembling_takes_labels_over(ws: Any, sheet: Any) -> None:
    ws.labels.create(
        sheet.id, "i1", "known", label_type="answer", prohibited_uses=["few_shot"], allowed_uses=["training", "few_shot"]
    )
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    pair = ws.review.get(made.id, 1)

    assert (pair.response, pair.response_source, pair.status, pair.labeled_by) == ("known", "canonical", "labeled", "local")
    assert (pair.allowed_uses, pair.prohibited_uses) == (("training", "few_shot"), ("few_shot",))
    label = ws.labels.get(pair.canonical_label_id)
    assert (label.reuse_count, label.last_used_at is not None) == (1, True)
    assert ws.labels.stats(sheet_id=sheet.id).reuses == 1
    with pytest.raises(InUse):
        ws.labels.delete(label.id)
    ws.review.decide(made.id, 1, action="reset")
    ws.labels.delete(label.id)
    assert ws.labels.list().total == 0


def test_approving_the_same_only_links(ws: Any, sheet: Any) -> None:
    ws.labels.create(sheet.id, "i0", "a0", label_type="answer")
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    ws.review.bulk_approve(made.id, filter={"status": "unlabeled"})

    assert ws.labels.stats().versions == 4
    assert [v.label for v in ws.labels.versions(ws.review.get(made.id, 0).canonical_label_id)] == ["a0"]


def test_what_a_label_said_can_be_read_while_the_label_waits(ws: Any, sheet: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    label_id = ws.review.decide(made.id, 0, action="approve").canonical_label_id
    ws.review.decide(made.id, 0, action="flag")

    assert [(v.label, v.retracted) for v in ws.labels.versions(label_id)] == [("a0", True)]
    with pytest.raises(NotFound):
        ws.labels.get(label_id)
    with pytest.raises(NotFound):
        ws.labels.versions("label_nowhere")
