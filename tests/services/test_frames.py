"""Frames as rows: the same sheet or the same words on either transport, whatever the cells are."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from workbench.errors import ValidationError

REFUSED = {
    "mixed": (lambda: pd.DataFrame({"a": [1, "x", None]}), "Column 'a' mixes kinds of values: row 1 has str, earlier rows int"),
    "doubles": (lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]), "The column name 'a' is there twice"),
    "arrow doubles": (lambda: pa.Table.from_arrays([pa.array([1])] * 2, names=["a", "a"]), "The column name 'a' is there twice"),
    "half": (lambda: pd.DataFrame({"a": pd.Series(["\ud800"], dtype=object)}), "Column 'a' holds half of a character in row 0"),
    "large": (lambda: pd.DataFrame({"a": [2**70]}), "Column 'a' holds numbers that are too large"),
    "objects": (lambda: pd.DataFrame({"a": [object()]}), "Column 'a' holds values of type object"),
    "complex": (lambda: [{"a": 1j}], "Column 'a' holds values of type complex"),
    "polars objects": (lambda: pl.DataFrame({"a": [object()]}), "Column 'a' holds Python objects"),
    "series": (lambda: pd.Series([1, 2]), "Rows are a list of objects by column name, or a frame"),
    "polars series": (lambda: pl.Series([1, 2]), "Rows are a list of objects by column name, or a frame"),
    "array": (lambda: np.zeros((2, 2)), "Rows are a list of objects by column name, or a frame"),
}
KEPT = {
    "index": (lambda: pd.DataFrame({"q": ["x"], "a": [1]}).set_index("q"), [("q", "VARCHAR"), ("a", "BIGINT")]),
    "levels": (lambda: pd.DataFrame({"q": ["x"], "z": [2]}).set_index(["q", "z"]).assign(a=1),
               [("q", "VARCHAR"), ("z", "BIGINT"), ("a", "BIGINT")]),
    "index kept as column": (lambda: pd.DataFrame({"q": ["x"]}).set_index("q", drop=False), [("q", "VARCHAR")]),
    "unnamed index": (lambda: pd.DataFrame({"a": [1, 2]}).iloc[1:], [("a", "BIGINT")]),
    "nulls": (lambda: pd.DataFrame({"p": [None]}), [("p", "VARCHAR")]),
    "lists of nulls": (lambda: pd.DataFrame({"p": [[None], []]}), [("p", "VARCHAR[]")]),
    "periods": (lambda: pd.DataFrame({"p": pd.period_range("2020", periods=2, freq="M")}), [("p", "VARCHAR")]),
    "spans": (lambda: pd.DataFrame({"p": pd.cut([1, 2, 3], 2)}), [("p", "VARCHAR")]),
    "shapes": (lambda: pd.DataFrame({"p": [{"k": 1}, {"k": "x"}]}), [("p", "VARCHAR")]),
    "lazy": (lambda: pl.LazyFrame({"a": [1]}), [("a", "BIGINT")]),
    "dates": (lambda: [{"a": dt.date(2026, 1, 2), "b": np.float64("nan")}], [("a", "DATE"), ("b", "DOUBLE")]),
    "numpy": (lambda: [{"a": np.int64(1), "b": np.array([1, 2])}], [("a", "BIGINT"), ("b", "BIGINT[]")]),
    "missing": (lambda: [{"a": pd.NaT, "b": pd.NA, "c": 1}], [("a", "VARCHAR"), ("b", "VARCHAR"), ("c", "BIGINT")]),
    "numbers as names": (lambda: [{1: "x"}], [("1", "VARCHAR")]),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_table_keeps_is_refused_by_the_name_of_its_column(ws: Any, case: str) -> None:
    rows, words = REFUSED[case]

    with pytest.raises(ValidationError) as refused:
        ws.sheets.create("odd", rows=rows())

    (fault,) = refused.value.context["fields"]
    assert fault["field"] == "rows" and fault["message"].startswith(words)
    assert ws.sheets.list().total == 0


@pytest.mark.parametrize("case", KEPT)
def test_a_column_is_kept_under_the_same_type_everywhere(ws: Any, case: str) -> None:
    rows, columns = KEPT[case]

    sheet = ws.sheets.create("odd", rows=rows())

    assert [(column.name, column.dtype) for column in sheet.columns] == columns


def test_a_column_that_was_empty_can_be_filled_in(ws: Any) -> None:
    sheet = ws.sheets.create("odd", rows=pd.DataFrame({"p": [None, None], "q": [1, 2]}))

    ws.sheets.update_row(sheet.id, 0, {"p": "x"})

    assert ws.sheets.preview(sheet.id).rows[0]["p"] == "x"


def test_an_index_names_the_items(ws: Any) -> None:
    frame = pd.DataFrame({"id": ["k1", "k2"], "q": ["x", "y"]}).set_index("id")

    sheet = ws.sheets.create("named", rows=frame, item_id_column="id")

    assert [row["id"] for row in ws.sheets.preview(sheet.id).rows] == ["k1", "k2"]


def test_numbers_of_numpy_name_rows(ws: Any) -> None:
    sheet = ws.sheets.create("rows", rows=pd.DataFrame({"q": ["x", "y"], "a": ["1", "2"]}))
    made = ws.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "a"})

    assert ws.review.bulk_approve(made.id, row_indices=np.array([0, 1])).done == 2
