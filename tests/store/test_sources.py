"""Each kind of file with what is special about it: compression, splits, nested cells, frames of other libraries."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from workbench.errors import FileTooLarge, InvalidFileType, ValidationError
from workbench.store.reader import read_source

ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


def rows(source, **options):
    found = read_source(source, **options)
    table = found.read_all() if isinstance(found, pa.RecordBatchReader) else found
    return table.to_pylist()


def packed(path, content):
    with pa.CompressedOutputStream(str(path), "zstd") as file:
        file.write(content)
    return path


def test_files_packed_with_zstd(tmp_path):
    lines = "".join(json.dumps(row) + "\n" for row in ROWS).encode()

    assert ROWS == rows(packed(tmp_path / "x.jsonl.zst", lines))
    assert ROWS == rows(packed(tmp_path / "x.csv.zst", b"a,b\n1,x\n2,\n"))
    broken = tmp_path / "broken.csv.zst"
    broken.write_bytes((tmp_path / "x.csv.zst").read_bytes()[:-6] + b"\0\0")
    with pytest.raises((InvalidFileType, ValidationError)):
        rows(broken)
    with pytest.raises(InvalidFileType, match=r"end its name in \.zst"):
        rows((tmp_path / "x.csv.zst").rename(tmp_path / "x.csv"))


def test_a_zstd_bomb_is_refused(tmp_path):
    bomb = packed(tmp_path / "bomb.csv.zst", b"a\n" + b"0" * (80 << 20))
    with pytest.raises(FileTooLarge, match="more than 200 times its size"):
        rows(bomb)


def save(folder, values):
    folder.mkdir(parents=True)
    table = pa.table({"a": values})
    with pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    (folder / "state.json").write_text(
        json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": folder.name})
    )
    (folder / "dataset_info.json").write_text(json.dumps({"features": {"a": {"dtype": "int64", "_type": "Value"}}}))


def test_a_split_of_a_saved_data_set_is_chosen(tmp_path):
    save(tmp_path / "set" / "train", [1, 2])
    (tmp_path / "set" / "dataset_dict.json").write_text('{"splits": ["train"]}')

    assert [{"a": 1}, {"a": 2}] == rows(tmp_path / "set")
    save(tmp_path / "set" / "test", [3])
    with pytest.raises(ValidationError, match="choose one of: test, train") as caught:
        rows(tmp_path / "set")
    assert "split" == caught.value.context["fields"][0]["field"]
    assert [{"a": 3}] == rows(tmp_path / "set", split="test")
    with pytest.raises(ValidationError, match="Did you mean 'train'"):
        rows(tmp_path / "set", split="trian")
    with pytest.raises(ValidationError, match="without splits"):
        rows(tmp_path / "set" / "train", split="train")


CLASSES = {"num_classes": 2, "names": ["no", "yes"], "_type": "ClassLabel"}


@pytest.mark.parametrize(
    ("info", "values", "kept"),
    [
        ({"features": {"a": CLASSES}}, [1, 0, None, -1], ["yes", "no", None, None]),
        ({"features": {"a": CLASSES | {"names": [7, -1]}}}, [1], ["-1"]),
        ({"features": {"a": CLASSES}}, [1, 2], [1, 2]),
        ({"features": {"a": CLASSES}}, [1.0], [1.0]),
        ({"features": {"b": CLASSES, "a": {"dtype": "int64", "_type": "Value"}}}, [1], [1]),
        ({"features": None}, [1], [1]),
        ([], [1], [1]),
    ],
)
def test_classes_of_a_saved_data_set_come_by_name(tmp_path, info, values, kept):
    save(tmp_path / "set", values)
    (tmp_path / "set" / "dataset_info.json").write_text(json.dumps(info))
    assert [{"a": one} for one in kept] == rows(tmp_path / "set")


@pytest.mark.parametrize(
    "state", ["", "[]", "{}", '{"_data_files": []}', '{"_data_files": [{"filename": "../../x.arrow"}]}', '{"_data_files": 7}']
)
def test_a_damaged_data_set_is_refused(tmp_path, state):
    save(tmp_path / "set", [1])
    (tmp_path / "set" / "state.json").write_text(state)
    with pytest.raises(InvalidFileType, match="Save the data set again"):
        rows(tmp_path / "set")


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        ([{"x": 1}, {"y": "t"}], ['{"x":1}', '{"y":"t"}']),
        ([{"x": 1}, "t", [1], None, True, 1.5], ['{"x":1}', "t", "[1]", None, "true", "1.5"]),
        ([[1, "x", {"k": []}], []], ['[1,"x",{"k":[]}]', "[]"]),
        ([["a", "b"], []], [["a", "b"], []]),
        (["2024-1-2", "2024-01-03"], ["2024-1-2", "2024-01-03"]),
        (["10:00", "10:00:01"], ["10:00", "10:00:01"]),
        (["550E8400-E29B-41D4-A716-446655440000"] * 2, ["550E8400-E29B-41D4-A716-446655440000"] * 2),
        ([9007199254740993, 18446744073709551616], ["9007199254740993", "18446744073709551616"]),
        (["00123", "7"], ["00123", "7"]),
        ([0.1, -0.0, 1e22], [0.1, -0.0, 1e22]),
        ([1, 2], [1, 2]),
        ([{"when": "2024-01-02", "n": [{"d": None}]}], ['{"when":"2024-01-02","n":[{"d":null}]}']),
        (["\u202eמילה😀", "a\u0000b"], ["\u202eמילה😀", "a\u0000b"]),
    ],
)
@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_odd_cells_of_json_are_kept_as_they_are(tmp_path, ending, cells, kept):
    path = tmp_path / f"x{ending}"
    records = [{"cell": cell} for cell in cells]
    path.write_text(json.dumps(records) if ending == ".json" else "\n".join(map(json.dumps, records)))

    assert kept == [row["cell"] for row in rows(path)]


class Stranger:
    """A frame of a library we do not know, which speaks Arrow."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def test_any_frame_that_speaks_arrow_comes_in(tmp_path):
    assert ROWS == rows(Stranger(pa.table({"a": [1, 2], "b": ["x", None]})))
    with pytest.raises(ValidationError, match="no rows"):
        rows(Stranger(pa.table({"a": pa.array([], pa.int64())})))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("# made\n# on, Monday\nid,q\n1,x\n", {"id": 1, "q": "x"}),
        ("\r\n# made\r\n\r\nid;q\r\n1;x\r\n", {"id": 1, "q": "x"}),
        ("#id,q\n1,x\n", {"#id": 1, "q": "x"}),
        ("# one\ntext\n", {"# one": "text"}),
    ],
)
def test_comments_above_the_header_are_no_part_of_a_table(tmp_path, text, kept):
    (tmp_path / "x.csv").write_bytes(text.encode())
    assert [kept] == rows(tmp_path / "x.csv")
