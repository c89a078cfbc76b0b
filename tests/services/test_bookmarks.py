"""Where a reviewer left off: the pair and the queue, for whoever opens the review anew."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.services.test_label import PLAN, as_bob, made, mine  # noqa: F401  fixtures
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.errors import NotFound, ValidationError


def left(ws: Any, made: Any) -> tuple[Any, str | None, str]:  # noqa: F811
    found = ws.review.bookmark(made.id)
    return (found.row_index, found.filter.status, found.order)


def test_the_pair_that_was_open_is_kept_with_its_queue(ws: Any, made: Any) -> None:  # noqa: F811
    assert (None, "to_review", "row_index") == left(ws, made)
    given = {"status": "all", "search": "what 1", "signals": ["length:none"], "updated_since": dt.datetime(2020, 1, 31, 14, 5)}

    ws.review.keep_bookmark(made.id, 17, filter=given, order="length", descending=True, shared=True)

    found = ws.review.bookmark(made.id)
    assert (17, "length", True, True) == (found.row_index, found.order, found.descending, found.shared)
    kept = found.filter
    assert given == {"status": kept.status, "search": kept.search, "signals": list(kept.signals), "updated_since": kept.updated_since}
    assert found.kept_at is not None


def test_the_last_place_counts_and_is_nobody_elses(ws: Any, made: Any) -> None:  # noqa: F811
    for row_index in (3, 8):
        ws.review.keep_bookmark(made.id, row_index)

    assert (8, "to_review", "row_index") == left(ws, made)
    assert None is as_bob(ws, "bookmark", training_sheet_id=made.id).row_index
    other = ws.training_sheets.assemble(made.sheet_id, template=PLAN)
    assert None is ws.review.bookmark(other.id).row_index


def test_a_new_client_of_the_same_person_finds_the_place(local: Any, mine: Any) -> None:  # noqa: F811
    local.review.keep_bookmark(mine.id, 8)

    again = Workspace(LocalTransport(local.transport.app, user=local.transport.user, served=True))

    assert 8 == again.review.bookmark(mine.id).row_index


@pytest.mark.parametrize(("descending", "after"), [(False, 9), (True, 7)])
def test_a_pair_that_left_its_queue_gives_way_to_the_next(ws: Any, made: Any, descending: bool, after: int) -> None:  # noqa: F811
    ws.review.keep_bookmark(made.id, 8, descending=descending)
    ws.review.decide(made.id, 8, action="approve")

    assert after == ws.review.bookmark(made.id).row_index
    ws.review.keep_bookmark(made.id, 8, filter={"status": "all"})
    assert (8, "all", "row_index") == left(ws, made)


def test_behind_the_end_the_queue_begins_anew(ws: Any, made: Any) -> None:  # noqa: F811
    ws.review.keep_bookmark(made.id, 39)
    ws.review.decide(made.id, 39, action="reject")

    assert None is ws.review.bookmark(made.id).row_index


def test_a_pair_that_is_gone_is_nowhere(local: Any, mine: Any) -> None:  # noqa: F811
    for row_index, order in ((39, "row_index"), (38, "length")):
        local.review.keep_bookmark(mine.id, row_index, order=order)
        with local.transport.app.db.write():
            local.transport.app.db.execute("delete from pair_rows where row_index >= ?", [row_index])

        assert (None, "to_review", order) == left(local, mine)


def test_a_filter_that_no_longer_holds_is_left_behind(local: Any, mine: Any) -> None:  # noqa: F811
    local.review.keep_bookmark(mine.id, 8, filter={"status": "all", "where": "n > 3"}, order="length")
    assert (8, "all", "length") == left(local, mine)
    with local.transport.app.db.write():
        local.transport.app.db.execute("update bookmarks set filter = replace(filter::varchar, 'n > 3', 'm > 3')")

    assert (8, "to_review", "row_index") == left(local, mine)


def test_what_was_typed_since_is_where_one_is(local: Any, mine: Any) -> None:  # noqa: F811
    local.review.draft(mine.id, 5, response="half a sentence")
    assert (5, "to_review", "row_index") == left(local, mine)
    local.clock.advance(seconds=5)
    local.review.keep_bookmark(mine.id, 20, filter={"status": "all"})
    assert (20, "all", "row_index") == left(local, mine), "what was typed before is not where one is"

    local.clock.advance(seconds=5)
    local.review.draft(mine.id, 20, response="another sentence")
    assert (20, "all", "row_index") == left(local, mine)
    local.review.draft(mine.id, 5, response="the whole sentence")
    local.clock.advance(seconds=5)
    local.review.draft(mine.id, 7, response="a new one")
    assert (7, "to_review", "row_index") == left(local, mine)


def test_a_pair_that_is_typed_into_is_returned_to_whoever_decided_on_it(local: Any, mine: Any) -> None:  # noqa: F811
    local.review.keep_bookmark(mine.id, 5)
    local.review.draft(mine.id, 5, response="half a sentence")
    ben = Workspace(LocalTransport(local.transport.app, user="ben", served=True))
    ben.review.decide(mine.id, 5, action="reject")

    assert 5 == local.review.bookmark(mine.id).row_index


def test_no_place_is_kept_that_is_none(ws: Any, made: Any) -> None:  # noqa: F811
    with pytest.raises(NotFound, match="no pair 40"):
        ws.review.keep_bookmark(made.id, 40)
    with pytest.raises(ValidationError):
        ws.review.keep_bookmark(made.id, 4, filter={"where": "nothing = 1"})
    assert None is ws.review.bookmark(made.id).row_index
