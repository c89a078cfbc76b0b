"""The wire of data, generation and review as a stranger's front end uses it: plain HTTP, nothing of ours but the server."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import httpx
import pyarrow as pa
import pytest

ROWS = [{"n": i, "q": f"Question {i} about {'refunds' if i % 3 else 'parcels'}?", "a": f"Answer {i}"} for i in range(30)]
PLAN = {"prompt_template": "Q: {{ q }}", "response_source_mode": "existing_column", "response_column": "a"}
SHEET_FIELDS = {
    "id", "name", "description", "source_type", "source", "item_id_column", "columns", "item_count", "status", "tags",
    "data_classification", "created_at", "created_by", "updated_at", "content_hash", "version",
}  # fmt: skip
TEMPLATE_FIELDS = {
    "id", "name", "version", "status", "system_instruction", "prompt_template", "response_source_mode", "response_column",
    "response_schema", "model", "temperature", "max_tokens", "label_type", "label_classes", "column_mapping", "few_shot_count",
}  # fmt: skip
PAIR_FIELDS = {
    "id", "training_sheet_id", "row_index", "item_ref", "prompt", "source_data", "response", "original_response",
    "response_source", "status", "flag_reason", "stale", "confidence", "notes", "quality", "labeled_by", "labeled_at",
    "verified_by", "verified_at", "allowed_uses", "prohibited_uses", "canonical_label_id", "version", "updated_at", "review",
    "actions",
}  # fmt: skip
PROGRESS = {"total", "labeled", "unlabeled", "rejected", "flagged", "stale", "percent_complete", "percent_reviewed"}
ARROW = {"Accept": "application/vnd.apache.arrow.stream"}


class Wire:
    """Plain requests under the API prefix; `ok` checks the status and returns the body."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=f"{url}/api/v1", timeout=60, trust_env=False)

    def ok(self, method: str, path: str, status: int = 200, *, user: str = "ann", **more: Any) -> Any:
        answer = self.client.request(method, path, headers={"X-Workbench-User": user}, **more)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text[:2000])
        return answer.json()

    def refused(self, method: str, path: str, status: int, code: str, *, user: str = "ann", **more: Any) -> dict[str, Any]:
        body = self.ok(method, path, status, user=user, **more)
        assert body["error_code"] == code, body
        assert {"error", "error_code", "details", "context", "timestamp", "request_id", "detail"} <= set(body)
        assert body["detail"]
        return body


@pytest.fixture
def wire(http: Any) -> Wire:
    return Wire(http.url)


@pytest.fixture
def sheet(wire: Wire) -> dict[str, Any]:
    return wire.ok("POST", "/sheets", 201, json={"name": "Cases", "source_type": "inline", "rows": ROWS, "item_id_column": "n"})


@pytest.fixture
def made(wire: Wire, sheet: dict[str, Any]) -> dict[str, Any]:
    return wire.ok("POST", f"/sheets/{sheet['id']}/assemble", 201, json={"template": PLAN})


def put(wire: Wire, made: dict[str, Any], index: int, *, user: str = "ann", **body: Any) -> Any:
    return wire.ok("PUT", f"/assemblies/{made['id']}/rows/{index}", user=user, json=body)


# Sheets


def test_a_sheet_has_every_field_and_lists_have_a_true_total(wire: Wire, sheet: dict[str, Any]) -> None:
    assert set(sheet) >= SHEET_FIELDS
    assert (sheet["item_count"], sheet["status"], sheet["source_type"]) == (30, "draft", "inline")
    assert {"name", "dtype", "role"} <= set(sheet["columns"][0])
    assert sheet["created_at"].endswith("Z")
    wire.ok("POST", "/sheets", 201, json={"name": "Other", "rows": ROWS[:3]})
    page = wire.ok("GET", "/sheets?page_size=1&page=2")
    assert (len(page["sheets"]), page["total"], page["page"], page["page_size"]) == (1, 2, 2, 1)
    assert wire.ok("GET", "/sheets?search=cas")["total"] == 1
    assert wire.ok("GET", "/sheets?status=published")["total"] == 0


