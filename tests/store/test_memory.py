"""What was worked out is kept until something of its topics changes, and never from a state that may pass."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from workbench.store import Database
from workbench.store.memory import KEPT, Memory

COUNT = "select count(*) from settings"


class Asked:
    """Count the settings, and how often that was asked for."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return self.db.value(COUNT)

    def recalled(self) -> int:
        return self.db.recall(("count",), ("settings",), self)


def add(db: Database, key: str, topic: str = "settings") -> None:
    db.execute("insert into settings (key, updated_at, updated_by) values (?, ?, 'me')", [key, db.clock.now()])
    db.emit(topic, key)


def test_an_answer_is_kept_until_its_topic_changes() -> None:
    with Database.open() as db:
        asked = Asked(db)
        assert [asked.recalled(), asked.recalled()] == [0, 0]
        with db.write():
            add(db, "one")
        assert [asked.recalled(), asked.recalled()] == [1, 1]
        with db.write():
            db.emit("sheets", "x")
        assert (asked.recalled(), asked.times) == (1, 2)


def test_what_is_not_committed_is_not_kept() -> None:
    with Database.open() as db:
        asked = Asked(db)

        def fail() -> None:
            with db.write():
                add(db, "one")
                assert asked.recalled() == 1
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert asked.recalled() == 0


def test_an_older_state_is_not_kept_for_the_present_one() -> None:
    with Database.open() as db:
        asked = Asked(db)
        with db.read():
            assert db.value(COUNT) == 0

            def commit() -> None:
                with db.write(actor="other"):
                    add(db, "one")

            other = threading.Thread(target=commit)
            other.start()
            other.join()
            assert asked.recalled() == 0
        assert asked.recalled() == 1


def test_only_the_latest_answers_are_kept() -> None:
    memory = Memory()
    for number in range(KEPT + 1):
        memory.recall(number, 1, lambda: "old")

    assert memory.recall(0, 1, lambda: "new") == "new"
    assert memory.recall(KEPT, 1, lambda: "new") == "old"


@pytest.fixture
def asked() -> Iterator[Asked]:
    with Database.open() as db:
        asked = Asked(db)
        assert asked.recalled() == 0
        yield asked


def one_more(key: Any, answer: int) -> int:
    return answer + 1


def test_an_answer_follows_a_change_that_says_how(asked: Asked) -> None:
    for number in range(1, 4):
        with asked.db.write():
            add(asked.db, f"key {number}")
            asked.db.carry("settings", f"key {number}", one_more)
        assert asked.recalled() == number

    assert asked.times == 1


def test_two_changes_of_one_transaction_are_both_followed(asked: Asked) -> None:
    with asked.db.write():
        for id in ("one", "two"):
            add(asked.db, id)
            asked.db.carry("settings", id, one_more)

    assert (asked.recalled(), asked.times) == (2, 1)


def test_beside_a_change_that_does_not_say_how_all_is_worked_out_anew(asked: Asked) -> None:
    with asked.db.write():
        add(asked.db, "told")
        asked.db.carry("settings", "told", one_more)
        add(asked.db, "untold")

    assert (asked.recalled(), asked.times) == (2, 2)


@pytest.mark.parametrize("change", [lambda key, answer: None, lambda key, answer: 1 / 0], ids=["cannot say", "fails"])
def test_an_answer_that_cannot_follow_is_worked_out_anew(asked: Asked, change: Any) -> None:
    with asked.db.write():
        add(asked.db, "key")
        asked.db.carry("settings", "key", change)

    assert (asked.recalled(), asked.times) == (1, 2)


def test_nothing_follows_what_was_rolled_back(asked: Asked) -> None:
    with contextlib.suppress(ZeroDivisionError), asked.db.write():
        add(asked.db, "key")
        asked.db.carry("settings", "key", one_more)
        raise ZeroDivisionError

    assert (asked.recalled(), asked.times) == (0, 1)


def test_who_reads_just_after_the_commit_is_not_counted_twice(asked: Asked) -> None:
    """The answer that is worked out from the new state, under the old mark, does not follow the change once more."""
    db = asked.db

    class Committing:
        """Commits, then lets somebody read before the database knows that it has."""

        def __init__(self, cursor: Any) -> None:
            self.cursor = cursor

        def commit(self) -> None:
            self.cursor.commit()
            db._memory = Memory()  # pushed out meanwhile, so that the reader works it out
            reader = threading.Thread(target=asked.recalled)
            reader.start()
            reader.join()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.cursor, name)

    with db.write() as transaction:
        add(db, "key")
        db.carry("settings", "key", one_more)
        transaction.cursor = Committing(transaction.cursor)  # type: ignore[assignment]

    assert (asked.times, asked.recalled()) == (2, 1)
