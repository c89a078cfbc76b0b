"""What the review says around a pair: guidelines, keys of answers, reasons, votes, and what was refused."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import panel_material_ui as pmui
import pytest

from tests.ui.rendered import eventually, shows, started, texts
from workbench.ui.label_card import guidelines_pane, keyed
from workbench.ui.label_keys import COMMANDS, HELP, WRITING
from workbench.ui.label_review import ReviewView

ROWS = [{"q": f"question {i}", "a": "" if i == 1 else f"answer {i}"} for i in range(4)]
PLAN = {"prompt_template": "Q: {{q}}", "response_column": "a"}


def make(ws: Any, **given: Any) -> Any:
    sheet = ws.sheets.create(f"questions {given}", rows=ROWS)
    return ws.training_sheets.assemble(sheet.id, template=PLAN, **given)


@pytest.fixture
def made(local: Any) -> Any:
    return make(local, guidelines="Be **kind**.")


@pytest.fixture
def view(local: Any, made: Any) -> Iterator[ReviewView]:
    found = started(ReviewView(local, sheet=made.id))
    assert eventually(lambda: found.row == 0)
    yield found
    found.close()


def press(view: ReviewView, keys: str, first: int = 1) -> None:
    for number, key in enumerate(keys, start=first):
        view.catcher._handle_msg({"key": key, "n": number, "repeat": False})


def test_guidelines_stand_beside_the_pair(local, view):
    assert "Be **kind**." == view.card.guide.object
    assert view.card.pane.shown["guided"]

    bare = started(ReviewView(local, sheet=make(local).id))

    assert eventually(lambda: bare.row == 0)
    assert not bare.card.pane.shown["guided"]
    bare.close()


def test_a_pair_is_called_by_its_item_or_leads_to_the_request_it_came_from(local, made, view):
    place = view.card.pane.shown["parts"]["place"]
    assert "· <span title=\"0\">item 0</span>" in place

    came = {"request_id": "request_01k9x3v7tq8m2c5d", "model_version_id": "model_1"}
    pair = local.transport.app.review.append_pair(made.id, prompt="P", response="R", **came)
    view.row = pair.row_index

    assert eventually(lambda: "served request tq8m2c5d</a>" in view.card.pane.shown["parts"]["place"])
    place = view.card.pane.shown["parts"]["place"]
    assert 'href="./monitor?request=request_01k9x3v7tq8m2c5d"' in place
    assert "item request:" not in place


def test_guidelines_run_nothing_that_is_written_in_them():
    drawn = html.unescape(guidelines_pane('Be <img src=x onerror="steal()"> <script>steal()</script> **kind**').get_root().text)

    assert "<strong>kind</strong>" in drawn
    assert "<img" not in drawn and "<script" not in drawn


def test_what_was_refused_is_not_said_of_the_next_pair(view):
    press(view, "ja")
    shows(view, "Cannot approve a pair whose response is empty")

    press(view, "j", first=3)

    assert eventually(lambda: view.row == 2)
    assert eventually(lambda: "Cannot approve" not in texts(view))


def test_what_was_refused_stays_while_its_pair_does(view):
    press(view, "ja")
    shows(view, "Cannot approve a pair whose response is empty")

    view.lane.put(view.desk.reload)
    view.lane.put(view.desk.reload)

    assert eventually(lambda: view.lane.calm)
    assert "Cannot approve" in texts(view)


def test_a_reason_is_told_in_the_history(local, made, view):
    local.review.decide(made.id, 0, action="flag", flag_reason="names a customer")

    assert eventually(lambda: "names a customer" in view.card.pane.shown["parts"]["history"])


def test_a_shared_pair_says_how_many_have_voted(local):
    shared = make(local, overlap=2)
    view = started(ReviewView(local, sheet=shared.id))
    assert eventually(lambda: "0 of 2 votes" in view.card.pane.shown["parts"].get("place", ""))

    local.review.decide(shared.id, 0, action="approve")

    assert eventually(lambda: "1 of 2 votes" in view.card.pane.shown["parts"]["place"])
    view.close()


def test_one_reviewer_reads_nothing_of_votes(view):
    assert "votes" not in view.card.pane.shown["parts"]["place"]


def test_all_pairs_are_shown_whatever_filter_left_nothing(local, made):
    view = started(ReviewView(local, sheet=made.id, where="row_index > 99", item_ref="none"))
    assert eventually(lambda: view.faces["end"].visible)

    next(one for one in view.faces["end"].select(pmui.Button) if one.label == "Look at all pairs").clicks += 1

    assert eventually(lambda: view.row == 0)
    view.close()


def test_the_last_decision_can_be_taken_back_where_the_queue_ends(local, made, view):
    press(view, "r" * len(ROWS))
    assert eventually(lambda: view.faces["end"].visible)

    next(one for one in view.faces["end"].select(pmui.Button) if one.label == "Undo").clicks += 1

    assert eventually(lambda: view.row == 3)
    assert "unlabeled" == local.review.get(made.id, 3).status


def test_the_key_of_an_answer_never_does_something_else():
    wanted = [{"name": "rude", "hotkey": "R"}, {"name": "warm", "hotkey": "x"}, {"name": "cold"}, {"name": "two", "hotkey": "3"}]

    assert ["1", "x", "", "3"] == [choice["key"] for choice in keyed(wanted)]
    assert ["9", "", ""] == [choice["key"] for choice in keyed([{"name": str(n)} for n in range(11)])][8:]


def test_only_keys_that_store_something_say_so():
    assert {"approve", "reject", "flag", "undo", "redo"} == {COMMANDS[key] for key in WRITING}


def test_every_key_is_explained():
    told = {key.lower() for keys, _ in HELP for key in keys.split()}

    assert set() == {key.lower().replace("arrowright", "→").replace("arrowleft", "←") for key in COMMANDS} - told


def test_the_example_of_a_condition_is_one(local: Any) -> None:
    sheet = local.sheets.create("rows", rows=[{"id": "i0", "q": "what", "a": "x", "topic": "billing"}], item_id_column="id")
    plan = {"prompt_template": "{{q}}", "response_column": "a", "label_type": "answer"}
    made = local.training_sheets.assemble(sheet.id, template=plan)
    view = started(ReviewView(local, sheet=made.id))
    view.filters._open()

    assert local.review.queue(made.id, where=view.filters.fields["where"].placeholder).total == 0
    view.close()


def test_a_filter_that_is_refused_leaves_no_page_that_seems_to_load(local, made):
    view = started(ReviewView(local, sheet=made.id, where="nonsense = ("))
    assert eventually(lambda: view.faces["refused"].visible)
    assert not view.faces["wait"].visible

    next(one for one in view.faces["refused"].select(pmui.Button) if one.label == "Take back the filters").clicks += 1

    assert eventually(lambda: view.row == 0)
    assert eventually(lambda: not view.faces["refused"].visible)
    view.close()


def test_without_guidelines_it_says_where_to_write_them(local):
    sheet = local.sheets.create("bare", rows=[{"q": "one", "a": "two"}])
    bare = local.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "a"})
    view = started(ReviewView(local, sheet=bare.id))
    assert eventually(lambda: view.row == 0)

    press(view, "i")

    assert eventually(lambda: view.dialog.dialog.open)
    assert f"made={bare.id}" in view.dialog.dialog.objects[0].objects[0].object
    view.close()


def test_a_page_of_no_pairs_says_where_to_look(local, made):
    view = started(ReviewView(local, sheet=made.id, mode="grid", search="nowhere"))
    shows(view, "No pair is in this queue.")
    view.close()
