"""All faults at once: what cannot be read does not hide what can be read and is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import ValidationError


def fields(call: Any) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        call()
    return [fault["field"] for fault in refused.value.context["fields"]]


@pytest.fixture
def made(ws: Any) -> Any:
    sheet = ws.sheets.create("rows", rows=[{"q": f"what {n}", "a": f"answer {n % 2}"} for n in range(20)])
    made = ws.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "a"})
    ws.review.bulk_approve(made.id, filter={})
    return made


def test_of_a_study(ws: Any, made: Any) -> None:
    study = {"training_sheet_id": made.id, "model_name": " ", "base_model": "ngrams-tfidf"}

    found = fields(
        lambda: ws.studies.create(
            **study, n_trials=0, metric="bogus", training_config={"zz": 1}, search_space={"yy": {"low": 1, "high": 2}}
        )
    )

    assert found == ["n_trials", "model_name", "training_config.zz", "search_space.yy", "metric"]
    assert fields(lambda: ws.studies.create(made.id, "m", "ngrams-tfidf", n_trials=0, parallel="x")) == ["n_trials", "parallel"]
    assert fields(lambda: ws.studies.create(made.id, "m", 7, n_trials=0, metric="bogus")) == ["base_model", "n_trials"]


def test_of_a_training(ws: Any, made: Any) -> None:
    found = fields(lambda: ws.training.create(made.id, "", "nope", train_val_split="x", training_config={"zz": 1}))

    assert found == ["train_val_split", "model_name", "base_model"]


def test_of_a_template(ws: Any) -> None:
    classes = [{"name": "a", "hotkey": "1"}, {"name": "b", "hotkey": "1"}]
    schema = [{"name": "f", "type": "bogus"}]
    made = ws.templates.create("ask", "{{q}}")

    found = fields(lambda: ws.templates.create("more", "{{}}", label_classes=classes, response_schema=schema))

    assert found == ["response_schema.0.type", "prompt_template", "label_classes"]
    assert fields(lambda: ws.templates.update(made.id, temperature=3, label_classes=classes)) == ["temperature", "label_classes"]


def test_of_the_names_of_items(ws: Any) -> None:
    rows = [{"id": 1}, {"id": 1}, {"id": None}, {"id": None}]

    with pytest.raises(ValidationError, match=r"no value in row 2, 3 .*; item_id_column: id repeats values: '1' 2 times"):
        ws.sheets.create("twice", rows=rows, item_id_column="id")
