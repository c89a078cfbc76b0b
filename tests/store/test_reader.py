"""Files as people have them: good, odd and broken."""

from __future__ import annotations

import datetime as dt
import gzip
import http.server
import json
import threading
import tracemalloc
import zipfile

import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import FileTooLarge, InvalidFileType, ValidationError
from workbench.store.reader import read_source
from workbench.store.writer import write_csv, write_jsonl, write_parquet


def rows(source, **options):
    found = read_source(source, **options)
    table = found.read_all() if isinstance(found, pa.RecordBatchReader) else found
    return table.to_pylist()


@pytest.fixture
def file(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


GOOD = {
    "types": (
        "t.csv",
        "i,f,b,d,t,s\n1,1.5,true,2024-01-02,2024-01-02 10:00:00,x\n-2,2,False,2024-01-03,2024-01-03T11:00:00.5,y\n",
    ),
    "semicolon": ("t.csv", 'a;b\n1;"x;y"\n'),
    "tab": ("t.tsv", "a\tb\n1\tx, y\n"),
    "pipe": ("t.txt", "a|b\n1|x\n"),
    "one column of sentences": ("t.csv", "text\nHello, world\nBye; now\n"),
    "quotes and line breaks": ("t.csv", 'a,b\n"x ""y""\nz",1\n'),
    "lines that end in carriage returns": ("t.csv", "a,b\r1,x\r"),
    "windows lines": ("t.csv", "a,b\r\n1,x\r\n"),
    "byte order mark": ("t.csv", b"\xef\xbb\xbfa,b\n1,x\n"),
    "utf-16": ("t.csv", "a,b\n1,grün\n".encode("utf-16")),
    "utf-16 without mark": ("t.csv", "a,b\n1,x\n".encode("utf-16-le")),
    "blank lines": ("t.csv", "\n\na,b\n1,x\n\n2,y\n"),
    "pattern in the name": ("t[1]*.csv", "a,b\n1,x\n"),
    "quote in the name": ("it's.csv", "a,b\n1,x\n"),
    "backslash before quotes": ("t.csv", 'a,b\n"he said \\"x, y\\"\nC:\\dir\\\\ \\n",1\n5\\" disk,2\n"",3\n"a ""b""",4\n'),
    "single quotes": ("t.csv", "a,b\n'x, \"y\"',1\n'it''s',2\nit's,3\n"),
    "single quotes around names": ("t.csv", "'a';'b'\n'x';'1'\n"),
    "single quotes, backslash before them": ("t.csv", "a,b\n'it\\'s, y',1\n"),
    "words that begin with an apostrophe": ("t.csv", "a,b\n'tis,1\n\"it's, 'x'\",2\n'q',3\n"),
    "backslashes that escape nothing": ("t.csv", 'a,b\n"C:\\dir\\",1\n\\\\host\\x,2\n'),
    "an index without a name": ("t.csv", ",a,b\n7,1,x\n"),
    "a line for spreadsheets": ("t.csv", "sep=;\r\na;b\r\n1;x\r\n"),
    "packed": ("t.csv.gz", gzip.compress(b"a,b\n1,x\n")),
    "json list": ("t.json", '[{"a": 1, "b": "x"}]'),
    "json lines": ("t.jsonl", '{"a": 1, "b": "x"}\n{"a": 2, "b": null}\n'),
    "packed json": ("t.json.gz", gzip.compress(b'[{"a": 1, "b": "x"}]')),
}
EXPECTED = {
    "types": [
        {"i": 1, "f": 1.5, "b": True, "d": dt.date(2024, 1, 2), "t": dt.datetime(2024, 1, 2, 10), "s": "x"},
        {"i": -2, "f": 2.0, "b": False, "d": dt.date(2024, 1, 3), "t": dt.datetime(2024, 1, 3, 11, 0, 0, 500_000), "s": "y"},
    ],
    "semicolon": [{"a": 1, "b": "x;y"}],
    "tab": [{"a": 1, "b": "x, y"}],
    "one column of sentences": [{"text": "Hello, world"}, {"text": "Bye; now"}],
    "quotes and line breaks": [{"a": 'x "y"\nz', "b": 1}],
    "backslash before quotes": [
        {"a": 'he said "x, y"\nC:\\dir\\ \\n', "b": 1},
        {"a": '5" disk', "b": 2},
        {"a": None, "b": 3},
        {"a": 'a "b"', "b": 4},
    ],
    "single quotes": [{"a": 'x, "y"', "b": 1}, {"a": "it's", "b": 2}, {"a": "it's", "b": 3}],
    "single quotes around names": [{"a": "x", "b": 1}],
    "single quotes, backslash before them": [{"a": "it's, y", "b": 1}],
    "words that begin with an apostrophe": [{"a": "'tis", "b": 1}, {"a": "it's, 'x'", "b": 2}, {"a": "'q'", "b": 3}],
    "backslashes that escape nothing": [{"a": "C:\\dir\\", "b": 1}, {"a": "\\\\host\\x", "b": 2}],
    "an index without a name": [{"index": 7, "a": 1, "b": "x"}],
    "utf-16": [{"a": 1, "b": "grün"}],
    "blank lines": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    "json lines": [{"a": 1, "b": "x"}, {"a": 2, "b": None}],
}


@pytest.mark.parametrize("case", GOOD)
def test_good_files_come_in_whole(file, case):
    assert rows(file(*GOOD[case])) == EXPECTED.get(case, [{"a": 1, "b": "x"}])


def test_values_keep_every_character(file):
    path = file(
        "t.csv",
        "zip,phone,yes,day,version,big,time,late\n00123,+49 1,yes,01/02/2024,1e400,12345678901234567890,10:00,1\n"
        "1,1,1,1,1,1,1,x\n",
    )
    first = rows(path)[0]
    assert first["zip"] == "00123"
    assert first["phone"] == "+49 1"
    assert first["yes"] == "yes"
    assert first["day"] == "01/02/2024"
    assert first["big"] == "12345678901234567890"
    assert first["time"] == "10:00"
    assert first["late"] == "1"


def test_a_column_that_changes_its_mind_late_stays_text(file):
    found = rows(file("t.csv", "a,b\n" + "1,2\n" * 30_000 + "x,2\n"))
    assert {type(row["a"]) for row in found} == {str}
    assert {type(row["b"]) for row in found} == {int}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "empty"),
        ("t.csv", " \n \n", "empty"),
        ("t.csv", "a,b\n", "header and no rows"),
        ("t.csv", "a,b\n1,2\n3,4,5\n6,7\n", "line 3: 3 values where the header names 2"),
        ("t.csv", "a,b,c\n1,2,3\n4,5\n", "line 3: 2 values"),
        ("t.csv", "a,b\n" + "1,2\n" * 30_000 + "1,2,3\n", "line 30002"),
        ("t.csv", 'a,b\n1,"open\n2,3\n', "line 2: a quoted value does not end"),
        ("t.csv", 'a,b\n"x \\"y\\"",1\n"z",2,3\n', "line 3: 3 values"),
        ("t.csv", "a,b\n1,'x\n\"open,2\n3,4\n", "line 3: a quoted value does not end"),
        ("t.csv", ",a,index\n1,2,3\n", "column 1 has no name"),
        ("t.csv", "sep=;\na;b\n1;2\n3\n", "line 4: 1 values"),
        ("t.csv", "a,A\n1,2\n", "columns 1 and 2 are both named"),
        ("t.csv", "a,,b\n1,2,3\n", "column 2 has no name"),
        ("t.json", "", "empty"),
        ("t.json", "[]", "without rows"),
        ("t.json", "[1, 2]", "must hold objects"),
        ("t.json", '[{"a": 1},\n {"a":', "line 2, column 7"),
        ("t.json", '[{"a": 1, "A": 2}]', "'A' and 'a', which differ by case only"),
        ("t.json", '[{"a": 1}, {"A": 2}]', "'A' and 'a', which differ by case only"),
        ("t.jsonl", '{"a": 1}\n{"a": 2\n{"a": 3}\n', "line 2, column 8"),
        ("t.jsonl", '{"a": 1, "a": 2}\n', "duplicate key"),
    ],
)
def test_broken_files_name_the_place(file, name, content, message):
    with pytest.raises(ValidationError, match=message) as caught:
        read_source(file(name, content))
    assert caught.value.context["fields"][0]["field"] == "source"
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,ok\n2,Gr\xfc\xdfe\n".encode("cp1252"), "line 3, column 5 holds the byte 0xfc"),
        (b"a,b\n" + b"1,ok\n" * 500_000 + b"2,\xff\n", "line 500002, column 3"),
    ],
    ids=["short", "long"],
)
def test_a_wrong_encoding_names_the_place_and_the_argument_to_mend(file, content, message):
    with pytest.raises(ValidationError, match=message) as caught:
        read_source(file("t.csv", content))
    assert caught.value.context["fields"][0]["field"] == "encoding"
    assert "t.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.docx", b"PK\x03\x04", "files ending in .docx"),
        ("t", b"a,b\n1,2\n", "without an ending"),
        ("t.csv", b"PAR1xxxx", "holds parquet data"),
        ("t.csv", b"%PDF-1.7 ....", "a PDF"),
        ("t.csv", b"a,b\n1,\x00\n", "zero bytes"),
        ("t.csv.gz", b"this is not packed", "not a whole .gz"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:-20], "not a whole .gz"),
        ("t.parquet", b"PAR1 and nothing more", "not a whole Parquet"),
        ("t.parquet", b"hello hello hello", "not a whole Parquet"),
        ("t.xlsx", b"PK\x03\x04 and nothing", "not an Excel workbook"),
        ("t.xls", b"\xd0\xcf\x11\xe0 and more", "files ending in .xls"),
        ("t.arrow", b"hello", "not an Arrow file"),
    ],
)
def test_files_of_another_kind_are_refused(file, name, content, message):
    with pytest.raises(InvalidFileType, match=message):
        read_source(file(name, content))


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(ValidationError, match=r"no file none\.csv"):
        read_source(tmp_path / "none.csv")
    with pytest.raises(InvalidFileType, match="is a folder"):
        read_source(tmp_path)


