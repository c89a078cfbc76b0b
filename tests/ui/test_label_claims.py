"""Working through a queue together: who gets which pair, in the order that was chosen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui.rendered import eventually, started
from tests.ui.test_label import made  # noqa: F401  fixture
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.ui.label_review import ReviewView


@pytest.mark.parametrize("given", [{"order": "random"}, {"order": "length", "descending": True}, {"descending": True}])
def test_pairs_are_handed_out_in_the_order_that_was_chosen(local: Any, made: Any, given: dict[str, Any]) -> None:  # noqa: F811
    queue = [pair.row_index for pair in local.review.queue(made.id, **given)]
    views, seen = [], {"ann": [], "ben": []}
    for user in seen:
        workspace = Workspace(LocalTransport(local.transport.app, user=user, served=True))
        views.append(started(ReviewView(workspace, sheet=made.id, shared=True, **given)))
        assert eventually(lambda: views[-1].row is not None)
    for _ in range(3):
        for user, view in zip(seen, views, strict=True):
            seen[user].append(view.row)
            ahead = view.desk.claims.upcoming(view.row)
            view.act("reject")
            assert eventually(lambda view=view, user=user: view.row not in seen[user])
            assert ahead == view.row, "what was read ahead is what comes"
    for view in views:
        view.close()

    assert queue[:6] == sorted([*seen["ann"], *seen["ben"]], key=queue.index)
    assert all(rows == sorted(rows, key=queue.index) for rows in seen.values())


def test_who_steps_on_finds_the_next_in_the_order_and_the_way_back(local: Any, made: Any) -> None:  # noqa: F811
    queue = [pair.row_index for pair in local.review.queue(made.id, order="random")]
    view = started(ReviewView(local, sheet=made.id, shared=True, order="random"))
    walked = []
    for way in ("next", "next", "previous", "next"):
        assert eventually(lambda: view.row is not None and view.row not in walked[-1:])
        walked.append(view.row)
        view.act(way)
    assert eventually(lambda: view.row == queue[2])
    view.close()

    assert [queue[0], queue[1], queue[2], queue[1]] == walked
