"""A condition that takes too long is stopped and said to be, wherever somebody waits for it."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import ValidationError
from workbench.services import assembling

# Each row takes long, and rows are looked at a few thousand at a time.
SLOW = "length(repeat(text, 1500)) > 5"
PLAN = {"prompt_template": "{{text}}", "response_source_mode": "manual_labeling"}


@pytest.fixture
def rows(ws: Any) -> Any:
    found = ws.sheets.create("long", rows=[{"text": f"some text, the {n}th of many" * 4} for n in range(12_000)], sample=True)
    ws.app.settings.filter_seconds = ws.app.settings.sql_seconds = 0.1
    return found


def refused(call: Any, field: str, setting: str) -> None:
    with pytest.raises(ValidationError) as caught:
        call()
    (fault,) = caught.value.context["fields"]
    assert fault["field"] == field
    assert fault["message"] == f"took longer than 0.1 s and was stopped. Make it simpler, or raise the limit ({setting})"


def test_rows_of_a_sheet(ws: Any, rows: Any) -> None:
    refused(lambda: ws.sheets.preview(rows.id, filter=SLOW), "filter", "WORKBENCH_FILTER_SECONDS")
    refused(lambda: ws.sheets.rows(rows.id, filter=SLOW), "filter", "WORKBENCH_SQL_SECONDS")
    ws.app.settings.filter_seconds = 60.0
    assert ws.sheets.preview(rows.id, filter="length(text) > 5").total == 12_000


@pytest.mark.parametrize("counted", [False, True])
def test_making_a_training_sheet_leaves_nothing_behind(ws: Any, rows: Any, monkeypatch: Any, counted: bool) -> None:
    if counted:  # in time, but the rows are not picked in time
        monkeypatch.setattr(assembling, "chosen", lambda *given: 12_000)
    for more in ({}, {"wait": False}):
        refused(
            lambda more=more: ws.training_sheets.assemble(rows.id, template=PLAN, filter=SLOW, **more),
            "filter",
            "WORKBENCH_SQL_SECONDS",
        )
    assert ws.training_sheets.list().total == 0


def test_queue_card_claims_and_bulk_work(ws: Any, rows: Any) -> None:
    made = ws.training_sheets.assemble(rows.id, template=PLAN)
    where = SLOW.replace("text", "prompt")
    told = {"field": "where", "setting": "WORKBENCH_FILTER_SECONDS"}
    refused(lambda: ws.review.queue(made.id, where=where), **told)
    refused(lambda: ws.review.card(made.id, 0, where=where), **told)
    refused(lambda: ws.review.claim(made.id, filter={"where": where}), **told)
    refused(lambda: ws.review.bulk_approve(made.id, filter={"where": where}, preview=True), **told)
    refused(lambda: ws.review.bulk_flag(made.id, filter={"where": where}, flag_reason="no"), **told)
    ws.app.settings.filter_seconds = 60.0
    assert [one.row_index for one in ws.review.claim(made.id, filter={"where": "row_index > 8"}).items] == [9]
    assert ws.review.bulk_flag(made.id, filter={"where": "row_index < 3"}, flag_reason="no").done == 3