def test_a_given_encoding_is_used_and_checked(file):
    path = file("t.csv", "a,b\n1,Grüße\n".encode("cp1252"))
    assert rows(path, encoding="cp1252") == [{"a": 1, "b": "Grüße"}]
    with pytest.raises(ValidationError, match="not an encoding"):
        read_source(path, encoding="klingon")
    with pytest.raises(ValidationError, match="ASCII"):
        read_source(path, encoding="ascii")


def test_bombs_do_not_go_off(file, tmp_path, monkeypatch):
    with pytest.raises(FileTooLarge, match="200 times"):
        read_source(file("t.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * (25 << 20))))
    bomb = tmp_path / "t.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (100 << 20))
    with pytest.raises(FileTooLarge, match="unpacks to 100 MiB"):
        read_source(bomb)


def test_json_values_keep_their_shape(file):
    path = file("t.jsonl", '{"m": 1, "u": "550e8400-e29b-41d4-a716-446655440000", "l": ["x"]}\n{"m": "x", "u": null, "l": []}\n')
    assert rows(path) == [
        {"m": "1", "u": "550e8400-e29b-41d4-a716-446655440000", "l": ["x"]},
        {"m": "x", "u": None, "l": []},
    ]


def test_a_number_behind_a_name_is_no_double(file):
    assert rows(file("t.json", '[{"a": 1, "a_1": 2}]')) == [{"a": 1, "a_1": 2}]


def test_columns_of_parquet_differ_by_more_than_case(tmp_path):
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "A"]), tmp_path / "t.parquet")
    with pytest.raises(ValidationError, match="both named 'A'"):
        read_source(tmp_path / "t.parquet")


