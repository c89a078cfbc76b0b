"""What is too long for a call becomes a job: the same result, the same errors, nothing left behind."""

from __future__ import annotations

import http.server
import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
import pytest

from workbench.contract.codec import encode
from workbench.domain.data import Sheet
from workbench.engine.handover import GIVEN, MADE
from workbench.engine.walk import below, inside
from workbench.errors import Conflict, InUse, NotEligible, ValidationError
from workbench.services import importing
from workbench.testing import frozen

# What a child process does is the same whoever asked for it.
TRANSPORTS = ("http",)
ROWS = [{"id": f"i{n}", "q": f'say "{n}" 😀\n', "n": n} for n in range(20)]


def ended(ws: Any, job: Any) -> Any:
    return ws.jobs.get(job.id).wait(timeout=60, progress=False)


def app_of(ws: Any) -> Any:
    """Return the application behind either transport."""
    return getattr(ws, "app", None) or ws.transport.app


def left(artifacts: Path) -> list[Path]:
    """Return what jobs and uploads left on the disk, beside their words; it goes right after the end is told."""
    deadline = time.monotonic() + 60
    while found := _files(artifacts):
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return found


def _files(artifacts: Path) -> list[Path]:
    return [path for path in below(artifacts / "jobs") if path.name in (GIVEN, MADE)] + inside(artifacts / "uploads")


def hidden(db: Any) -> list[Any]:
    """Return the tables of rows that belong to no sheet."""
    return db.tuples(
        "select table_name from duckdb_tables() where starts_with(table_name, 'rows_sheet_') "
        "and substr(table_name, 6) not in (select id from sheets)"
    )


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    pd.DataFrame(ROWS).to_csv(path, index=False)
    return path


def sources(path: Path) -> dict[str, dict[str, Any]]:
    return {
        "file": {"source": str(path)},
        "inline": {"rows": ROWS},
        "frame": {"rows": pa.Table.from_pylist(ROWS)},
        "sql": {"source_type": "sql", "source": "select id, q, n from sheet_first order by row_index"},
    }


@pytest.mark.parametrize("kind", ["file", "inline", "frame", "sql"])
def test_an_import_as_a_job_is_the_import_of_the_call(local: Any, csv_file: Path, kind: str) -> None:
    local.sheets.create("first", rows=ROWS)
    told = sources(csv_file)[kind]
    within = local.sheets.create("within", item_id_column="id", tags=["PII"], **told)
    job = local.sheets.create("apart", item_id_column="id", tags=["PII"], wait=False, **told)
    assert (job.kind, job.status, job.name) == ("import", "queued", "Import apart")

    done = ended(local, job)
    apart = local.sheets.get(done.result["sheet_id"])

    same = [name for name in Sheet.stored_fields() if name not in ("id", "name", "slug", "created_at", "updated_at")]
    assert {n: encode(getattr(apart, n)) for n in same} == {n: encode(getattr(within, n)) for n in same}
    assert local.sheets.rows(apart.id).equals(local.sheets.rows(within.id))
    assert (done.result["rows"], done.progress_percent) == (20, 100)
    assert left(app_of(local).artifacts) == []


def test_many_rows_take_a_job_and_the_call_returns_the_sheet(ws: Any) -> None:
    frame = pd.DataFrame({"id": range(100_001), "q": "x"})
    sheet = ws.sheets.create("many", rows=frame, item_id_column="id")
    few = ws.sheets.create("few", rows=frame.head(100_000))

    assert (sheet.item_count, few.item_count) == (100_001, 100_000)
    assert [(job.kind, job.result["sheet_id"]) for job in ws.jobs.list()] == [("import", sheet.id)]


