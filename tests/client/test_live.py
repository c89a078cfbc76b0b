"""Live queries follow commits, coalesce bursts and stop when closed."""

from __future__ import annotations

import threading
import time

from workbench.client.live import TIMER, LiveQuery
from workbench.domain.system import Change


class Source:
    """Count runs and let a test announce changes."""

    def __init__(self):
        self.runs = 0
        self.listeners = []

    def ask(self, **arguments):
        self.runs += 1
        if arguments.get("fail"):
            raise ValueError("no")
        return self.runs

    def subscribe(self, listener):
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def tell(self, *topics):
        for listener in list(self.listeners):
            listener([Change(topic=t) for t in topics])


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def timers():
    return [thread for thread in threading.enumerate() if thread.name == TIMER and thread.is_alive()]


def test_nothing_runs_before_start():
    source = Source()
    LiveQuery(source.ask, topics={"a"}, subscribe=source.subscribe)

    assert 0 == source.runs


def test_a_burst_of_changes_is_one_run(monkeypatch):
    monkeypatch.setattr("workbench.client.live.COALESCE_S", 0.5)
    source = Source()
    live = LiveQuery(source.ask, topics={"a"}, subscribe=source.subscribe).start()

    for _ in range(50):
        source.tell("a")

    assert until(lambda: live.value == 2)
    assert until(lambda: not timers())
    assert 2 == source.runs
    live.close()


def test_other_topics_are_ignored_but_a_gap_is_not():
    source = Source()
    live = LiveQuery(source.ask, topics={"a"}, subscribe=source.subscribe).start()

    source.tell("b")
    time.sleep(0.25)
    assert 1 == source.runs
    source.tell("*")
    assert until(lambda: source.runs == 2)
    live.close()


def test_a_query_about_one_thing_ignores_the_others():
    source = Source()
    live = LiveQuery(source.ask, topics={"jobs"}, subscribe=source.subscribe, about="job_1").start()
    heard = source.listeners[0]

    heard([Change(topic="jobs", id="job_2")])
    assert live._timer is None
    heard([Change(topic="jobs", id="job_2"), Change(topic="jobs", id="job_1")])
    assert until(lambda: source.runs == 2)
    live.close()


def test_an_error_is_kept_and_the_value_stays():
    source = Source()
    live = LiveQuery(source.ask, topics={"a"}, subscribe=source.subscribe).start()

    live.ask(fail=True)
    assert (1, "no") == (live.value, str(live.error))
    live.ask(fail=False)
    assert live.error is None
    live.close()


def test_a_closed_query_neither_runs_nor_listens():
    source = Source()
    live = LiveQuery(source.ask, topics={"a"}, subscribe=source.subscribe).start()
    source.tell("a")
    live.close()
    time.sleep(0.3)

    assert (1, []) == (source.runs, source.listeners)
    assert not timers()


def test_the_twin_of_a_record_with_a_name_follows_it_too(ws):
    sheet = ws.sheets.create("Before", rows=[{"a": 1}])
    live = sheet.live()
    try:
        assert (live.name, live.item_count) == ("Before", 1)
        ws.sheets.update(sheet.id, name="After", description="told")
        assert until(lambda: (live.name, live.description) == ("After", "told"), seconds=20)
    finally:
        live.close()
