"""Who opens a review anew, without an address, comes back to the pair that was open and to its queue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.rendered import eventually, started
from tests.ui.test_label import made  # noqa: F401  fixture
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.domain.label import Bookmark
from workbench.ui.label_filters import NAMES, arguments_of, chosen_in
from workbench.ui.label_review import ReviewView

DAY = dt.datetime(2026, 1, 31)


@pytest.fixture
def opened(local: Any, made: Any) -> Iterator[Any]:  # noqa: F811
    """Open reviews, each as after a restart of the kernel: nothing is known but the workspace and who asks."""
    views = []

    def another(user: str = "ann", roles: frozenset[str] | None = None, **arguments: Any) -> ReviewView:
        transport = LocalTransport(local.transport.app, user=user, served=True)
        transport.roles = roles or transport.roles
        views.append(started(ReviewView(Workspace(transport), sheet=made.id, **arguments)))
        assert eventually(lambda: views[-1].card.pane.shown["item"] == str(views[-1].row))
        return views[-1]

    yield another
    for view in views:
        view.close()


def rest(view: ReviewView) -> None:
    """Say, as a browser does, that the pair on the screen has stayed there for a while."""
    view.card.pane._handle_msg({"item": view.card.pane.shown["item"], "rest": view.sheet})


def kept(view: ReviewView) -> int | None:
    return view.ws.review.bookmark(view.sheet).row_index


def walk(view: ReviewView, *ways: str) -> None:
    for way in ways:
        before = view.row
        view.act(way)
        assert eventually(lambda before=before: view.row != before)


def test_who_rests_at_a_pair_finds_it_again(opened: Any) -> None:
    view = opened()
    walk(view, "next", "approve", "next")
    assert None is kept(view), "who rushes through pairs stores no place"
    rest(view)
    assert eventually(lambda: kept(view) == 3)

    assert 3 == opened().desk.card.pair.row_index
    assert 0 == opened("ben").desk.card.pair.row_index
    assert 5 == opened(row=5).desk.card.pair.row_index, "an address is kept to"
    assert 6 == opened(where="row_index > 5").desk.card.pair.row_index


def test_the_queue_that_was_chosen_is_chosen_again(opened: Any) -> None:
    view = opened()
    view.param.update(status="", order="length", descending=True, search="question", pattern=True)
    assert eventually(lambda: view.row == 10)
    assert eventually(lambda: kept(view) == 10), "a queue that was chosen is kept at once"
    walk(view, "next")
    rest(view)
    assert eventually(lambda: kept(view) == 11)

    again = opened()
    assert eventually(lambda: again.order == "length")
    assert {name: getattr(view, name) for name in NAMES} == {name: getattr(again, name) for name in NAMES}
    assert 11 == again.desk.card.pair.row_index
    walk(again, "next")
    assert 0 == again.row, "it goes on in that order"


def test_a_pair_that_somebody_decided_on_gives_way_to_the_next(local: Any, made: Any, opened: Any) -> None:  # noqa: F811
    view = opened(row=4)
    rest(view)
    assert eventually(lambda: kept(view) == 4)
    local.review.decide(made.id, 4, action="reject")

    assert 5 == opened().desk.card.pair.row_index


def test_the_lease_on_the_pair_that_was_open_is_ones_own_again(opened: Any) -> None:
    view = opened(shared=True)
    walk(view, "approve", "approve")
    rest(view)
    assert eventually(lambda: kept(view) == 2)

    again = opened()  # the page before was never closed: its lease holds for two minutes
    assert (2, None) == (again.desk.card.pair.row_index, again.desk.card.held_by)
    assert eventually(lambda: again.shared)
    walk(again, "approve")
    assert again.row == 4, "the one behind it is still held where it was, in what may be another tab"
    assert 6 == opened("ben", shared=True).desk.card.pair.row_index


def test_who_only_looks_on_keeps_no_place_and_is_told_nothing(opened: Any) -> None:
    view = opened("eve", roles=frozenset({"viewer"}))
    rest(view)
    walk(view, "next")

    assert [] == view.trouble.objects
    assert None is kept(view)


def test_an_archived_review_opens_at_its_place(local: Any, made: Any, opened: Any) -> None:  # noqa: F811
    view = opened(row=4)
    rest(view)
    assert eventually(lambda: kept(view) == 4)
    local.training_sheets.archive(made.id)

    again = opened()
    assert 4 == again.desk.card.pair.row_index
    walk(again, "next")
    rest(again)
    walk(again, "next")
    assert [] == again.trouble.objects


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"status": "all"},
        {"status": "flagged", "regex": "a.b"},
        {"search": "words", "response_source": "imported", "reviewer": "ann", "item_ref": "i1", "use": "testing", "where": "n > 1"},
        {"signals": ["concern:0.5..", "pii:1.."], "updated_since": DAY, "updated_until": DAY + dt.timedelta(hours=14, minutes=5)},
    ],
)
def test_what_was_chosen_in_the_fields_asks_for_the_same_queue(given: dict[str, Any]) -> None:
    given = {"status": "to_review", **given}
    chosen = chosen_in(Bookmark(filter=given, order="length", descending=True))

    assert {**given, "order": "length", "descending": True} == arguments_of(chosen)
    assert set(NAMES) == set(chosen)
