"""Queues by signals, dates and losses: the same pairs on every page, card and bulk action."""

from __future__ import annotations

import inspect
from itertools import pairwise
from typing import Any

import pytest

from tests.services.approved import change
from workbench.domain.label import PairFilter
from workbench.errors import ValidationError
from workbench.services import operations, queues
from workbench.services.signal_filter import ORDERS

PLAN = {"prompt_template": "Q: {{q}}?", "response_column": "a", "label_type": "answer"}
MEASURED = (
    "{'duplicates': row_index % 2, 'duplicate_group': null, 'near_duplicates': 0, 'near_group': null, 'length': row_index * 10, "
    "'words': 3, 'language': case when row_index < 6 then 'de' else 'en' end, 'pii': row_index % 3, "
    "'pii_kinds': case row_index % 3 when 0 then '' when 1 then 'email' else 'email,phone' end, 'leakage': null, "
    "'refusal': row_index = 4, 'repetition': 0, 'outlier': 20 - row_index, 'outlier_by': 'length', 'concern': row_index / 20}"
)


@pytest.fixture
def made(ws: Any) -> Any:
    rows = [{"id": f"i{n}", "q": f"what {n}", "a": f"answer {n % 4}", "n": n} for n in range(20)]
    sheet = ws.sheets.create("rows", rows=rows, item_id_column="id")
    return ws.training_sheets.assemble(sheet.id, template=PLAN)


@pytest.fixture
def measured(ws: Any, made: Any) -> Any:
    """Return a training sheet whose pairs but the last carry signals."""
    app = getattr(ws.transport, "app", None) or ws.app
    with app.db.write():
        app.db.execute(f"update pair_rows set signals = {MEASURED}, training_loss = row_index where row_index < 19")
    return made


@pytest.mark.parametrize(
    ("signals", "rows"),
    [
        (["length:50..80"], [5, 6, 7, 8]),
        (["length:170.."], [17, 18]),
        (["length:..10", "duplicates:1"], [1]),
        (["language:de", "pii_kinds:phone"], [2, 5]),
        (["refusal:true"], [4]),
        (["outlier:2.5..3.5"], [17]),
        (["concern:none"], [19]),
        (["training_loss:1..2"], [1, 2]),
    ],
)
def test_conditions_on_signals(ws: Any, measured: Any, signals: list[str], rows: list[int]) -> None:
    page = ws.review.queue(measured.id, signals=signals)
    counted = ws.review.bulk_flag(measured.id, filter={"signals": signals}, preview=True)

    assert ([pair.row_index for pair in page], page.total, counted.matched) == (rows, len(rows), len(rows))
    card = ws.review.card(measured.id, rows[0], signals=signals)
    assert (card.position, card.queue_total, card.next_index) == (1, len(rows), rows[1] if len(rows) > 1 else None)


@pytest.mark.parametrize(
    ("signals", "words"),
    [
        (["lenght:5"], "length"),
        (["length"], "name:value"),
        (["length:abc"], "number"),
        (["length:.."], "no end"),
        (["refusal:maybe"], "true, false"),
        (["words:1..2..3"], "number"),
        (["length:nan"], "number"),
    ],
)
def test_a_condition_that_cannot_be_read_is_named(ws: Any, made: Any, signals: list[str], words: str) -> None:
    for call in (
        lambda: ws.review.queue(made.id, signals=signals),
        lambda: ws.review.card(made.id, 0, signals=signals),
        lambda: ws.review.bulk_reject(made.id, filter={"signals": signals}),
    ):
        with pytest.raises(ValidationError) as caught:
            call()
        fault = caught.value.context["fields"][0]
        assert (fault["field"], fault["value"]) == ("signals", signals[0])
        assert words in fault["message"]


@pytest.mark.parametrize("order", ["length", *ORDERS])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_by_a_signal_cover_the_queue_once(ws: Any, measured: Any, order: str, descending: bool) -> None:
    seen, cursor = [], None
    while True:
        page = ws.review.queue(measured.id, order=order, descending=descending, limit=6, cursor=cursor)
        seen += page.rows if isinstance(page.rows[0], dict) else [pair.values() for pair in page]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert sorted(row["row_index"] for row in seen) == list(range(20))
    keys = [row["quality"][order] if row["quality"] and row["quality"][order] is not None else -1 for row in seen]
    if order != "length":
        assert keys == sorted(keys, reverse=descending)
    assert [row["quality"] for row in seen if row["row_index"] == 19] == [None]


def test_a_neighbor_is_the_next_of_the_page_in_every_order(ws: Any, measured: Any) -> None:
    for order in ("concern", "outlier", "training_loss", "random"):
        page = [pair.row_index for pair in ws.review.queue(measured.id, order=order, descending=True, signals=["pii:1.."])]
        for before, after in pairwise(page):
            for more in ({}, {"search": "what"}):
                card = ws.review.card(measured.id, before, order=order, descending=True, signals=["pii:1.."], **more)
                assert card.next_index == after
                card = ws.review.card(measured.id, after, order=order, descending=True, signals=["pii:1.."], **more)
                assert (card.previous_index, card.position) == (before, page.index(after) + 1)


@pytest.mark.parametrize("search", ["What 1?", "WHAT 1?", "answer 3", "(", "%", "what\\d", "nowhere"])
def test_a_search_takes_its_text_literally(ws: Any, made: Any, search: str) -> None:
    wanted = [n for n in range(20) if search.lower() in f"q: what {n}?\n answer {n % 4}"]

    page = ws.review.queue(made.id, search=search, order="length")
    assert (sorted(pair.row_index for pair in page), page.total) == (wanted, len(wanted))


