"""Reviewed work from other tools, as their documented exports write it, becomes pairs with their decisions."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import httpx
import pyarrow as pa
import pytest

from workbench.errors import ValidationError
from workbench.testing import frozen


def annotation(answer: str, *, by: Any = 7, at: str = "2026-01-02T10:00:00.000000Z", **facts: Any) -> dict[str, Any]:
    """Return an annotation as Label Studio exports it."""
    result = [
        {
            "id": "r1",
            "from_name": "intent",
            "to_name": "text",
            "type": "choices",
            "origin": "manual",
            "value": {"choices": [answer]},
        }
    ]
    return {"id": 1, "completed_by": by, "result": result, "was_cancelled": False, "ground_truth": False, "created_at": at,
            "updated_at": at, "lead_time": 3.2, "draft_created_at": None, "task": 1, "project": 3} | facts  # fmt: skip


def prediction(answer: str, score: float) -> dict[str, Any]:
    """Return a prediction as Label Studio exports it."""
    value = {"from_name": "intent", "to_name": "text", "type": "choices", "value": {"choices": [answer]}}
    return {"id": 9, "model_version": "m1", "score": score, "result": [value], "task": 1}


def task(number: int, **facts: Any) -> dict[str, Any]:
    """Return a task as Label Studio exports it."""
    return {"id": number, "data": {"text": f"message {number}", "meta": {"lang": "en"}}, "annotations": [], "predictions": [], "drafts": [],
            "created_at": "2026-01-01T09:00:00Z", "inner_id": number, "total_annotations": 0} | facts  # fmt: skip


REPLY = {"id": "r2", "from_name": "reply", "to_name": "text", "type": "textarea", "value": {"text": ["Hello", "there"]}}
REGION = {"from_name": "spans", "to_name": "text", "type": "labels", "value": {"start": 0, "end": 3, "labels": ["X"]}}
ADA = {"id": 4, "email": "ada@example.org"}
TASKS = [
    task(1, annotations=[annotation("refund", by=ADA)], predictions=[prediction("refund", 0.9), prediction("other", 0.1)]),
    task(2, annotations=[annotation("refund", by=ADA)], predictions=[prediction("other", 0.6)]),
    task(3, annotations=[annotation("refund"), annotation("other", at="2026-01-01T08:00:00Z", ground_truth=True)]),
    task(4, annotations=[annotation("refund", was_cancelled=True, result=[])]),
    task(5, predictions=[prediction("refund", 0.4)], drafts=[{"id": 1, "result": []}]),
    task(6, annotations=[annotation("refund") | {"result": [*annotation("refund")["result"], REPLY, REGION]}]),
]


def pairs(ws: Any, made: Any) -> list[Any]:
    return list(ws.review.queue(made.id, status="all", limit=50))


@pytest.mark.parametrize("lines", [False, True])
def test_label_studio(ws: Any, tmp_path: Any, monkeypatch: Any, lines: bool) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "project-3.json"
    path.write_text("\n".join(map(json.dumps, TASKS)) if lines else json.dumps(TASKS))

    done = ws.training_sheets.import_reviews("Intents", source=str(path))

    assert (done.format, done.question, done.pairs, done.other_questions[0] in ("reply", "spans")) == (
        "label_studio",
        "intent",
        6,
        True,
    )
    assert done.statuses == {"flagged": 1, "labeled": 4, "unlabeled": 1}
    told = {one.what: one.count for one in done.unplaced}
    assert told["answers to reply"] == told["answers to spans"] == told["drafts"] == 1
    assert told["further annotations of a task: the ground truth or else the latest counts"] == 1
    agreed, edited, two, skipped, waiting, _ = pairs(ws, done)
    assert (agreed.response, agreed.response_source, agreed.confidence, agreed.original_response) == (
        "refund",
        "ai_generated",
        0.9,
        None,
    )
    assert (agreed.labeled_by, agreed.labeled_at) == ("ada@example.org", dt.datetime(2026, 1, 2, 10))
    assert (edited.response, edited.original_response, edited.response_source, edited.verified_by) == (
        "refund", "other", "human_verified", "ada@example.org",
    )  # fmt: skip
    assert (two.response, two.response_source, two.labeled_by) == ("other", "human_labeled", "user 7")
    assert (skipped.status, skipped.flag_reason, skipped.response) == ("flagged", "Skipped in Label Studio by user 7.", "")
    assert (waiting.status, waiting.response, waiting.response_source, waiting.confidence) == (
        "unlabeled",
        "refund",
        "ai_generated",
        0.4,
    )
    assert [agreed.item_ref, agreed.prompt] == ["1", 'text: message 1\n\nmeta: {"lang": "en"}']
    assert json.loads(two.source_data["label_studio"]) == {k: v for k, v in TASKS[2].items() if k != "data"}


def test_another_question_may_be_the_response(ws: Any) -> None:
    done = ws.training_sheets.import_reviews("Replies", rows=TASKS, question="reply", prompt_template="Answer: {{text}}")

    last = pairs(ws, done)[5]
    assert (last.prompt, last.response, last.status) == ("Answer: message 6", "Hello\nthere", "labeled")
    with pytest.raises(ValidationError, match="Did you mean 'reply'"):
        ws.training_sheets.import_reviews("x", rows=TASKS, question="replay")


def test_decisions_are_in_the_log_under_their_person(ws: Any) -> None:
    done = ws.training_sheets.import_reviews("Intents", rows=TASKS)

    assert [d.actor for d in ws.review.history(done.id, row_index=0)] == ["ada@example.org"]
    assert ws.review.progress(done.id).pace_per_hour is None, "nobody has decided anything here"
    assert ws.review.queue(done.id, status="all", reviewer="ada@example.org").total == 2
    assert ws.training_sheets.export(done.id, "alpaca").files[0].rows == 4
    assert ws.sheets.get(done.sheet_id).item_count == ws.training_sheets.get(done.id).total_rows == 6
    assert ws.templates.get(done.template_id).label_type == "intent"


def test_what_was_approved_elsewhere_is_the_truth_about_its_item(ws: Any) -> None:
    done = ws.training_sheets.import_reviews("Intents", rows=TASKS)

    def labels() -> list[str]:
        return sorted(one.label for one in ws.labels.list(sheet_id=done.sheet_id))

    assert labels() == ["other", "refund", "refund", "refund"]
    assert (ws.review.undo(done.id, scope="all").undone, labels()) == (2, ["refund", "refund"])
    again = ws.training_sheets.assemble(done.sheet_id, template_id=done.template_id)
    assert [again.counts["status"][word] for word in ("labeled", "unlabeled")] == [2, 4]


NESTED = [
    {"id": "a", "fields": {"text": "one"}, "metadata": {"source": "mail"}, "vectors": {"v": [0.1, 0.2]}, "_server_id": "s1",
     "suggestions": {"label": {"value": "yes", "score": 0.8, "agent": "m"}}, "responses": {"label": [{"value": "yes", "user_id": "u1"}]}},
    {"id": "b", "fields": {"text": "two"}, "metadata": {}, "vectors": {}, "_server_id": "s2",
     "suggestions": {"label": {"value": "no", "score": None, "agent": None}, "topic": {"value": ["x", "y"], "score": [0.1, 0.2]}},
     "responses": {}},
]  # fmt: skip
FLAT = [
    {"id": f"{n}", "status": "completed", "text": f"text {n}", "label.responses": values, "label.responses.users": users,
     "label.responses.status": states, "label.suggestion": "no", "label.suggestion.score": 0.3, "label.suggestion.agent": "m"}
    for n, (values, users, states) in enumerate([
        (["yes"], ["u1"], ["submitted"]), (["no"], ["u2"], ["submitted"]), (["yes"], ["u1"], ["discarded"]), (["yes"], ["u1"], ["draft"]),
        (["no", "yes"], ["u1", "u2"], ["draft", "submitted"]), (None, None, None)])
]  # fmt: skip
FIRST = [
    {"text": "one", "label": [{"user_id": "u1", "value": "yes", "status": "submitted"}], "label-suggestion": "no",
     "label-suggestion-metadata": {"type": "model", "score": 0.4, "agent": "m"}, "external_id": "e1", "metadata": "{}"},
    {"text": "two", "label": {"user_id": ["u1"], "value": ["no"], "status": ["discarded"]}, "label-suggestion": None,
     "label-suggestion-metadata": {"type": None, "score": None, "agent": None}, "external_id": "e2", "metadata": "{}"},
]  # fmt: skip


def test_argilla_nested(ws: Any) -> None:
    done = ws.training_sheets.import_reviews("Argilla", rows=NESTED)

    first, second = pairs(ws, done)
    assert (done.question, done.other_questions) == ("label", ("topic",))
    assert (first.status, first.response, first.response_source, first.labeled_by, first.confidence) == (
        "labeled",
        "yes",
        "ai_generated",
        "u1",
        0.8,
    )
    assert (second.status, second.response, second.response_source) == ("unlabeled", "no", "ai_generated")
    told = {one.what for one in done.unplaced}
    assert {
        "vectors",
        "answers to topic",
        "responses without a state: taken as submitted",
        "times of responses: the export has none",
    } == told
    assert json.loads(first.source_data["argilla"]) == NESTED[0]
    assert (first.prompt, first.source_data["source"]) == ("one", "mail")


def test_what_argilla_tells_about_a_record_is_no_part_of_its_prompt(ws: Any) -> None:
    answers = {"responses": {}, "suggestions": {}}
    records = [
        {"fields": {"text": "hi", "title": "Mail"}, "metadata": {"gold": "yes", "text": "no"}, **answers},
        {"fields": {"text": "ho", "title": None}, "metadata": {"gold": None}, **answers},
    ]
    pair = pairs(ws, ws.training_sheets.import_reviews("Nested", rows=records))[0]
    flat = pairs(ws, ws.training_sheets.import_reviews("Flat", rows=FLAT))[0]
    first = pairs(ws, ws.training_sheets.import_reviews("First", rows=FIRST))[0]

    assert pair.prompt == "text: hi\n\ntitle: Mail"
    assert [pair.source_data[name] for name in ("gold", "text", "metadata.text")] == ["yes", "hi", "no"]
    assert (flat.prompt, flat.source_data["status"]) == ("text 0", "completed")
    assert (first.prompt, first.source_data["metadata"]) == ("one", "{}")


def test_argilla_flat_from_a_saved_data_set(ws: Any, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "saved"
    folder.mkdir()
    table = pa.Table.from_pylist(FLAT)
    with pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))

    done = ws.training_sheets.import_reviews("Saved", source=str(folder))

    found = [(p.status, p.response, p.response_source, p.original_response, p.labeled_by) for p in pairs(ws, done)]
    assert found == [
        ("labeled", "yes", "human_verified", "no", "u1"),
        ("labeled", "no", "ai_generated", None, "u2"),
        ("rejected", "yes", "human_labeled", None, None),
        ("unlabeled", "yes", "human_labeled", None, None),
        ("labeled", "yes", "human_verified", "no", "u2"),
        ("unlabeled", "no", "ai_generated", None, None),
    ]
    assert pairs(ws, done)[2].flag_reason == "Discarded in Argilla by u1."


def test_argilla_of_the_first_generation(ws: Any) -> None:
    done = ws.training_sheets.import_reviews("First", rows=FIRST, prompt_template="{{text}}")

    first, second = pairs(ws, done)
    assert (first.response, first.original_response, first.confidence, first.item_ref) == ("yes", "no", 0.4, "e1")
    assert (second.status, second.response) == ("rejected", "no")


CHATS = [
    {"messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
    {"messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image_url"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c"}]}, {"role": "tool", "content": "42"},
        {"role": "assistant", "content": "It is 42."}, {"role": "user", "content": "Thanks"}]},
]  # fmt: skip


def test_chats_become_pairs(ws: Any) -> None:
    done = ws.training_sheets.import_reviews("Chats", rows=CHATS)

    first, second = pairs(ws, done)
    assert (first.prompt, first.response, first.response_source, first.status) == ("Hi", "Hello", "imported", "unlabeled")
    assert (second.prompt, second.response) == ("User: Look\n\nAssistant: \n\nTool: 42", "It is 42.")
    assert ws.templates.get(done.template_id).system_instruction == "Be brief."
    assert {one.what: one.count for one in done.unplaced} == {
        "parts of messages that are no text": 1,
        "messages with tool calls": 1,
        "turns after the last answer": 1,
        "conversations of several turns: the earlier ones became part of the prompt": 1,
    }
    assert json.loads(second.source_data["messages"]) == CHATS[1]["messages"]


@pytest.mark.parametrize(
    ("record", "prompt", "response"),
    [
        ({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]}, "Q", "A"),
        ({"instruction": "Add", "input": "1 and 2", "output": "3"}, "1 and 2", "3"),
        ({"instruction": "Add", "input": "1 and 2", "output": "3", "system": "Be brief."}, "Add\n\n1 and 2", "3"),
        ({"instruction": "Add", "input": "", "output": "3", "prompt": "own"}, "Add", "3"),
        ({"messages": [{"role": "user", "content": "Q"}]}, "Q", ""),
    ],
)
def test_other_chats(ws: Any, record: Any, prompt: str, response: str) -> None:
    done = ws.training_sheets.import_reviews("Chat", rows=[record])

    assert [(p.prompt, p.response) for p in pairs(ws, done)] == [(prompt, response)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no record"),
        ([{"a": 1}], "cannot be told from the keys a"),
        ([{"text": "x", "annotation_id": 3, "choice": "a"}], "not JSON_MIN"),
        ([TASKS[0], {"data": {"Text": "x", "text": "y"}}], "is there twice"),
        ([TASKS[0], task(2, annotations={"a": 1})], "Record 1 .* annotations is no list"),
        ([task(1, annotations=[annotation("refund") | {"result": ["refund"]}])], "result is no list of objects"),
        ([{"fields": ["a"], "responses": []}], "fields is no object"),
        ([{"fields": {"a": "b"}, "responses": [{"values": ["x"]}]}], "values of responses is no object"),
        ([{"text": "a", "kind.responses": "xyz"}], "kind.responses is no list"),
        ([{"messages": "hello"}], "messages is no list"),
        ([{"messages": '[{"role": "user", "content": "half \\ud800"}]'}], "Record 0 .* half of a character"),
        ([{"id": 1, "data": {"a}}b": "x"}, "annotations": []}], "prompt_template: is empty"),
    ],
)
def test_what_cannot_be_read_leaves_nothing_behind(ws: Any, rows: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ws.training_sheets.import_reviews("bad", rows=rows)
    assert (ws.sheets.list().total, ws.templates.list().total, ws.training_sheets.list().total) == (0, 0, 0)
    assert ws.app.db.value("select count(*) from duckdb_tables() where starts_with(table_name, 'rows_')") == 0


def test_a_template_is_checked_before_anything_is_kept(ws: Any) -> None:
    for preview in (True, False):
        with pytest.raises(ValidationError, match="nope.* stands for no column") as caught:
            ws.training_sheets.import_reviews("bad", rows=TASKS, prompt_template="{{nope}} {{text}}", preview=preview)
    assert caught.value.context["missing"] == ["nope"]
    assert ws.sheets.list().total == 0
    done = ws.training_sheets.import_reviews("good", rows=[task(1) | {"data": {"text": "x", "a}}b": "y"}}])
    assert [pair.prompt for pair in pairs(ws, done)] == ["x"]


def test_odd_values_are_counted_not_taken_for_decisions(ws: Any) -> None:
    tasks = [
        task(1, annotations=[annotation(" ")], predictions=[prediction("other", 7.0)]),
        task(2, annotations=[annotation("refund", at="0001-01-01T00:00:00+09:00")]),
    ]
    done = ws.training_sheets.import_reviews("tasks", rows=tasks)
    blank, late = pairs(ws, done)
    assert (blank.status, blank.response, blank.confidence) == ("unlabeled", "other", None)
    assert (late.status, late.labeled_at) == ("labeled", None)
    assert {one.what.partition(":")[0]: one.count for one in done.unplaced} == {
        "blank answers": 1,
        "scores that do not go from 0 to 1": 1,
        "times that cannot be read": 1,
    }
    records = [
        {"fields": {"text": f"message {n}"}, "responses": [{"user_id": "u", "status": status, "values": {"kind": {"value": value}}}]}
        for n, (status, value) in enumerate([("pending", "x"), ("draft", ""), ("discarded", "")])
    ]
    drafted, empty, discarded = pairs(ws, ws.training_sheets.import_reviews("records", rows=records))
    assert (drafted.status, drafted.response) == ("unlabeled", "x")
    assert (empty.response_source, discarded.response_source, discarded.status) == ("empty", "empty", "rejected")
    rows = [{"prompt": "p", "response": "r", "flag_reason": "why"}]
    assert [one.count for one in ws.training_sheets.import_reviews("pairs", rows=rows).unplaced] == [1]


def test_nobody_takes_back_by_accident_what_was_brought_in_under_their_name(local: Any) -> None:
    done = local.training_sheets.import_reviews("mine", rows=[{"prompt": "p", "response": "r", "status": "labeled"}])
    assert local.review.undo(done.id).undone == 0
    assert local.review.undo(done.id, scope="all").undone == 1
    assert local.review.redo(done.id).undone == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"prompt": "a\\ud800", "response": "b"}]', "^The input is not valid: source: odd.json is not JSON: [^/]*$"),
        ('{"prompt": "a", "response": ' + "[" * 3000 + "]" * 3000 + "}", "Record 0 .* nested too deeply"),
    ],
    ids=["half a character", "depth"],
)
def test_a_file_that_cannot_be_read_is_named_without_its_folder(local: Any, tmp_path: Any, text: str, message: str) -> None:
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(ValidationError, match=message):
        local.training_sheets.import_reviews("bad", source=str(tmp_path / "odd.json"))


def test_a_file_is_uploaded() -> None:
    with frozen(transport="http") as ws:
        answer = httpx.post(
            f"{ws.transport.url}/api/v1/assemblies/import-reviews",
            data={"name": "Sent"},
            files={"file": ("export.json", json.dumps(TASKS))},
        )
    assert (answer.status_code, answer.json()["pairs"]) == (201, 6)


def test_an_address_is_no_file_with_reviews(local: Any) -> None:
    with pytest.raises(ValidationError, match=r"there is no file https://example\.org/x\.json"):
        local.training_sheets.import_reviews(source="https://example.org/x.json")