def test_excel_keeps_numbers_dates_and_text(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "price", "when", "mixed", None])
    book.active.append([1, 1.5, dt.datetime(2024, 1, 2, 3, 4, 5), "a", None])
    book.active.append([2, None, None, 7, None])
    other = book.create_sheet("More")
    other.append(["x"])
    other.append([True])
    empty = book.create_sheet("Empty")
    empty.append(["only a header"])
    path = tmp_path / "t.xlsx"
    book.save(path)
    assert rows(path) == [
        {"id": 1, "price": 1.5, "when": dt.datetime(2024, 1, 2, 3, 4, 5), "mixed": "a"},
        {"id": 2, "price": None, "when": None, "mixed": "7"},
    ]
    assert rows(path, sheet="More") == [{"x": True}]
    with pytest.raises(ValidationError, match="^The input is not valid: worksheet: .* It has: Sheet, More, Empty"):
        read_source(path, sheet="Mroe")
    with pytest.raises(ValidationError, match="no rows below its header"):
        read_source(path, sheet="Empty")


def test_an_index_that_was_written_with_a_frame_gets_a_name(tmp_path):
    pd.DataFrame({"a": ["x"]}, index=[7]).to_excel(tmp_path / "t.xlsx")
    assert rows(tmp_path / "t.xlsx") == [{"index": 7, "a": "x"}]


