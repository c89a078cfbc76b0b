"""Exports: shapes, split, gate, manifest and the way back."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from workbench.errors import NotEligible
from workbench.testing import frozen

ROWS = [{"q": f'say "{n}" ä\n', "a": "=1+1" if n == 3 else f"answer {n}"} for n in range(30)]
PLAN = {"prompt_template": "Q: {{q}}", "response_column": "a", "system_instruction": "It's short."}


@pytest.fixture
def made(local: Any) -> Any:
    sheet = local.sheets.create("rows", rows=ROWS, sample=True)
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    local.review.bulk_approve(made.id, row_indices=list(range(20)))
    local.review.decide(made.id, 0, prohibited_uses=["training"])
    local.review.decide(made.id, 1, response="better")
    return made


def written(ws: Any, made: Any, **options: Any) -> tuple[Any, dict[str, str]]:
    export = ws.training_sheets.export(made.id, **options)
    folder = Path(ws.transport.app.artifacts) / "exports"
    texts = {
        f.name: (folder / f.url.split("/exports/")[1]).read_text(encoding="utf-8")
        for f in export.files
        if ".parquet" not in f.name
    }
    return export, texts


@pytest.mark.parametrize(
    ("format", "line"),
    [
        (
            "openai_chat",
            {"messages": [
                {"role": "system", "content": "It's short."},
                {"role": "user", "content": 'Q: say "2" ä\n'},
                {"role": "assistant", "content": "answer 2"},
            ]},
        ),
        ("anthropic", {"system": "It's short.", "prompt": 'Q: say "2" ä\n', "completion": "answer 2"}),
        (
            "gemini",
            {
                "systemInstruction": {"parts": [{"text": "It's short."}]},
                "contents": [
                    {"role": "user", "parts": [{"text": 'Q: say "2" ä\n'}]},
                    {"role": "model", "parts": [{"text": "answer 2"}]},
                ],
            },
        ),
        ("alpaca", {"instruction": "It's short.", "input": 'Q: say "2" ä\n', "output": "answer 2"}),
        (
            "sharegpt",
            {"conversations": [
                {"from": "system", "value": "It's short."},
                {"from": "human", "value": 'Q: say "2" ä\n'},
                {"from": "gpt", "value": "answer 2"},
            ]},
        ),
        ("prompt_completion", {"prompt": 'It\'s short.\n\nQ: say "2" ä\n', "completion": "answer 2"}),
    ],
)  # fmt: skip
def test_shapes(local: Any, made: Any, format: str, line: Any) -> None:
    export, texts = written(local, made, format=format)
    lines = [json.loads(text) for text in next(iter(texts.values())).splitlines()]

    assert (len(lines), lines[1], export.files[0].rows) == (19, line, 19)


def test_preference_takes_edited_pairs(local: Any, made: Any) -> None:
    _, texts = written(local, made, format="preference")
    line = json.loads(next(iter(texts.values())))

    assert (line["chosen"], line["rejected"]) == ("better", "answer 1")


def test_the_split_is_exact(local: Any) -> None:
    sheet = local.sheets.create("ninety", rows=[{"q": f"q{n}", "a": "yes"} for n in range(90)])
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    local.review.bulk_approve(made.id, filter={"status": "unlabeled"})

    export, _ = written(local, made, split=0.7)

    assert [63, 27] == [file.rows for file in export.files]


def test_split_covers_all_once_and_repeats(local: Any, made: Any) -> None:
    first, texts = written(local, made, format="jsonl", split=0.8, seed=7)
    again, same = written(local, made, format="jsonl", split=0.8, seed=7)

    assert [(f.name, f.rows) for f in first.files] == [("rows_1-train.jsonl", 15), ("rows_1-val.jsonl", 4)]
    assert [f.sha256 for f in first.files] == [f.sha256 for f in again.files]
    assert texts == same
    assert first.manifest == again.manifest
    indices = [json.loads(line)["row_index"] for text in texts.values() for line in text.splitlines()]
    assert sorted(indices) == list(range(1, 20))
    assert hashlib.sha256(texts["rows_1-val.jsonl"].encode()).hexdigest() == first.files[1].sha256
    assert (first.manifest["reviewers"], first.manifest["rows"], first.manifest["sample"]) == (["local"], 19, True)


def test_what_is_barred_from_validation_is_learned_from(local: Any) -> None:
    # Rows 0 and 20 have one prompt but for its spaces: where one of them goes, the other goes too.
    rows = [{"q": f"say  {n % 20} now" if n < 20 else f"say {n % 20}\tnow ", "a": f"answer {n}"} for n in range(40)]
    sheet = local.sheets.create("barred", rows=rows)
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    local.review.bulk_approve(made.id, filter={})
    local.review.bulk_rights(made.id, row_indices=list(range(6)), prohibited_uses=["validation"])
    local.review.bulk_rights(made.id, row_indices=[6], allowed_uses=["training"])

    for seed in range(5):
        options = {"format": "jsonl", "split": 0.5, "seed": seed}
        first, texts = written(local, made, **options)
        sides = {part: {json.loads(line)["row_index"] for line in text.splitlines()} for part, text in texts.items()}
        learned, held_out = sides["barred_1-train.jsonl"], sides["barred_1-val.jsonl"]

        assert {*range(7), *range(20, 27)} <= learned and len(learned) == len(held_out) == 20
        assert {row % 20 for row in learned}.isdisjoint({row % 20 for row in held_out})
        assert [f.sha256 for f in first.files] == [f.sha256 for f in written(local, made, **options)[0].files]


def test_more_barred_pairs_than_the_training_share_are_all_learned_from(local: Any, made: Any) -> None:
    local.review.bulk_rights(made.id, row_indices=list(range(15)), prohibited_uses=["validation"])

    found = local.training_sheets.export(made.id, split=0.2)

    assert [file.rows for file in found.files] == [15, 5]


def test_a_split_needs_a_pair_that_may_be_held_out(local: Any, made: Any) -> None:
    local.review.bulk_rights(made.id, filter={}, prohibited_uses=["validation"])

    with pytest.raises(NotEligible, match="every pair is barred from validation"):
        local.training_sheets.export(made.id, split=0.8)
    assert [file.rows for file in local.training_sheets.export(made.id).files] == [20]

    sheet = local.sheets.create("same", rows=[{"q": "x", "a": str(n)} for n in range(5)])
    same = local.training_sheets.assemble(sheet.id, template=PLAN)
    local.review.bulk_approve(same.id, filter={})
    with pytest.raises(NotEligible, match="the same prompt"):
        local.training_sheets.export(same.id, split=0.8)


def test_csv_and_parquet_come_back_equal(local: Any, made: Any) -> None:
    _export, texts = written(local, made, format="csv")
    rows = list(csv.DictReader(texts["rows_1.csv"].splitlines(keepends=True)))
    parquet = local.training_sheets.export(made.id, format="parquet")
    path = Path(local.transport.app.artifacts) / "exports" / parquet.files[0].url.split("/exports/")[1]
    back = local.sheets.create("back", source=str(path))
    pairs = [(p.row_index, p.prompt, p.response) for p in local.review.rows(made.id, page_size=100) if 1 <= p.row_index < 20]

    assert [(int(r["row_index"]), r["prompt"], r["response"]) for r in rows] == pairs
    assert [(r["row_index"], r["prompt"], r["response"]) for r in local.sheets.preview(back.id, limit=100).rows] == pairs
    _, safe = written(local, made, format="csv", spreadsheet_safe=True)
    assert ",'=1+1," in safe["rows_1.csv"]


def test_nothing_to_export_says_why(local: Any, made: Any) -> None:
    local.review.bulk_reset(made.id, filter={"status": "all"})
    with pytest.raises(NotEligible) as caught:
        local.training_sheets.export(made.id)
    assert caught.value.context["excluded"]["unlabeled"] == 30
    assert written(local, made, include_unreviewed=True)[0].files[0].rows == 29


def test_files_are_fetched_over_http() -> None:
    from workbench.testing import frozen

    with frozen(transport="http") as ws:
        made = ws.training_sheets.assemble(ws.sheets.create("rows", rows=ROWS).id, template=PLAN)
        ws.review.bulk_approve(made.id, filter={})
        file = ws.training_sheets.export(made.id).files[0]
        answer = ws.transport._http.get(file.url)
        assert hashlib.sha256(answer.content).hexdigest() == file.sha256
        assert ws.transport._http.get("/api/v1/exports/export_0001/..%2f..%2fx").status_code == 404


ODD = [
    "plain",
    "emoji 👩‍👩‍👧‍👦 and ß",
    "مرحبا بالعالم \u200fשלום",
    'quotes " and \'\' and """, commas; tabs\t|',
    "lines\nand\r\nmore\n\n",
    "{{x}} stays {{ y }}",
    '{"a": [1, "\\u0000", null], "b": "\\\\"}',
    "=1+1",
    " spaces around ",
    "\\N null NULL None",
    "00123",
    "long " + "x" * (1 << 20),
]
LINES: dict[str, Any] = {
    "openai_chat": lambda row: [message["content"] for message in as_json(row["messages"])[1:]],
    "anthropic": lambda row: [row["prompt"], row["completion"]],
    "gemini": lambda row: [turn["parts"][0]["text"] for turn in as_json(row["contents"])],
    "alpaca": lambda row: [row["input"], row["output"]],
    "sharegpt": lambda row: [turn["value"] for turn in as_json(row["conversations"])[1:]],
    "prompt_completion": lambda row: [row["prompt"].removeprefix("It's short.\n\n"), row["completion"]],
    "preference": lambda row: [row["prompt"].removeprefix("It's short.\n\n"), row["chosen"]],
    **dict.fromkeys(("jsonl", "csv", "parquet", "huggingface"), lambda row: [row["prompt"], row["response"]]),
}


