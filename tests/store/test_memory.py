"""What was worked out is kept until something of its topics changes, and never from a state that may pass."""

from __future__ import annotations

import threading

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
