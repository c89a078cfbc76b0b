"""Hostile files sent to the API: either a whole sheet or a clear error, and nothing half imported.

`WORKBENCH_FUZZ_ROUNDS=100 pytest tests/e2e/test_hostile_uploads.py` sweeps over 700 damaged files.
"""

from __future__ import annotations

import gzip
import io
import os
import random
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.store.test_reader_fuzz import damaged, seeds

ROUNDS = int(os.environ.get("WORKBENCH_FUZZ_ROUNDS", "4"))
REFUSED = {413, 415, 422}


def sent(ws: Any, name: str, content: bytes, **fields: str) -> httpx.Response:
    """Upload a file as a sheet."""
    data = {"name": "hostile", **fields}
    return httpx.post(f"{ws.transport.url}/api/v1/sheets", data=data, files={"file": (name, content)}, timeout=60)


def remains(ws: Any) -> list[str]:
    """Return what is left in the database and among temporary files."""
    db = ws.app.db
    found = db.tuples("select table_name from duckdb_tables() where starts_with(table_name, 'rows_')")
    found += db.tuples("select view_name from duckdb_views() where not internal and starts_with(view_name, 'sheet_')")
    found += db.tuples("select id from sheets")
    return [row[0] for row in found]


def refused(ws: Any, answer: httpx.Response) -> dict[str, Any]:
    """Check that an upload was refused in words and left nothing; return the error."""
    assert answer.status_code in REFUSED, answer.text
    body = answer.json()
    assert body["error"]
    assert "Traceback" not in body["error"]
    assert tempfile.gettempdir() not in body["error"]
    assert [] == remains(ws)
    assert not [path for path in (ws.app.artifacts / "uploads").rglob("*") if path.is_file()]
    return body


def workbook(entries: dict[str, bytes]) -> bytes:
    """Return a zip archive, as a workbook is one."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return sink.getvalue()


def bomb() -> bytes:
    """Return a small workbook that unpacks to much."""
    return workbook({"xl/worksheets/sheet1.xml": b"0" * (80 << 20), "[Content_Types].xml": b""})


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n\n  \n", "is empty"),
        ("header.csv", b"a,b\n", "no rows"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "line 3"),
        ("short.csv", b"a,b\n1,2\n1\n", "line 3"),
        ("quote.csv", b'a,b\n1,"2\n', "line"),
        ("twice.csv", b"a,A\n1,2\n", "line 1: columns 1 and 2 are both named"),
        ("unnamed.csv", b"a,\n1,2\n", "column 2 has no name"),
        ("nul.csv", b"a,b\n1,\0\n", "zero bytes"),
        ("cp1252.csv", "a,b\n1,für\n".encode("cp1252"), "line 2, column 4"),
        ("cut.csv", "a\nü".encode()[:-1], "line 2, column 1"),
        ("half.json", b'[{"a": 1}, {"a": ', "half.json"),
        ("line.jsonl", b'{"a": 1}\n{"a": }\n', "line 2"),
        ("scalars.json", b"[1, 2, 3]", "must hold objects"),
        ("empty.json", b"[]", "rows"),
        ("short.parquet", b"PAR1", "not a whole Parquet file"),
        ("text.parquet", b"a,b\n1,2\n", "not a whole Parquet file"),
        ("text.xlsx", b"a,b\n1,2\n", "not an Excel workbook"),
        ("empty.xlsx", workbook({}), "not an Excel workbook"),
        ("traversal.xlsx", workbook({"../../../tmp/evil": b"x"}), "not an Excel workbook"),
        ("bomb.xlsx", bomb, "unpacks to"),
        ("bomb.csv.gz", lambda: gzip.compress(b"0" * (80 << 20)), "unpacks to"),
        ("cut.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:-9], "not a whole .gz file"),
        ("text.arrow", b"ARROW1 and more", "not an Arrow file"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n", "a picture"),
        ("program.exe", b"MZ", ".exe cannot be read"),
        ("none", b"a,b\n1,2\n", "without an ending"),
        ("..", b"a,b\n1,2\n", "without an ending"),
        ("..\n", b"a,b\n1,2\n", "without an ending"),
    ],
)
def test_a_hostile_file_is_refused_in_words(http: Any, name: str, content: bytes | Callable[[], bytes], words: str) -> None:
    assert words in refused(http, sent(http, name, content() if callable(content) else content))["error"]


@pytest.mark.parametrize(
    "name",
    [
        *("../../etc/passwd.csv", "..\\..\\boot.csv", "/etc/cron.d/x.csv", "a\0b.csv", "a\r\nb\x7f.csv\t", "*?[a].csv"),
        *("x" * 300 + ".csv", "日" * 85 + ".csv"),
    ],
)
def test_a_name_leads_nowhere(http: Any, name: str) -> None:
    answer = sent(http, name, b"a,b\n1,2\n")

    assert answer.status_code == 201, answer.text
    assert "/" not in answer.json()["source"] and answer.json()["source"].isprintable()
    assert http.sheets.preview(answer.json()["id"]).total == 1


def test_item_ids_that_repeat_or_lack_leave_nothing(http: Any) -> None:
    assert "repeats values" in refused(http, sent(http, "x.csv", b"id,b\n1,2\n1,3\n", item_id_column="id"))["error"]
    assert "no value in row 1" in refused(http, sent(http, "x.csv", b"id,b\n1,2\n,3\n", item_id_column="id"))["error"]


def test_odd_but_honest_text_comes_in_as_it_is(http: Any) -> None:
    cells = ["x" * (1 << 20), "😀 \u202eעברית\u202c", 'line\nbreak, "quoted"', "=1+1", "NULL", "   "]
    lines = "\n".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    answer = sent(http, "odd.csv", f"text\n{lines}\n".encode())

    assert answer.status_code == 201, answer.text
    assert cells == list(http.sheets.rows(answer.json()["id"])["text"])


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.json", "x.jsonl", "x.parquet", "x.xlsx", "x.arrow"])
def test_damage_is_an_error_or_a_whole_sheet(http: Any, tmp_path: Path, name: str) -> None:
    seeds(tmp_path)
    content, chance = (tmp_path / name).read_bytes(), random.Random(f"upload {name}")
    for _ in range(ROUNDS):
        answer = sent(http, name, damaged(content, chance))
        if answer.status_code == 201:
            made = answer.json()
            assert made["item_count"] == http.sheets.preview(made["id"], limit=1).total == len(http.sheets.rows(made["id"]))
            http.sheets.update(made["id"], name=made["id"])
            continue
        assert answer.status_code in REFUSED, answer.text
        assert len(remains(http)) == 3 * http.sheets.list().total
