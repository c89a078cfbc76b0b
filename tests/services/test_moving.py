"""Whatever format pairs leave in, they come back in it: prompts, instructions, answers, and their review where it is told."""

from __future__ import annotations

import gzip
import json
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from workbench.errors import ValidationError
from workbench.services.generate import Format
from workbench.testing import frozen

FORMATS = typing.get_args(Format)
TABLES = ("jsonl", "csv", "parquet", "huggingface")
# These have one place for the prompt and what stands above it.
JOINED = ("prompt_completion", "preference")
SYSTEM = "It's short, {{x}}.\nAnswer."
ODD = ["plain", 'say "this", ä\n', "\r\nlines\n\n", "{{x}} stays", '{"a": [1, null]}', " spaces around ", "00123", "true", "1.50"]
STATES = [("labeled", "human_verified"), ("labeled", "human_labeled"), ("unlabeled", "ai_generated"), ("labeled", "imported")]
RECORDS = [
    {"item_ref": f"item {n}", "prompt": f"{text}?", "response": text, "original_response": f"{text} once", "status": state[0],
     "response_source": state[1]}
    for n, (text, state) in enumerate(zip(ODD, STATES * 3, strict=False))
]  # fmt: skip
KEPT = "item_ref, prompt, response, response_source, status, original_response"


@pytest.fixture(scope="module")
def home() -> Iterator[tuple[Any, dict[str | None, str]]]:
    """Return a workspace with the same pairs twice, with an instruction above them and without."""
    with frozen(transport="local") as ws:
        both = [(above, [{**one, "system": above} for one in RECORDS]) for above in (SYSTEM, None)]
        yield ws, {above: ws.training_sheets.import_reviews(rows=rows).id for above, rows in both}


def told(ws: Any, training_sheet_id: str) -> list[dict[str, Any]]:
    found = ws.sql(f"select {KEPT} from pairs where training_sheet_id = ? order by row_index", [training_sheet_id])
    return found.astype(object).where(found.notna(), None).to_dict("records")


def left(ws: Any, made: str, format: str, split: float | None = None) -> Path:
    """Export and return the path of what was written, a folder for a data set."""
    export = ws.training_sheets.export(made, format, include_unreviewed=True, split=split)
    path = Path(export.files[0].path)
    return path.parent if format == "huggingface" else path


@pytest.mark.parametrize("above", [SYSTEM, None], ids=["with instruction", "without"])
@pytest.mark.parametrize("format", FORMATS)
def test_what_left_in_any_format_comes_back(home: Any, format: str, above: str | None) -> None:
    ws, made = home

    back = ws.training_sheets.import_reviews(source=str(left(ws, made[above], format)))

    expected = told(ws, made[above])
    assert expected == RECORDS
    found = told(ws, back.id)
    joined = f"{above}\n\n" if format in JOINED and above else ""
    assert [(one["prompt"], one["response"]) for one in found] == [(joined + one["prompt"], one["response"]) for one in expected]
    in_file = above if format not in (*TABLES, *JOINED) else None
    assert ws.templates.get(back.template_id).system_instruction == in_file
    told_of = {"preference": ("original_response",), **dict.fromkeys(TABLES, ("item_ref", "response_source", "status"))}
    for name in told_of.get(format, ()):
        assert [one[name] for one in found] == [one[name] for one in expected], name
    if format == "preference":
        assert {one["response_source"] for one in found} == {"human_verified"}


def test_a_split_data_set_and_a_packed_file_come_back(home: Any, tmp_path: Path) -> None:
    ws, made = home
    folder = left(ws, made[None], "huggingface", split=0.7).parent
    packed = tmp_path / "pairs.csv.gz"
    packed.write_bytes(gzip.compress(b"prompt,response\nQ,1.50\nR,2.00\n"))

    with pytest.raises(ValidationError, match="choose one of: train, val"):
        ws.training_sheets.import_reviews(source=str(folder))
    parts = [ws.training_sheets.import_reviews(source=str(folder), split=part).id for part in ("train", "val")]
    whole = ws.training_sheets.import_reviews(source=str(packed))

    assert sorted(one["item_ref"] for part in parts for one in told(ws, part)) == [one["item_ref"] for one in RECORDS]
    assert (whole.name, [one["response"] for one in told(ws, whole.id)]) == ("pairs", ["1.50", "2.00"])


