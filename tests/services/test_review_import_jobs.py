"""Reviews that are too many for a call come in by a job: the same pairs, the same errors, nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from tests.services.test_long_work import app_of, ended, hidden, left
from tests.services.test_review_import import TASKS
from workbench.contract.codec import decode_record, encode
from workbench.domain.generate import ReviewImport
from workbench.errors import InvalidTransition, ValidationError
from workbench.services import long_work, review_keeping
from workbench.store import review_reading
from workbench.store.doctor import doctor
from workbench.store.json_records import JsonRecords
from workbench.testing import frozen

# What a child process does is the same whoever asked for it.
TRANSPORTS = ("http",)
PAIR = "row_index, item_ref, prompt, response, response_source, original_response, status, flag_reason, confidence, labeled_by, "
PAIR += "labeled_at, verified_by, verified_at, allowed_mask, prohibited_mask, version"
MADE = ("format", "question", "other_questions", "pairs", "statuses", "unplaced", "summary", "preview")


def kept(ws: Any, done: Any) -> list[Any]:
    """Return all that an import keeps: pairs, decisions, labels and rows."""
    db, sheet = app_of(ws).db, ws.sheets.get(done.sheet_id)
    log = "select row_index, action, actor, pair_version, before.status, after.status, texts_before, texts_after from decisions "
    labels = "select item_ref, label_type, label, labeled_by, labeled_at, confidence from canonical_labels where sheet_id = ? "
    template = ws.templates.get(done.template_id)
    return [
        db.tuples(f"select {PAIR} from pair_rows where training_sheet_id = ? order by row_index", [done.id]),
        db.tuples(f"{log} where training_sheet_id = ? order by row_index, id", [done.id]),
        db.tuples(f"{labels} order by item_ref", [done.sheet_id]),
        ws.sheets.rows(done.sheet_id).astype(str).to_dict("records"),
        (encode(sheet.columns), sheet.item_id_column, sheet.content_hash, sheet.source, sheet.description, sheet.created_by),
        (template.prompt_template, template.system_instruction, template.label_type, template.response_column),
        [encode(getattr(done, name)) for name in MADE],
    ]


def nothing_is_left(ws: Any) -> bool:
    app = app_of(ws)
    counts = [ws.sheets.list().total, ws.templates.list().total, ws.training_sheets.list().total]
    counts += [app.db.value(f"select count(*) from {table}") for table in ("pair_rows", "decisions", "batches", "canonical_labels")]
    return counts == [0] * 7 and (hidden(app.db), left(app.artifacts)) == ([], [])


PAIRS = [{"item_ref": None if n == 1 else "same", "prompt": f"p{n}", "response": "r", "status": "labeled"} for n in range(3)]


@pytest.mark.parametrize("kind", ["file", "list", "frame"])
def test_what_a_job_brings_in_is_what_the_call_brings_in(ws: Any, tmp_path: Path, monkeypatch: Any, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(review_reading, "BATCH_ROWS", 4)
    path = tmp_path / "project.json"
    path.write_text(json.dumps(TASKS))
    told = {"file": {"source": str(path), "question": "intent"}, "list": {"rows": TASKS}, "frame": {"rows": pd.DataFrame(PAIRS)}}[kind]

    within = ws.training_sheets.import_reviews("within", **told)
    job = ws.training_sheets.import_reviews("apart", wait=False, **told)
    done = ended(ws, job)

    assert (job.kind, job.status, job.name, done.status) == ("import", "queued", "Bring in apart", "succeeded")
    apart = ws.training_sheets.get(done.result["id"])
    assert (apart.name, apart.status, apart.total_rows) == ("apart", "ready", within.pairs)
    assert kept(ws, decode_record(ReviewImport, done.result)) == kept(ws, within)
    assert left(app_of(ws).artifacts) == []


def test_many_take_a_job_and_the_call_returns_what_came_in(ws: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(long_work, "ROWS_IN_A_CALL", 5)

    seen = ws.training_sheets.import_reviews(rows=TASKS, preview=True)
    few = ws.training_sheets.import_reviews("few", rows=TASKS[:5])
    many = ws.training_sheets.import_reviews(rows=TASKS)

    assert (seen.preview, few.pairs, many.pairs, many.preview) == (True, 5, 6, False)
    assert (many.name, many.summary, many.statuses) == ("Reviews", seen.summary, seen.statuses)
    assert [job.result["id"] for job in ws.jobs.list()] == [many.id]
    assert ws.review.queue(many.id, status="all").total == 6


def test_over_the_wire_the_caller_chooses_and_a_repeated_request_is_the_same_job() -> None:
    with frozen(transport="http") as ws, httpx.Client(base_url=f"{ws.url}/api/v1", trust_env=False) as client:
        file = {"file": ("export.jsonl", "".join(json.dumps(one) + "\n" for one in TASKS))}
        headers = {"Prefer": "respond-async", "Idempotency-Key": "k"}
        first, again = (client.post("/assemblies/import-reviews", files=file, headers=headers) for _ in range(2))
        look = client.post("/assemblies/import-reviews", json={"rows": TASKS, "preview": True}, headers={"Prefer": "respond-async"})

        assert [answer.status_code for answer in (first, again, look)] == [202] * 3
        assert first.json()["id"] == again.json()["id"]
        done, seen = (ended(ws, ws.jobs.get(answer.json()["id"])) for answer in (first, look))
        assert (done.result["name"], done.result["pairs"], seen.result["preview"], seen.result["id"]) == ("export", 6, True, "")
        assert ws.training_sheets.list().total == 1


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([*TASKS, {"id": 3}], {}),
        ([{"messages": [{"role": "user", "content": "half \ud800"}]}], {}),
        (TASKS, {"question": "replay"}),
        (TASKS, {"prompt_template": "{{nope}}"}),
        (TASKS, {"prompt_template": "{{nope}}", "preview": True}),
    ],
    ids=["record", "half a character", "question", "template", "template of a look"],
)
def test_a_failing_job_says_what_the_call_says(local: Any, rows: Any, told: Any) -> None:
    with pytest.raises(ValidationError) as within:
        local.training_sheets.import_reviews("bad", rows=rows, **told)

    job = ended(local, local.training_sheets.import_reviews("bad", rows=rows, wait=False, **told))

    assert (job.status, job.error_code, job.error_message) == ("failed", "VALIDATION_ERROR", within.value.message)
    assert [event.data["context"] for event in local.jobs.events(job.id, type="error")] == [within.value.context]
    assert nothing_is_left(local)


def test_a_file_that_has_gone_meanwhile_fails_the_job_which_is_started_anew_where_it_was(local: Any, tmp_path: Path) -> None:
    app = app_of(local)
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(TASKS))
    app.engine.limits = type(app.engine.limits)(total=0)
    job = local.training_sheets.import_reviews(source=str(path), wait=False)
    path.unlink()
    app.engine.limits = type(app.engine.limits)(total=2)
    app.engine.notice()

    job = ended(local, job)

    assert (job.status, job.error_code) == ("failed", "VALIDATION_ERROR")
    assert "there is no file tasks.json any more" in job.error_message
    with pytest.raises(InvalidTransition, match="Start it again where it was started"):
        local.jobs.retry(job.id)
    assert nothing_is_left(local)


@pytest.mark.parametrize("when", ["waiting", "loaded"])
def test_a_cancelled_job_leaves_nothing(local: Any, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    app, load = app_of(local), review_keeping.ReviewKeeping.load
    offered: list[list[str]] = []

    def cancelled_then(*given: Any) -> Any:
        loaded = load(*given)
        offered.append([action.name for action in local.jobs.get(job.id).actions if action.enabled])
        with pytest.raises(InvalidTransition, match="nothing of it can be kept"):
            local.jobs.stop(job.id)
        local.jobs.cancel(job.id)
        return loaded

    monkeypatch.setattr(review_keeping.ReviewKeeping, "load", cancelled_then)
    app.engine.limits = type(app.engine.limits)(total=0)
    job = local.training_sheets.import_reviews(rows=TASKS, wait=False)
    if when == "waiting":
        local.jobs.cancel(job.id)
    app.engine.limits = type(app.engine.limits)(total=2)
    app.engine.notice()

    assert ended(local, job).status == "cancelled"
    assert offered == ([["cancel"]] if when == "loaded" else []), "an import is done or it is not: there is nothing to stop at"
    assert nothing_is_left(local) and doctor(app.db) == []


def test_one_import_that_fails_leaves_alone_what_another_has_loaded(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    publish = review_keeping.ReviewKeeping.publish

    def another_fails_first(self: Any, wish: Any, *given: Any) -> Any:
        if wish.name == "good":
            monkeypatch.setattr(review_keeping.ReviewKeeping, "publish", fails)
            with pytest.raises(OSError, match="gone"):
                local.training_sheets.import_reviews("bad", rows=TASKS)
            monkeypatch.setattr(review_keeping.ReviewKeeping, "publish", publish)
        return publish(self, wish, *given)

    def fails(*given: Any) -> Any:
        raise OSError("the disk is gone")

    monkeypatch.setattr(review_keeping.ReviewKeeping, "publish", another_fails_first)
    done = local.training_sheets.import_reviews("good", rows=TASKS)

    assert local.review.queue(done.id, status="all").total == 6


def test_the_bar_is_full_only_once_all_is_kept(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, publish = app_of(local).engine.ledger, app_of(local).sheets.published
    receiving, seen = ledger.receiving, []

    def look(call: Any, *given: Any) -> Any:
        done = call(*given)
        (job,) = local.jobs.list(status="running")
        seen.append((job.progress_percent, job.eta_seconds, job.message))
        return done

    monkeypatch.setattr(ledger, "receiving", lambda *given: look(receiving, *given))
    monkeypatch.setattr(app_of(local).sheets, "published", lambda *given: look(publish, *given))
    reviews = ended(local, local.training_sheets.import_reviews(rows=TASKS, wait=False))
    first, seen = seen, []
    rows = ended(local, local.sheets.create("rows", rows=PAIRS, wait=False))

    kept = (85.0, None, "Keeping what was decided")
    taken = (75.0, None, "Taking in what was made")
    assert first == [taken, (81.25, None, "Making the pairs"), kept, kept]
    assert seen[0] == taken
    assert {(job.progress_percent, job.message) for job in (reviews, rows)} == {(100, "Done")}
    told = [event.message for event in local.jobs.events(reviews.id, type="progress")]
    assert told[-4:] == ["Read 6 of 6 records", "Taking in what was made", "Making the pairs", "Keeping what was decided"]


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("a.json", '[{"a": 1}, {"a": {"b": 2}}]', 2),
        ("a.jsonl", '{"a": 1}\n{"a": 2}\n', 2),
        ("a.json", "[{", None),
        ("a.csv", "a\n1\n", 1),
        ("a.csv", "a,a\n1\n", None),
    ],
    ids=["list", "lines", "broken", "table", "broken table"],
)
def test_how_many_records_there_are_is_told_before_they_are_read(tmp_path: Path, name: str, text: str, count: int | None) -> None:
    (tmp_path / name).write_text(text)

    assert JsonRecords(tmp_path / name, name=name).count() == count
