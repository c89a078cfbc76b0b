"""The Label page against a real workspace, keys and clicks through the same doors as in a browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.rendered import eventually, shows, started, texts
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.domain.generate import TemplateSnapshot
from workbench.ui import label_grid
from workbench.ui.components.pair_markup import CSS
from workbench.ui.components.record_choice import Sought
from workbench.ui.label import LabelView
from workbench.ui.label_grid import SHOWN, pair_columns, rows
from workbench.ui.label_keys import COMMANDS, HELP
from workbench.ui.label_review import ReviewView

ROWS = [{"q": f"question {i}", "a": f"answer {i}"} for i in range(12)]


def make(ws: Any) -> Any:
    sheet = ws.sheets.create("questions", rows=ROWS)
    plan = {"prompt_template": "Q: {{q}}", "response_column": "a"}
    return ws.training_sheets.assemble(sheet.id, template=plan, guidelines="Be kind.")


@pytest.fixture
def made(local: Any) -> Any:
    return make(local)


@pytest.fixture
def view(local: Any, made: Any) -> Iterator[ReviewView]:
    found = started(ReviewView(local, sheet=made.id))
    assert eventually(lambda: found.row == 0)
    yield found
    found.close()


def press(view: ReviewView, keys: str, first: int = 1) -> None:
    for number, key in enumerate(keys, start=first):
        view.catcher._handle_msg({"key": key, "n": number, "repeat": False})


def draw(view: ReviewView) -> None:
    """Say, as a browser does, that it shows the pair that it was sent."""
    view.card.pane._handle_msg({name: view.card.pane.shown[name] for name in ("item", "sheet", "version")} | {"drawn": True})


def statuses(local: Any, made: Any) -> str:
    return "".join(row["status"][0] for row in local.review.rows(made.id, page_size=len(ROWS)).rows)


def test_the_card_shows_prompt_response_source_row_and_progress(view, made):
    words = shows(view, "question 0", "answer 0", "No decision yet.", "12 unlabeled", "unlabeled")

    pair = view.desk.card.pair
    assert {a.label for a in pair.actions} <= set(words.splitlines())
    assert "1 of 12" in words


def test_keys_decide_in_their_order_each_once(local, made, view):
    draw(view)
    press(view, "arfaarfa")

    assert eventually(lambda: "lrfllrfluuuu" == statuses(local, made)), statuses(local, made)
    assert eventually(lambda: view.row == 8)


def test_a_view_made_anew_in_one_workspace_decides_on(local, made, view):
    press(view, "ar")
    assert eventually(lambda: "lr" == statuses(local, made)[:2] and view.row == 2)
    view.close()

    anew = started(ReviewView(local, sheet=made.id))
    assert eventually(lambda: anew.row == 2)
    press(anew, "af")

    assert eventually(lambda: "lrlf" == statuses(local, made)[:4]), statuses(local, made)
    anew.close()


def test_a_message_that_overtakes_another_waits_for_it(local, made, view):
    for number, key in ((2, "r"), (3, "f"), (1, "a")):
        view.catcher._handle_msg({"key": key, "n": number, "repeat": False})

    assert eventually(lambda: "lrf" == statuses(local, made)[:3]), statuses(local, made)


def test_undo_brings_the_pair_back_to_the_desk(local, made, view):
    press(view, "aru")

    assert eventually(lambda: "lu" == statuses(local, made)[:2] and view.row == 1)


def test_next_and_previous_walk_the_queue_without_deciding(local, made, view):
    press(view, "jjk")

    assert eventually(lambda: view.row == 1)
    assert "u" * 12 == statuses(local, made)


def test_a_reason_goes_along_with_one_decision(local, made, view):
    view.card.reason.value = "unclear"

    press(view, "ff")

    assert eventually(lambda: "ff" == statuses(local, made)[:2])
    assert ["unclear", None] == [local.review.get(made.id, row).flag_reason for row in (0, 1)]


def test_a_reason_waits_for_a_decision_that_has_one(local, made, view):
    view.card.reason.value = "unclear"

    press(view, "ar")

    assert eventually(lambda: "lr" == statuses(local, made)[:2])
    assert [None, "unclear"] == [local.review.get(made.id, row).flag_reason for row in (0, 1)]


def test_typed_words_are_kept_and_wait_for_whoever_comes_back(local, made, view):
    view.card.pane._handle_msg({"item": "0", "version": 1, "texts": {"response": "answer 0, better"}, "submit": False})
    assert eventually(lambda: local.review.card(made.id, 0).draft)

    again = started(ReviewView(local, sheet=made.id, row=0))

    assert eventually(lambda: again.card.pane.shown["texts"].get("response") == "answer 0, better")
    shows(again, "Not saved yet", "better")
    again.close()


def test_the_place_in_the_queue_follows_a_decision(local, made, view):
    press(view, "a")

    shown = lambda: view.card.pane.shown  # noqa: E731
    assert eventually(lambda: shown()["item"] == "1" and f">1 of {len(ROWS) - 1} " in shown()["parts"]["place"])


def test_an_approval_takes_along_what_was_typed(local, made, view):
    view.card.pane._handle_msg({"item": "0", "version": 1, "texts": {"response": "typed"}, "submit": True})

    assert eventually(lambda: statuses(local, made)[0] == "l")
    assert "typed" == local.review.get(made.id, 0).response
    assert None is local.review.card(made.id, 0).draft


@pytest.mark.parametrize("submit", [False, True])
def test_words_on_their_way_while_somebody_else_writes_are_compared_before_they_count(local, made, view, submit):
    seen = view.card.pane.shown["version"]
    local.review.decide(made.id, 0, response="theirs")
    assert eventually(lambda: view.card.pane.shown["stored"]["response"] == "theirs")

    view.card.pane._handle_msg({"item": "0", "version": seen, "texts": {"response": "mine"}, "submit": submit})

    assert eventually(lambda: "What you typed is kept" in view.card.pane.shown["parts"]["notice"])
    assert ("u", "theirs") == (statuses(local, made)[0], local.review.get(made.id, 0).response)
    assert "mine" == local.review.card(made.id, 0).draft.response
    press(view, "a")
    assert eventually(lambda: ("l", "mine") == (statuses(local, made)[0], local.review.get(made.id, 0).response))


@pytest.mark.parametrize("way", ["key", "button"])
def test_nobody_decides_on_words_that_are_not_drawn_yet(local, made, view, way):
    decide = {"key": lambda n: press(view, "a", n), "button": lambda n: view.card.actions._handlers["approve"]()}[way]
    draw(view)
    local.review.decide(made.id, 0, response="theirs")
    assert eventually(lambda: view.card.pane.shown["stored"]["response"] == "theirs")

    decide(1)

    shows(view, "before you could see it")
    assert "u" == statuses(local, made)[0]
    draw(view)
    view.card.pane._handle_msg({"item": "0", "sheet": made.id, "version": 1, "drawn": True})  # overtaken on its way
    decide(2)
    assert eventually(lambda: "l" == statuses(local, made)[0])


def test_what_leaves_the_words_alone_leaves_decisions_alone(local, made, view):
    draw(view)
    local.review.decide(made.id, 0, notes="look twice")
    assert eventually(lambda: view.card.pane.shown["version"] == 2)

    press(view, "a")

    assert eventually(lambda: "l" == statuses(local, made)[0])


def test_a_decision_on_an_outdated_pair_is_refused_and_shown(local, made, view):
    view.desk.refresh = lambda: None  # this tab has not heard of it yet
    local.review.decide(made.id, 0, response="somebody else was here")

    press(view, "a")

    shows(view, "Somebody changed this pair meanwhile")
    assert "u" == statuses(local, made)[0]


def test_the_end_of_the_queue_is_said(local, made):
    for row in range(len(ROWS)):
        local.review.decide(made.id, row, action="approve")
    view = started(ReviewView(local, sheet=made.id))

    assert eventually(lambda: view.faces["end"].visible)
    assert not view.faces["card"].visible
    view.close()


def test_decisions_elsewhere_arrive_by_themselves(local, made, view):
    local.review.decide(made.id, 5, action="approve")

    shows(view, "11 unlabeled", "1 labeled")


def test_the_grid_selects_by_row_previews_commits_and_undoes(local, made, view):
    view.mode = "grid"
    assert eventually(lambda: len(view.grid.grid.rows) == 12)
    view.grid.grid.selected = ["3", "4"]

    view.grid._preview("bulk_reject")
    shows(view, "2 of 2 pairs would be rejected.")
    assert "u" * 12 == statuses(local, made)
    preview = local.review.bulk_reject(made.id, row_indices=[3, 4], preview=True)
    view.grid._commit("bulk_reject", preview.preview_id, "Names a customer")
    assert "uuurruuuuuuu" == statuses(local, made)
    assert "Names a customer" == local.review.get(made.id, 3).flag_reason

    view.toasts._handle_msg({"undo": view.toasts._last})
    assert "u" * 12 == statuses(local, made)


def test_the_grid_marks_what_a_simulation_made_up():
    row = dict.fromkeys(SHOWN) | {"row_index": 1, "response_source": "ai_generated"}
    honest, made_up = (rows([row | {"simulated": simulated}], pair_columns(*SHOWN)) for simulated in (False, True))

    assert "tone-warning" not in str(honest)
    assert "tone-warning" in str(made_up)


@pytest.mark.parametrize(
    ("template", "prompt", "shown"),
    [
        ("Which module?\n{{text}}", "Which module?\nLocks", "… Locks"),
        ("Which module?\n{{text}}", "Asked by hand", "Asked by hand"),
        ("Which module?\n{{text}}", "Which module?\n", "Which module?\n"),
        ("{{text}} what?", "Locks what?", "Locks what?"),
        ("The same for all", "The same for all", "The same for all"),
    ],
)
def test_the_grid_leaves_out_what_all_prompts_begin_with(template, prompt, shown):
    opening = TemplateSnapshot(prompt_template=template).opening
    row = dict.fromkeys(SHOWN) | {"row_index": 1, "prompt": prompt}
    (found,) = rows([row], pair_columns(*SHOWN, opening=opening))

    assert f">{shown}<" in str(found["cells"][1])


def test_the_grid_takes_the_opening_from_the_template_of_its_training_sheet(local, made, view):
    view.param.update(mode="grid")
    assert eventually(lambda: ["… question" in row["cells"][1] for row in view.grid.grid.rows] == [True] * 12)


def test_all_that_match_means_the_filter_not_the_page(local, made, view):
    view.param.update(mode="grid", search="question 1")
    assert eventually(lambda: [row["id"] for row in view.grid.grid.rows] == ["1", "10", "11"])

    view.grid._choose_all()

    assert "question 1" == view.grid._meant()["filter"].search


def test_the_page_opens_the_newest_training_sheet_or_says_what_to_do(local):
    empty = started(LabelView(local))
    assert eventually(lambda: empty.nothing.visible)
    assert "Go to Generate" in texts(empty)
    empty.close()


def test_the_page_follows_the_choice_of_training_sheet(local, made):
    view = started(LabelView(local))

    assert eventually(lambda: view.sheet == made.id and view.row == 0)
    view.close()


def test_who_comes_back_finds_what_they_were_typing(ws):
    """As after a restart of the kernel: nothing is known but the workspace and who asks."""
    made = make(ws)
    ws.review.decide(made.id, 0, action="approve")
    ws.review.draft(made.id, 5, response="half a sentence")
    opened = {"again": {}, "elsewhere": {"row": 3}, "filtered": {"where": "row_index > 6"}, "others": {"shared": True}}
    rows = {}
    for name, arguments in opened.items():
        view = started(ReviewView(ws, sheet=made.id, **arguments))
        assert eventually(lambda view=view: view.desk.card is not None)
        rows[name] = view.desk.card.pair.row_index
        view.close()

    assert {"again": 5, "elsewhere": 3, "filtered": 7, "others": 5} == rows
    ws.review.decide(made.id, 5, action="approve")
    view = started(ReviewView(ws, sheet=made.id))
    assert eventually(lambda: view.row == 1), "without a draft the queue begins at its first"
    view.close()


def test_every_key_of_the_help_does_something():
    shown = {key for keys, _ in HELP for key in keys.lower().replace("shift+", "Shift+").split()}
    arrows = {"ArrowRight": "→", "ArrowLeft": "←"}
    assert {arrows.get(key, key) for key in COMMANDS} <= shown


def test_two_people_who_share_a_queue_never_get_the_same_pair(local, made):
    views = []
    for user in ("ann", "bob"):
        workspace = Workspace(LocalTransport(local.app, user=user, served=True))
        views.append(started(ReviewView(workspace, sheet=made.id, shared=True)))
        assert eventually(lambda: views[-1].row is not None)
    for _ in range(5):
        for view in views:
            before = view.row
            view.act("approve")
            assert eventually(lambda view=view, before=before: view.row != before)

    decided = [(one.reviewer, one.approved) for one in local.review.progress(made.id).by_reviewer]
    assert [("ann", 5), ("bob", 5)] == sorted(decided)
    for view in views:
        view.close()
    assert 2 == len(local.review.claim(made.id, 12).items), "what a closed page held is free again"


def test_each_of_many_training_sheets_is_reached_and_the_one_of_the_address_is_kept(local, made):
    db = local.transport.app.db
    with db.write():
        db.execute(
            "insert into training_sheets by name select s.* replace (s.id || '_' || r.n as id, 'Round ' || r.n as name) "
            "from training_sheets s, range(500) r(n) where s.id = ?",
            [made.id],
        )
    page = started(LabelView(local, sheet=f"{made.id}_321"))
    assert eventually(lambda: page.select.value == f"{made.id}_321"), page.select.value
    assert page.select.value_input == "Round 321"
    assert f"{made.id}_321" == page.sheet

    assert "Round 417" in page.select._filter_options("round 417")
    page.select.value = page.select.options["Round 417"]

    assert eventually(lambda: page.sheet == f"{made.id}_417")
    page.close()


def test_further_records_of_a_name_that_is_taken_are_told_apart(local, made):
    twin = local.training_sheets.assemble(made.sheet_id, template={"prompt_template": "{{q}}", "response_column": "a"})
    with local.transport.app.db.write():
        local.transport.app.db.execute("update training_sheets set name = ?", [made.name])
    sought = Sought(local.training_sheets).take([local.training_sheets.get(made.id)])

    assert sought.know(twin.id)
    assert {made.id, twin.id} == set(sought.values())
    assert not sought.know("assembly_nothing")


@pytest.mark.parametrize("place", [".prompt", ".diff", ".row dd"])
def test_what_is_read_from_right_to_left_stands_so_wherever_a_pair_shows_it(place):
    assert re.search(re.escape(place) + r" \{[^}]*unicode-bidi: plaintext", CSS)


def test_what_the_bar_of_the_grid_says_last_is_of_what_is_chosen_by_then(local, made, view, monkeypatch):
    view.mode = "grid"
    assert eventually(lambda: len(view.grid.grid.rows) == 12)
    counted, said, tell = threading.Event(), threading.Event(), label_grid.show

    def slow(place: Any, words: Any) -> None:
        if place is view.grid._words and not counted.is_set():
            counted.set()
            assert said.wait(30)
        tell(place, words)

    monkeypatch.setattr(label_grid, "show", slow)
    first = threading.Thread(target=view.grid._tell)
    first.start()
    assert counted.wait(30)
    second = threading.Thread(target=lambda: setattr(view.grid.grid, "selected", ["0", "1"]))
    second.start()
    second.join(1)
    said.set()
    for thread in (first, second):
        thread.join(30)

    assert "2 pairs chosen" in texts(view).replace("\xa0", " ")