TURNS = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
OTHER = [{"role": "assistant", "content": "B"}]


@pytest.mark.parametrize(
    ("record", "format", "prompt", "response", "original"),
    [
        ({"prompt": TURNS[:1], "completion": TURNS[1:]}, "prompt_completion", "Q", "A", None),
        ({"prompt": TURNS[:1], "chosen": TURNS[1:], "rejected": OTHER}, "preference", "Q", "A", "B"),
        ({"chosen": TURNS, "rejected": [*TURNS[:1], *OTHER], "messages": TURNS}, "preference", "Q", "A", "B"),
        ({"prompt": "Q", "chosen": "A", "rejected": "A"}, "preference", "Q", "A", None),
        ({"system": "Be brief.", "messages": json.dumps(TURNS)}, "openai_chat", "Q", "A", None),
        ({"conversations": TURNS}, "sharegpt", "Q", "A", None),
        ({"system_instruction": "S", "contents": [{"role": "user", "parts": [{"text": "Q"}]}, {"role": "model", "parts": [{"text": "A"}]}]},
         "gemini", "Q", "A", None),
    ],
)  # fmt: skip
def test_what_others_write_in_these_formats(
    local: Any, record: Any, format: str, prompt: str, response: str, original: str | None
) -> None:
    back = local.training_sheets.import_reviews(rows=[record])

    (pair,) = told(local, back.id)
    assert (back.format, pair["prompt"], pair["response"], pair["original_response"]) == (format, prompt, response, original)


PAIR = {"prompt": "Q", "response": "A"}


@pytest.mark.parametrize(
    ("rows", "format", "message"),
    [
        ([PAIR, {"messages": TURNS}], None, "Record 1 .* needs prompt and response, its keys are messages; it looks like openai_chat"),
        ([{"messages": TURNS}], "sharegpt", "Record 0 .* needs conversations, .*; it looks like openai_chat"),
        ([PAIR, {**PAIR, "status": "labelled"}], None, "Record 1 .*Did you mean 'labeled'"),
        ([{**PAIR, "response": " ", "status": "labeled"}], "csv", "Record 0 .* there is no response"),
        ([{"messages": TURNS}, {"messages": "hello"}], None, "Record 1 .* is not what openai_chat writes"),
        ([{"messages": [{"content": "Q"}]}], None, "message 0 of messages does not say whose it is"),
        ([{"chosen": "A", "rejected": "B"}], None, "Record 0 .*prompt is missing"),
        ([{"question": "Q"}], None, "cannot be told from the keys question.*pairs has prompt and response"),
    ],
)
def test_a_record_written_otherwise_is_named_and_nothing_comes_in(local: Any, rows: Any, format: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        local.training_sheets.import_reviews(rows=rows, format=format)
    assert (local.sheets.list().total, local.templates.list().total, local.training_sheets.list().total) == (0, 0, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"prompt": "Q", "response": "A"}\n{broken\n', "file.json, line 2, column 2"),
        ('[{"prompt": "Q", "response": "A"},\n {', "file.json is not JSON: line 2, column 3: Expecting property name"),
        ("[1, 2]", "Record 0 .* is '1' where an object is expected"),
        ("", "no record in it"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_by_the_place(local: Any, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "file.json").write_text(content)
    with pytest.raises(ValidationError, match=message):
        local.training_sheets.import_reviews(source=str(tmp_path / "file.json"))


def test_a_frame_is_taken_like_records(ws: Any) -> None:
    done = ws.training_sheets.import_reviews(rows=pd.DataFrame([{**PAIR, "status": "labeled"}, {**PAIR, "status": None}]))

    assert (done.format, done.statuses) == ("pairs", {"labeled": 1, "unlabeled": 1})


def test_a_preview_says_what_would_come_in_and_keeps_nothing(ws: Any) -> None:
    seen = ws.training_sheets.import_reviews(rows=RECORDS, preview=True)

    assert (seen.preview, seen.id, seen.name, seen.format) == (True, "", "Reviews", "pairs")
    assert (seen.pairs, seen.statuses, ws.sheets.list().total) == (9, {"labeled": 7, "unlabeled": 2}, 0)
    done = ws.training_sheets.import_reviews(rows=RECORDS)
    assert (done.preview, done.summary, done.statuses) == (False, seen.summary, seen.statuses)
    assert ws.training_sheets.import_reviews(rows=RECORDS).name == "Reviews 2"
