"""What people and programs get wrong, over both transports: refused in words, and nothing is left behind."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import httpx
import pytest

from workbench import errors
from workbench.testing import TRANSPORTS  # noqa: F401  what is refused is refused on both

PLAN = {
    "prompt_template": "{{text}}?",
    "response_source_mode": "existing_column",
    "response_column": "topic",
    "label_type": "topic",
}
WORDS = {"math": "matrix cosine integral", "net": "socket packet router", "draw": "canvas pixel brush"}


def rows(count: int) -> list[dict[str, Any]]:
    topics = list(WORDS)
    return [{"id": f"r{n}", "text": f"{WORDS[topics[n % 3]]} number {n}", "topic": topics[n % 3]} for n in range(count)]


def assembled(ws: Any, count: int, name: str = "Topics") -> Any:
    sheet = ws.sheets.create(name, rows=rows(count), item_id_column="id")
    return ws.training_sheets.assemble(sheet.id, template=PLAN)


def approved(ws: Any, count: int) -> Any:
    pairs = assembled(ws, count)
    ws.review.bulk_approve(pairs.id, filter={"status": "unlabeled"})
    return pairs


def snapshot(ws: Any) -> dict[str, int]:
    """Return the number of rows of every table a refused call could have touched."""
    tables = ("sheets", "templates", "training_sheets", "pairs", "decisions", "jobs", "models", "endpoints", "feedback")
    return {table: int(ws.sql(f"select count(*) n from {table}")["n"][0]) for table in tables}


UNKNOWN = [
    ("sheets.get", ("sheet_x",), {}),
    ("sheets.profile", ("sheet_x",), {}),
    ("templates.publish", ("template_x",), {}),
    ("training_sheets.assemble", ("sheet_x",), {"template": PLAN}),
    ("training_sheets.get", ("assembly_x",), {}),
    ("review.queue", ("assembly_x",), {}),
    ("review.decide", ("assembly_x", 0), {"action": "approve"}),
    ("review.bulk_approve", ("assembly_x",), {"filter": {"status": "unlabeled"}}),
    ("training.create", ("assembly_x", "m", "ngrams-tfidf"), {}),
    ("training.get", ("job_x",), {}),
    ("jobs.cancel", ("job_x",), {}),
    ("models.deploy", ("model_x",), {}),
    ("models.test", ("model_x",), {}),
    ("endpoints.get", ("nobody",), {}),
    ("endpoints.invocations", ("nobody",), {"inputs": ["x"]}),
    ("monitoring.health", ("nobody",), {}),
    ("feedback.create", (), {"endpoint": "nobody", "request_id": "request_x", "rating": "positive"}),
    ("feedback.to_pair", ("feedback_x",), {"training_sheet_id": "assembly_x"}),
    ("lineage.get", ("request", "request_x"), {}),
]


@pytest.mark.parametrize(("operation", "arguments", "more"), UNKNOWN, ids=[case[0] for case in UNKNOWN])
def test_an_unknown_id_is_named(ws: Any, operation: str, arguments: tuple[Any, ...], more: dict[str, Any]) -> None:
    namespace, name = operation.split(".")
    before = snapshot(ws)

    with pytest.raises(errors.NotFound) as caught:
        getattr(getattr(ws, namespace), name)(*arguments, **more)

    wanted = [part for part in (*arguments, *more.values()) if str(part).endswith(("_x", "nobody"))]
    assert any(str(part) in str(caught.value) for part in wanted)
    assert caught.value.context["kind"]
    assert before == snapshot(ws)


def test_illegal_transitions_name_the_state_and_what_is_allowed(ws: Any) -> None:
    pairs = assembled(ws, 12)
    sheet = ws.sheets.get(pairs.sheet_id)
    sheet.publish()
    template = ws.templates.create("T", **PLAN)
    template.archive()
    ws.review.decide(pairs.id, 0, response="")

    cases = [
        (ws.sheets.publish, (sheet.id,), {}, "published"),
        (ws.sheets.update, (sheet.id,), {"description": "later"}, "published"),
        (ws.sheets.restore, (sheet.id,), {}, "published"),
        (ws.templates.publish, (template.id,), {}, "archived"),
        (ws.training_sheets.restore, (pairs.id,), {}, "ready"),
        (ws.review.decide, (pairs.id, 0), {"action": "approve"}, "unlabeled"),
    ]
    for call, arguments, more, state in cases:
        with pytest.raises(errors.InvalidTransition) as caught:
            call(*arguments, **more)
        assert state == caught.value.context["current"]
        assert isinstance(caught.value.context["allowed"], list)


def test_fewer_than_ten_pairs_are_counted_by_reason(ws: Any) -> None:
    pairs = assembled(ws, 14)
    ws.review.bulk_approve(pairs.id, row_indices=list(range(11)))
    ws.review.bulk_reject(pairs.id, row_indices=[11, 12])
    ws.review.decide(pairs.id, 0, prohibited_uses=["training"])
    ws.review.decide(pairs.id, 1, allowed_uses=["evaluation"])

    with pytest.raises(errors.NotEligible) as caught:
        ws.training.create(pairs.id, "m", "ngrams-tfidf")

    excluded = {reason: count for reason, count in caught.value.context["excluded"].items() if count}
    assert {"unlabeled": 1, "rejected": 2, "prohibited": 1, "not_allowed": 1} == excluded
    assert 0 == ws.training.list().total


def test_all_invalid_settings_are_named_at_once(ws: Any) -> None:
    pairs = approved(ws, 30)
    before = snapshot(ws)
    config = {"epochs": 51, "learning_rate": -1, "batch_size": 2.5, "word_ngrams": "two", "seeds": 1}

    with pytest.raises(errors.ValidationError) as caught:
        ws.training.create(pairs.id, "  ", "ngrams-tfidf", train_val_split=1.0, training_config=config)

    named = {field["field"]: field for field in caught.value.context["fields"]}
    assert {"model_name", "train_val_split", *(f"training_config.{name}" for name in config)} == set(named)
    assert 51 == named["training_config.epochs"]["value"]
    assert before == snapshot(ws)


def test_missing_arguments_are_named_at_once(ws: Any) -> None:
    with pytest.raises(errors.ValidationError) as caught:
        ws.training.create(base_model="ngrams-tfidf")

    assert ["training_sheet_id", "model_name"] == [fault["field"] for fault in caught.value.context["fields"]]


def test_the_number_of_reviewers_has_bounds(ws: Any) -> None:
    pairs = assembled(ws, 3)

    for wished in (0, 11):
        for call in (
            lambda wished=wished: ws.training_sheets.update(pairs.id, overlap=wished),
            lambda wished=wished: ws.training_sheets.assemble(pairs.sheet_id, template=PLAN, overlap=wished),
        ):
            with pytest.raises(errors.ValidationError, match="overlap"):
                call()


def test_a_job_keeps_the_key_it_was_asked_for_with(ws: Any) -> None:
    pairs = approved(ws, 12)

    first, again = (ws.training.create(pairs.id, "m", "ngrams-tfidf", idempotency_key="once") for _ in range(2))

    assert (first.id, "once") == (again.id, ws.jobs.get(first.id).idempotency_key)


def test_ninety_pairs_at_seven_tenths_are_63_and_27(ws: Any) -> None:
    pairs = approved(ws, 90)

    job = ws.training.create(pairs.id, "m", "ngrams-tfidf", train_val_split=0.7, training_config={"epochs": 1})
    ws.training.cancel(job.id)

    assert (90, 63, 27) == (job.total_pairs, job.train_pairs, job.val_pairs)
    assert job.wait(progress=False).status in ("cancelled", "succeeded")


def files(folder: Path) -> dict[str, tuple[bytes, str]]:
    """Return bad files by name, each with a word that the refusal has to say."""
    return {
        "empty.csv": (b"", "empty"),
        "header.csv": (b"a,b\n", "no rows"),
        "ragged.csv": (b"a,b\n1,2\n3,4,5\n", "line 3"),
        "twice.csv": (b"a,a\n1,2\n", "twice"),
        "latin.csv": ("name\nJosé\n".encode("latin-1"), "line 2"),
        "broken.json": (b'[{"a": 1}, {"a": ]', "JSON"),
        "list.json": (b"[1, 2]", "object"),
        "zero.csv": (b"a,b\n1,\x002\n", "zero"),
        "broken.parquet": (b"PAR1 and then something else", "arquet"),
        "broken.xlsx": (b"PK\x03\x04 and then something else", "xlsx"),
        "what.xyz": (b"a,b\n1,2\n", "xyz"),
        "cut.csv.gz": (gzip.compress(b"a,b\n" + b"1,2\n" * 3_000)[:-20], "cut.csv.gz"),
    }


@pytest.mark.parametrize("name", list(files(Path())))
def test_a_bad_file_is_refused_with_the_place(ws: Any, tmp_path: Path, name: str) -> None:
    content, word = files(tmp_path)[name]
    (tmp_path / name).write_bytes(content)

    with pytest.raises((errors.ValidationError, errors.InvalidFileType, errors.FileTooLarge)) as caught:
        upload(ws, tmp_path / name)

    assert word.lower() in str(caught.value).lower()
    assert name in str(caught.value)
    assert 0 == ws.sheets.list().total
    assert [] == [table.name for table in ws.tables() if table.name.startswith("sheet_")]


def upload(ws: Any, path: Path) -> Any:
    """Import a file: by its path where we own the workspace, as a form upload over HTTP."""
    if ws.url is None:
        return ws.sheets.create("Bad", source_type="file", source=str(path))
    with path.open("rb") as file:
        answer = httpx.post(f"{ws.url}/api/v1/sheets", data={"name": "Bad"}, files={"file": (path.name, file)}, trust_env=False)
    if answer.is_error:
        raise errors.rebuild(answer.json())
    return answer.json()


def test_a_name_is_given_once(ws: Any) -> None:
    ws.sheets.create("Topics", rows=rows(3))
    ws.templates.create("T", **PLAN)

    for call in (lambda: ws.sheets.create("topics", rows=rows(3)), lambda: ws.templates.create("T", **PLAN)):
        with pytest.raises(errors.Conflict, match="already"):
            call()


WRONG = [
    ("POST", "/api/v1/sheets", {"name": 7, "rows": [{"a": 1}]}, "name"),
    ("POST", "/api/v1/sheets", {"rows": [{"a": 1}]}, "name"),
    ("POST", "/api/v1/sheets", {"name": "x", "rows": [{"a": 1}], "colour": "red"}, "colour"),
    ("GET", "/api/v1/sheets?page=0", None, "page"),
    ("GET", "/api/v1/sheets?page_size=many", None, "page_size"),
    ("GET", "/api/v1/sheets?status=gone", None, "status"),
    ("POST", "/api/v1/training/jobs", {"training_sheet_id": "a", "model_name": "m", "base_model": "b", "labels": [1]}, "labels"),
    ("PUT", "/api/v1/assemblies/a/rows/first", {"action": "approve"}, "row_index"),
    ("PUT", "/api/v1/assemblies/a/rows/1", {"action": "bless"}, "action"),
    ("POST", "/api/v1/assemblies/a/rows/bulk-approve", {"row_indices": ["one"]}, "row_indices"),
    ("POST", "/api/v1/feedback", {"endpoint": "e", "request_id": "r", "rating": 6}, "rating"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), WRONG)
def test_wrong_types_name_the_field_on_the_wire(http: Any, method: str, path: str, body: Any, field: str) -> None:
    answer = httpx.request(method, http.url + path, json=body, trust_env=False)

    told = answer.json()
    assert (422, "VALIDATION_ERROR") == (answer.status_code, told["error_code"])
    assert any(field in one["field"] for one in told["context"]["fields"])
    assert {"error", "error_code", "details", "context", "timestamp", "request_id", "detail"} == set(told)
    assert told["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("POST", "/api/v1/sheets", b"{not json", 422, "VALIDATION_ERROR"),
        ("GET", "/api/v1/shets", None, 404, "NOT_FOUND"),
        ("DELETE", "/api/v1/sheets", None, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/sheets/%00", None, 404, "NOT_FOUND"),
    ],
)
def test_what_is_no_request_has_the_one_error_shape(
    http: Any, method: str, path: str, content: bytes | None, status: int, code: str
) -> None:
    headers = {"content-type": "application/json"} if content else {}

    answer = httpx.request(method, http.url + path, content=content, headers=headers, trust_env=False)

    assert (status, code) == (answer.status_code, answer.json()["error_code"])