def test_waiting_and_not_waiting_give_sheet_and_job(ws: Any) -> None:
    sheet = ws.sheets.create("one", rows=ROWS)
    job = ws.sheets.clone(sheet.id, name="two", wait=False)

    assert job.kind == "import"
    assert ws.sheets.get(ended(ws, job).result["sheet_id"]).item_count == 20
    assert ws.sheets.rows(ws.sheets.list(search="two")[0].id).equals(ws.sheets.rows(sheet.id))


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"name": "b.csv", "text": "a,b\n1,2\n1,2,3\n"}, {}),
        ({"name": "b.csv", "text": "id,b\n1,2\n1,3\n"}, {"item_id_column": "id"}),
        ({"name": "b.jsonl", "text": '{"a": 1}\n{"a": \n'}, {}),
    ],
)
def test_a_failing_import_says_the_same_either_way(local: Any, tmp_path: Path, told: Any, wrong: Any) -> None:
    path = tmp_path / told["name"]
    path.write_text(told["text"])
    with pytest.raises(ValidationError) as within:
        local.sheets.create("bad", source=str(path), **wrong)

    job = ended(local, local.sheets.create("bad", source=str(path), wait=False, **wrong))

    assert (job.status, job.error_code, job.error_message) == ("failed", "VALIDATION_ERROR", within.value.message)
    told = [event.data["context"] for event in local.jobs.events(job.id, type="error")]
    assert told == [within.value.context]
    assert (local.sheets.list().total, hidden(app_of(local).db), left(app_of(local).artifacts)) == (0, [], [])


def test_a_failing_long_import_raises_what_the_call_would(ws: Any) -> None:
    frame = pd.DataFrame({"id": [0, *range(100_000)]})
    with pytest.raises(ValidationError, match="'0' 2 times, first in rows 0, 1") as error:
        ws.sheets.create("many", rows=frame, item_id_column="id")

    assert error.value.context["fields"][0]["field"] == "item_id_column"
    assert ws.sheets.list().total == 0