def test_a_file_arrives_as_multipart(wire: Wire) -> None:
    text = 'item,text\n1,héllo\n2,"two\nlines"\n'
    found = wire.ok(
        "POST", "/sheets", 201, data={"name": "Upload", "item_id_column": "item"}, files={"file": ("u.csv", text.encode())}
    )
    assert found["item_count"] == 2
    rows = wire.ok("GET", f"/sheets/{found['id']}/preview")["rows"]
    assert rows[1]["text"] == "two\nlines"


def test_a_query_over_the_workspace_is_a_source(wire: Wire, sheet: dict[str, Any]) -> None:
    found = wire.ok(
        "POST", "/sheets", 201, json={"name": "Few", "source_type": "sql", "source": "select q from sheet_cases limit 4"}
    )
    assert (found["item_count"], found["source_type"]) == (4, "sql")


def test_preview_profile_and_rows(wire: Wire, sheet: dict[str, Any]) -> None:
    path = f"/sheets/{sheet['id']}"
    preview = wire.ok("GET", f"{path}/preview?limit=5&offset=25&columns=q&filter=n%20>%3D%2020")
    assert (preview["total"], preview["limit"], preview["offset"], len(preview["rows"])) == (10, 5, 25, 0)
    assert len(wire.ok("GET", f"{path}/preview?limit=5&offset=5&filter=n%20>%3D%2020")["rows"]) == 5
    profile = {one["name"]: one for one in wire.ok("GET", f"{path}/profile")["columns"]}
    assert set(profile) == {"n", "q", "a"}
    arrow = wire.client.get(f"{path}/preview", headers=ARROW)
    assert arrow.headers["content-type"].startswith(ARROW["Accept"])
    assert pa.ipc.open_stream(io.BytesIO(arrow.content)).read_all().num_rows == 20
    assert arrow.headers["x-total-count"] == "30"


def test_a_filter_never_writes_or_reads_files(wire: Wire, sheet: dict[str, Any]) -> None:
    for bad in ("1=1; drop table sheets", "n in (select 1 from read_csv('/etc/passwd'))", "(delete from sheets)", "nosuch = 1"):
        wire.refused("GET", f"/sheets/{sheet['id']}/preview", 422, "VALIDATION_ERROR", params={"filter": bad})
        wire.refused("POST", f"/sheets/{sheet['id']}/assemble", 422, "VALIDATION_ERROR", json={"template": PLAN, "filter": bad})
    assert wire.ok("GET", "/sheets")["total"] == 1
    assert wire.ok("GET", "/assemblies/list")["total"] == 0


def test_the_life_of_a_sheet(wire: Wire, sheet: dict[str, Any]) -> None:
    path = f"/sheets/{sheet['id']}"
    copy = wire.ok("POST", f"{path}/clone", 201)
    assert (copy["status"], copy["item_count"]) == ("draft", 30)
    assert copy["id"] != sheet["id"]
    assert wire.ok("PUT", path, json={"description": "All cases"})["description"] == "All cases"
    wire.refused("PUT", path, 422, "VALIDATION_ERROR", json={"nosuch": 1})
    assert wire.ok("POST", f"{path}/publish")["status"] == "published"
    wire.refused("PUT", path, 409, "INVALID_TRANSITION", json={"description": "No"})
    wire.refused("POST", f"{path}/publish", 409, "INVALID_TRANSITION")
    assert wire.ok("POST", f"{path}/archive")["status"] == "archived"
    assert wire.ok("POST", f"{path}/restore")["status"] == "published"
    assert wire.ok("DELETE", path) == {"status": "deleted", "id": sheet["id"]}
    assert wire.ok("GET", "/sheets")["total"] == 1
    assert wire.ok("GET", "/sheets?status=deleted")["total"] == 1
    wire.ok("POST", f"{path}/restore")
    assert wire.ok("GET", "/sheets")["total"] == 2


