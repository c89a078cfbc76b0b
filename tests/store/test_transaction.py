"""Commit, then tell: the outbox and its subscribers."""

from __future__ import annotations

import threading

import pytest

from workbench.store import Database, Event
from workbench.store.doctor import doctor


def test_events_commit_with_the_change_and_are_told_after(db, clock):
    told = []
    db.subscribe(lambda events: told.append((events, db.in_transaction, db.value("select count(*) from settings"))))
    db.actor_of = lambda: "ann"
    with db.write():
        db.execute("insert into settings values ('n', '0', 0, now()::timestamp, 'me')")
        db.emit("settings", "n", 1, "created")
        db.emit("settings", "n", 2)
        db.emit("settings", "n", 3)
        assert told == []
    expected = [
        Event(1, "settings", "n", 1, "created", "ann", clock.now()),
        Event(2, "settings", "n", 3, "updated", "ann", clock.now()),
    ]
    assert told == [(expected, False, 1)]
    assert db.events_after(0) == expected
    assert db.events_after(1) == expected[1:]
    assert db.last_seq == 2


def test_nothing_is_told_and_no_number_lost_after_a_rollback(db):
    told = []
    db.subscribe(told.extend)
    with pytest.raises(ZeroDivisionError), db.write():  # noqa: PT012
        db.emit("sheets", "a")
        db.on_commit(lambda: told.append("followed"))
        raise ZeroDivisionError
    with db.write(actor="bob"):
        db.emit("sheets", "b")
        db.on_commit(lambda: told.append("followed"))
    assert [(e.seq, e.id, e.actor) for e in told[:1]] == [(1, "b", "bob")]
    assert told[1:] == ["followed"]


def test_nested_blocks_are_one_transaction(db):
    told = []
    db.subscribe(told.append)
    with db.write() as outer:
        db.emit("sheets", "a")
        with db.write() as inner:
            assert inner is outer
            db.emit("sheets", "b")
        assert told == []
    assert [[event.id for event in batch] for batch in told] == [["a", "b"]]


def test_a_swallowed_failure_that_wrote_spoils_the_whole(db):
    insert = "insert into settings values (?, '0', 0, now()::timestamp, 'me')"
    with pytest.raises(KeyError), db.write():  # noqa: PT012
        db.execute(insert, ["kept?"])
        try:
            with db.write():
                db.execute(insert, ["half"])
                raise KeyError("inner")
        except KeyError:
            pass
    assert db.value("select count(*) from settings") == 0
    with db.write():
        db.execute(insert, ["kept"])
        try:
            with db.write():
                raise KeyError("before any write")
        except KeyError:
            pass
    assert db.value("select count(*) from settings") == 1


def test_a_failing_subscriber_hurts_nobody(db, caplog):
    told = []
    db.subscribe(lambda events: 1 / 0)
    stop = db.subscribe(told.extend)
    with db.write():
        db.emit("sheets", "a")
    assert [event.id for event in told] == ["a"]
    assert "ZeroDivisionError" in caplog.text
    stop()
    with db.write():
        db.emit("sheets", "b")
    assert len(told) == 1


def test_a_failing_follower_does_not_undo_the_commit(db, caplog):
    followed = []
    with db.write():
        db.emit("sheets", "a")
        db.on_commit(lambda: 1 / 0)
        db.on_commit(lambda: followed.append(db.last_seq))
    assert followed == [1]
    assert "ZeroDivisionError" in caplog.text


def test_a_subscriber_may_write(db):
    told = []

    def answer(events):
        told.extend(event.id for event in events)
        if events[0].id == "question":
            with db.write():
                db.emit("sheets", "answer")

    db.subscribe(answer)
    with db.write():
        db.emit("sheets", "question")
    assert told == ["question", "answer"]


def test_batches_arrive_in_the_order_of_the_commits(db):
    told = []
    db.subscribe(lambda events: told.extend(event.seq for event in events))

    def write():
        for _ in range(20):
            with db.write():
                db.emit("sheets", "s")

    threads = [threading.Thread(target=write) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == list(range(1, 101))


def test_numbers_go_on_after_reopening(path):
    for expected in (1, 2):
        with Database.open(path) as db, db.write():
            db.emit("sheets", "a")
        with Database.open(path) as db:
            assert (db.first_seq, db.last_seq) == (1, expected)


def test_many_events_are_one_gapless_series(db):
    with db.write():
        for number in range(450):
            db.emit("pairs", f"p{number}")
    assert [event.seq for event in db.events_after(0, 1000)] == list(range(1, 451))


def test_old_events_go_and_numbers_go_on(path, monkeypatch):
    from workbench.clock import FrozenClock
    from workbench.store import database, transaction

    monkeypatch.setattr(database, "_TRIM_EVERY", 10)
    monkeypatch.setattr(transaction, "KEPT_ANYWAY", 3)
    clock = FrozenClock()
    with Database.open(path, clock=clock) as db:
        for number in range(9):
            with db.write():
                db.emit("things", f"t{number}")
        clock.advance(hours=25)
        with db.write():
            db.emit("things", "late")
        assert (db.first_seq, db.last_seq) == (8, 10)
        assert doctor(db) == []
    with Database.open(path, clock=clock) as db:
        assert db.last_seq == 10
        with db.write():
            db.emit("things", "next")
        assert [event.seq for event in db.events_after(8)] == [9, 10, 11]
