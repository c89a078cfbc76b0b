"""The known labels of a sheet against a real workspace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.rendered import eventually, shows, started, texts
from workbench.ui.labels import GONE, KnownLabelsView, KnownLabelView
from workbench.ui.sheet_view import SheetView

ROWS = [{"id": f"i{n}", "q": f"question {n}", "a": f"answer {n}"} for n in range(4)]


@pytest.fixture
def sheet(local: Any) -> Any:
    found = local.sheets.create("letters", rows=ROWS, item_id_column="id")
    made = local.training_sheets.assemble(found.id, template={"prompt_template": "{{q}}", "response_column": "a"})
    local.review.bulk_approve(made.id, row_indices=[0, 1])
    return found


@pytest.fixture
def view(local: Any, sheet: Any) -> Iterator[KnownLabelsView]:
    found = started(KnownLabelsView(local, sheet_id=sheet.id))
    yield found
    found.close()


def opened(view: KnownLabelsView, label_id: str) -> KnownLabelView:
    """Open a label as a click on its row does, and tell it that the browser shows it."""
    view.table.grid._handle_msg({"do": "show", "id": label_id})
    assert view.opened is not None
    view.opened.ready._handle_msg("ready")
    shows(view, "Versions", "by approving a pair")
    return view.opened


def press(place: Any, action: str) -> None:
    [button] = place.select(lambda part: f"action-{action}" in (getattr(part, "css_classes", None) or ()))
    button.clicks += 1


def submit(form: Any, **values: Any) -> None:
    for name, value in values.items():
        form.input(name).value = value
    form.button.clicks += 1


def rows(view: KnownLabelsView) -> list[str]:
    return [row["cells"][0] for row in view.table.grid.rows]


def test_labels_are_counted_found_and_narrowed_to_a_kind(local: Any, sheet: Any, view: KnownLabelsView) -> None:
    shows(view, "2 labels known; no pair has taken one over yet.", "answer 1", "2 rows")
    assert not view.chips.visible
    press(view.__panel__(), "create")
    submit(view.form, item_ref="i3", label="no", label_type="is_rude", allowed_uses=["training"])

    assert eventually(lambda: rows(view) == ["i3", "i0", "i1"])
    assert local.labels.lookup(sheet.id, "i3", label_type="is_rude").allowed_uses == ("training",)
    assert eventually(lambda: view.chips.visible)
    assert [(one["label"], one["count"]) for one in view.chips.groups[0]["options"]] == [("response", "2"), ("is_rude", "1")]
    view.chips.value = {"label_type": "is_rude"}
    assert eventually(lambda: rows(view) == ["i3"] and view.table.total == 1)
    view.param.update(label_type="", search="ANSWER 1")
    assert eventually(lambda: rows(view) == ["i1"])


def test_an_item_has_one_label_of_a_kind(local: Any, view: KnownLabelsView) -> None:
    shows(view, "2 labels known")
    press(view.__panel__(), "create")
    submit(view.form, item_ref="i0", label="other")

    assert "has a label of type &#39;response&#39; already" in view.form.box("item_ref").objects[1].object
    assert local.labels.list().total == 2


def test_a_label_is_changed_as_it_was_seen(local: Any, view: KnownLabelsView) -> None:
    label = local.labels.list(search="i0")[0]
    one = opened(view, label.id)
    press(one.__panel__(), "update")
    submit(one.form)
    assert local.labels.get(label.id).version == 1

    press(one.__panel__(), "update")
    local.labels.update(label.id, notes="by somebody else")
    submit(one.form, label="mine")
    assert "has changed meanwhile: you have version 1, it is at 2." in texts(one)
    assert local.labels.get(label.id).label == "answer 0"

    assert eventually(lambda: one.known.version == 2)
    press(one.__panel__(), "update")
    submit(one.form, label="mine", confidence="low", notes="", prohibited_uses=["few_shot"])
    now = local.labels.get(label.id)
    assert (now.label, now.confidence, now.notes, now.prohibited_uses, now.version) == ("mine", "low", None, ("few_shot",), 3)
    shows(one, "by hand", "Not for few shot")


def test_what_was_taken_back_is_marked_among_the_versions(local: Any, sheet: Any, view: KnownLabelsView) -> None:
    [made] = local.training_sheets.list()
    local.review.decide(made.id, 0, response="better")
    local.review.undo(made.id)
    one = opened(view, local.review.get(made.id, 0).canonical_label_id)

    shows(one, "taken back")
    first, second = one.log.object.split("</li>")[:2]
    assert "<s>better</s>" in first and "taken back" in first
    assert "answer 0" in second and "<s>" not in second
    assert f'href="./label?pair={made.id}.0"' in second


def test_many_versions_are_turned_page_by_page(local: Any, sheet: Any, view: KnownLabelsView) -> None:
    label = local.labels.create(sheet.id, "i3", "said 1")
    for number in range(2, 24):
        local.labels.update(label.id, label=f"said {number}")
    view.label = label.id
    view.opened.ready._handle_msg("ready")
    one = view.opened
    shows(one, "said 23", "said 4")
    assert (one.pager.visible, one.pager.count) == (True, 2)

    one.pager.value = 1

    shows(one, "said 3", "said 1")
    assert "said 23" not in one.log.object


def test_a_label_that_pairs_rely_on_stays_and_another_goes(local: Any, sheet: Any, view: KnownLabelsView) -> None:
    [made] = local.training_sheets.list()
    label_id = local.review.get(made.id, 0).canonical_label_id
    one = opened(view, label_id)
    delete = next(action for action in one.known.actions if action.name == "delete")
    button = one.actions._buttons.objects[1]
    one.actions._perform(delete, button)
    shows(one, "Approved pairs rely on the label of 'i0'. Reset those first.")
    assert view.label == label_id

    other = local.labels.create(sheet.id, "i3", "by hand")
    view.label = other.id
    view.opened.ready._handle_msg("ready")
    assert eventually(lambda: view.opened.known is not None)
    view.opened.actions._perform(delete, button)
    assert view.label == "" and view.opened is None
    assert eventually(lambda: rows(view) == ["i0", "i1"])


def test_a_label_nobody_says_any_more_keeps_what_it_said(local: Any, view: KnownLabelsView) -> None:
    [made] = local.training_sheets.list()
    one = opened(view, local.review.get(made.id, 0).canonical_label_id)
    assert not one.gone.visible

    local.review.decide(made.id, 0, action="reset")

    assert eventually(lambda: one.gone.visible), GONE
    shows(one, "taken back", GONE)
    assert not one.top.box.objects


def test_where_nothing_is_known_there_is_a_way_on(local: Any) -> None:
    bare = local.sheets.create("bare", rows=ROWS)
    view = started(SheetView(local, sheet_id=bare.id, face="labels"))

    shows(view, "No label is known yet.", "What is approved in a review becomes known here", "Go to Label", "New label")
    view.face = "made"
    shows(view, "Nothing was made from this sheet yet.")
    view.close()