def test_tags_limit_uses(wire: Wire) -> None:
    pii = wire.ok("POST", "/sheets", 201, json={"name": "People", "rows": ROWS[:12], "tags": ["PII"]})
    assert pii["data_classification"] == "restricted"
    made = wire.ok("POST", f"/sheets/{pii['id']}/assemble", 201, json={"template": PLAN})
    row = wire.ok("GET", f"/assemblies/{made['id']}/rows/0")
    assert {"training", "validation"} <= set(row["prohibited_uses"])
    secret = wire.ok("POST", "/sheets", 201, json={"name": "Secret", "rows": ROWS[:12], "tags": ["CONFIDENTIAL"]})
    made = wire.ok("POST", f"/sheets/{secret['id']}/assemble", 201, json={"template": PLAN})
    assert set(wire.ok("GET", f"/assemblies/{made['id']}/rows/0")["prohibited_uses"]) >= {"few_shot", "evaluation"}


# Templates


def test_the_life_of_a_template(wire: Wire, sheet: dict[str, Any]) -> None:
    made = wire.ok("POST", "/templates", 201, json={"name": "Ask", **PLAN})
    assert set(made) >= TEMPLATE_FIELDS
    assert (made["version"], made["status"], made["temperature"], made["max_tokens"]) == ("1.0.0", "draft", 0.7, 1024)
    path = f"/templates/{made['id']}"
    assert wire.ok("PUT", path, json={"temperature": 0})["temperature"] == 0
    assert wire.ok("POST", f"{path}/publish")["status"] == "published"
    wire.refused("PUT", path, 409, "INVALID_TRANSITION", json={"temperature": 1})
    wire.refused("DELETE", path, 409, "INVALID_TRANSITION")
    newer = wire.ok("POST", f"{path}/version", 201)
    assert (newer["version"], newer["status"], newer["parent_id"]) == ("1.1.0", "draft", made["id"])
    assert wire.ok("POST", f"{path}/archive")["status"] == "archived"
    assert wire.ok("DELETE", f"/templates/{newer['id']}")["status"] == "deleted"
    assert wire.ok("GET", "/templates")["total"] == 1
    assert "templates" in wire.ok("GET", "/templates")


@pytest.mark.parametrize(
    ("field", "value"),
    [("temperature", 2.5), ("max_tokens", 0), ("max_tokens", 40_000), ("few_shot_count", 11), ("response_source_mode", "magic")],
)
def test_bounds_of_a_template(wire: Wire, field: str, value: Any) -> None:
    body = wire.refused("POST", "/templates", 422, "VALIDATION_ERROR", json={"name": "T", **PLAN, field: value})
    assert field in {one["field"] for one in body["context"]["fields"]}


def test_unknown_placeholders_name_the_missing_and_the_available(wire: Wire, sheet: dict[str, Any]) -> None:
    plan = {**PLAN, "prompt_template": "{{q}} {{nosuch}}"}
    body = wire.refused("POST", f"/sheets/{sheet['id']}/assemble", 422, "VALIDATION_ERROR", json={"template": plan})
    assert "nosuch" in body["error"]
    assert all(name in body["error"] for name in ("n", "q", "a"))
    made = wire.ok("POST", "/templates", 201, json={"name": "Bad", **plan})
    body = wire.refused(
        "POST", f"/sheets/{sheet['id']}/attach-template", 422, "VALIDATION_ERROR", json={"template_id": made["id"]}
    )
    mapped = wire.ok("PUT", f"/templates/{made['id']}", json={"column_mapping": {"nosuch": "a"}})
    attached = wire.ok("POST", f"/sheets/{sheet['id']}/attach-template", json={"template_id": mapped["id"]})
    assert attached["template_id"] == made["id"]
    assert wire.ok("POST", f"/sheets/{sheet['id']}/assemble", 201, json={})["total_rows"] == 30


# Training sheets


