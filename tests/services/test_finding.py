"""Anything is found by its name or id."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import ValidationError

PLAN = {"prompt_template": "Q: {{q}}", "response_column": "a"}


@pytest.fixture
def made(ws: Any) -> Any:
    rows = [{"id": f"item-{n}", "q": f"question {n}", "a": f"answer {n}"} for n in range(5)]
    sheet = ws.sheets.create("Animals", rows=rows, item_id_column="id")
    ws.templates.create("Animals in words", **PLAN)
    return ws.training_sheets.assemble(sheet.id, name="Animal pairs", template=PLAN)


def found(ws: Any, words: str) -> list[tuple[str, str]]:
    return [(one.label, one.name) for one in ws.system.search(q=words)]


def test_names_are_found_whatever_the_case_those_that_begin_so_first(ws, made):
    assert {("sheet", "Animals"), ("training sheet", "Animal pairs"), ("template", "Animals in words")} == set(
        found(ws, "ANIMAL")
    )
    assert ("sheet", "Animals") == found(ws, "animals")[0]
    assert [("training sheet", "Animal pairs")] == found(ws, "pairs")


def test_pairs_are_found_by_item_and_by_id_and_lead_to_their_page(ws, made):
    assert [("pair", "item-3 of Animal pairs")] == found(ws, "item-3")
    [pair] = ws.system.search(q=f"{made.id}.3")
    assert ("label", {"pair": f"{made.id}.3"}, "unlabeled") == (pair.page, pair.query, pair.detail)


def test_a_deleted_sheet_is_not_found(ws, made):
    other = ws.sheets.create("Plants", rows=[{"a": 1}])
    ws.sheets.delete(other.id)

    assert [] == found(ws, "plants")


def test_pages_carry_the_true_total(ws, made):
    page = ws.system.search(q="animal", page=2, page_size=2)

    assert (1, 3) == (len(list(page)), page.total)


@pytest.mark.parametrize("words", ["'; drop table sheets; --", "%", "_", "no.such.999999999999999999999", ".1", "\u202e"])
def test_odd_words_find_nothing_and_break_nothing(ws, made, words):
    assert [] == found(ws, words)


def test_nothing_to_look_for_is_refused(ws):
    with pytest.raises(ValidationError):
        ws.system.search(q="")
