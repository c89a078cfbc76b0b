"""The journal gives every whole line exactly once, whatever happens to the file."""

import random

from workbench.engine import journal
from workbench.engine.journal import FILE_NAME, Journal


def test_reading_in_pieces_gives_every_record_once(tmp_path):
    book = Journal(tmp_path)
    for number in range(200):
        book.append("log", message=f"line {number} äöü\n")
    whole = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(b"")
    taken, offset, seq = [], 0, 0
    cuts = [*sorted(random.Random(1).sample(range(len(whole)), 50)), len(whole)]
    for cut in cuts:
        (tmp_path / FILE_NAME).write_bytes(whole[:cut])
        batch = journal.read(tmp_path, offset, seq)
        taken += batch.records
        offset, seq = batch.offset, batch.seq
    assert [r["n"] for r in taken] == list(range(1, 201))
    assert taken[7]["message"] == "line 7 äöü\n"


def test_small_reads_go_through_long_lines(tmp_path):
    book = Journal(tmp_path)
    book.append("log", message="x" * 5000)
    book.append("log", message="y")
    first = journal.read(tmp_path, limit=100)
    assert [r["n"] for r in first.records] == [1]
    assert [r["n"] for r in journal.read(tmp_path, first.offset, first.seq).records] == [2]


def test_a_torn_last_line_waits(tmp_path):
    book = Journal(tmp_path)
    book.append("log", message="whole")
    path = tmp_path / FILE_NAME
    line = journal.encode({"n": 2, "t": "log"})
    with path.open("ab") as file:
        file.write(line[:10])
    batch = journal.read(tmp_path)
    assert [r["n"] for r in batch.records] == [1]
    with path.open("ab") as file:
        file.write(line[10:])
    assert [r["n"] for r in journal.read(tmp_path, batch.offset, batch.seq).records] == [2]


def test_a_damaged_line_is_reported_and_skipped(tmp_path):
    book = Journal(tmp_path)
    for number in range(3):
        book.append("log", message=f"{number}")
    path = tmp_path / FILE_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"1"', b'"9"')
    path.write_bytes(b"".join([lines[0], lines[1], b"\x00\xff garbage\n", lines[2]]))
    batch = journal.read(tmp_path)
    assert [r["message"] for r in batch.records] == ["0", "2"]
    assert len(batch.damaged) == 2
    assert batch.offset == path.stat().st_size


def test_the_same_lines_are_never_taken_twice(tmp_path):
    book = Journal(tmp_path)
    book.append("log", message="a")
    batch = journal.read(tmp_path)
    assert not journal.read(tmp_path, 0, batch.seq).records
    assert not journal.read(tmp_path, batch.offset, batch.seq)


def test_points_come_before_what_follows_them(tmp_path):
    book = Journal(tmp_path)
    book.point("loss", 1, 0.5)
    book.append("progress", done=1)
    book.point("loss", 2, float("nan"))
    book.close()
    kinds = [r["t"] for r in journal.read(tmp_path).records]
    assert kinds[-1] == "metrics"
    assert kinds[0] == "metrics"


def test_no_journal_is_an_empty_one(tmp_path):
    assert not journal.read(tmp_path)
    assert journal.size(tmp_path) == 0
