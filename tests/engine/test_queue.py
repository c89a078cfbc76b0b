"""The order of the queue and its limits."""

import datetime as dt

from workbench.engine.queue import Limits, Waiting, ordered, startable, thread_budget

T0 = dt.datetime(2026, 1, 1)


def job(id, kind="train", user="ann", minute=0, priority=0):
    return Waiting(id, kind, user, T0 + dt.timedelta(minutes=minute), priority)


def names(jobs):
    return [j.id for j in jobs]


def test_priority_first_then_first_come():
    assert names(ordered([job("a", minute=2), job("b", minute=1), job("c", minute=3, priority=5)])) == ["c", "b", "a"]


def test_total_limit():
    waiting = [job("a"), job("b", minute=1), job("c", minute=2)]
    assert names(startable(waiting, [("train", "ann")], Limits(total=2))) == ["a"]
    assert startable(waiting, [("train", "ann")] * 2, Limits(total=2)) == []


def test_a_full_kind_does_not_hold_back_another():
    waiting = [job("a"), job("b", minute=1), job("c", kind="import", minute=2)]
    assert names(startable(waiting, [], Limits(total=3, per_kind={"train": 1}))) == ["a", "c"]


def test_a_user_has_a_share():
    waiting = [job("a"), job("b", minute=1), job("c", user="bob", minute=2)]
    assert names(startable(waiting, [], Limits(total=3, per_user=1))) == ["a", "c"]


def test_cores_are_shared():
    assert [thread_budget(8, n) for n in (0, 1, 2, 3, 16)] == [8, 8, 4, 2, 1]
