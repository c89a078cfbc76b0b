"""The history beside a pair: what happened to it, and the way back to what it was."""

from __future__ import annotations

from typing import Any

from tests.ui.rendered import eventually
from tests.ui.test_label import draw, made, press, view  # noqa: F401  fixtures

BUTTON = 'data-do="restore:{}"'


def history(shown: Any) -> str:
    return str(shown.card.pane.shown["parts"]["history"])


def test_a_pair_is_brought_back_from_its_history(local: Any, made: Any, view: Any) -> None:  # noqa: F811
    local.review.decide(made.id, 0, action="approve", response="by ann")
    local.review.decide(made.id, 0, response="by ben")
    assert eventually(lambda: "by</del>" in history(view) or "ben" in history(view))
    assert [BUTTON.format(version) in history(view) for version in (3, 2, 1)] == [False, True, True]

    draw(view)
    view.card.pane._handle_msg({"item": "0", "do": "restore:2"})
    assert eventually(lambda: local.review.get(made.id, 0).response == "by ann")
    assert eventually(lambda: "brought back an earlier version" in history(view) and view.row == 0)
    assert view.card.pane.shown["texts"]["response"] == "by ann"

    view.card.pane._handle_msg({"item": "0", "do": "restore:1"})
    assert eventually(lambda: local.review.get(made.id, 0).response == "answer 0")
    press(view, "u")
    assert eventually(lambda: local.review.get(made.id, 0).response == "by ann")


def test_what_is_typed_stays_typed_when_a_pair_is_brought_back(local: Any, made: Any, view: Any) -> None:  # noqa: F811
    local.review.decide(made.id, 0, notes="hm")
    assert eventually(lambda: BUTTON.format(1) in history(view))
    draw(view)
    view.card.pane._handle_msg({"item": "0", "version": 2, "texts": {"response": "half a"}})
    view.card.pane._handle_msg({"item": "0", "do": "restore:1"})

    assert eventually(lambda: local.review.get(made.id, 0).notes in (None, ""))
    assert eventually(lambda: view.card.pane.shown["version"] == 3)
    assert view.card.pane.shown["texts"]["response"] == "half a"
    assert local.review.get(made.id, 0).response == "answer 0"