def test_a_training_sheet_counts_its_pairs(wire: Wire, sheet: dict[str, Any], made: dict[str, Any]) -> None:
    assert (made["status"], made["total_rows"], made["sheet_id"], made["sheet_name"]) == ("ready", 30, sheet["id"], "Cases")
    assert (made["name"], made["overlap"]) == ("Cases #1", 1)
    assert made["counts"]["response_source"]["imported"] == 30
    assert made["counts"]["status"]["unlabeled"] == 30
    assert set(made["counts"]["response_source"]) == {
        "empty", "imported", "ai_generated", "human_labeled", "human_verified", "canonical",
    }  # fmt: skip
    assert made["template"]["prompt_template"] == PLAN["prompt_template"]
    assert wire.ok("GET", "/assemblies/list")["assemblies"][0]["id"] == made["id"]
    assert wire.ok("GET", f"/assemblies/{made['id']}/preview")["total"] == 30
    assert wire.ok("PUT", f"/assemblies/{made['id']}", json={"guidelines": "Be kind."})["guidelines"] == "Be kind."


def test_cells_are_rendered_once_and_nothing_is_null(wire: Wire) -> None:
    rows = [{"x": "{{y}}", "y": "secret"}, {"x": None, "y": "z"}]
    sheet = wire.ok("POST", "/sheets", 201, json={"name": "Odd", "rows": rows})
    plan = {"prompt_template": "<{{ x }}>", "response_source_mode": "manual_labeling"}
    made = wire.ok("POST", f"/sheets/{sheet['id']}/assemble", 201, json={"template": plan})
    shown = [row["prompt"] for row in wire.ok("GET", f"/assemblies/{made['id']}/rows")["items"]]
    assert shown == ["<{{y}}>", "<>"]


def test_existing_column_needs_its_column(wire: Wire, sheet: dict[str, Any]) -> None:
    plan = {"prompt_template": "{{q}}", "response_source_mode": "existing_column"}
    wire.refused("POST", f"/sheets/{sheet['id']}/assemble", 422, "VALIDATION_ERROR", json={"template": plan})


def test_samples_are_repeatable(wire: Wire, sheet: dict[str, Any]) -> None:
    ask = {"template": PLAN, "sample": "random", "sample_size": 7, "seed": 5}
    found = []
    for _ in range(2):
        made = wire.ok("POST", f"/sheets/{sheet['id']}/assemble", 201, json=ask)
        rows = wire.ok("GET", f"/assemblies/{made['id']}/rows")["items"]
        assert [row["row_index"] for row in rows] == list(range(7))
        found.append([row["item_ref"] for row in rows])
    assert found[0] == found[1]


# Review


def test_a_pair_has_every_field(wire: Wire, made: dict[str, Any]) -> None:
    row = wire.ok("GET", f"/assemblies/{made['id']}/rows/3")
    assert set(row) >= PAIR_FIELDS
    assert (row["prompt"], row["response"], row["item_ref"], row["status"]) == (
        "Q: " + ROWS[3]["q"],
        "Answer 3",
        "3",
        "unlabeled",
    )
    assert row["source_data"]["a"] == "Answer 3"
    assert {name: row["review"][name] for name in ("wanted", "done", "state")} == {"wanted": 1, "done": 0, "state": "open"}
    assert {one["name"] for one in row["actions"]} >= {"approve", "reject", "flag"}


def test_transitions(wire: Wire, made: dict[str, Any]) -> None:
    approved = put(wire, made, 0, action="approve")
    assert (approved["status"], approved["labeled_by"]) == ("labeled", "ann")
    assert approved["canonical_label_id"]
    assert put(wire, made, 0, action="approve")["version"] == approved["version"]
    assert put(wire, made, 0, status="flagged", flag_reason="odd")["flag_reason"] == "odd"
    assert put(wire, made, 0, action="reset")["status"] == "unlabeled"
    assert put(wire, made, 1, status="rejected")["status"] == "rejected"
    assert put(wire, made, 1, action="approve")["status"] == "labeled"
    edited = put(wire, made, 2, response="Better", action="approve")
    assert (edited["status"], edited["response"], edited["original_response"]) == ("labeled", "Better", "Answer 2")
    assert edited["response_source"] == "human_labeled"
    prompted = put(wire, made, 3, prompt="Q: other?")
    assert (prompted["prompt"], prompted["status"]) == ("Q: other?", "unlabeled")
    wire.refused(
        "PUT", f"/assemblies/{made['id']}/rows/4", 422, "VALIDATION_ERROR", json={"status": "labeled", "action": "reject"}
    )
    wire.refused("PUT", f"/assemblies/{made['id']}/rows/4", 422, "VALIDATION_ERROR", json={"status": "great"})
    wire.refused("PUT", f"/assemblies/{made['id']}/rows/99", 404, "NOT_FOUND", json={"action": "approve"})
    body = wire.refused("PUT", f"/assemblies/{made['id']}/rows/2", 409, "CONFLICT", json={"action": "reject", "version": 1})
    assert {"yours", "current_version"} <= set(body["context"])


