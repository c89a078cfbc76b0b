"""Sheets whose rows stay in their file: everything works on them, and a file that changed is noticed."""

from __future__ import annotations

import os
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import Conflict, InvalidFileType, NotReady, ValidationError, WorkbenchError
from workbench.testing import frozen

COUNT = 50_000
PLAN = {"prompt_template": "{{q}}", "response_source_mode": "existing_column", "response_column": "a"}


@pytest.fixture
def file(tmp_path: Any, monkeypatch: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "big.parquet"
    table = pa.table(
        {"id": [f"i{n}" for n in range(COUNT)], "q": [f"question {n}" for n in range(COUNT)], "a": ["yes", "no"] * (COUNT // 2)}
    )
    pq.write_table(table, path, row_group_size=10_000)
    return path


@pytest.fixture
def sheet(ws: Any, file: Any) -> Any:
    return ws.sheets.create("Big", source=str(file), item_id_column="id", external=True)


def test_everything_that_reads_works_on_it(ws: Any, sheet: Any) -> None:
    assert (sheet.external, sheet.item_count, sheet.source_type) == (True, COUNT, "file")
    assert ws.app.db.value("select count(*) from duckdb_tables() where starts_with(table_name, 'rows_')") == 0
    assert ws.sheets.preview(sheet.id, limit=2, offset=40_000).rows[1] == {
        "row_index": 40_001,
        "id": "i40001",
        "q": "question 40001",
        "a": "no",
    }
    found = ws.sheets.preview(sheet.id, filter="id in ('i7', 'i49999') and row_index > 8", columns=["id"])
    assert (found.total, found.rows) == (1, [{"row_index": 49_999, "id": "i49999"}])
    assert [c.distinct for c in ws.sheets.profile(sheet.id).columns] == [COUNT, COUNT, 2]
    assert list(ws.sheets.rows(sheet.id, filter="a = 'no'", limit=2, offset=1)["id"]) == ["i3", "i5"]
    assert ws.sql("select count(*) as n from sheet_big where row_index < 10")["n"][0] == 10


def test_pairs_are_made_reviewed_and_exported(ws: Any, sheet: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN, filter="row_index >= 49990", sample="random", sample_size=5)

    first = next(iter(ws.review.queue(made.id)))
    assert first.source_data["q"] == first.prompt
    assert ws.review.queue(made.id, where="a = 'no'").total < 5
    assert ws.training_sheets.export(made.id, "alpaca", include_unreviewed=True).files[0].rows == 5
    assert ws.training_sheets.assemble(sheet.id, template=PLAN).total_rows == COUNT


def test_a_copy_reads_the_same_file(ws: Any, sheet: Any) -> None:
    copy = ws.sheets.clone(sheet.id)

    assert (copy.external, ws.sheets.preview(copy.id).total) == (True, COUNT)
    assert ws.sql("select count(*) as n from sheet_big_copy")["n"][0] == COUNT


@pytest.mark.parametrize("harm", ["gone", "touched", "other"])
def test_a_file_that_is_not_as_it_was_is_refused_not_read(ws: Any, sheet: Any, file: Any, harm: str) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN, filter="row_index < 3")
    was = file.stat()
    if harm == "gone":
        file.rename(file.with_suffix(".away"))
    elif harm == "touched":
        os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns + 1))
    else:
        pq.write_table(pa.table({"id": ["x"], "q": ["other"], "a": ["other"]}), file)

    words = "cannot be read" if harm == "gone" else "has changed"
    for call in (
        ws.sheets.preview,
        ws.sheets.profile,
        ws.sheets.rows,
        ws.sheets.clone,
        lambda i: ws.training_sheets.assemble(i, template=PLAN),
    ):
        with pytest.raises(NotReady, match=words):
            call(sheet.id)
    with pytest.raises(ValidationError, match=words) as caught:
        ws.sql("select * from sheet_big")
    assert "Traceback" not in str(caught.value)
    pair = next(iter(ws.review.queue(made.id)))
    assert (pair.prompt, pair.source_data) == ("question 0", None)
    assert ws.sheets.get(sheet.id).name == ws.sheets.list().rows[0]["name"]
    assert len(ws.tables()) > 3
    ws.sheets.archive(sheet.id)
    ws.sheets.delete(sheet.id)


