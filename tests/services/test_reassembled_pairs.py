"""What a re-assembly would change, pair by pair: paged with true totals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.test_reassembly import PLAN, ROWS, SHORT, change_row, drop_row
from workbench.errors import Conflict, NotFound, ValidationError

WAYS = ("prompt_changed", "response_changed", "source_changed", "stale", "rerendered", "removed", "added")


@pytest.fixture
def made(ws: Any) -> Any:
    sheet = ws.sheets.create("rows", rows=ROWS, item_id_column="id")
    return ws.training_sheets.assemble(sheet.id, template=PLAN, filter="n < 30")


@pytest.fixture
def mixed(ws: Any, made: Any) -> Any:
    """Return a training sheet to which a re-assembly would do something of every kind."""
    ws.review.bulk_approve(made.id, row_indices=[0, 1, 2])
    ws.review.decide(made.id, 8, prompt="my own words")
    change_row(ws, made.sheet_id, 0, q="zero")
    change_row(ws, made.sheet_id, 1, a="another answer")
    change_row(ws, made.sheet_id, 4, q="four")
    change_row(ws, made.sheet_id, 5, a="five")
    change_row(ws, made.sheet_id, 6, n=7)
    change_row(ws, made.sheet_id, 8, q="eight")
    drop_row(ws, made.sheet_id, 7)
    change_row(ws, made.sheet_id, 9, n=99)
    change_row(ws, made.sheet_id, 31, n=1)
    change_row(ws, made.sheet_id, 33, n=1)
    return made


def all_of(ws: Any, made: Any, preview_id: str, size: int = 4, **given: Any) -> list[Any]:
    """Return the pairs of all pages."""
    pages = [ws.training_sheets.reassembled_pairs(made.id, preview_id, page=1, page_size=size, **given)]
    while len(pages) * size < pages[0].total:
        pages.append(ws.training_sheets.reassembled_pairs(made.id, preview_id, page=len(pages) + 1, page_size=size, **given))
    found = [pair for page in pages for pair in page]
    assert {page.total for page in pages} == {len(found)}
    return found


def test_every_pair_that_would_change_is_on_one_page(ws: Any, mixed: Any) -> None:
    seen = ws.training_sheets.reassemble(mixed.id, preview=True)
    pairs = all_of(ws, mixed, seen.preview_id)

    assert [(pair.row_index, pair.item_ref, pair.status, pair.label) for pair in pairs] == [
        (0, "i0", "labeled", "approval goes stale"),
        (1, "i1", "labeled", "approval goes stale"),
        (4, "i4", "unlabeled", "rendered anew"),
        (5, "i5", "unlabeled", "rendered anew"),
        (6, "i6", "unlabeled", "source row"),
        (7, "i7", "unlabeled", "flagged: its row is gone"),
        (8, "i8", "unlabeled", "source row"),
        (9, "i9", "unlabeled", "flagged: the filter no longer chooses its row"),
        (30, "i31", "", "joins at the end"),
        (31, "i33", "", "joins at the end"),
    ]
    words = {pair.row_index: [(piece.op, piece.text) for piece in pair.prompt_diff] for pair in pairs}
    assert words[0] == [("same", "Q: "), ("removed", "what 0"), ("added", "zero"), ("same", "?")]
    assert words[1] == words[8] == []
    assert words[30] == [("added", "Q: what 31?")]
    assert [(piece.op, piece.text) for piece in pairs[3].response_diff] == [("removed", "answer 1"), ("added", "five")]
    assert len(pairs) == seen.changed + seen.added


@pytest.mark.parametrize("plan", [{}, {"template": SHORT}])
def test_each_way_of_changing_has_as_many_pairs_as_were_counted(ws: Any, mixed: Any, plan: dict[str, Any]) -> None:
    seen = ws.training_sheets.reassemble(mixed.id, preview=True, **plan)
    counted = {way: getattr(seen, way) for way in WAYS}
    assert counted == {way: len(all_of(ws, mixed, seen.preview_id, only=way)) for way in WAYS}
    assert all(counted[way] for way in WAYS if way != "source_changed" or not plan)
    assert {pair.label for pair in all_of(ws, mixed, seen.preview_id, only="stale")} == {"approval goes stale"}


def test_the_pages_say_what_the_commit_then_does(ws: Any, mixed: Any) -> None:
    seen = ws.training_sheets.reassemble(mixed.id, preview=True, template=SHORT)
    pairs = all_of(ws, mixed, seen.preview_id, size=7)
    ws.training_sheets.reassemble(mixed.id, preview_id=seen.preview_id)
    for pair in pairs:
        if pair.prompt_diff:
            assert ws.review.get(mixed.id, pair.row_index).prompt == "".join(p.text for p in pair.prompt_diff if p.op != "removed")


def test_a_pair_that_changed_since_says_that_it_stays(ws: Any, mixed: Any) -> None:
    seen = ws.training_sheets.reassemble(mixed.id, preview=True)
    ws.review.decide(mixed.id, 4, notes="hm")
    pair = ws.training_sheets.reassembled_pairs(mixed.id, seen.preview_id, page=3, page_size=1)[0]
    assert (pair.row_index, pair.item_ref, pair.label, pair.prompt_diff) == (4, "i4", "changed since this preview: stays as it is", ())


def test_pages_belong_to_a_preview_that_still_holds(ws: Any, mixed: Any) -> None:
    seen = ws.training_sheets.reassemble(mixed.id, preview=True)
    with pytest.raises(NotFound, match="expired"):
        ws.training_sheets.reassembled_pairs(mixed.id, "preview_9")
    with pytest.raises(ValidationError):
        ws.training_sheets.reassembled_pairs(mixed.id, seen.preview_id, only="whatever")
    beyond = ws.training_sheets.reassembled_pairs(mixed.id, seen.preview_id, page=9)
    assert (len(beyond), beyond.total) == (0, 10)
    change_row(ws, mixed.sheet_id, 20, q="twenty")
    with pytest.raises(Conflict, match="changed after this preview"):
        ws.training_sheets.reassembled_pairs(mixed.id, seen.preview_id)


def test_rows_without_names_are_found_by_their_place(ws: Any) -> None:
    sheet = ws.sheets.create("nameless", rows=ROWS)
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    seen = ws.training_sheets.reassemble(made.id, preview=True, template=SHORT)
    pairs = all_of(ws, made, seen.preview_id, size=15)
    assert [(pair.row_index, pair.item_ref) for pair in pairs] == [(n, str(n)) for n in range(40)]
    assert {pair.prompt_diff[0].text for pair in pairs} == {"Q: "}