def test_an_empty_response_is_not_approved(wire: Wire, sheet: dict[str, Any]) -> None:
    plan = {"prompt_template": "{{q}}", "response_source_mode": "manual_labeling"}
    made = wire.ok("POST", f"/sheets/{sheet['id']}/assemble", 201, json={"template": plan})
    body = wire.ok("PUT", f"/assemblies/{made['id']}/rows/0", 409, json={"action": "approve"})
    assert body["error_code"] == "INVALID_TRANSITION"
    assert {"current", "allowed"} <= set(body["context"])
    assert put(wire, made, 0, response="Now", action="approve")["status"] == "labeled"


def test_the_queue_pages_by_key(wire: Wire, made: dict[str, Any]) -> None:
    path = f"/assemblies/{made['id']}/review-queue"
    first = wire.ok("GET", f"{path}?status=unlabeled&limit=20")
    assert (first["total"], len(first["items"])) == (30, 20)
    rest = wire.ok("GET", path, params={"limit": 20, "cursor": first["next_cursor"]})
    assert [row["row_index"] for row in rest["items"]] == list(range(20, 30))
    assert rest["next_cursor"] is None
    assert wire.ok("GET", f"{path}?search=parcels")["total"] == 10
    assert wire.ok("GET", path, params={"where": "q like '%parcels%' and row_index > 8"})["total"] == 7
    wire.refused("GET", f"{path}?limit=1001", 422, "VALIDATION_ERROR")
    wire.refused("GET", f"{path}?status=nosuch", 422, "VALIDATION_ERROR")


def test_bulk_previews_commits_and_is_undone(wire: Wire, made: dict[str, Any]) -> None:
    path = f"/assemblies/{made['id']}/rows/bulk-approve"
    told = wire.ok("POST", path, json={"filter": {"status": "unlabeled", "search": "parcels"}, "preview": True})
    assert (told["matched"], len(told["sample"]) > 0, told["batch_id"]) == (10, True, None)
    put(wire, made, 0, action="reject")
    done = wire.ok("POST", path, json={"preview_id": told["preview_id"]})
    assert (done["done"], sum(done["skipped"].values())) == (9, 1)
    assert wire.ok("GET", f"/assemblies/{made['id']}/review-progress")["labeled"] == 9
    undone = wire.ok("POST", f"/assemblies/{made['id']}/undo", json={"batch_id": done["batch_id"]})
    assert (undone["undone"], undone["batch_id"]) == (9, done["batch_id"])
    assert wire.ok("POST", f"/assemblies/{made['id']}/redo", json={})["undone"] == 9


def test_bulk_says_why_rows_are_skipped(wire: Wire, made: dict[str, Any]) -> None:
    base = f"/assemblies/{made['id']}/rows"
    put(wire, made, 5, action="reject")
    done = wire.ok("POST", f"{base}/bulk-reject", json={"row_indices": [4, 4, 5, 99]})
    assert (done["done"], sum(done["skipped"].values())) == (1, 3)
    again = wire.ok("POST", f"{base}/bulk-reject", json={"row_indices": [4]})
    assert (again["done"], again["batch_id"]) == (0, None)
    assert wire.ok("POST", f"{base}/bulk-flag", json={"row_indices": [6], "flag_reason": "look"})["done"] == 1
    assert wire.ok("POST", f"{base}/bulk-reset", json={"row_indices": [4, 5, 6]})["done"] == 3
    rights = wire.ok("POST", f"{base}/bulk-rights", json={"row_indices": [1, 2], "prohibited_uses": ["training"]})
    assert rights["done"] == 2
    wire.refused("POST", f"{base}/bulk-approve", 422, "VALIDATION_ERROR", json={"row_indices": []})


