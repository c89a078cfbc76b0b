"""A child that talks nonsense harms nobody: not the engine, not the other jobs, not the lists its words are shown in."""

from tests.engine.test_engine import job_of, until
from workbench.engine.ending import MOST_WORDS


def test_half_a_character_becomes_a_question_mark_and_no_count_is_without_bounds(made):
    engine = made("mumbles")
    job = until(engine, engine.submit("mumbles", name="x", spec={}))
    assert (job.status, job.error_message) == ("failed", "RuntimeError: half ? of it")
    assert engine.db.tuples("select name, value from metrics where job_id = ?", [job.id]) == [("half ?", 1.0)]
    assert len([words for words in said(engine, job) if words.startswith("refused: ")]) == 3


def test_lines_that_make_no_sense_are_skipped_and_keep_no_other_job_waiting(made):
    engine = made("scribbles", "count")
    scribbling = engine.submit("scribbles", name="x", spec={})
    counting = until(engine, engine.submit("count", name="y", spec={"steps": 20}))
    assert (counting.status, counting.result) == ("succeeded", {"best": 20})
    engine.request_cancel(job_of(engine, scribbling.id))
    assert until(engine, scribbling).status == "cancelled"
    assert any(words.startswith("A damaged journal line at byte ") for words in said(engine, scribbling))


def test_a_reason_as_long_as_a_book_is_cut(made):
    engine = made("mumbles")
    job = until(engine, engine.submit("mumbles", name="x", spec={"words": "no " * 1_000_000}))
    assert job.status == "failed"
    assert len(job.error_message) == MOST_WORDS + 1
    assert len(job_of(engine, job.id).error_details) <= 100_000


def said(engine, job):
    """Return the messages of a job's events."""
    return [words for (words,) in engine.db.tuples("select message from job_events where job_id = ? order by seq", [job.id])]
