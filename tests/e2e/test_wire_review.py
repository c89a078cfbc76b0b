"""Odd input on the wire of data and review: every refusal is a sentence about the input, never a failure inside."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

PLAN = {"prompt_template": "Q: {{ q }}", "response_source_mode": "existing_column", "response_column": "a"}
HALF = '"\\ud800"'


@pytest.fixture
def client(http: Any) -> httpx.Client:
    return httpx.Client(base_url=f"{http.url}/api/v1", timeout=60, trust_env=False)


@pytest.fixture
def path(client: httpx.Client) -> str:
    rows = [{"q": f"Question {i}", "a": "x" * (i + 1)} for i in range(8)]
    sheet = client.post("/sheets", json={"name": "Cases", "rows": rows}).json()
    made = client.post(f"/sheets/{sheet['id']}/assemble", json={"template": PLAN}).json()
    return f"/assemblies/{made['id']}"


def sent(client: httpx.Client, method: str, path: str, text: str) -> httpx.Response:
    return client.request(method, path, content=text.encode(), headers={"content-type": "application/json"})


def test_half_a_character_is_refused_wherever_it_comes(client: httpx.Client, path: str) -> None:
    for method, where, body in (
        ("PUT", f"{path}/rows/0", f'{{"response": {HALF}}}'),
        ("POST", "/sheets", f'{{"name": {HALF}, "rows": [{{"a": 1}}]}}'),
        ("POST", "/sheets", f'{{"name": "Halves", "rows": [{{"a": {HALF}}}]}}'),
        ("POST", "/sheets", f'{{"name": "Halves", "rows": [{{{HALF}: 1}}]}}'),
        ("PUT", "/sheets/sheet_0001/rows/0", f'{{"values": {{"q": {HALF}}}}}'),
        ("POST", f"{path}/rows/bulk-flag", f'{{"row_indices": [0], "flag_reason": {HALF}}}'),
    ):
        answer = sent(client, method, where, body)
        assert (answer.status_code, answer.json()["error_code"]) == (422, "VALIDATION_ERROR"), (where, body, answer.text)
    assert client.get("/sheets").json()["total"] == 1
    assert client.get(f"{path}/rows/0").json()["version"] == 1
    whole = sent(client, "PUT", f"{path}/rows/0", '{"response": "\\ud83d\\ude00", "action": "approve"}')
    assert whole.json()["response"] == "\U0001f600"


def test_lists_of_mixed_kinds_are_kept_as_text(client: httpx.Client) -> None:
    rows = [{"v": [1, "two"]}, {"v": []}, {"v": None}, {"v": ["é"]}]
    sheet = client.post("/sheets", json={"name": "Lists", "rows": rows}).json()
    shown = client.get(f"/sheets/{sheet['id']}/preview").json()["rows"]
    assert [row["v"] for row in shown] == ['[1, "two"]', "[]", None, '["é"]']


def test_a_column_that_cannot_be_one_says_why(client: httpx.Client) -> None:
    mixed = client.post("/sheets", json={"name": "Mixed", "rows": [{"v": 1}, {"v": "a"}]})
    assert "row 1 has str, earlier rows int" in mixed.json()["error"]
    large = client.post("/sheets", json={"name": "Large", "rows": [{"v": 2**70}]})
    assert (large.status_code, "too large" in large.json()["error"]) == (422, True)


def test_a_cursor_belongs_to_its_order(client: httpx.Client, path: str) -> None:
    queue = f"{path}/review-queue"
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(queue, params={"order": "length", "descending": True, "limit": 3, **cursor}).json()
        seen += [item["row_index"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == list(range(7, -1, -1))
    for other in ({"order": "length"}, {"order": "random"}, {}):
        answer = client.get(queue, params={"limit": 3, **cursor, **other})
        assert (answer.status_code, answer.json()["context"]["fields"][0]["field"]) == (422, "cursor")


def test_preferences_need_edited_pairs_and_say_so(client: httpx.Client, path: str) -> None:
    client.post(f"{path}/rows/bulk-approve", json={"row_indices": [0, 1]})
    refused = client.post(f"{path}/export", json={"format": "preference"})
    assert (refused.status_code, refused.json()["error_code"]) == (409, "NOT_ELIGIBLE")
    assert "no eligible pair has an edited response" in refused.json()["error"]
    assert client.post(f"{path}/export", json={"format": "csv"}).json()["files"][0]["rows"] == 2


def test_the_reason_has_one_name(client: httpx.Client, path: str) -> None:
    for row, action in ((1, "flag"), (2, "reject")):
        done = client.post(f"{path}/rows/bulk-{action}", json={"row_indices": [row], "flag_reason": "odd"}).json()
        single = client.put(f"{path}/rows/{row + 2}", json={"action": action, "flag_reason": "odd"}).json()
        many = client.get(f"{path}/rows/{row}").json()
        assert (done["done"], many["flag_reason"], many["status"]) == (1, "odd", single["status"])
        refused = client.post(f"{path}/rows/bulk-{action}", json={"row_indices": [row], "reason": "odd"})
        assert refused.status_code == 422