def test_undo_is_mine_unless_asked_otherwise(wire: Wire, made: dict[str, Any]) -> None:
    path = f"/assemblies/{made['id']}/undo"
    put(wire, made, 0, user="ann", action="approve")
    put(wire, made, 1, user="ben", action="reject")
    assert wire.ok("POST", path, user="ann", json={})["undone"] == 1
    assert wire.ok("GET", f"/assemblies/{made['id']}/rows/0")["status"] == "unlabeled"
    assert wire.ok("POST", path, user="ann", json={}) | {"summary": ""} == {
        "undone": 0, "batch_id": None, "action": None, "row_indices": [], "skipped": {}, "summary": "",
    }  # fmt: skip
    assert wire.ok("POST", path, user="ann", json={"scope": "all"})["undone"] == 1


def test_claims_are_leases(wire: Wire, made: dict[str, Any]) -> None:
    path = f"/assemblies/{made['id']}/claim"
    first = wire.ok("POST", path, user="ann", json={"count": 3, "lease_seconds": 60})
    second = wire.ok("POST", path, user="ben", json={"count": 3})
    ours, theirs = ({row["row_index"] for row in one["items"]} for one in (first, second))
    assert not ours & theirs
    assert first["expires_at"].endswith("Z")
    body = wire.refused(
        "PUT", f"/assemblies/{made['id']}/rows/{min(ours)}", 409, "CONFLICT", user="ben", json={"action": "approve"}
    )
    assert body["context"]["holder"] == "ann"
    bulk = wire.ok("POST", f"/assemblies/{made['id']}/rows/bulk-reject", user="ben", json={"row_indices": sorted(ours)})
    assert bulk["skipped"] == {"claimed": 3}
    assert wire.ok("POST", f"/assemblies/{made['id']}/release", user="ann", json={})["released"] == 3


def test_progress_eligibility_and_history(wire: Wire, made: dict[str, Any]) -> None:
    put(wire, made, 0, action="approve")
    put(wire, made, 1, action="reject")
    put(wire, made, 2, action="approve", prohibited_uses=["training"])
    progress = wire.ok("GET", f"/assemblies/{made['id']}/review-progress")
    assert set(progress) >= PROGRESS
    assert progress["percent_complete"] == pytest.approx(100 * 2 / 30, abs=0.1)
    assert progress["percent_reviewed"] == pytest.approx(100 * 3 / 30, abs=0.1)
    told = wire.ok("GET", f"/assemblies/{made['id']}/eligibility")
    assert (told["total"], told["labeled"], told["eligible"]) == (30, 2, 1)
    assert {k: v for k, v in told["excluded"].items() if v} == {"unlabeled": 27, "rejected": 1, "prohibited": 1}
    history = wire.ok("GET", f"/assemblies/{made['id']}/history")
    assert history["total"] >= 3
    assert {"at", "actor", "action", "before", "after"} <= set(history["items"][0])


# Canonical labels


def test_an_approval_is_found_again(wire: Wire, sheet: dict[str, Any], made: dict[str, Any]) -> None:
    approved = put(wire, made, 7, action="approve", response="Seven!")
    again = wire.ok("POST", f"/sheets/{sheet['id']}/assemble", 201, json={"template": PLAN})
    row = wire.ok("GET", f"/assemblies/{again['id']}/rows/7")
    assert (row["response"], row["response_source"], row["status"]) == ("Seven!", "canonical", "labeled")
    assert row["labeled_by"] == "ann"
    labels = wire.ok("GET", "/canonical-labels")
    assert (labels["total"], "canonical_labels" in labels) == (1, True)
    label = labels["canonical_labels"][0]
    assert (label["id"], label["reuse_count"], label["confidence"]) == (approved["canonical_label_id"], 1, "high")
    assert label["last_used_at"]


# Export


