"""Rows that change after the import: single cells, a new version of the whole source, and the pairs made before."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import Conflict, InvalidTransition, NotFound, ValidationError

ROWS = [{"id": f"i{n}", "q": f"question {n}", "a": f"answer {n}", "size": n} for n in range(5)]
PLAN = {"prompt_template": "Q: {{q}}", "response_source_mode": "existing_column", "response_column": "a"}


@pytest.fixture
def sheet(ws: Any) -> Any:
    return ws.sheets.create("Questions", rows=ROWS, item_id_column="id")


def pairs(ws: Any, made: Any) -> list[Any]:
    return list(ws.review.queue(made.id, limit=50))


def test_a_cell_changes_and_pairs_keep_what_they_were_made_from(ws: Any, sheet: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)

    changed = ws.sheets.update_row(sheet.id, 1, {"q": "better", "size": "17"}, seen={"q": "question 1"}, version=1)

    assert (changed.item_ref, changed.before, changed.pairs_affected, changed.version) == (
        "i1",
        {"q": "question 1", "size": 1},
        1,
        2,
    )
    assert changed.cells == {"id": "i1", "q": "better", "a": "answer 1", "size": 17}
    assert ws.sheets.preview(sheet.id, filter="size = 17").rows[0]["q"] == "better"
    first, second = pairs(ws, made)[:2]
    assert (first.source_changed, second.source_changed) == (False, True)
    assert (second.prompt, second.source_data) == ("Q: question 1", ROWS[1])
    ws.sheets.update_row(sheet.id, 1, {"q": "best"})
    assert pairs(ws, made)[1].source_data == ROWS[1]


def test_filters_of_the_queue_see_the_row_as_it_was(ws: Any, sheet: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    ws.sheets.update_row(sheet.id, 1, {"size": 99})

    assert [p.row_index for p in ws.review.queue(made.id, where="size <= 1")] == [0, 1]
    assert ws.review.queue(made.id, where="size = 99").total == 0


def test_the_hash_is_that_of_the_cells(ws: Any, sheet: Any) -> None:
    ws.sheets.update_row(sheet.id, 2, {"q": "other"})
    same = ws.sheets.create("same", rows=[*ROWS[:2], ROWS[2] | {"q": "other"}, *ROWS[3:]])

    changed = ws.sheets.get(sheet.id)
    assert (changed.content_hash, changed.version) == (same.content_hash, 2)
    ws.sheets.update_row(sheet.id, 2, {"q": ROWS[2]["q"]})
    assert ws.sheets.get(sheet.id).content_hash == sheet.content_hash


def test_each_change_is_logged(ws: Any, sheet: Any) -> None:
    ws.sheets.update_row(sheet.id, 0, {"q": "x"})
    ws.sheets.update_row(sheet.id, 0, {"q": "x"})
    ws.sheets.replace(sheet.id, rows=[*ROWS[1:], {"id": "new", "q": "n", "a": None, "size": None}])

    found = [(c.sheet_version, c.row_index, c.item_ref, c.change, c.before) for c in ws.sheets.changes(sheet.id)]
    assert found == [
        (3, 0, "i0", "removed", ROWS[0] | {"q": "x"}),
        (3, 5, "new", "added", None),
        (2, 0, "i0", "changed", {"q": "question 0"}),
    ]


def test_outdated_changes_are_refused(ws: Any, sheet: Any) -> None:
    ws.sheets.update_row(sheet.id, 0, {"q": "x"})
    with pytest.raises(Conflict) as caught:
        ws.sheets.update_row(sheet.id, 0, {"q": "y"}, seen={"q": "question 0"})
    assert caught.value.context == {"yours": {"q": "question 0"}, "current": {"q": "x"}}
    for call in (
        lambda: ws.sheets.update_row(sheet.id, 0, {"q": "y"}, version=1),
        lambda: ws.sheets.replace(sheet.id, rows=ROWS, version=1),
    ):
        with pytest.raises(Conflict) as caught:
            call()
        assert caught.value.context == {"yours": 1, "current_version": 2}


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({}, "values", "is empty"),
        ({"qq": 1}, "values.qq", "Did you mean 'q'"),
        ({"q": 3}, "values.q", "takes text, not a number"),
        ({"size": "many"}, "values.size", "takes a number"),
        ({"size": 1.5}, "values.size", "BIGINT"),
        ({"size": True}, "values.size", "takes a number, not true or false"),
        ({"size": 2**70}, "values.size", "BIGINT"),
        ({"id": None}, "values.id", "cannot be empty"),
        ({"id": "i2"}, "values.id", "names row 2 already"),
    ],
)
def test_wrong_cells_are_refused(ws: Any, sheet: Any, values: Any, field: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        ws.sheets.update_row(sheet.id, 0, values)
    assert [field] == [fault["field"] for fault in caught.value.context["fields"]]
    assert ws.sheets.get(sheet.id).version == 1


def test_all_faults_come_at_once(ws: Any, sheet: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        ws.sheets.update_row(sheet.id, 0, {"q": 1, "size": "x", "a": "fine"})
    assert {"values.q", "values.size"} == {fault["field"] for fault in caught.value.context["fields"]}


@pytest.mark.parametrize(
    ("sql", "value", "kept"),
    [
        ("true", "false", False),
        ("1.5::double", 2, 2.0),
        ("1.5::decimal(5, 2)", "2.25", 2.25),
        ("date '2026-01-01'", "2026-02-03", "2026-02-03"),
        ("timestamp '2026-01-01 01:02:03'", "2026-02-03T04:05:06", "2026-02-03T04:05:06Z"),
        ("[1, 2]", [3], [3]),
        ("{'a': 1, 'b': 'x'}", {"a": 2, "b": None}, {"a": 2, "b": None}),
        ("1", "", None),
    ],
)
def test_cells_of_every_type(ws: Any, sheet: Any, sql: str, value: Any, kept: Any) -> None:
    typed = ws.sheets.create("typed", source_type="sql", source=f"select {sql} as c, 'x' as t from sheet_questions")
    made = ws.training_sheets.assemble(typed.id, template={"prompt_template": "{{t}}", "response_source_mode": "manual_labeling"})
    before = pairs(ws, made)[0].source_data

    row = ws.sheets.update_row(typed.id, 0, {"c": value})

    assert row.cells["c"] == kept
    assert pairs(ws, made)[0].source_data == before
    assert pairs(ws, made)[0].source_changed


@pytest.mark.parametrize(
    ("sql", "value"), [("1.5::decimal(5, 2)", 0.123), ("date '2026-01-01'", "soon"), ("[1]", {"a": 1}), ("{'a': 1}", {"b": 1})]
)
def test_cells_that_do_not_fit(ws: Any, sheet: Any, sql: str, value: Any) -> None:
    typed = ws.sheets.create("typed", source_type="sql", source=f"select {sql} as c")
    with pytest.raises(ValidationError, match="takes"):
        ws.sheets.update_row(typed.id, 0, {"c": value})


def test_published_rows_do_not_change(ws: Any, sheet: Any) -> None:
    ws.sheets.publish(sheet.id)
    for call in (lambda: ws.sheets.update_row(sheet.id, 0, {"q": "x"}), lambda: ws.sheets.replace(sheet.id, rows=ROWS)):
        with pytest.raises(InvalidTransition):
            call()
    with pytest.raises(NotFound):
        ws.sheets.update_row("sheet_none", 0, {"q": "x"})


def test_a_row_that_is_not_there(ws: Any, sheet: Any) -> None:
    with pytest.raises(NotFound, match="no row 5"):
        ws.sheets.update_row(sheet.id, 5, {"q": "x"})


NEW = [
    {"id": "i9", "q": "new", "a": "new", "size": 9},
    {"id": "i3", "q": "question 3", "a": "answer 3", "size": 3},
    {"id": "i1", "q": "question 1, better", "a": "answer 1", "size": 1},
]


def test_a_new_version_is_matched_by_item(ws: Any, sheet: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)

    told = ws.sheets.replace(sheet.id, rows=NEW, preview=True)

    assert (told.preview, told.added, told.changed, told.removed, told.unchanged, told.total) == (True, 1, 1, 3, 1, 3)
    assert told.pairs_affected == 4
    assert ("i1", "changed", "q", "question 1", "question 1, better") in [
        (e.item_ref, e.change, e.column, e.before, e.after) for e in told.examples
    ]
    assert {("i9", "added"), ("i0", "removed")} <= {(e.item_ref, e.change) for e in told.examples}
    assert ws.sheets.get(sheet.id).version == 1

    done = ws.sheets.replace(sheet.id, rows=NEW)

    assert (done.preview, done.version, done.added, done.changed, done.removed) == (False, 2, 1, 1, 3)
    now = ws.sheets.get(sheet.id)
    assert (now.item_count, now.version) == (3, 2)
    assert [(r["row_index"], r["id"]) for r in ws.sheets.preview(sheet.id).rows] == [(1, "i1"), (3, "i3"), (5, "i9")]
    assert [p.source_changed for p in pairs(ws, made)] == [True, True, True, False, True]
    assert [p.source_data for p in pairs(ws, made)] == ROWS
    assert list(ws.sql("select id from sheet_questions order by row_index")["id"]) == ["i1", "i3", "i9"]
    assert ws.app.db.value("select count(*) from duckdb_tables() where starts_with(table_name, 'rows_')") == 1


def test_an_index_is_never_given_twice(ws: Any, sheet: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    ws.sheets.replace(sheet.id, rows=ROWS[:4])
    ws.sheets.replace(sheet.id, rows=[*ROWS[:4], {"id": "x", "q": "x", "a": "x", "size": 0}])

    assert [r["row_index"] for r in ws.sheets.preview(sheet.id).rows] == [0, 1, 2, 3, 5]
    assert pairs(ws, made)[4].source_data == ROWS[4]
    assert ws.training_sheets.assemble(sheet.id, template=PLAN).total_rows == 5


def test_columns_may_come_go_and_change_their_type(ws: Any, sheet: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    fresh = [{"id": r["id"], "q": r["q"], "size": str(r["size"]), "more": None if r["id"] == "i0" else 1.5} for r in ROWS]

    done = ws.sheets.replace(sheet.id, rows=fresh)

    assert (done.columns_added, done.columns_removed, done.columns_retyped) == (("more",), ("a",), ("size",))
    assert done.changed == 5
    assert " Columns: more added; a removed; size retyped. " in done.summary
    assert [c.name for c in ws.sheets.get(sheet.id).columns] == ["id", "q", "size", "more"]
    assert pairs(ws, made)[2].source_data == ROWS[2]


def test_without_item_ids_rows_are_matched_by_their_place(ws: Any) -> None:
    sheet = ws.sheets.create("plain", rows=[{"t": "a"}, {"t": "b"}, {"t": "c"}])

    done = ws.sheets.replace(sheet.id, rows=[{"t": "a"}, {"t": "x"}])

    assert (done.unchanged, done.changed, done.removed, done.added) == (1, 1, 1, 0)


def test_a_bad_version_leaves_everything_as_it_was(ws: Any, sheet: Any) -> None:
    for rows, message in (
        ([{"q": "x"}], "No column 'id'"),
        ([{"id": "a", "q": 1}, {"id": "a", "q": 2}], "repeats values"),
        ([], "no rows"),
    ):
        with pytest.raises(ValidationError, match=message):
            ws.sheets.replace(sheet.id, rows=rows)
    assert (ws.sheets.get(sheet.id).version, ws.sheets.preview(sheet.id).total) == (1, 5)
    assert ws.app.db.value("select count(*) from duckdb_tables() where starts_with(table_name, 'rows_')") == 1


def test_the_same_again_changes_nothing(ws: Any, sheet: Any) -> None:
    done = ws.sheets.replace(sheet.id, rows=ROWS)

    assert (done.unchanged, done.changed, done.added, done.removed) == (5, 0, 0, 0)
    assert ws.sheets.get(sheet.id).content_hash == sheet.content_hash


@pytest.fixture
def numbers(ws: Any) -> Any:
    return ws.sheets.create("Numbers", rows=[{"d": 1.5, "n": 1, "l": [1.5]}])


@pytest.mark.parametrize(
    "values",
    [{"d": 10**400}, {"d": "1" * 401}, {"d": "-Infinity"}, {"d": "nan"}, {"n": 10**400}, {"l": [10**400]}, {"l": "[1e400]"}],
    ids=lambda values: str(values)[:15],
)
def test_a_number_that_no_column_keeps_is_refused(ws: Any, numbers: Any, values: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        ws.sheets.update_row(numbers.id, 0, values)

    assert [f"values.{name}" for name in values] == [fault["field"] for fault in caught.value.context["fields"]]
    assert {"d": 1.5, "n": 1, "l": [1.5]} == {key: ws.sheets.preview(numbers.id).rows[0][key] for key in "dnl"}