def as_json(cell: Any) -> Any:
    return json.loads(cell) if isinstance(cell, str) else cell


def source(export: Any, format: str) -> str:
    path = Path(export.files[0].path)
    return str(path.parent if format == "huggingface" else path)


@pytest.fixture
def odd(local: Any) -> Any:
    """Return a training sheet whose cells hold whatever people write, each answer edited by somebody."""
    sheet = local.sheets.create("odd", rows=[{"q": text, "a": f"first {n}"} for n, text in enumerate(ODD)])
    made = local.training_sheets.assemble(sheet.id, template={**PLAN, "prompt_template": "{{q}}"})
    local.review.bulk_approve(made.id, row_indices=list(range(len(ODD))))
    for index, text in enumerate(ODD):
        local.review.decide(made.id, index, response=f"{text}!")
    return made


@pytest.mark.parametrize("format", LINES)
def test_what_left_comes_back_equal(local: Any, odd: Any, format: str) -> None:
    export = local.training_sheets.export(odd.id, format=format)
    again = local.training_sheets.export(odd.id, format=format)
    back = local.sheets.create("back", source=source(export, format))

    rows = local.sheets.rows(back.id).to_dict("records")
    assert [LINES[format](row) for row in rows] == [[text, f"{text}!"] for text in ODD]
    assert [(f.name, f.sha256, f.size) for f in export.files] == [(f.name, f.sha256, f.size) for f in again.files]
    assert all(Path(f.path).stat().st_size == f.size for f in export.files)


