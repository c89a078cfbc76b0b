"""The history beside a pair: what happened to it, and the way back to what it was."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.ui.rendered import eventually, shows
from tests.ui.test_label import draw, made, press, view  # noqa: F401  fixtures
from workbench.domain.label import Card
from workbench.domain.record import Action
from workbench.domain.review_log import Decision
from workbench.ui.components.pair_markup import history_markup

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

    draw(view)
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


def test_a_pair_that_somebody_changed_since_it_was_drawn_is_not_brought_back(local: Any, made: Any, view: Any) -> None:  # noqa: F811
    local.review.decide(made.id, 0, action="approve", response="by ann")
    assert eventually(lambda: BUTTON.format(1) in history(view))
    view.card.pane._handle_msg({"item": "0", "do": "restore:1"})  # the browser shows none yet
    draw(view)
    local.review.decide(made.id, 0, action="reject")
    assert eventually(lambda: view.card.pane.shown["version"] == 3)

    view.card.pane._handle_msg({"item": "0", "do": "restore:1"})
    shows(view, "Somebody changed this pair meanwhile: you have version 2, it is at 3.")
    assert (local.review.get(made.id, 0).status, local.review.get(made.id, 0).version) == ("rejected", 3)
    draw(view)
    view.card.pane._handle_msg({"item": "0", "do": "restore:1"})
    assert eventually(lambda: local.review.get(made.id, 0).response == "answer 0")


def test_what_may_not_be_brought_back_says_why() -> None:
    action = Action(name="restore", label="Bring back", enabled=False, reason="Not <you>.")
    entry = Decision(actor="ann", label="approved", logged_at=dt.datetime(2026, 1, 1), version=2, actions=[action])
    markup = str(history_markup(Card(history=[entry])))
    assert '<button class="quiet" disabled title="Not &lt;you&gt;.">Bring back</button>' in markup
    assert "data-do" not in markup


def test_what_came_before_the_decisions_shown_is_told() -> None:
    entry = Decision(actor="ann", label="approved", version=9)
    words = history_markup(Card(history=[entry], history_earlier=3, first_version=1))

    assert "3 decisions earlier" in words.replace("\xa0", " ")
    assert words.index("ann") < words.index("earlier") < words.index(BUTTON.format(1)), "in the order of time"
    assert "earlier" not in history_markup(Card(history=[entry]))
