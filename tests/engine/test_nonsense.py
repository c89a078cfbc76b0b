"""A child that talks nonsense harms nobody: not the engine, not the other jobs, not the lists its words are shown in."""

import json

from tests.engine.test_engine import job_of, until
from tests.engine.work import NONSENSE
from workbench.engine.ending import MOST_WORDS


def test_half_a_character_becomes_a_question_mark_and_no_count_is_without_bounds(made):
    engine = made("mumbles")
    job = until(engine, engine.submit("mumbles", name="x", spec={}))
    assert (job.status, job.error_message) == ("failed", "RuntimeError: half ? of it")
    assert engine.db.tuples("select name, value from metrics where job_id = ?", [job.id]) == [("half ?", 1.0)]
    assert len([words for words in said(engine, job) if words.startswith("refused: ")]) == 3


def test_words_that_make_no_sense_are_skipped_and_keep_no_other_job_waiting(made):
    engine = made("scribbles", "count")
    scribbling = engine.submit("scribbles", name="x", spec={"wait": True})
    counting = until(engine, engine.submit("count", name="y", spec={"steps": 20}))
    assert (counting.status, counting.result) == ("succeeded", {"best": 20})
    engine.request_cancel(job_of(engine, scribbling.id))
    assert until(engine, scribbling).status == "cancelled"


def test_words_around_those_that_make_no_sense_are_kept_exactly_once(made):
    engine = made("scribbles")
    job = until(engine, engine.submit("scribbles", name="x", spec={}))
    count = len(NONSENSE)
    assert (job.status, job.done, job.message) == ("succeeded", count, "all said")
    curve = engine.db.tuples("select step, value from metrics where job_id = ? order by step", [job.id])
    assert curve == [(step, 1.0) for step in range(1, count + 1)]
    words = said(engine, job)
    assert [one for one in words if one.startswith("word ")] == [f"word {step}" for step in range(1, count + 1)]
    assert "beyond all numbers" not in words
    facts = skipped(engine, job)
    assert facts[-1]["skipped"] == count + 2
    assert facts[0]["reasons"]


def test_who_babbles_for_ever_fills_no_history(made):
    engine = made("scribbles")
    times = 60
    job = until(engine, engine.submit("scribbles", name="x", spec={"times": times}))
    assert job.status == "succeeded"
    assert engine.db.value("select count(*) from metrics where job_id = ?", [job.id]) == times * len(NONSENSE)
    facts = skipped(engine, job)
    assert facts[-1]["skipped"] == times * len(NONSENSE) + 2
    assert len(facts) <= 6


def test_a_reason_as_long_as_a_book_is_cut(made):
    engine = made("mumbles")
    job = until(engine, engine.submit("mumbles", name="x", spec={"words": "no " * 1_000_000}))
    assert job.status == "failed"
    assert len(job.error_message) == MOST_WORDS + 1
    assert len(job_of(engine, job.id).error_details) <= 100_000


def test_a_result_without_sense_is_kept_as_far_as_it_has_some(made):
    engine = made("returns")
    job = until(engine, engine.submit("returns", name="x", spec={}))
    assert job.status == "succeeded"
    assert job.result == {"loss": None, "deep": {"rows": [1.0, None]}, "lone": 0.25, "fine": 1.5, "path": "a"}
    assert "No number, kept as unknown: loss, deep.rows[1]." in said(engine, job)
    refused = until(engine, engine.submit("returns", name="y", spec={"list": True}))
    assert (refused.status, refused.error_code) == ("failed", "JOB_FAILED")
    assert refused.error_message == "TypeError: The work returned a list; what it returns is a dict, or nothing."


def said(engine, job):
    """Return the messages of a job's events."""
    return [words for (words,) in engine.db.tuples("select message from job_events where job_id = ? order by seq", [job.id])]


def skipped(engine, job):
    """Return the facts of the events that tell of skipped words."""
    sql = "select data from job_events where job_id = ? and type = 'error' and message like '%were skipped, %' order by seq"
    return [json.loads(data) for (data,) in engine.db.tuples(sql, [job.id])]