def test_a_data_set_has_its_splits(local: Any, odd: Any) -> None:
    export = local.training_sheets.export(odd.id, format="huggingface", split=0.75)
    folder = Path(export.files[0].path).parents[1]

    assert json.loads((folder / "dataset_dict.json").read_text()) == {"splits": ["train", "val"]}
    rows = [local.sheets.create(part, source=str(folder), split=part).item_count for part in ("train", "val")]
    assert (rows, export.manifest["rows"]) == ([9, 3], 12)


def test_the_manifest_tells_versions_of_the_pairs(local: Any, odd: Any) -> None:
    before = local.training_sheets.export(odd.id).manifest
    local.review.decide(odd.id, 0, action="flag", flag_reason="really?")
    local.review.decide(odd.id, 0, action="approve")
    after = local.training_sheets.export(odd.id).manifest

    assert [file["sha256"] for file in before["files"]] == [file["sha256"] for file in after["files"]]
    assert before["pair_versions_sha256"] != after["pair_versions_sha256"]


def test_every_file_is_served_under_its_name() -> None:
    with frozen(transport="http") as ws, httpx.Client(base_url=ws.url, trust_env=False) as client:
        sheet = ws.sheets.create("Rows of Ann", rows=ROWS)
        made = ws.training_sheets.assemble(sheet.id, template=PLAN)
        ws.review.bulk_approve(made.id, row_indices=list(range(10)))
        export = ws.training_sheets.export(made.id, format="huggingface", split=0.8)
        answers = [client.get(file.url) for file in export.files]

        assert [hashlib.sha256(answer.content).hexdigest() for answer in answers] == [file.sha256 for file in export.files]
        assert [file.path for file in export.files] == [None] * len(export.files)
        names = [answer.headers["content-disposition"].split("=")[1].strip('"') for answer in answers]
        assert names == [file.name.rpartition("/")[2] for file in export.files]
        place = export.files[0].url.rpartition("/exports/")[0] + "/exports/"
        for wrong in ("../workspace.duckdb", "x/../../y", "%2e%2e/a", export.files[0].url.split("/")[-4] + "/none.json"):
            assert client.get(place + wrong).status_code == 404
