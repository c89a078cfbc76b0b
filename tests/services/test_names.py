"""Names stand on one line: no control character gets into what lists, logs and files show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import ValidationError


def unfit(call: Any, *arguments: Any, **named: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        call(*arguments, **named)
    return [(fault["field"], fault["message"]) for fault in refused.value.context["fields"]]


@pytest.mark.parametrize(
    ("text", "code"),
    [("a\nb", "U+000A"), ("a\0", "U+0000"), ("a\u2028b", "U+2028"), ("a\u202etxt", "U+202E"), ("\u2067a", "U+2067")],
    ids=("line", "nul", "separator", "override", "isolate"),
)
def test_no_name_holds_what_cannot_be_seen(ws: Any, text: str, code: str) -> None:
    sheet = ws.sheets.create("rows", rows=[{"q": "what"}])
    made = ws.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "q"})

    found = [
        unfit(ws.sheets.create, text, rows=[{"q": "what"}]),
        unfit(ws.sheets.update, sheet.id, name=text),
        unfit(ws.templates.create, text, "{{q}}"),
        unfit(ws.training_sheets.update, made.id, name=text),
        unfit(ws.jobs.start_external, text),
        unfit(ws.training.create, made.id, text, "ngrams-tfidf"),
        unfit(ws.studies.create, made.id, text, "ngrams-tfidf"),
        unfit(ws.labels.create, sheet.id, "0", "yes", label_type=text),
    ]

    assert {faults[0][0] for faults in found} == {"name", "model_name", "label_type"}
    assert all(len(faults) == 1 and f"control character ({code})" in faults[0][1] for faults in found)


def test_the_name_of_a_file_is_put_on_one_line(ws: Any, tmp_path: Path) -> None:
    path = tmp_path / '\nmy\r\n"first"\treviews\x7f\u202e.json'
    path.write_text(json.dumps([{"messages": [{"role": "user", "content": "what"}, {"role": "assistant", "content": "that"}]}]))

    found = [ws.training_sheets.import_reviews(source=path) for _ in range(2)]

    assert [one.name for one in found] == ['my "first" reviews', 'my "first" reviews 2']
    assert {one.name for one in ws.templates.list()} == {one.name for one in ws.sheets.list()} == {one.name for one in found}


def test_names_may_be_of_any_script(ws: Any) -> None:
    name = "Zwölf Boxkämpfer 你好 مرحبا 👩‍🚀 שלום\u200f!"

    assert ws.sheets.create(name, rows=[{"q": "what"}]).name == name
