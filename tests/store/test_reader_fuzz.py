"""Files with random damage: either they come in or a clear error does, never anything else."""

from __future__ import annotations

import gzip
import json
import random

import openpyxl
import pyarrow as pa
import pytest

from workbench.errors import FileTooLarge, InvalidFileType, ValidationError
from workbench.store.reader import read_source
from workbench.store.writer import write_csv, write_jsonl, write_parquet

ROUNDS = 60
TABLE = pa.table({"a": list(range(200)), "b": [f'text "{n}", ü' for n in range(200)], "c": [n / 3 for n in range(200)]})
SPECIAL = [b'"', b"\n", b",", b"\x00", b"{", b"]", b"\xff\xfe", b"\r", b"\\", b"'", b";"]


def seeds(folder):
    for write, name in ((write_csv, "x.csv"), (write_jsonl, "x.jsonl"), (write_parquet, "x.parquet")):
        write(TABLE, folder / name)
    book = openpyxl.Workbook()
    for row in [["a", "b"], *([n, f"t{n}"] for n in range(50))]:
        book.active.append(row)
    book.save(folder / "x.xlsx")
    with pa.OSFile(str(folder / "x.arrow"), "wb") as sink, pa.ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    (folder / "x.json").write_text(json.dumps(TABLE.to_pylist()[:50]))
    (folder / "x.csv.gz").write_bytes(gzip.compress((folder / "x.csv").read_bytes()))


def damaged(content, chance):
    found = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5, 30])):
        place = chance.randrange(len(found) + 1)
        match chance.randrange(5):
            case 0:
                found[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del found[place : place + chance.choice([1, 5, 100])]
            case 2:
                found[place:place] = chance.randbytes(chance.choice([1, 3, 50]))
            case 3:
                found[place:place] = chance.choice(SPECIAL) * chance.choice([1, 2, 9])
            case 4:
                del found[place:]
    return bytes(found)


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.json", "x.jsonl", "x.parquet", "x.xlsx", "x.arrow"])
def test_damage_is_an_error_or_nothing(tmp_path, name):
    seeds(tmp_path)
    path, chance, refused = tmp_path / name, random.Random(name), 0
    content = path.read_bytes()
    for _ in range(ROUNDS):
        path.write_bytes(damaged(content, chance))
        try:
            found = read_source(path)
            table = found.read_all() if isinstance(found, pa.RecordBatchReader) else found
            assert table.num_rows == len(table.to_pylist()) > 0
        except (ValidationError, InvalidFileType, FileTooLarge):
            refused += 1
    assert 0 < refused <= ROUNDS


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "cp1252",
        "latin-1",
        "shift_jis",
        "gb18030",
        "koi8-r",
        "big5",
    ],
)
def test_text_of_any_encoding_is_read_right_or_refused(tmp_path, encoding):
    word = {"shift_jis": "日本語", "gb18030": "简体中文", "big5": "繁體中文", "koi8-r": "привет"}.get(encoding, "Grüße")
    path = tmp_path / "x.csv"
    path.write_bytes(f"a,b\n1,{word}\n".encode(encoding))
    expected = [{"a": 1, "b": word}]
    if encoding.startswith("utf"):
        assert read_source(path).read_all().to_pylist() == expected
    else:
        with pytest.raises(ValidationError, match="line 2, column"):
            read_source(path)
        assert read_source(path, encoding=encoding).read_all().to_pylist() == expected
