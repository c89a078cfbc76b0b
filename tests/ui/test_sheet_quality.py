"""The Quality tab of a sheet against a real scan."""

from __future__ import annotations

import html
import re
from typing import Any

from panel.io.location import Location

from tests.ui.rendered import eventually, shows, started, texts
from workbench.ui.format import DASH
from workbench.ui.label_review import ReviewView
from workbench.ui.sheet_view import SheetView
from workbench.ui.training_sheet_view import TrainingSheetView
from workbench.ui.url import UrlState

ROWS = [
    {"question": "Where is the river?", "answer": "Behind the mountain."},
    {"question": "Where is the river?", "answer": "Behind the mountain."},
    {"question": "May I open the window?", "answer": "I'm sorry, but I can't help with that."},
]


def press(place: Any, action: str) -> None:
    [button] = place.select(lambda part: f"action-{action}" in (getattr(part, "css_classes", None) or ()))
    button.clicks += 1


def test_a_finding_leads_to_its_rows_and_back(local: Any) -> None:
    sheet = local.sheets.create("letters", rows=ROWS)
    job = local.sheets.scan(sheet.id, response_column="answer")
    view = started(SheetView(local, sheet_id=sheet.id, face="quality"))
    job.wait(progress=False)
    shows(view, "Exact duplicates", "Declines to answer", "All scanned rows", "3 rows", "Near duplicates", "Leakage")
    assert "signal_" not in texts(view)

    grid = next(part for part in view.faces["quality"][0].box.objects if hasattr(part, "open_id"))
    grid._handle_msg({"do": "show", "id": "refusal"})

    shows(view, "Rows behind: Declines to answer")
    assert eventually(lambda: "1 row" in texts(view).splitlines())
    grid._handle_msg({"do": "show", "id": "exact_duplicates"})
    assert eventually(lambda: "2 rows" in texts(view).splitlines())
    assert grid.open_id == "exact_duplicates"
    view.close()


def test_what_a_scan_finds_late_is_tagged_from_where_it_is_told(local: Any) -> None:
    sheet = local.sheets.create("letters", rows=[*ROWS, {"question": "Write to ann@example.org", "answer": "I will."}], tags=["mail"])
    local.sheets.publish(sheet.id)
    local.sheets.scan(sheet.id, response_column="answer").wait(progress=False)
    view = started(SheetView(local, sheet_id=sheet.id, face="quality"))
    shows(view, "The tag PII keeps the sheet out", "Add tags", "Add the tag PII")

    press(view.faces["quality"][0].box, "tag")

    assert eventually(lambda: local.sheets.get(sheet.id).tags == ("mail", "PII"))
    assert eventually(lambda: "Add the tag PII" not in texts(view))
    press(view.actions.layout, "tighten")
    fields = view.dialog.dialog.select(lambda part: hasattr(part, "error_state"))
    assert sorted(field.label for field in fields) == ["Data classification", "Tags"]
    view.close()


def test_a_scan_shows_how_far_it_is_where_it_was_begun(local: Any) -> None:
    sheet = local.sheets.create("letters", rows=ROWS)
    view = started(SheetView(local, sheet_id=sheet.id, face="quality"))
    shows(view, "Not scanned yet.", "Scan for quality")
    assert DASH not in view.faces["quality"][0].box.objects[0].object

    job = local.sheets.scan(sheet.id, response_column="answer")
    assert local.sheets.quality(sheet.id).running.id == job.id
    job.wait(progress=False)

    assert local.sheets.quality(sheet.id).running is None
    shows(view, "succeeded", "Exact duplicates")
    going = view.faces["quality"][0].box.objects[1]
    assert eventually(lambda: not going.visible)
    view.close()


def test_findings_among_pairs_lead_to_their_queue(local: Any) -> None:
    sheet = local.sheets.create("letters", rows=ROWS)
    made = local.training_sheets.assemble(sheet.id, template={"prompt_template": "{{question}}", "response_column": "answer"})
    view = started(TrainingSheetView(local, training_sheet_id=made.id))
    shows(view, "Not scanned yet.", "Scan for quality")

    press(view.__panel__(), "scan")

    shows(view, "Exact duplicates", "Declines to answer")
    face = view.quality
    assert eventually(lambda: face.found.rows)
    lead = {row["id"]: html.unescape(re.search(r'href="\./label([^"]*)"', row["cells"][0])[1]) for row in face.found.rows}
    review = ReviewView(local)
    UrlState(review, ("sheet", "status", "signals", "order", "descending"), Location(search=lead["refusal"]))
    assert review.descending
    found = local.review.queue(review.sheet, status=review.status, signals=review.signals.split(), order=review.order)
    assert [2] == [pair.row_index for pair in found]
    view.close()

    review = started(ReviewView(local, sheet=made.id, status=""))
    assert eventually(lambda: [group for group in review.filters.chips.groups if group["name"] == "signals"])
    chips = {option["value"]: option for group in review.filters.chips.groups for option in group["options"]}
    assert chips["duplicates:1.."]["count"] == "2"
    review.filters.chips.value = {"signals": "refusal:true"}
    assert eventually(lambda: review.row == 2)
    assert review.filters.arguments() == {"status": "all", "order": "row_index", "signals": ["refusal:true"]}
    review.close()