@pytest.mark.parametrize("harm", ["gone", "touched"])
def test_conditions_on_rows_that_cannot_be_read_say_so(ws: Any, sheet: Any, file: Any, harm: str) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN, filter="row_index < 3")
    if harm == "gone":
        file.unlink()
    else:
        os.utime(file, ns=(0, 0))

    where = {"where": "q = 'question 1'"}
    for call in (
        lambda: ws.review.queue(made.id, **where),
        lambda: ws.review.card(made.id, 1, **where),
        lambda: ws.review.claim(made.id, 1, filter=where),
        lambda: ws.review.bulk_approve(made.id, filter=where),
        lambda: ws.review.bulk_flag(made.id, filter=where, preview=True),
    ):
        with pytest.raises(NotReady, match="The file of Big is not as it was: .* (cannot be read|has changed)"):
            call()
    assert ws.review.queue(made.id, where="row_index < 2").total == 2
    (finding,) = ws.system.doctor()
    assert "Bring the file back" in finding.remedy and str(file) in finding.finding


def test_rows_that_stay_in_a_file_are_not_changed_here(ws: Any, sheet: Any) -> None:
    for call in (lambda: ws.sheets.update_row(sheet.id, 0, {"q": "x"}), lambda: ws.sheets.replace(sheet.id, rows=[{"id": "a"}])):
        with pytest.raises(Conflict, match="stay in"):
            call()
    assert {"update_row", "replace"} <= {a.name for a in sheet.actions if not a.enabled}


def test_what_cannot_be_read_in_place(ws: Any, file: Any, tmp_path: Any) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    (tmp_path / "broken.parquet").write_bytes(file.read_bytes()[:-500])
    for source in ("t.csv", "broken.parquet"):
        with pytest.raises(InvalidFileType, match="Only Parquet"):
            ws.sheets.create("x", source=str(tmp_path / source), external=True)
    with pytest.raises(ValidationError, match="there is no file"):
        ws.sheets.create("x", source=str(tmp_path / "none.parquet"), external=True)
    with pytest.raises(ValidationError, match="by its path"):
        ws.sheets.create("x", rows=[{"a": 1}], external=True)
    with pytest.raises(ValidationError, match="repeats values"):
        ws.sheets.create("x", source=str(file), item_id_column="a", external=True)
    assert ws.sheets.list().total == 0
    assert ws.app.db.value("select count(*) from duckdb_views() where starts_with(view_name, 'rows_')") == 0


def test_it_is_found_again_when_the_workspace_opens(tmp_path: Any, file: Any) -> None:
    with frozen(tmp_path / "t.duckdb") as ws:
        sheet = ws.sheets.create("Big", source=str(file), external=True)
    with frozen(tmp_path / "t.duckdb") as ws:
        assert ws.sheets.preview(sheet.id, offset=5, limit=1).rows[0]["id"] == "i5"


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_parquet('workbench://{id}')",
        "copy (select 1) to 'workbench://{id}'",
        "select * from 'workbench://{id}'",
    ],
)
def test_the_way_to_the_file_is_not_for_people(ws: Any, sheet: Any, sql: str) -> None:
    with pytest.raises(WorkbenchError):
        ws.sql(sql.format(id=sheet.id))


def test_the_owner_reads_no_other_file_and_writes_none(ws: Any, sheet: Any, file: Any) -> None:
    db = ws.app.db
    for sql in (
        f"select * from read_parquet('{file}')",
        f"select * from read_parquet('workbench://../{file}')",
        f"select * from read_parquet('workbench://{file}')",
        f"copy (select 1) to 'workbench://{sheet.id}' (format parquet)",
        f"copy (select 1) to '{file}.out' (format parquet)",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
    ):
        with pytest.raises(Exception, match=r"(?i)permission|no external file|locked|only be read|cannot change"):
            db.connection.cursor().execute(sql).fetchall()
    assert ws.sheets.preview(sheet.id, limit=1).total == COUNT