@pytest.mark.parametrize(("search", "wanted"), [("GRÖẞE", [0]), ("größe (", [0]), ("οδος", [1, 2]), ("ΟΔΟΣ", [1, 2]), ("ö.", [])])
def test_letters_beyond_ascii_are_found_in_every_case(local: Any, search: str, wanted: list[int]) -> None:
    rows = [{"q": "what", "a": text} for text in ("Größe (cm)", "ΟΔΟΣ", "οδοσ")]
    sheet = local.sheets.create("rows", rows=rows)
    made = local.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "a"})

    assert sorted(pair.row_index for pair in local.review.queue(made.id, search=search)) == wanted


def test_queue_and_card_take_the_same_filters() -> None:
    known = operations()
    queue, card = (set(inspect.signature(known[f"review.{name}"].function).parameters) for name in ("queue", "card"))

    assert queue - {"limit", "cursor"} == card - {"row_index"}
    assert set(PairFilter.own_fields()) <= queue


def test_dates_bound_the_queue(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 3, action="approve")
    moment = ws.review.get(made.id, 3).labeled_at
    later = ws.review.get(made.id, 3).updated_at.replace(year=2099)

    assert [p.row_index for p in ws.review.queue(made.id, status="all", labeled_since=moment)] == [3]
    assert ws.review.queue(made.id, status="all", labeled_until=moment).total == 0
    assert ws.review.queue(made.id, status="all", updated_until=later).total == 20
    assert ws.review.queue(made.id, status="all", updated_since=later).total == 0


def test_a_predicate_sees_all_that_a_pair_tells(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 3, allowed_uses=["training", "testing"])
    ws.review.decide(made.id, 4, prohibited_uses=["few_shot"])

    def found(where: str) -> list[int]:
        assert ws.review.bulk_flag(made.id, filter={"where": where}, preview=True).matched == ws.review.queue(made.id, where=where).total
        return [pair.row_index for pair in ws.review.queue(made.id, where=where)]

    assert found("list_contains(allowed_uses, 'testing')") == found("allowed_uses is not null") == [3]
    assert found("prohibited_uses = ['few_shot'] and n < 9") == found("len(prohibited_uses) = 1") == [4]
    assert found("id = 'i6'") == [6], "the sheet's own column of that name"
    assert len(found("created_at < '2099-01-01'")) == 20


def test_a_pair_tells_its_id_where_the_source_row_has_none(ws: Any) -> None:
    sheet = ws.sheets.create("plain", rows=[{"q": f"question {number}"} for number in range(4)])
    made = ws.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_source_mode": "manual_labeling"})

    assert [pair.row_index for pair in ws.review.queue(made.id, where=f"id = '{made.id}.2'")] == [2]


def test_a_predicate_sees_signals(ws: Any, measured: Any) -> None:
    page = ws.review.queue(measured.id, where="signal_concern > 0.8 and n < 18 and training_loss > 0")

    assert [pair.row_index for pair in page] == [17]
    assert ws.sql("select max(concern) as most from pair_signals").to_dict("records") == [{"most": 0.9}]


def test_signals_go_and_come_back_with_their_text(ws: Any, measured: Any) -> None:
    before = ws.review.get(measured.id, 2).quality
    kept = ws.review.decide(measured.id, 1, action="approve", notes="same text")
    edited = ws.review.decide(measured.id, 2, response="something else")
    same = ws.review.decide(measured.id, 5, response=ws.review.get(measured.id, 5).response, notes="typed again")

    assert (kept.quality["length"], edited.quality, same.quality["length"]) == (10, None, 50)
    ws.review.undo(measured.id)
    ws.review.undo(measured.id)
    assert ws.review.get(measured.id, 2).quality == before
    assert ws.review.get(measured.id, 1).quality["training_loss"] == 1


def test_facets_count_signals(ws: Any, measured: Any) -> None:
    found = {facet.name: {v.value: v.count for v in facet.values} for facet in ws.review.facets(measured.id).facets}

    assert found["language"] == {"de": 6, "en": 13}
    assert found["pii_kinds"] == {"email": 12, "phone": 6}
    for name, value in (("duplicates", "1.."), ("refusal", "true"), ("pii_kinds", "phone")):
        assert ws.review.queue(measured.id, status="all", signals=[f"{name}:{value}"]).total == found[name][value]


def test_days_and_people_are_counted_over_many_batches(local: Any) -> None:
    sheet = local.sheets.create("rows", rows=[{"q": str(n), "a": "x"} for n in range(30)])
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    for row in range(7):
        local.review.decide(made.id, row, action="approve")
    local.review.bulk_reject(made.id, filter={"status": "unlabeled", "where": "row_index < 17"})
    change(local, made.id, "stale = true", "row_index = 0")

    progress = local.review.progress(made.id)

    assert (progress.labeled, progress.rejected, progress.stale, progress.total) == (7, 10, 1, 30)
    assert [(p.approved, p.rejected) for p in progress.by_reviewer] == [(7, 10)]
    assert [day.decisions for day in progress.by_day] == [17]


def test_a_condition_on_the_pair_alone_reads_no_other_table(ws: Any, made: Any) -> None:
    sheet = ws.sheets.get(made.sheet_id)
    plain, joined = (
        queues.condition(PairFilter(status="all", where=where), made, sheet, reader="me").sql
        for where in ("row_index < 17 or response = 'x'", "row_index < 17 and n < 5")
    )

    assert "join" not in plain
    assert "join" in joined
    assert ws.review.queue(made.id, status="all", where="row_index < 17 or row_index = 18").total == 18
    assert ws.review.queue(made.id, status="all", where="row_index < 17 and n < 5").total == 5
