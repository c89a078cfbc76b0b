"""Cards are given to one job at a time; who gets none waits and says so."""

import datetime as dt
import time

import pytest

from tests.engine.test_engine import job_of, until
from workbench.engine import gpus
from workbench.engine.queue import Limits, Waiting, startable

ONE_CARD = "Waits for a GPU: the one of this machine is in use (WORKBENCH_GPUS)."


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Nothing is hidden by the environment, unless a test says so."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def with_cards(made):
    """Make engines with so many cards, and a kind that wants one."""

    def make(count, **settings):
        engine = made("count", gpus=count, **{"max_jobs": 4, **settings})
        work = {"entry": "tests.engine.work:cards", "prepare": lambda job, folder: job.spec}
        engine.register("cards", **work, resources=lambda job: {"GPU": job.spec.get("needs", 1)})
        engine.register("plain", **work)
        return engine

    return make


@pytest.mark.parametrize(
    ("limit", "shown", "found"),
    [(2, None, ("0", "1")), (0, None, ()), (None, "", ()), (None, "-1", ()), (None, "3,1", ("3", "1")), (1, "3,1", ("3",)),
     (None, "2,-1,1", ("2",)), (5, "GPU-8f, MIG-2", ("GPU-8f", "MIG-2")), (None, "NoDevFiles", ())],
)  # fmt: skip
def test_which_cards_there_are(limit, shown, found):
    assert gpus.cards(limit, {} if shown is None else {"CUDA_VISIBLE_DEVICES": shown}) == found


def test_the_driver_is_asked_and_no_library(monkeypatch, tmp_path):
    monkeypatch.setattr(gpus, "DRIVER", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus.cards(None, {}) == ()
    (command := tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'GPU 0: A (UUID: GPU-1)'\necho 'GPU 1: B (UUID: GPU-2)'\n")
    command.chmod(0o755)
    assert gpus.cards(None, {}) == ("0", "1")
    (tmp_path / "gpus" / "0000:01:00.0").mkdir(parents=True)
    monkeypatch.setattr(gpus, "DRIVER", tmp_path / "gpus")
    assert gpus.cards(None, {}) == ("0",)


def test_who_needs_a_card_does_not_hold_back_who_needs_none():
    waiting = [Waiting(name, "train", "ann", dt.datetime(2026, 1, 1, minute=at)) for at, name in enumerate("abcd")]
    chosen = startable(waiting, [], Limits(total=4), wanted={"a": 1, "b": 1, "c": 0}, cards=1)
    assert [job.id for job in chosen] == ["a", "c", "d"]


def test_each_job_has_a_card_of_its_own_and_the_next_one_waits_for_it(with_cards):
    engine = with_cards(2)
    first, second = (engine.submit("cards", name=name, spec={"wait": True}) for name in "ab")
    assert {shown(engine, first), shown(engine, second)} == {"0", "1"}
    third = engine.submit("cards", name="c", spec={})
    free = until(engine, engine.submit("plain", name="d", spec={}))
    assert (free.status, free.result) == ("succeeded", {"cards": None})
    waiting = job_of(engine, third.id)
    assert (waiting.status, waiting.message) == (
        "queued",
        "Waits for a GPU: all 2 of this machine are in use (WORKBENCH_GPUS).",
    )
    card = shown(engine, second)
    engine.request_cancel(job_of(engine, second.id))
    done = until(engine, third)
    assert (done.status, done.result, done.message) == ("succeeded", {"cards": card}, "")
    engine.request_cancel(job_of(engine, first.id))
    assert until(engine, first).status == "cancelled"


def test_a_card_stays_taken_over_a_restart_of_the_owner(with_cards):
    engine = with_cards(1)
    first = engine.submit("cards", name="a", spec={"wait": True})
    assert shown(engine, first) == "0"
    engine.close()
    engine.start()
    second = engine.submit("cards", name="b", spec={})
    until_said(engine, second, ONE_CARD)
    engine.request_cancel(job_of(engine, first.id))
    assert until(engine, second).result == {"cards": "0"}


def test_who_wants_more_cards_than_there_are_gets_all_and_none_means_the_cpu(with_cards):
    engine = with_cards(2)
    assert until(engine, engine.submit("cards", name="x", spec={"needs": 8})).result == {"cards": "0,1"}
    without = with_cards(0)
    jobs = [without.submit("cards", name=name, spec={"wait": True}) for name in "ab"]
    assert [shown(without, job) for job in jobs] == ["", ""]


def shown(engine, job):
    """Return the cards the child says it sees, once it does."""
    sql = "select data->>'cards' from job_events where job_id = ? and message = 'shown'"
    return waited(lambda: engine.db.tuples(sql, [job.id]))[0][0]


def until_said(engine, job, message):
    """Wait until the job says so."""
    waited(lambda: job_of(engine, job.id).message == message)


def waited(found):
    """Return what is found, once it is."""
    deadline = time.monotonic() + 60
    while not (what := found()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return what
