"""Pairs that are handed out: in which order, behind which one, and to which client of a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.test_label import made, mine  # noqa: F401  fixtures
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.errors import Conflict, NotFound


def rows(claimed: Any) -> list[int]:
    return [pair.row_index for pair in claimed.items]


@pytest.mark.parametrize(
    "given",
    [{}, {"order": "length"}, {"order": "length", "descending": True}, {"order": "random", "seed": 7}, {"order": "random"},
     {"order": "row_index", "descending": True}, {"order": "updated", "descending": True}],
)  # fmt: skip
def test_pairs_are_handed_out_in_the_order_of_the_queue(ws: Any, made: Any, given: dict[str, Any]) -> None:  # noqa: F811
    ws.review.decide(made.id, 13, notes="touched last")
    queue = [pair.row_index for pair in ws.review.queue(made.id, **given)]

    first = rows(ws.review.claim(made.id, 3, **given))
    assert queue[:3] == first
    assert queue[3:6] == rows(ws.review.claim(made.id, 3, after=first[-1], **given))
    assert queue[:2] == rows(ws.review.claim(made.id, 2, **given)), "one's own are renewed in the same order"


def test_what_others_hold_is_left_out_of_the_order(local: Any, mine: Any) -> None:  # noqa: F811
    ben = Workspace(LocalTransport(local.transport.app, user="ben", served=True))
    queue = [pair.row_index for pair in local.review.queue(mine.id, order="random", seed=3)]

    assert queue[:2] == rows(local.review.claim(mine.id, 2, order="random", seed=3))
    assert queue[2:4] == rows(ben.review.claim(mine.id, 2, order="random", seed=3))


def test_behind_no_pair_there_is_none(ws: Any, made: Any) -> None:  # noqa: F811
    with pytest.raises(NotFound, match="no pair 40"):
        ws.review.claim(made.id, after=40)


@pytest.mark.parametrize("overlap", [1, 2])
def test_who_comes_back_takes_over_what_they_held(local: Any, mine: Any, overlap: int) -> None:  # noqa: F811
    local.training_sheets.update(mine.id, overlap=overlap)
    app, name = local.transport.app, local.transport.user
    before, again, ben = (Workspace(LocalTransport(app, user=user, served=True)) for user in (name, name, "ben"))
    before.review.claim(mine.id, 2, lease_seconds=60)
    wanted = {"where": "row_index = 0"}

    assert [] == rows(again.review.claim(mine.id, filter=wanted)), "two tabs of one person are not handed the same pair"
    assert [0] == rows(again.review.claim(mine.id, filter=wanted, take_over=True))

    assert None is again.review.card(mine.id, 0).held_by
    again.review.decide(mine.id, 0, action="approve")
    assert [1] == rows(before.review.claim(mine.id, filter={"where": "row_index = 1"})), "the rest stays where it was held"
    if overlap == 1:
        assert [] == rows(ben.review.claim(mine.id, filter={"where": "row_index = 1"}, take_over=True))
        with pytest.raises(Conflict, match="is working on this pair"):
            ben.review.decide(mine.id, 1, action="approve")