@pytest.mark.parametrize(
    ("form", "check"),
    [
        ("openai_chat", lambda d: [m["role"] for m in d["messages"]] == ["system", "user", "assistant"]),
        ("anthropic", lambda d: set(d) == {"system", "prompt", "completion"}),
        ("gemini", lambda d: [c["role"] for c in d["contents"]] == ["user", "model"] and "systemInstruction" in d),
        ("alpaca", lambda d: set(d) == {"instruction", "input", "output"}),
        ("sharegpt", lambda d: [c["from"] for c in d["conversations"]] == ["system", "human", "gpt"]),
        ("prompt_completion", lambda d: set(d) == {"prompt", "completion"}),
        ("preference", lambda d: set(d) == {"prompt", "chosen", "rejected"} and d["rejected"].startswith("Answer")),
    ],
)
def test_exported_lines(wire: Wire, sheet: dict[str, Any], form: str, check: Any) -> None:
    plan = {**PLAN, "system_instruction": "Help."}
    made = wire.ok("POST", f"/sheets/{sheet['id']}/assemble", 201, json={"template": plan})
    path = f"/assemblies/{made['id']}/export"
    wire.refused("POST", path, 409, "NOT_ELIGIBLE", json={"format": form})
    for index in range(10):
        put(wire, made, index, action="approve", response=f"Better {index}")
    told = wire.ok("POST", path, json={"format": form})
    (file,) = told["files"]
    assert file["rows"] == 10
    origin = str(wire.client.base_url).rsplit("/api", 1)[0]
    content = httpx.get(origin + file["url"], trust_env=False).content
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    lines = [json.loads(line) for line in content.decode().splitlines()]
    assert len(lines) == 10
    assert all(check(line) for line in lines), lines[0]
    assert told["manifest"]
    again = wire.ok("POST", path, json={"format": form})
    assert again["files"][0]["sha256"] == file["sha256"]
    split = wire.ok("POST", path, json={"format": form, "split": 0.8})
    assert sorted(one["rows"] for one in split["files"]) == [2, 8]


def test_lists_travel_as_arrow_too(wire: Wire, made: dict[str, Any]) -> None:
    for path, total in (
        (f"/assemblies/{made['id']}/rows", "30"),
        ("/sheets", "1"),
        (f"/assemblies/{made['id']}/review-queue", "30"),
    ):
        answer = wire.client.get(path, headers=ARROW)
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-total-count"] == total
        assert pa.ipc.open_stream(io.BytesIO(answer.content)).read_all().num_rows == int(total)


def test_a_used_training_sheet_stays(wire: Wire, sheet: dict[str, Any], made: dict[str, Any]) -> None:
    wire.ok("POST", f"/assemblies/{made['id']}/rows/bulk-approve", json={"filter": {"status": "unlabeled"}})
    ask = {"training_sheet_id": made["id"], "model_name": "m", "base_model": "nearest-question"}
    job = wire.ok("POST", "/training/jobs", 201, json=ask)
    body = wire.refused("DELETE", f"/assemblies/{made['id']}", 409, "IN_USE")
    assert body["context"]["used_by"] == [job["id"]]
    wire.refused("DELETE", f"/sheets/{sheet['id']}", 409, "IN_USE")


@pytest.mark.parametrize("key", ["metrics", "points"])
def test_a_loop_of_ones_own_logs_over_plain_http(wire: Wire, key: str) -> None:
    run = wire.ok("POST", "/jobs/external", 201, json={"name": "sweep", "config": {"lr": 0.1}})
    path = f"/jobs/{run['id']}/metrics"
    wire.ok("POST", path, json={key: [{"name": "loss", "step": i, "value": 1 / (i + 1), "epoch": 1} for i in range(5)]})
    (curve,) = wire.ok("GET", f"{path}?name=loss")["metrics"]
    assert [(p["step"], p["value"]) for p in curve["points"]] == [(i, 1 / (i + 1)) for i in range(5)]
    refused = wire.refused("POST", path, 422, "VALIDATION_ERROR", json={key: [{"name": "loss", "step": 2**70, "value": 1}]})
    assert refused["context"]["fields"][0]["field"] == "metrics.0.step"
