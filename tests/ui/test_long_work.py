"""What takes a job shows how far it is, and lands on what was made."""

from __future__ import annotations

import time
from typing import Any

import pytest

from workbench.services import long_work
from workbench.ui.data import DataView
from workbench.ui.job import JobView
from workbench.ui.sheet_view import SheetView
from workbench.ui.training_sheet_view import TrainingSheetView

PLAN = {"prompt_template": "{{q}}", "response_column": "a"}


@pytest.fixture
def sheet(local: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = local.sheets.create("rows", rows=[{"q": f"q{n}", "a": "yes"} for n in range(20)])
    monkeypatch.setattr(long_work, "ROWS_IN_A_CALL", 5)
    return made


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[JobView]:
    """Return the jobs that dialogs show, in the order they were drawn."""
    drawn: list[JobView] = []
    build = JobView.build
    monkeypatch.setattr(JobView, "build", lambda self: drawn.append(self) or build(self))
    return drawn


def until(true: Any) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_long_import_opens_its_sheet(local: Any, sheet: Any, shown: list[JobView]) -> None:
    view = DataView(local)
    view.__panel__()
    view._import()
    job = local.sheets.create("big", rows=[{"q": n} for n in range(9)], wait=False)
    view._started(job)
    shown[-1].start()

    until(lambda: view.sheet)

    assert view.sheet == local.jobs.get(job.id).result["sheet_id"]
    assert not view.asking.dialog.open
    shown[-1].close()


def test_a_long_assembly_and_a_long_export_land_on_what_they_made(local: Any, sheet: Any, shown: list[JobView]) -> None:
    view = SheetView(local, sheet_id=sheet.id)
    view.__panel__()
    view._made_one(local.training_sheets.assemble(sheet.id, template=PLAN, wait=None))
    shown[-1].start()
    until(lambda: view.dialog.dialog.title == "Made")
    shown[-1].close()
    assert local.training_sheets.list()[0].total_rows == 20

    made = local.training_sheets.list()[0]
    page = TrainingSheetView(local, training_sheet_id=made.id)
    page.__panel__()
    page._exported(local.training_sheets.export(made.id, include_unreviewed=True, wait=None))
    shown[-1].start()
    until(lambda: page.dialog.dialog.title == "Exported")
    shown[-1].close()
    assert "20" in page.dialog.dialog.objects[0].objects[0].object
