"""What was typed into the desk and left, when somebody else has written meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui.rendered import eventually, shows, started
from tests.ui.test_label import draw, made, press, statuses, view  # noqa: F401  fixtures
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.ui.label_review import ReviewView


def ben(local: Any) -> Any:
    return Workspace(LocalTransport(local.app, user="ben", served=True)).review


def typed(view: ReviewView, submit: bool = False, **texts: str) -> None:  # noqa: F811
    view.card.pane._handle_msg({"item": "0", "version": 1, "texts": texts, "submit": submit})


def notice(view: ReviewView) -> str:  # noqa: F811
    return view.card.pane.shown["parts"]["notice"]


@pytest.fixture
def left(local, made, view):  # noqa: F811
    """Leave what was typed into the first pair, and open it again once Ben has rewritten its response."""
    opened = []

    def leave(**texts: str) -> ReviewView:
        typed(view, **texts)
        assert eventually(lambda: local.review.card(made.id, 0).draft)
        view.close()
        ben(local).decide(made.id, 0, response="Ben's answer")
        opened.append(started(ReviewView(local, sheet=made.id, row=0)))
        assert eventually(lambda: opened[0].card.pane.shown["item"] == "0")
        return opened[0]

    yield leave
    opened[0].close()


def test_a_prompt_typed_alone_leaves_the_response_of_somebody_else(local, made, left):  # noqa: F811
    again = left(prompt="my prompt")

    assert ("my prompt", "Ben's answer") == tuple(again.card.pane.shown["texts"][name] for name in ("prompt", "response"))
    draw(again)
    press(again, "a")
    assert eventually(lambda: local.review.get(made.id, 0).prompt == "my prompt")
    assert "Ben's answer" == local.review.get(made.id, 0).response


@pytest.mark.parametrize(("way", "response"), [("mine", "my answer"), ("theirs", "Ben's answer")])
def test_who_comes_back_to_a_pair_that_was_rewritten_is_told(local, made, left, way, response):  # noqa: F811
    again = left(response="my answer")

    assert "ben edited this pair meanwhile." in notice(again)
    assert "my answer" == again.card.pane.shown["texts"]["response"]
    shows(again, "Not saved yet")
    draw(again)
    again.act(way)
    assert eventually(lambda: local.review.card(made.id, 0).draft is None and response == local.review.get(made.id, 0).response)


def test_the_notice_stays_until_somebody_writes_on_what_is_new(local, made, left):  # noqa: F811
    again = left(response="my answer")
    for _ in range(2):
        assert "meanwhile" in notice(again)
        again.act("next")
        assert eventually(lambda: again.card.pane.shown["item"] == "1")
        assert not notice(again)
        again.act("previous")
        assert eventually(lambda: again.card.pane.shown["item"] == "0")
    again.card.pane._handle_msg({"item": "0", "version": 2, "texts": {"response": "both our answers"}, "submit": False})
    assert eventually(lambda: local.review.card(made.id, 0).draft.version == 2)
    again.act("next")
    assert eventually(lambda: again.card.pane.shown["item"] == "1")
    again.act("previous")
    assert eventually(lambda: again.card.pane.shown["item"] == "0")
    assert ("", "both our answers") == (notice(again), again.card.pane.shown["texts"]["response"])


def test_what_leaves_the_texts_alone_overtakes_no_draft(local, made, view):  # noqa: F811
    local.review.draft(made.id, 5, response="my answer")
    ben(local).decide(made.id, 5, notes="look twice")
    again = started(ReviewView(local, sheet=made.id, row=5))

    assert eventually(lambda: again.card.pane.shown["texts"].get("response") == "my answer")
    assert not notice(again)
    again.close()


def test_a_draft_of_a_pair_that_is_another_by_now_is_told(local, made, view):  # noqa: F811
    local.review.draft(made.id, 5, response="my answer")
    with local.transport.app.db.write():
        local.transport.app.db.execute("update pair_rows set version = 7 where row_index = 5")
    again = started(ReviewView(local, sheet=made.id, row=5))

    assert eventually(lambda: again.card.pane.shown["texts"].get("response") == "my answer")
    assert notice(again)
    again.close()


def test_drafts_of_unknown_version_are_offered_as_ever(local, made, view):  # noqa: F811
    local.review.draft(made.id, 5, response="my answer")
    with local.transport.app.db.write():
        local.transport.app.db.execute("update drafts set version = null")
    ben(local).decide(made.id, 5, response="Ben's answer")
    again = started(ReviewView(local, sheet=made.id, row=5))

    assert eventually(lambda: again.card.pane.shown["texts"].get("response") == "my answer")
    assert not notice(again)
    again.close()


@pytest.mark.parametrize("first", [{"prompt": "my prompt"}, {"response": "for a moment"}])
def test_an_open_desk_keeps_no_response_that_nobody_typed(local, made, view, first):  # noqa: F811
    """The prompt is typed, or the response and back again; then Ben writes and what stands on the screen is approved."""
    typed(view, **first)
    assert eventually(lambda: local.review.card(made.id, 0).draft)
    typed(view, response="answer 0")
    view.lane.put(view.desk.reload)
    ben(local).decide(made.id, 0, response="Ben's answer")
    assert eventually(lambda: view.card.pane.shown["texts"]["response"] == "Ben's answer")

    draw(view)
    press(view, "a")

    assert eventually(lambda: statuses(local, made)[0] == "l")
    assert "Ben's answer" == local.review.get(made.id, 0).response


@pytest.mark.parametrize("heard", [True, False])
def test_a_response_sent_along_with_a_prompt_is_not_typed(local, made, view, heard):  # noqa: F811
    """Ctrl-Enter says what both fields show, also where Ben has written already."""
    if not heard:
        view.desk.refresh = lambda: None
    ben(local).decide(made.id, 0, response="Ben's answer")
    if heard:
        assert eventually(lambda: view.card.pane.shown["stored"]["response"] == "Ben's answer")

    typed(view, submit=True, response="answer 0", prompt="my prompt")

    assert eventually(lambda: notice(view) and view.card.pane.shown["texts"]["response"] == "Ben's answer")
    draw(view)
    press(view, "a")
    assert eventually(lambda: local.review.get(made.id, 0).prompt == "my prompt")
    assert "Ben's answer" == local.review.get(made.id, 0).response
