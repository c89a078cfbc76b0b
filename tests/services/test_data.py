"""Sheets: made, read, changed, published, refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from workbench.client.discovery import sidecar_path
from workbench.contract import Context
from workbench.contract.context import use
from workbench.errors import Conflict, Forbidden, InvalidFileType, InvalidTransition, NotFound, ValidationError
from workbench.services.sources import resolve
from workbench.store.published import published
from workbench.testing import frozen

ROWS = [
    {"id": "a", "question": "What is {{x}}?", "answer": "one", "size": 1},
    {"id": "b", "question": None, "answer": "two", "size": 2},
    {"id": "c", "question": "Why?", "answer": "two", "size": None},
]


@pytest.fixture
def sheet(ws: Any) -> Any:
    return ws.sheets.create("My questions", rows=ROWS, item_id_column="id", tags=["faq"], sample=True)


def test_import_keeps_the_rows_in_their_order(ws: Any, sheet: Any) -> None:
    assert (sheet.item_count, sheet.status, sheet.slug, sheet.sample) == (3, "draft", "my_questions", True)
    assert [(c.name, c.dtype, c.role) for c in sheet.columns] == [
        ("id", "VARCHAR", "id"),
        ("question", "VARCHAR", "data"),
        ("answer", "VARCHAR", "data"),
        ("size", "BIGINT", "data"),
    ]
    assert list(ws.sheets.rows(sheet.id)["id"]) == ["a", "b", "c"]
    assert list(ws.sql("select row_index, id from sheet_my_questions order by row_index")["id"]) == ["a", "b", "c"]


def test_a_frame_travels_like_rows(ws: Any) -> None:
    frame = pd.DataFrame({"t": ["x", "y"], "when": [dt.datetime(2026, 1, 1), None], "f": [1.5, 2.0]})

    first = ws.sheets.create("pandas", rows=frame)
    second = ws.sheets.create("polars", rows=pl.DataFrame({"t": ["x", "y"], "f": [1.5, 2.0]}))

    assert (first.source_type, first.item_count) == ("inline", 2)
    assert ws.sheets.preview(second.id).rows[1] == {"row_index": 1, "t": "y", "f": 2.0}


def test_a_file_may_be_named_by_a_path_object(ws: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\nx\n")

    assert ws.sheets.create("path", source=path).item_count == 1


def test_the_same_cells_have_the_same_hash(ws: Any, sheet: Any) -> None:
    same = ws.sheets.create("again", rows=ROWS)
    other = ws.sheets.create("turned", rows=ROWS[::-1])

    assert same.content_hash == sheet.content_hash != other.content_hash


def test_a_name_is_given_once(ws: Any, sheet: Any) -> None:
    with pytest.raises(Conflict, match="my QUESTIONS"):
        ws.sheets.create("my QUESTIONS", rows=ROWS)

    ws.sheets.delete(sheet.id)
    again = ws.sheets.create("My questions", rows=ROWS)

    assert again.slug == "my_questions_2"
    with pytest.raises(Conflict):
        ws.sheets.restore(sheet.id)


@pytest.mark.parametrize(
    ("rows", "options", "field", "message"),
    [
        ([], {}, "rows", "no rows"),
        ([1], {}, "rows", "list of objects"),
        ([{"a": 1}, {"a": "x"}], {}, "rows", "mixes kinds"),
        ([{"a": 1}, {"a": 1}, {"a": 1}], {"item_id_column": "a"}, "item_id_column", "'1' 3 times, first in rows 0, 1, 2"),
        ([{"a": 1}, {"a": None}], {"item_id_column": "a"}, "item_id_column", "no value in row 1"),
        ([{"size": 1}], {"item_id_column": "sise"}, "item_id_column", "Did you mean 'size'"),
        ([{"a": 1, "A": 2}], {}, "source", "is there twice"),
        ([{"_row": 1}], {}, "source", "reserved"),
    ],
)
def test_bad_rows_leave_nothing_behind(ws: Any, rows: Any, options: Any, field: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        ws.sheets.create("bad", rows=rows, **options)

    assert caught.value.context["fields"][0]["field"] == field
    assert ws.sheets.list().total == 0
    assert ws.sheets.create("bad", rows=ROWS).slug == "bad"


def test_list_pages_searches_and_filters(ws: Any, sheet: Any) -> None:
    for number in range(5):
        ws.sheets.create(f"other {number}", rows=ROWS, description="Words on it")
    ws.sheets.publish(sheet.id)

    page = ws.sheets.list(sort="name", descending=False, page=2, page_size=2)

    assert (page.total, [s.name for s in page]) == (6, ["other 1", "other 2"])
    assert ws.sheets.list(search="FAQ").total == 1
    assert ws.sheets.list(search="words ON").total == 5
    assert [s.id for s in ws.sheets.list(status="published")] == [sheet.id]


def test_lifecycle(ws: Any, sheet: Any) -> None:
    renamed = ws.sheets.update(sheet.id, name="Better", tags=["PII"], version=1)
    assert (renamed.version, renamed.data_classification, renamed.usage_limits) == (2, "restricted", ("training", "validation"))
    with pytest.raises(Conflict) as caught:
        ws.sheets.update(sheet.id, name="Worse", version=1)
    assert (caught.value.context["yours"], caught.value.context["current_version"]) == (1, 2)

    asked = {a.name: a.confirm for a in renamed.actions}
    assert "cannot be taken back" in asked["publish"], "nobody can make a draft of it again"
    assert asked["archive"] is None, "it can be restored"
    published = ws.sheets.publish(sheet.id)
    assert {a.name for a in published.actions if a.enabled} == {
        "tighten", "archive", "clone", "attach_template", "assemble", "delete"
    }  # fmt: skip
    with pytest.raises(InvalidTransition):
        ws.sheets.update(sheet.id, name="x")
    assert ws.sheets.archive(sheet.id).status == "archived"
    assert ws.sheets.restore(sheet.id).status == "published"


def test_a_deleted_sheet_comes_back(ws: Any, sheet: Any) -> None:
    ws.sheets.delete(sheet.id)
    assert ws.sheets.list().total == 0
    assert [(s.id, s.status) for s in ws.sheets.list(status="deleted")] == [(sheet.id, "deleted")]
    assert ws.sheets.get(sheet.id).status == "deleted"
    assert [a.name for a in ws.sheets.get(sheet.id).actions if a.enabled] == ["restore"]
    with pytest.raises(NotFound):
        ws.sheets.preview(sheet.id)

    back = ws.sheets.restore(sheet.id)
    assert (back.deleted_at, back.status) == (None, sheet.status)
    assert ws.sheets.preview(sheet.id).total == 3


def test_the_rows_of_a_deleted_sheet_are_out_of_reach_of_sql(ws: Any, sheet: Any) -> None:
    view = f"sheet_{sheet.slug}"
    assert len(ws.sql(f"select * from {view}")) == 3
    ws.sheets.delete(sheet.id)
    with pytest.raises(ValidationError, match=view):
        ws.sql(f"select * from {view}")
    with pytest.raises(ValidationError):
        ws.sheets.create("copy", source=f"select * from {view}", source_type="sql")
    assert view not in [table["name"] for table in published(ws.app.db)]

    ws.sheets.restore(sheet.id)
    assert len(ws.sql(f"select * from {view}")) == 3
    assert view in [table["name"] for table in published(ws.app.db)]


def test_a_tag_is_short(ws: Any, sheet: Any) -> None:
    for call in (
        lambda: ws.sheets.create("other", rows=[{"a": 1}], tags=["x" * 5000]),
        lambda: ws.sheets.update(sheet.id, tags=["fine", f"PII, {'x' * 101}"]),
    ):
        with pytest.raises(ValidationError, match="A tag has at most 100 letters; the one that begins with 'xxx") as refused:
            call()
        assert [fault["field"] for fault in refused.value.context["fields"]] == ["tags"]
    assert ws.sheets.update(sheet.id, tags=["x" * 100]).tags == ("x" * 100,)


def test_a_training_sheet_of_a_long_name_gets_one_that_fits(ws: Any) -> None:
    sheet = ws.sheets.create("n" * 199 + "o", rows=[{"q": "what"}])
    plan = {"prompt_template": "{{q}}", "response_column": "q"}
    made = [ws.training_sheets.assemble(sheet.id, template=plan) for _ in range(2)]
    assert [one.name for one in made] == ["n" * 197 + " #1", "n" * 197 + " #2"]
    assert ws.training_sheets.update(made[0].id, name=made[0].name).name == made[0].name


@pytest.mark.parametrize("kind", ["rows", "frame", "json", "parquet", "external"])
def test_a_column_name_with_a_zero_byte_is_refused_by_name(local: Any, tmp_path: Path, kind: str) -> None:
    cells = {"a\0b": 1, "a": 2}
    frame = pd.DataFrame([cells])
    path = tmp_path / f"some.{'json' if kind == 'json' else 'parquet'}"
    if kind == "json":
        path.write_text(json.dumps([cells]))
    else:
        frame.to_parquet(path)
    given = {"rows": {"rows": [cells]}, "frame": {"rows": frame}, "external": {"source": str(path), "external": True}}
    with pytest.raises(ValidationError, match="zero byte, at which names end") as refused:
        local.sheets.create("hostile", **given.get(kind, {"source": str(path)}))
    assert "'a\\x00b'" in str(refused.value)
    assert local.sheets.list().total == 0


def test_a_clone_is_a_draft_of_its_own(ws: Any, sheet: Any) -> None:
    ws.sheets.publish(sheet.id)
    copy = ws.sheets.clone(sheet.id)

    assert (copy.name, copy.status, copy.version, copy.content_hash) == ("My questions (copy)", "draft", 1, sheet.content_hash)
    assert ws.sheets.clone(sheet.id).name == "My questions (copy) 2"
    assert list(ws.sheets.rows(copy.id)["id"]) == ["a", "b", "c"]


def test_preview_filters_and_cuts(ws: Any, sheet: Any) -> None:
    found = ws.sheets.preview(sheet.id, columns=["answer"], filter="size > 1 or id = 'c'", limit=1, offset=1)
    assert (found.total, found.rows) == (2, [{"row_index": 2, "answer": "two"}])
    assert ws.sheets.preview(sheet.id, search="WHY").total == 1


@pytest.mark.parametrize(
    "condition", ["nosuch = 1", "1=1; drop table sheets", "id in (select id from sheets)", "size + id > 'x'", "("]
)
def test_a_condition_only_reads_its_columns(ws: Any, sheet: Any, condition: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ws.sheets.preview(sheet.id, filter=condition)
    assert caught.value.context["fields"][0]["field"] == "filter"


def test_profile_describes_the_columns(ws: Any, sheet: Any) -> None:
    profile = ws.sheets.profile(sheet.id)
    question, size = profile.columns[1], profile.columns[3]

    assert (question.nulls, question.count, question.distinct, question.length_max) == (1, 2, 2, 14)
    assert (size.minimum, size.maximum, size.mean, size.quantiles[2]) == (1, 2, 1.5, {"at": 0.5, "value": 1.5})
    assert sum(bucket.count for bucket in size.histogram) == 2
    assert [(v.value, v.count) for v in profile.columns[2].top_values] == [("two", 2), ("one", 1)]


def test_buckets_of_whole_numbers_hold_equally_many_of_them(ws: Any) -> None:
    rows = [{"short": "abc"[: 1 + i % 3], "long": "x" * i, "same": "ab", "n": i % 50, "f": i / 4} for i in range(1, 101)]
    made = ws.sheets.create("lengths", rows=rows)
    short, long, same, n, f = (column.histogram for column in ws.sheets.profile(made.id).columns)

    assert [(b.low, b.high, b.count) for b in short] == [(1, 1, 33), (2, 2, 34), (3, 3, 33)]
    assert [(b.low, b.high, b.count) for b in (long[0], long[-1])] == [(1, 5, 5), (96, 100, 5)]
    assert [(b.low, b.high, b.count) for b in same] == [(2, 2, 100)]
    assert [b.count for b in n] == [6] * 16 + [4]
    assert (len(f), f[-1].high, sum(b.count for b in f)) == (20, 25, 100)


def test_unknown_ids(ws: Any) -> None:
    for call in (ws.sheets.get, ws.sheets.publish, ws.sheets.delete, ws.sheets.profile, ws.sheets.rows):
        with pytest.raises(NotFound):
            call("sheet_none")


def test_an_interrupted_import_is_swept(local: Any) -> None:
    service = local.transport.app.sheets
    with service.db.write():
        service.db.execute("create table rows_sheet_9999 as select 1 as _row")
    service.start()

    assert service.db.value("select count(*) from duckdb_tables() where starts_with(table_name, 'rows_sheet_')") == 0


def test_files_are_read(local: Any, tmp_path: Any) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id;wörter\n1;äh\n2;\n", encoding="cp1252")
    with pytest.raises(ValidationError, match="not UTF-8"):
        local.sheets.create("file", source=str(path))
    sheet = local.sheets.create("file", source=str(path), item_id_column="id", encoding="cp1252")

    assert (sheet.source_type, sheet.source, sheet.item_count) == ("file", str(path), 2)
    assert [column.name for column in sheet.columns] == ["id", "wörter"]


def test_a_served_workspace_reads_only_its_folders(local: Any, tmp_path: Any) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n")
    service = local.transport.app.sheets
    with use(Context(served=True)), pytest.raises(Forbidden, match="outside the folders"):
        service.create("file", source=str(path))

    service.settings.allowed_roots = [str(tmp_path)]
    with use(Context(served=True)):
        assert service.create("file", source=str(path)).item_count == 1
        with pytest.raises(Forbidden):
            service.create("other", source=str(tmp_path / ".." / "rows.csv"))


def test_no_served_path_leads_home(local: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    for folder in (home, root):
        folder.mkdir()
    (home / "rows.csv").write_text("a,b\n1,2\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(root)
    service = local.transport.app.sheets
    service.settings.allowed_roots = [str(root)]

    for path in ("~/rows.csv", "~/../home/rows.csv"):
        with use(Context(served=True)), pytest.raises(Forbidden, match="outside the folders"):
            service.create("file", source=path)
    assert local.sheets.create("file", source="~/rows.csv").item_count == 1


def test_a_served_workspace_keeps_its_token_to_itself(tmp_path: Any) -> None:
    with frozen(tmp_path / "team.duckdb") as ws:
        secret = sidecar_path(ws.transport.app.db.path)
        secret.write_text('{"token": "secret"}')
        service = ws.transport.app.sheets
        with use(Context(served=True)), pytest.raises(Forbidden, match="keeps for itself"):
            service.create("file", source=str(secret))
        (tmp_path / "link.json").symlink_to(secret)
        with use(Context(served=True)), pytest.raises(Forbidden, match="keeps for itself"):
            service.create("file", source=str(tmp_path / "link.json"))


def test_the_source_of_a_sheet_tells_no_password(local: Any) -> None:
    found = resolve(local.transport.app.sheets, "url", "https://me:secret@example.org/x.csv?sig=secret", None, {})
    assert found.label == "https://***@example.org/x.csv?sig=***"


def test_what_cannot_be_sent_is_told_of(ws: Any, tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        ws.sheets.create("none", source=tmp_path / "none.csv")
    assert caught.value.context["fields"][0]["field"] == "source"


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"source": "https://example.org/x.csv"}, "source_type", "name 'url'"),
        ({"source": " select 1 as a"}, "source_type", "name 'sql'"),
        ({}, "source", "give a path, an address or a query, or rows"),
    ],
)
def test_a_source_that_is_no_path_is_told_so(ws: Any, given: Any, field: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        ws.sheets.create("rows", **given)
    assert caught.value.context["fields"][0]["field"] == field


@pytest.mark.parametrize("rows", [ROWS, pd.DataFrame(ROWS), pa.Table.from_pylist(ROWS)])
def test_rows_given_as_a_source_are_told_their_place(ws: Any, rows: Any) -> None:
    with pytest.raises(ValidationError, match="Give rows themselves as rows=, without a source") as caught:
        ws.sheets.create("rows", source=rows)
    assert caught.value.context["fields"][0]["field"] == "source"
    assert ws.sheets.list().total == 0


def test_rows_posted_as_a_source_are_told_their_place() -> None:
    with frozen(transport="http") as ws, httpx.Client(base_url=f"{ws.url}/api/v1", trust_env=False) as client:
        answer = client.post("/sheets", json={"name": "rows", "source": ROWS})
    assert answer.status_code == 422
    assert "Give rows themselves as rows=" in answer.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("header.csv", b"a,b\n"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3,4\n"),
        ("twice.csv", b"a,A\n1,2\n"),
        ("odd.xyz", b"hello"),
        ("bad.parquet", b"PAR1 not really"),
    ],
)
def test_bad_files_are_refused_clearly(local: Any, tmp_path: Any, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises((ValidationError, InvalidFileType)) as caught:
        local.sheets.create("bad", source=str(path))

    assert caught.value.message
    assert local.sheets.list().total == 0
    assert local.transport.app.db.value("select count(*) from duckdb_tables() where starts_with(table_name, 'rows_')") == 0


def test_a_query_makes_a_sheet(ws: Any, sheet: Any) -> None:
    made = ws.sheets.create("two", source_type="sql", source="select id, size from sheet_my_questions where size > 1")

    assert (made.item_count, made.source_type) == (1, "sql")
    with pytest.raises(ValidationError):
        ws.sheets.create("x", source_type="sql", source="delete from sheets")


def test_a_sheet_may_have_any_word_as_its_name(ws):
    """The views of sheets share a room with the tables: none of them may be in the way."""
    words = ["Signals", "Rows", "Pairs", "Changes", "Templates", "Jobs"]
    made = [ws.sheets.create(word, rows=[{"a": 1}]) for word in words]
    assert [ws.sql(f"select count(*) as n from sheet_{word.lower()}")["n"][0] for word in words] == [1] * len(made)


def test_what_a_sheet_offers_is_done_on_the_sheet(ws: Any) -> None:
    sheet = ws.sheets.create("cities", rows=[{"city": "Bern"}])
    made = sheet.assemble(template={"prompt_template": "Where is {{city}}?", "response_source_mode": "manual_labeling"})

    assert (made.sheet_id, made.total_rows) == (sheet.id, 1)
    with pytest.raises(AttributeError):
        sheet.estimate()


def test_the_name_of_a_copy_is_as_long_as_a_name_may_be(ws: Any) -> None:
    first = ws.sheets.create("n" * 200, rows=[{"a": 1}])

    copies = [ws.sheets.clone(first.id).name, ws.sheets.clone(first.id).name]

    assert copies == ["n" * 193 + " (copy)", "n" * 191 + " (copy) 2"]
