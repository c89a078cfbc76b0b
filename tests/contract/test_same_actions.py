"""The same few actions come with each row of a list; over the wire they are built once."""

from __future__ import annotations

from workbench.contract.codec import decode_record, encode_record
from workbench.domain.label import Pair
from workbench.domain.record import Action


def pair(*actions):
    return Pair(id="a.1", actions=actions)


def test_equal_actions_are_one_object_and_others_are_not():
    approve, reject = Action(name="approve", label="Approve"), Action(name="reject", label="Reject", enabled=False, reason="Why")
    first, second = (decode_record(Pair, encode_record(pair(approve, reject))) for _ in range(2))

    assert first.actions[0] is second.actions[0]
    assert [one.values() for one in first.actions] == [approve.values(), reject.values()]
