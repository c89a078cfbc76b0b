"""The Quality tab of a sheet against a real scan."""

from __future__ import annotations

from typing import Any

from tests.ui.rendered import eventually, shows, started, texts
from workbench.ui.sheet_view import SheetView

ROWS = [
    {"question": "Where is the river?", "answer": "Behind the mountain."},
    {"question": "Where is the river?", "answer": "Behind the mountain."},
    {"question": "May I open the window?", "answer": "I'm sorry, but I can't help with that."},
]


def test_a_finding_leads_to_its_rows_and_back(local: Any) -> None:
    sheet = local.sheets.create("letters", rows=ROWS)
    job = local.sheets.scan(sheet.id, response_column="answer")
    view = started(SheetView(local, sheet_id=sheet.id, face="quality"))
    job.wait(progress=False)
    shows(view, "Exact duplicates", "Declines to answer", "All scanned rows", "3 rows")

    grid = next(part for part in view.faces["quality"][0].box.objects if hasattr(part, "open_id"))
    grid._handle_msg({"do": "show", "id": "refusal"})

    shows(view, "Rows behind: Declines to answer")
    assert eventually(lambda: "1 row" in texts(view).splitlines())
    grid._handle_msg({"do": "show", "id": "exact_duplicates"})
    assert eventually(lambda: "2 rows" in texts(view).splitlines())
    assert grid.open_id == "exact_duplicates"
    view.close()


def test_a_scan_shows_how_far_it_is_where_it_was_begun(local: Any) -> None:
    sheet = local.sheets.create("letters", rows=ROWS)
    view = started(SheetView(local, sheet_id=sheet.id, face="quality"))
    shows(view, "Not scanned yet.", "Scan for quality")

    job = local.sheets.scan(sheet.id, response_column="answer")
    assert local.sheets.quality(sheet.id).running.id == job.id
    job.wait(progress=False)

    assert local.sheets.quality(sheet.id).running is None
    shows(view, "succeeded", "Exact duplicates")
    going = view.faces["quality"][0].box.objects[1]
    assert eventually(lambda: not going.visible)
    view.close()