class Guarded(http.server.BaseHTTPRequestHandler):
    """Answer with rows whoever knows the signature."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/rows.csv?sig=wink" else 403)
        self.end_headers()
        self.wfile.write(b"a,b\n1,x\n")

    def log_message(self, *told: Any) -> None:
        pass


@pytest.mark.parametrize(("path", "status"), [("rows.csv", "succeeded"), ("others.csv", "failed")])
def test_what_a_job_tells_holds_no_secret_of_an_address(local: Any, path: str, status: str) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guarded) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://me:hush@127.0.0.1:{server.server_address[1]}/{path}?sig=wink"
        asked = local.sheets.create("web", source_type="url", source=address, wait=False)
        job = ended(local, asked)
        server.shutdown()

    told = [asked, job, *local.jobs.list(), *local.jobs.events(job.id)]
    kept = b"".join(each.read_bytes() for each in below(app_of(local).artifacts) if each.is_file())
    assert (job.status, job.spec["source"]) == (status, address.replace("me:hush", "***").replace("wink", "***"))
    assert [] == [one for one in told if "hush" in str(encode(one)) or "wink" in str(encode(one))]
    assert kept and b"hush" not in kept and b"wink" not in kept
    assert left(app_of(local).artifacts) == []


def test_an_address_waits_for_its_job_in_a_file_of_its_owner(local: Any) -> None:
    app_of(local).engine.limits = type(app_of(local).engine.limits)(total=0)
    job = local.sheets.create("web", source_type="url", source="http://me:hush@127.0.0.1:1/rows.csv", wait=False)
    (path,) = inside(app_of(local).engine.given(job.id))

    assert (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777) == ("http://me:hush@127.0.0.1:1/rows.csv", 0o600)
    local.jobs.cancel(job.id)
    assert left(app_of(local).artifacts) == []


def test_a_name_taken_meanwhile_fails_the_job(local: Any) -> None:
    app_of(local).engine.limits = type(app_of(local).engine.limits)(total=0)
    job = local.sheets.create("one", rows=ROWS, wait=False)
    local.sheets.create("one", rows=ROWS)
    with pytest.raises(Conflict):
        local.sheets.create("one", rows=ROWS, wait=False)
    app_of(local).engine.limits = type(app_of(local).engine.limits)(total=2)
    app_of(local).engine.notice()

    done = ended(local, job)

    assert (done.status, done.error_code) == ("failed", "CONFLICT")
    assert hidden(app_of(local).db) == []


def test_a_cancelled_waiting_import_leaves_nothing(local: Any) -> None:
    app = app_of(local)
    app.engine.limits = type(app.engine.limits)(total=0)
    job = local.sheets.create("one", rows=ROWS, wait=False)
    assert _files(app.artifacts)

    local.jobs.cancel(job.id)

    assert (local.jobs.get(job.id).status, left(app.artifacts)) == ("cancelled", [])


def test_an_import_cancelled_while_it_is_taken_in_leaves_nothing(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app, load = app_of(local), importing.load

    def slow(*given: Any) -> Any:
        loaded = load(*given)
        local.jobs.cancel(job.id, reason="no more")
        return loaded

    monkeypatch.setattr(importing, "load", slow)
    job = local.sheets.create("one", rows=ROWS, wait=False)

    done = ended(local, job)

    assert (done.status, done.cancel_reason, done.result) == ("cancelled", "no more", None)
    assert (local.sheets.list().total, hidden(app.db), left(app.artifacts)) == (0, [], [])


def test_people_decide_while_an_import_is_taken_in(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    decided, columns = threading.Event(), importing.described
    sheet = local.sheets.create("first", rows=ROWS)
    made = local.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "id"})

    def waits_for_people(*given: Any) -> Any:
        assert decided.wait(60)
        return columns(*given)

    monkeypatch.setattr(importing, "described", waits_for_people)
    job = local.sheets.create("second", rows=ROWS, wait=False)
    while local.jobs.get(job.id).status != "running":
        time.sleep(0.01)
    local.review.decide(made.id, 0, action="approve")
    decided.set()

    assert ended(local, job).status == "succeeded"


def test_over_the_wire_the_caller_chooses() -> None:
    with frozen(transport="http") as ws, httpx.Client(base_url=f"{ws.url}/api/v1", trust_env=False) as client:
        within = client.post("/sheets", json={"name": "a", "rows": ROWS})
        apart = client.post("/sheets", json={"name": "b", "rows": ROWS}, headers={"Prefer": "respond-async"})
        file = {"file": ("some.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS))}
        sent = client.post("/sheets", data={"name": "c"}, files=file, headers={"Prefer": "respond-async"})

        assert (within.status_code, within.json()["item_count"]) == (201, 20)
        assert [(answer.status_code, answer.json()["kind"]) for answer in (apart, sent)] == [(202, "import")] * 2
        done = [ended(ws, ws.jobs.get(answer.json()["id"])) for answer in (apart, sent)]
        assert [job.status for job in done] == ["succeeded"] * 2
        assert ws.sheets.get(done[1].result["sheet_id"]).source == "some.jsonl"
        assert left(app_of(ws).artifacts) == []


PLAN = {
    "prompt_template": "{{id}}: {{ q }} {{n}}",
    "response_column": "q",
    "label_type": "topic",
    "system_instruction": "Be brief.",
}
PAIR = "row_index, source_index, item_ref, prompt, response, response_source, status, labeled_by, labeled_at, allowed_mask, "
PAIR += "prohibited_mask, canonical_label_id, confidence, stale, sample, version"


def pairs(ws: Any, made: Any) -> list[Any]:
    return app_of(ws).db.tuples(f"select {PAIR} from pair_rows where training_sheet_id = ? order by row_index", [made.id])


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"filter": "n % 2 = 0"},
        {"sample": "random", "sample_size": 7, "seed": 3},
        {"sample": "stratified", "sample_size": 9, "stratify_by": "kind"},
    ],
)
def test_an_assembly_as_a_job_is_the_assembly_of_the_call(local: Any, told: Any) -> None:
    odd = [{**row, "kind": "ab"[n % 2], "when": f"2026-01-0{1 + n % 9}T10:00:00", "share": n / 3} for n, row in enumerate(ROWS)]
    frame = pd.DataFrame(odd).astype({"when": "datetime64[us]"})
    sheet = local.sheets.create("rows", rows=frame, item_id_column="id", tags=["PII"], sample=True)
    local.labels.create(sheet_id=sheet.id, item_ref="i4", label_type="topic", label="known", allowed_uses=["training"])
    plan = {**PLAN, "prompt_template": "{{id}}: {{ q }} {{n}} {{when}} {{share}} {{kind}}"}
    within = local.training_sheets.assemble(sheet.id, template=plan, **told)
    job = local.training_sheets.assemble(sheet.id, template=plan, wait=False, **told)
    assert (job.kind, job.name) == ("assemble", "Make rows #2")

    done = ended(local, job)
    apart = local.training_sheets.get(done.result["training_sheet_id"])

    assert (apart.status, apart.total_rows, apart.name) == ("ready", within.total_rows, "rows #2")
    assert pairs(local, apart) == pairs(local, within)
    assert apart.counts == within.counts
    assert left(app_of(local).artifacts) == []
    local.training_sheets.delete(apart.id)


def test_many_pairs_take_a_job_and_the_call_returns_what_it_made(ws: Any) -> None:
    rows = pd.DataFrame({"id": range(100_001), "q": "what?", "n": 1})
    sheet = ws.sheets.create("many", rows=rows, item_id_column="id")
    few = ws.training_sheets.assemble(sheet.id, template=PLAN, filter="id > 0")
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    ws.review.bulk_approve(made.id, filter={"status": "unlabeled"})
    export = ws.training_sheets.export(made.id)

    assert (few.total_rows, made.total_rows, made.status) == (100_000, 100_001, "ready")
    assert (export.manifest["rows"], export.files[0].rows) == (100_001, 100_001)
    assert sorted(job.kind for job in ws.jobs.list()) == ["assemble", "export", "import"]


def test_no_row_is_refused_before_a_job_is_made(local: Any) -> None:
    sheet = local.sheets.create("rows", rows=ROWS)
    with pytest.raises(ValidationError, match="No row matches"):
        local.training_sheets.assemble(sheet.id, template=PLAN, filter="n > 99", wait=False)

    assert (local.jobs.list().total, local.training_sheets.list().total) == (0, 0)
    assert left(app_of(local).artifacts) == []


def test_an_assembly_is_listed_while_it_is_made_and_gone_when_cancelled(local: Any) -> None:
    app = app_of(local)
    app.engine.limits = type(app.engine.limits)(total=0)
    sheet = local.sheets.create("rows", rows=ROWS)
    job = local.training_sheets.assemble(sheet.id, template=PLAN, wait=False)
    listed = local.training_sheets.list()[0]
    assert (listed.status, listed.total_rows) == ("assembling", 0)
    with pytest.raises(InUse):
        local.training_sheets.delete(listed.id)

    local.jobs.cancel(job.id)

    assert local.training_sheets.list().total == 0
    assert (app.db.value("select count(*) from pair_rows"), left(app.artifacts)) == (0, [])


def test_a_tag_that_comes_while_the_pairs_are_made_bars_them(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.services import assembling

    def tagged_meanwhile(*given: Any, **more: Any) -> dict[str, Any]:
        asked = question(*given, **more)
        local.sheets.update(sheet.id, tags=["PII"])
        return asked

    question = assembling.question
    monkeypatch.setattr(assembling, "question", tagged_meanwhile)
    sheet = local.sheets.create("rows", rows=ROWS)
    done = ended(local, local.training_sheets.assemble(sheet.id, template=PLAN, wait=False))

    assert local.review.get(done.result["training_sheet_id"], 0).prohibited_uses == ("training", "validation")


def test_an_assembly_that_fails_says_why(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.services import assembly_work

    def broken(path: Path) -> Any:
        raise OSError("the disk is gone")

    sheet = local.sheets.create("rows", rows=ROWS)
    monkeypatch.setattr(assembly_work.rows, "rows_made", broken)
    done = ended(local, local.training_sheets.assemble(sheet.id, template=PLAN, wait=False))

    made = local.training_sheets.get(done.spec["training_sheet_id"])
    assert (done.status, made.status) == ("failed", "failed")
    assert "the disk is gone" in done.error_message
    assert made.error_summary == done.error_message


@pytest.mark.parametrize("format", ["openai_chat", "csv", "parquet", "huggingface"])
def test_an_export_as_a_job_writes_the_bytes_of_the_call(ws: Any, format: str) -> None:
    sheet = ws.sheets.create("rows", rows=ROWS)
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    ws.review.bulk_approve(made.id, row_indices=list(range(15)))
    within = ws.training_sheets.export(made.id, format=format, split=0.8)
    done = ended(ws, ws.training_sheets.export(made.id, format=format, split=0.8, wait=False))

    assert (done.kind, done.name, done.result["manifest"]) == ("export", f"Export {made.name}", within.manifest)
    assert [f["sha256"] for f in done.result["files"]] == [f.sha256 for f in within.files]
    folder = app_of(ws).artifacts / "exports"
    assert all((folder / f["url"].split("/exports/")[1]).is_file() for f in done.result["files"])
    assert left(app_of(ws).artifacts) == []


def test_an_export_that_is_cancelled_leaves_no_file(local: Any) -> None:
    app = app_of(local)
    sheet = local.sheets.create("rows", rows=ROWS)
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    with pytest.raises(NotEligible):
        local.training_sheets.export(made.id, wait=False)
    app.engine.limits = type(app.engine.limits)(total=0)
    job = local.training_sheets.export(made.id, include_unreviewed=True, wait=False)

    local.jobs.cancel(job.id)

    assert (left(app.artifacts), [*app.artifacts.glob("exports/*")]) == ([], [])
