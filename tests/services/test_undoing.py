"""Undo without a name is about the last thing one did, and says so where others have been at it since."""

from __future__ import annotations

from typing import Any

from tests.services.test_label import made, mine  # noqa: F401  fixtures
from tests.services.test_votes import Person
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace


def person(local: Any, name: str) -> Any:
    return Workspace(LocalTransport(local.transport.app, user=name, served=True)).review


def test_nothing_older_is_taken_back_in_place_of_what_somebody_changed(local: Any, mine: Any) -> None:  # noqa: F811
    ann, bob = (person(local, name) for name in ("ann", "bob"))
    for row in (1, 2):
        ann.decide(mine.id, row, action="approve")
    last = ann.batches(mine.id)[0].id
    bob.decide(mine.id, 2, action="reject")

    for _ in range(2):
        told = ann.undo(mine.id)
        assert (0, last, {"changed_since": 1}, []) == (told.undone, told.batch_id, told.skipped, told.row_indices)
        assert told.summary.startswith("Nothing was taken back: pair 2 has changed since (bob rejected). ")
    assert "labeled" == ann.get(mine.id, 1).status

    bob.undo(mine.id)
    assert [2] == ann.undo(mine.id).row_indices
    assert [1] == ann.undo(mine.id).row_indices
    assert "There is nothing to undo." == ann.undo(mine.id).summary


def test_what_is_left_of_the_last_step_is_taken_back(local: Any, mine: Any) -> None:  # noqa: F811
    ann, bob, cat = (person(local, name) for name in ("ann", "bob", "cat"))
    ann.decide(mine.id, 7, action="approve")
    ann.bulk_approve(mine.id, row_indices=[1, 2, 3])
    bob.decide(mine.id, 2, action="reject")
    assert ([1, 3], {"changed_since": 1}) == ((told := ann.undo(mine.id)).row_indices, told.skipped)

    ann.bulk_approve(mine.id, row_indices=[4, 5])
    bob.bulk_flag(mine.id, row_indices=[4])
    cat.bulk_flag(mine.id, row_indices=[5])
    told = ann.undo(mine.id)
    assert "Nothing was taken back: all 2 pairs of your last step have changed since, by bob, cat." in told.summary
    assert [7] == ann.undo(mine.id, batch_id=ann.batches(mine.id, reviewer="ann", row_index=7)[0].id).row_indices


def test_a_vote_that_settled_a_pair_is_named_and_a_blind_one_is_not(local: Any, mine: Any) -> None:  # noqa: F811
    local.training_sheets.update(mine.id, overlap=2)
    ann, bob, dot = (Person(local, mine.id, *who) for who in (("ann",), ("bob",), ("dot", "data_steward")))
    ann.vote(1)
    ann.vote(2)
    bob.vote(2)
    assert "pair 2 has changed since (bob voted)." in ann.undo().summary
    assert ann.get(1).review.mine == "approve"

    dot.decide(2, action="reset")
    bob.vote(2)
    assert "pair 2 has changed since (dot reset to unlabeled)." in ann.undo().summary
