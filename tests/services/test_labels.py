"""Canonical labels: versions, lookups, rights, figures."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.contract import Context
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


def test_versions_come_in_pages_with_their_true_total(ws: Any, sheet: Any) -> None:
    label = ws.labels.create(sheet.id, "i1", "said 1")
    for number in range(2, 6):
        ws.labels.update(label.id, label=f"said {number}")

    pages = [ws.labels.versions(label.id, page=page, page_size=2) for page in (1, 2, 3, 4)]

    assert [[(one.number, one.label) for one in page] for page in pages] == [
        [(5, "said 5"), (4, "said 4")], [(3, "said 3"), (2, "said 2")], [(1, "said 1")], [],
    ]  # fmt: skip
    assert {(page.total, page.page_size) for page in pages} == {(5, 2)}


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
    assert ws.labels.stats().summary == "1 label known; 1 pair took over 1 of them."
    with pytest.raises(InUse):
        ws.labels.delete(label.id)
    ws.review.decide(made.id, 1, action="reset")
    ws.labels.delete(label.id)
    assert ws.labels.list().total == 0


def test_what_may_be_done_to_labels_comes_with_them(local: Any) -> None:
    sheet = local.sheets.create("rows", rows=[{"q": "x"}], tags=["PII"])

    def call(name: str, *roles: str, **given: Any) -> Any:
        return local.transport.app.call(local.transport.app.labels.operations[name], given, Context(actor="ann", roles=frozenset(roles)))

    stats = call("stats", "reviewer", sheet_id=sheet.id)
    assert (stats.summary, [action.enabled for action in stats.actions]) == ("No label is known yet.", [True])
    label = call("create", "reviewer", sheet_id=sheet.id, item_ref="0", label="yes")
    limits = "The tag PII of the sheet prohibits training and validation, whatever is chosen for a label."
    for shown in (label, call("get", "reviewer", label_id=label.id), call("list", "reviewer")[0]):
        assert [(one.name, one.enabled, one.reason) for one in shown.actions] == [("update", True, limits), ("delete", True, None)]
    refused = "Needs the role admin or data_steward or labeler or reviewer."
    assert {action.reason for action in call("get", "viewer", label_id=label.id).actions} == {refused}
    assert call("stats", "viewer", sheet_id=sheet.id).actions[0].reason == refused
    call("update", "reviewer", label_id=label.id, label="no")
    assert call("stats", "viewer").summary == "1 label known, in 2 versions; no pair has taken one over yet."
    local.sheets.delete(sheet.id)
    [create] = call("stats", "reviewer", sheet_id=sheet.id).actions
    assert (create.enabled, create.reason) == (False, "The sheet 'rows' is deleted. Restore it first.")


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
