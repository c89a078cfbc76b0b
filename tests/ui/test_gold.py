"""Known answers: kept on the card of a pair, seen and forgotten under Agreement, by stewards alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui.rendered import eventually, shows, started, texts
from tests.ui.test_label import draw, made, view  # noqa: F401  fixtures
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.services import cards, shared_review, votes
from workbench.ui.agreement import AgreementView


def known(view: Any) -> str:  # noqa: F811
    return str(view.card.pane.shown["parts"].get("known"))


def do(view: Any, name: str) -> None:  # noqa: F811
    draw(view)
    view.card.pane._handle_msg({"item": view.card.pane.shown["item"], "do": name})


def toasted(view: Any) -> list[str]:  # noqa: F811
    """Return what is said from now on."""
    said: list[str] = []
    view.toasts._send_msg = lambda message: said.append(message["text"])
    return said


def test_an_answer_is_kept_and_forgotten_on_the_card(local: Any, made: Any, view: Any) -> None:  # noqa: F811
    assert eventually(lambda: "Keep as known answer" in known(view))
    said = toasted(view)
    do(view, "mark_gold")
    assert eventually(lambda: view.forms.form is not None)
    assert view.forms.form.input("response").value == "answer 0"
    view.forms.form.input("action").value = "reject"
    view.forms.form.button.clicks += 1

    [kept] = local.review.gold(made.id)
    assert (kept.row_index, kept.action, kept.response, kept.marked_by) == (0, "reject", "answer 0", "local")
    assert eventually(lambda: "known answer: reject" in known(view) and 'data-do="unmark_gold"' in known(view))
    assert view.row == 0 and local.review.get(made.id, 0).status == "unlabeled"

    do(view, "unmark_gold")
    assert eventually(lambda: 'data-do="mark_gold"' in known(view))
    assert local.review.gold(made.id).total == 0
    assert eventually(lambda: said == ["1 pair has a known answer now.", "No pair has a known answer now."])
    view.toasts._handle_msg({"undo": view.toasts._last})
    assert [one.action for one in local.review.gold(made.id)] == ["reject"]


def test_known_answers_are_listed_opened_and_forgotten(local: Any, made: Any) -> None:  # noqa: F811
    found = started(AgreementView(local, sheet=made.id))
    shows(found, "Known answers", "No pair has a known answer yet.", "Look at the pairs")
    local.review.mark_gold(made.id, [{"row_index": 2, "action": "approve", "response": "right"}, {"row_index": 5, "action": "flag"}])
    local.review.decide(made.id, 5, action="flag")
    words = shows(found, "2 pairs have a known answer; 1 of 1 vote is right.", "1 of 1", "Approve", "Flag", "… question 2")
    assert "right" in words.splitlines() or "Approve right" in words
    local.review.mark_gold(made.id, [{"row_index": 5, "action": "reject"}])
    shows(found, "2 pairs have a known answer; 0 of 1 vote is right.")
    local.review.mark_gold(made.id, [{"row_index": 5, "action": "flag"}])
    assert f'href="./label?pair={made.id}.5"' in found.known.table.grid.rows[1]["cells"][0]

    found.known.table.grid._handle_msg({"do": "show", "id": "2"})
    shows(found, "Pair 2 · item 2", "No longer a known answer", "Q: question 2")
    [forget] = found.known._dialog.dialog.select(lambda part: "action-unmark_gold" in (getattr(part, "css_classes", None) or ()))
    forget.clicks += 1
    assert [one.row_index for one in local.review.gold(made.id)] == [5]
    assert eventually(lambda: [row["id"] for row in found.known.table.grid.rows] == ["5"])
    found.toasts._handle_msg({"undo": found.toasts._last})
    assert [(one.row_index, one.response) for one in local.review.gold(made.id)] == [(2, "right"), (5, None)]
    found.close()


def test_who_may_not_know_is_shown_nothing(local: Any, made: Any, view: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    local.review.mark_gold(made.id, [{"row_index": 0, "action": "reject"}])
    assert eventually(lambda: view.row == 0)
    view.lane.put(view.desk.reload)
    assert eventually(lambda: "known answer: reject" in known(view))
    for place in (cards, votes, shared_review.votes):
        monkeypatch.setattr(place, "ADJUDICATORS", frozenset({"nobody"}))
    view.act("next")
    view.act("previous")
    assert eventually(lambda: view.card.pane.shown["item"] == "0" and known(view) == "")

    found = started(AgreementView(local, sheet=made.id))
    words = shows(found, "Adjudicating needs the role")
    assert not found.known.card.visible and not found.known.table.part.query.revision
    assert "1 pair" not in words and "reject" not in words.lower().replace("rejected", "")
    found.close()
    assert "known answer" not in texts(view)


def test_the_open_card_follows_what_another_steward_keeps_of_it(local: Any, made: Any, view: Any) -> None:  # noqa: F811
    assert eventually(lambda: "Keep as known answer" in known(view))
    cat = Workspace(LocalTransport(local.transport.app, user="cat", served=True)).review
    view.desk.write(0, {"response": "half a sentence"})

    cat.mark_gold(made.id, [{"row_index": 0, "action": "reject"}])
    assert eventually(lambda: "known answer: reject" in known(view))
    cat.mark_gold(made.id, [{"row_index": 0, "action": "flag"}])
    assert eventually(lambda: "known answer: flag" in known(view))
    cat.mark_gold(made.id, [{"row_index": 1, "action": "flag"}])
    cat.unmark_gold(made.id, [0])
    assert eventually(lambda: 'data-do="mark_gold"' in known(view) and "known answer" not in known(view).replace("Keep as known", ""))
    assert {"response": "half a sentence"} == view.desk.typed
    view.act("next")
    assert eventually(lambda: view.card.pane.shown["item"] == "1" and "known answer: flag" in known(view))