def test_frames_of_every_library(tmp_path):
    expected = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    assert rows(table) == rows(pl.DataFrame(expected)) == rows(pl.LazyFrame(expected)) == expected
    frame = pd.DataFrame({"a": [1, 2], "b": pd.Categorical(["x", None])}, index=[7, 8])
    assert rows(frame) == expected
    assert rows(table.to_reader()) == expected
    with pytest.raises(ValidationError, match="Column 'a' mixes kinds of values: row 1 has str, earlier rows int"):
        read_source(pd.DataFrame({"a": [1, "y"]}))
    with pytest.raises(ValidationError, match="not from a int"):
        read_source(7)
    with pytest.raises(ValidationError, match="no rows"):
        read_source(pd.DataFrame({"a": []}))


def test_written_files_come_back(tmp_path):
    table = pa.table({"a": [1, 2], "b": ["x,\ny", None], "d": [dt.date(2024, 1, 1), None]})
    for write, name in ((write_parquet, "t.parquet"), (write_csv, "t.csv"), (write_jsonl, "t.jsonl")):
        assert write(table, tmp_path / name) == 2
        assert rows(tmp_path / name) == table.to_pylist()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.jsonl", "t.parquet"]


def test_arrow_files_and_saved_data_sets(tmp_path):
    table = pa.table({"a": [1, 2]})
    with pa.OSFile(str(tmp_path / "f.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    folder = tmp_path / "saved"
    folder.mkdir()
    for number in range(2):
        with pa.OSFile(str(folder / f"data-{number}.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    files = [{"filename": f"data-{number}.arrow"} for number in range(2)]
    (folder / "state.json").write_text(json.dumps({"_data_files": files}))
    assert rows(tmp_path / "f.arrow") == [{"a": 1}, {"a": 2}]
    assert rows(folder) == [{"a": 1}, {"a": 2}] * 2
    assert rows(tmp_path) == [{"a": 1}, {"a": 2}] * 2
    (folder / "bare").mkdir()
    with pytest.raises(InvalidFileType, match="is a folder, not a file"):
        read_source(tmp_path / "saved" / "bare")


def test_a_damaged_parquet_page_is_found_before_the_first_row(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [f"text {n}" for n in range(50_000)]}), path, row_group_size=10_000, use_dictionary=False)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\xff" * 2000
    path.write_bytes(content)
    with pytest.raises(InvalidFileType, match="not a whole Parquet"):
        read_source(path)


def test_a_large_file_streams_in_order_with_little_memory(tmp_path):
    path = tmp_path / "t.csv"
    with path.open("w") as writer:
        writer.write("id,text\n")
        writer.writelines(f'{number},"some words, number {number}"\n' for number in range(300_000))
    tracemalloc.start()
    expected, largest = 0, 0
    with read_source(path) as reader:
        for batch in reader:
            ids = batch["id"].to_pylist()
            assert ids == list(range(expected, expected + len(ids)))
            expected += len(ids)
            largest = max(largest, batch.nbytes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert expected == 300_000
    assert largest < 8 << 20
    assert peak < 32 << 20


def test_a_stream_goes_straight_into_the_database(db, file):
    path = file("t.csv", "a,b\n" + "1,x\n" * 50_000)
    with db.load() as load:
        load.execute("create table rows_1(a bigint, b varchar)")
        assert load.insert_arrow("rows_1", read_source(path)) == 50_000
    assert db.value("select sum(a) from rows_1") == 50_000


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/data/x" else 404)
        self.send_header("Content-Type", "text/csv; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"a,b\n1,x\n")

    def log_message(self, *args):
        pass


def test_addresses_are_fetched_or_explained():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        assert rows(f"{base}/data/x", kind="url") == [{"a": 1, "b": "x"}]
        with pytest.raises(ValidationError, match="answered 404"):
            read_source(f"{base}/nothing.csv", kind="url")
        with pytest.raises(FileTooLarge):
            read_source(f"{base}/data/x", kind="url", max_bytes=3)
        server.shutdown()
    with pytest.raises(ValidationError, match="cannot be fetched"):
        read_source(f"{base}/data/x", kind="url")
    with pytest.raises(ValidationError, match="not an http"):
        read_source("file:///etc/passwd", kind="url")
