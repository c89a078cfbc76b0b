"""The shapes of answers on the wire: tags, Arrow, totals, paging, names of files and of faulty fields."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.contract.codec import ARROW
from workbench.testing import frozen

ROWS = [{"id": f"r{n}", "text": f"text {n}", "topic": "a" if n % 2 else "b"} for n in range(7)]
PLAN = {"prompt_template": "{{text}}?", "response_source_mode": "existing_column", "response_column": "topic"}


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with frozen(transport="http") as ws, httpx.Client(base_url=f"{ws.url}/api/v1") as client:
        yield client


@pytest.fixture(scope="module")
def sheet(http: httpx.Client) -> str:
    return http.post("/sheets", json={"name": "Rows", "rows": ROWS, "item_id_column": "id"}).json()["id"]


@pytest.fixture(scope="module")
def pairs(http: httpx.Client, sheet: str) -> str:
    return http.post(f"/sheets/{sheet}/assemble", json={"template": PLAN}).json()["id"]


def table(answer: httpx.Response) -> pa.Table:
    assert answer.headers["content-type"] == ARROW
    return pa.ipc.open_stream(io.BytesIO(answer.content)).read_all()


def test_previews_travel_as_arrow_with_the_true_total(http: httpx.Client, sheet: str, pairs: str) -> None:
    for path in (f"/sheets/{sheet}/preview", f"/assemblies/{pairs}/preview"):
        answer = http.get(path, params={"limit": 2}, headers={"Accept": ARROW})
        assert (table(answer).num_rows, answer.headers["x-total-count"]) == (2, "7")
    nothing = http.get(f"/sheets/{sheet}/preview", params={"search": "zzz"}, headers={"Accept": ARROW})
    assert (table(nothing).num_rows, nothing.headers["x-total-count"]) == (0, "0")


def test_rows_know_how_many_match(http: httpx.Client, sheet: str) -> None:
    wanted = {"limit": 2, "filter": "topic = 'b'"}
    assert http.get(f"/sheets/{sheet}/rows", params=wanted).json()["total"] == 4
    answer = http.get(f"/sheets/{sheet}/rows", params=wanted, headers={"Accept": ARROW})
    assert (table(answer).num_rows, answer.headers["x-total-count"]) == (2, "4")


@pytest.mark.parametrize(("path", "accept"), [("/sheets", ARROW), ("/sheets", "*/*"), ("/../metrics/models/export.csv", "*/*")])
def test_every_read_has_a_tag_and_is_304_when_unchanged(http: httpx.Client, sheet: str, path: str, accept: str) -> None:
    first = http.get(path, headers={"Accept": accept})
    again = http.get(path, headers={"Accept": accept, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_the_list_of_models_is_a_file_named_by_the_day(http: httpx.Client) -> None:
    named = http.get("/../metrics/models/export.csv").headers["content-disposition"]
    assert named.startswith('attachment; filename="modelops-metrics-20') and named.endswith('.csv"')


def test_pairs_are_paged(http: httpx.Client, pairs: str) -> None:
    answer = http.get(f"/assemblies/{pairs}/rows", params={"page": 2, "page_size": 3}).json()
    assert [item["row_index"] for item in answer["items"]] == [3, 4, 5]
    assert (answer["total"], answer["page"], answer["page_size"]) == (7, 2, 3)


def test_faults_name_the_field_and_the_value_that_was_given(http: httpx.Client, pairs: str) -> None:
    queue = f"/assemblies/{pairs}/review-queue"
    broken = http.post("/templates", content=b"{bad", headers={"Content-Type": "application/json"}).json()
    regex = http.get(queue, params={"regex": "("}).json()
    where = http.get(queue, params={"where": "1=1; drop table pairs"}).json()
    assert [body["context"]["fields"][0]["field"] for body in (broken, regex, where)] == ["body", "regex", "where"]
    assert where["context"]["fields"][0]["value"] == "1=1; drop table pairs"
    assert ".." not in http.get("/sheets", params={"pagee": 1}).json()["error"]


def test_lists_of_nested_things_and_of_free_forms_travel_as_arrow(http: httpx.Client, pairs: str) -> None:
    http.put(f"/assemblies/{pairs}/rows/0", json={"response": "another answer"}).raise_for_status()
    noted = table(http.get(f"/assemblies/{pairs}/history", headers={"Accept": ARROW})).to_pylist()[0]
    assert {"added", "removed"} & {piece["op"] for piece in noted["response_diff"]}
    for config in ({"lr": 0.1}, {"lr": "warm up"}, {"lr": {"from": [1]}}):
        http.post("/jobs/external", json={"name": "sweep", "config": config}).raise_for_status()
    answer = http.get("/jobs", params={"kind": "external"}, headers={"Accept": ARROW})
    assert answer.headers["x-total-count"] == "3"
    assert set(table(answer)["spec"].to_pylist()) == {'{"lr": 0.1}', '{"lr": "warm up"}', '{"lr": {"from": [1]}}'}


def test_curves_travel_as_one_table_of_points(http: httpx.Client) -> None:
    run = http.post("/jobs/external", json={"name": "sweep"}).json()["id"]
    points = [{"name": name, "step": step, "value": step / 2, "epoch": 1} for name in ("loss", "acc") for step in range(3)]
    http.post(f"/jobs/{run}/metrics", json={"metrics": [*points, {"name": "gap", "step": 0, "value": "Infinity"}]})
    answer = http.get(f"/jobs/{run}/metrics", headers={"Accept": ARROW})
    assert (answer.headers["content-type"], answer.headers["x-total-count"]) == (ARROW, "7")
    found = table(answer)
    assert found.column_names == ["name", "step", "value", "epoch", "at"]
    assert [tuple(row.values())[:4] for row in found.to_pylist()][1::3] == [("loss", 1, 0.5, 1), ("acc", 1, 0.5, 1)]
    assert found["value"].to_pylist()[-1] == float("inf")
    assert found["at"].null_count == 0
    nothing = http.get(f"/jobs/{run}/metrics", params={"name": "other"}, headers={"Accept": ARROW})
    assert table(nothing).schema == found.schema


def test_a_preview_of_odd_columns_travels_as_arrow(http: httpx.Client) -> None:
    raw = io.BytesIO()
    odd = {"u": pa.array([2**64 - 1, 0], pa.uint64()), "s": [{"x": 1}, None], "b": [b"\xff", None], "n": pa.nulls(2)}
    pq.write_table(pa.table(odd), raw)
    made = http.post("/sheets", files={"file": ("odd.parquet", raw.getvalue())}, data={"name": "Odd"})
    answer = http.get(f"/sheets/{made.json()['id']}/preview", headers={"Accept": ARROW})
    assert (answer.headers["x-total-count"], table(answer).column_names) == ("2", ["row_index", "u", "s", "b", "n"])
    assert [int(u) for u in table(answer)["u"].to_pylist()] == [2**64 - 1, 0]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("PII", ["PII"]), (["PII", "x"], ["PII", "x"]), ('["PII", "x"]', ["PII", "x"]), ("2026", ["2026"]), ("", [])],
)
def test_a_list_in_a_form_is_a_repeated_field_or_json(http: httpx.Client, sent: str | list[str], kept: list[str]) -> None:
    made = http.post("/sheets", files={"file": ("a.csv", b"a\n1\n")}, data={"name": f"Tagged {sent}", "tags": sent})
    assert (made.status_code, made.json()["tags"]) == (201, kept)


@pytest.mark.parametrize("levels", [65, 600, 100_000])
def test_what_is_nested_too_deep_is_refused_before_anything_is_kept(http: httpx.Client, levels: int) -> None:
    def sent(path: str, body: str) -> httpx.Response:
        return http.post(path, content=body, headers={"content-type": "application/json"})

    deep = '{"a":' * levels + "1" + "}" * levels
    for refused in (
        sent("/jobs/external", f'{{"name": "deep", "config": {deep}}}'),
        sent("/sheets", f'{{"name": "deep", "source_type": "inline", "rows": [{deep}]}}'),
    ):
        assert (refused.status_code, refused.json()["error_code"]) == (422, "VALIDATION_ERROR")
    assert http.get("/jobs").status_code == 200
    assert http.get("/sheets", params={"search": "deep"}).json()["total"] == 0
    fine = sent("/jobs/external", '{"name": "not so deep", "config": ' + '{"a":' * 60 + "1" + "}" * 61)
    assert fine.status_code == 201


@pytest.mark.parametrize("number", [2**63, -(2**70), 10**40])
def test_a_number_beyond_64_bits_is_refused_by_name(http: httpx.Client, sheet: str, pairs: str, number: int) -> None:
    plan = {"template": PLAN, "sample": "random", "sample_size": number}
    for refused in (
        http.post(f"/sheets/{sheet}/assemble", json=plan),
        http.put(f"/assemblies/{pairs}/rows/0", json={"action": "approve", "version": number}),
        http.get(f"/assemblies/{pairs}/rows/{number}"),
        http.post(f"/assemblies/{pairs}/rows/bulk-approve", json={"row_indices": [number]}),
    ):
        assert (refused.status_code, refused.json()["error_code"]) == (422, "VALIDATION_ERROR")
        assert refused.json()["context"]["fields"][0]["field"].partition(".")[0] in plan | {
            "version": 0,
            "row_index": 0,
            "row_indices": 0,
        }


def test_a_preview_is_answered_as_one_nothing_was_made(http: httpx.Client) -> None:
    told = {"rows": [{"prompt": "what", "completion": "that"}], "name": "Reviews"}
    before = http.get("/sheets").json()["total"]

    seen = http.post("/assemblies/import-reviews", json=told | {"preview": True}, headers={"Idempotency-Key": "seen"})
    again = http.post("/assemblies/import-reviews", json=told | {"preview": True}, headers={"Idempotency-Key": "seen"})
    assert http.get("/sheets").json()["total"] == before
    made = http.post("/assemblies/import-reviews", json=told)

    assert [answer.status_code for answer in (seen, again, made)] == [200, 200, 201]
    documented = http.get(f"{http.base_url.copy_with(path='/openapi.json')}").json()["paths"]["/api/v1/assemblies/import-reviews"]
    assert {"200", "201", "202"} <= set(documented["post"]["responses"])


def test_a_file_may_have_any_name(http: httpx.Client) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), sink)

    made = http.post("/sheets", files={"file": ("rows.parquet", sink.getvalue())}, data={"name": "A file"}).json()
    broken = http.post("/sheets", files={"file": ("rows.parquet", b"no table")}, data={"name": "Broken"})
    frame = http.post("/sheets", files={"file": ("rows.frame.parquet", b"no table")}, data={"name": "Broken"})

    assert (made["source_type"], made["source"]) == ("file", "rows.parquet")
    assert [answer.status_code for answer in (broken, frame)] == [415, 415]


@pytest.mark.parametrize("given", [{"source": "other.csv"}, {"rows": '[{"a": 1}]'}])
def test_a_file_goes_with_no_other_source(http: httpx.Client, given: dict[str, str]) -> None:
    answer = http.post("/sheets", files={"file": ("a.csv", b"a\n1\n")}, data={"name": "Both", **given})

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["context"]["fields"]] == list(given)
    both = http.post("/sheets", files=[("file", ("a.csv", b"a\n1\n"))] * 2, data={"name": "Both"})
    assert both.json()["error"].endswith("Maximum number of files is 1.")


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999", "9" * 401])
def test_a_number_without_end_is_refused_at_its_column(http: httpx.Client, number: str) -> None:
    rows = [{"d": 1.5, "n": 1, "l": [1.5]}]
    sheet = http.post("/sheets", json={"name": f"Numbers {number[:9]}", "rows": rows}).json()["id"]
    body = f'{{"values": {{"d": {number}, "n": {number}, "l": [{number}]}}}}'

    answer = http.put(f"/sheets/{sheet}/rows/0", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    fields = [fault["field"] for fault in answer.json()["context"]["fields"]]
    assert fields == ["values.d", "values.n", "values.l"]


def test_a_mapping_of_text_to_no_number_is_refused(http: httpx.Client, sheet: str) -> None:
    body = '{"template": {"prompt_template": "{{text}}", "response_column": "topic", "column_mapping": {"zz": NaN}}}'

    answer = http.post(f"/sheets/{sheet}/assemble", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["context"]["fields"]] == ["template.column_mapping.zz"]


def test_one_value_is_not_dropped_for_another_without_a_word(http: httpx.Client, sheet: str) -> None:
    answer = http.get("/sheets", params={"page_size": [2, 3]})

    assert answer.status_code == 422
    assert answer.json()["context"]["fields"] == [{"field": "page_size", "message": "takes one value, 2 were given", "value": ["2", "3"]}]
    assert http.get("/sheets", params={"page_size": 2}).status_code == 200
