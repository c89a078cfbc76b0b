"""The Data page against a real workspace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.provenance import Recorder, unexplained
from tests.ui.rendered import eventually, shows, started, texts
from workbench.client.workspace import Workspace
from workbench.contract.codec import encode
from workbench.services import long_work
from workbench.ui import data
from workbench.ui.data import DataView
from workbench.ui.job import JobView
from workbench.ui.review_import import ReviewImportForm
from workbench.ui.sheet_forms import ImportForm, ReplaceForm, assemble_form, edit_form, row_form
from workbench.ui.sheet_view import SheetView

ROWS = [{"word": f"word {i}", "size": i % 7} for i in range(30)]


@pytest.fixture
def sheet(local: Any) -> Any:
    return local.sheets.create("many words", rows=ROWS, tags=["PII"], description="What people say.")


@pytest.fixture
def shown(local: Any, sheet: Any) -> Iterator[SheetView]:
    view = started(SheetView(local, sheet_id=sheet.id))
    yield view
    view.close()


def test_the_table_lists_what_the_service_lists(local, sheet):
    local.sheets.create("second", rows=[{"a": 1}])
    view = started(DataView(local))

    words = shows(view, "many words", "second", "restricted", "PII")

    assert "1234567" not in words
    eventually(lambda: view.sentence)
    assert "2 sheets" in view.sentence.replace("\u202f", " ")
    view.close()


def test_filters_and_search_are_arguments_of_the_service(local, sheet):
    local.sheets.publish(local.sheets.create("done one", rows=[{"a": 1}]).id)
    view = started(DataView(local, status="published"))
    assert "many words" not in shows(view, "done one")

    view.param.update(status="", search="many")

    assert eventually(lambda: "done one" not in texts(view))
    shows(view, "many words")
    view.close()


def test_without_sheets_the_page_says_how_to_begin(local):
    view = started(DataView(local))

    shows(view, "No sheets yet.", "Import a file")
    view.close()


def test_a_change_elsewhere_arrives_by_itself(local, sheet):
    view = started(DataView(local))
    shows(view, "many words")

    local.sheets.create("came later", rows=[{"a": 1}])

    shows(view, "came later")
    view.close()


def test_a_sheet_shows_facts_rows_and_exactly_its_actions(local, sheet, shown):
    words = shows(shown, "many words", "What people say.", "training, validation", "word 3")

    assert {a.label for a in sheet.actions} <= set(words.splitlines())
    shown.face = "columns"
    shows(shown, "size", "30 different", "mean 2.")


def test_a_command_that_fails_is_told_where_the_button_is(local, sheet, shown):
    shows(shown, "Publish")
    local.sheets.delete(sheet.id)

    shown.actions._perform(next(a for a in sheet.actions if a.name == "publish"), shown.actions._buttons[1])

    shows(shown, "is deleted. Restore it first.")


def test_faults_of_an_import_are_shown_at_their_fields(local):
    form = ImportForm(local, done=lambda made: None)

    fault = {"field": "name", "message": "There is one already", "value": "x"}
    form.upload._handle_msg({"fault": {"error": "Refused.", "error_code": "VALIDATION_ERROR", "context": {"fields": [fault]}}})

    assert "There is one already" in form.form._inputs["name"]._note.object


def test_choosing_a_file_proposes_its_name_and_an_answer_opens_the_sheet(local, sheet):
    opened = []
    form = ImportForm(local, done=opened.append)

    form.upload._handle_msg({"chosen": "\npeople.2025\t.csv"})
    form.upload._handle_msg({"answer": {"id": sheet.id}, "status": 201})

    assert "people.2025" == form.form.input("name").value
    assert [sheet.id] == [made.id for made in opened]


def test_an_upload_is_known_by_its_status_to_have_become_a_job(local, sheet):
    done, queued, job = [], [], local.jobs.start_external("large file").job
    imports, reviews = ImportForm(local, done.append, queued.append), ReviewImportForm(local, done.append, queued.append)

    for form in (imports, reviews):
        form.upload._handle_msg({"answer": encode(job), "status": 202})
    imports.upload._handle_msg({"answer": encode(sheet) | {"progress_percent": 100.0}, "status": 201})

    assert [job.id, job.id] == [one.id for one in queued]
    assert [sheet.id] == [one.id for one in done]


TASKS = [
    {"id": 1, "data": {"text": "Where is it?"}, "predictions": [],
     "annotations": [{"completed_by": "ada", "result": [
         {"from_name": "intent", "type": "choices", "value": {"choices": ["shipping"]}},
         {"from_name": "reply", "type": "textarea", "value": {"text": ["On its way."]}}]}]},
    {"id": 2, "data": {"text": "Money back"}, "predictions": [],
     "annotations": [{"completed_by": "ada", "result": [{"from_name": "intent", "type": "choices", "value": {"choices": ["refund"]}}]}]},
]  # fmt: skip


def test_reviews_are_looked_at_then_come_in_and_a_fault_is_shown_at_its_path(local, tmp_path):
    recorder, done = Recorder(local.transport), []
    form = ReviewImportForm(Workspace(recorder), done.append)
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([*TASKS, {"id": 3}]))
    form.place.value = "path"
    form.form.input("source").value = str(path)

    form.form._clicked(None)
    assert "Record 2 (counted from 0)" in form.form._inputs["source"]._note.object and not form.take.visible
    path.write_text(json.dumps(TASKS))
    form.form._clicked(None)
    assert "2 labeled" in texts(form) and form.question.options == ["intent", "reply"]
    form.question.value = "reply"
    assert "1 labeled, 1 unlabeled" in texts(form) and local.sheets.list().total == 0
    form._taken(None)

    (made,) = done
    assert (local.training_sheets.get(made.id).name, made.question, made.statuses) == ("tasks", "reply", {"labeled": 1, "unlabeled": 1})
    assert [] == unexplained(form, recorder.wire)


def test_many_reviews_are_brought_in_by_a_job_that_the_dialog_shows(local, tmp_path, monkeypatch):
    monkeypatch.setattr(long_work, "ROWS_IN_A_CALL", 1)
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(TASKS))
    monkeypatch.setattr(data, "JobView", lambda *given, **more: started(JobView(*given, **more)))
    view = started(DataView(local))
    form = ReviewImportForm(local, view._brought_in, view._bringing)
    form.place.value = "path"
    form.form.input("source").value = str(path)
    form.form._clicked(None)
    assert "2 labeled" in texts(form), "a look is given at once"

    form._taken(None)

    assert "Bring in tasks" == view.asking.dialog.title
    assert eventually(lambda: view.asking.dialog.title == "Brought in tasks")
    assert "2 labeled" in texts(view.asking)
    view.close()


def test_a_saved_form_is_a_call_of_the_operation(local, sheet):
    saved = []
    form = edit_form(local, sheet, saved.append)
    form.input("description").value = "Other words."

    form._clicked(None)

    assert "Other words." == local.sheets.get(sheet.id).description
    assert [sheet.id] == [changed.id for changed in saved]


def test_a_training_sheet_is_made_from_the_form(local, sheet):
    template = local.templates.create("t", "Say {{word}}", response_column="size")
    made: list[Any] = []
    form = assemble_form(local, sheet, made.append, template_id=template.id)
    form.input("sample").value = "random"
    form._clicked(None)
    assert not made, "a random sample needs a size"
    assert "needs a size" in form._inputs["sample_size"]._note.object

    form.input("sample_size").value = 10
    form.input("overlap").value = 2
    form._clicked(None)

    assert [(10, 2)] == [(one.total_rows, one.overlap) for one in made]


def test_a_row_is_changed_in_its_form_and_only_what_was_changed_is_sent(local, sheet):
    done: list[Any] = []
    row = local.sheets.preview(sheet.id, limit=1, offset=3).rows[0]
    form = row_form(local, sheet, row, done.append)
    form.input("size").value = "many"
    form._clicked(None)
    assert not done
    assert "takes a number" in form._inputs["size"]._note.object

    form.input("size").value = "12"
    form._clicked(None)

    assert [{"size": 3}] == [changed.before for changed in done]
    assert {"row_index": 3, "word": "word 3", "size": 12} == local.sheets.preview(sheet.id, limit=1, offset=3).rows[0]


def test_a_row_opens_in_full_where_it_may_not_be_changed(local, sheet, shown):
    shows(shown, "word 1")
    local.sheets.publish(sheet.id)
    assert eventually(lambda: shown.sheet.status == "published")

    shown._open_row({"row_index": 1, "word": "word 1", "size": 1})

    assert shown.dialog.dialog.title == "Row 1"
    assert "word 1" in shown.dialog.dialog.objects[0].objects[0].object


def test_differences_are_shown_before_rows_are_replaced(local, sheet):
    done: list[Any] = []
    form = ReplaceForm(local, sheet, done.append)
    told = local.sheets.replace(sheet.id, rows=[*ROWS[1:], {"word": "<b>new</b>", "size": 1}], preview=True)

    form.upload._handle_msg({"answer": encode(told), "status": 200})

    assert (form.take.visible, done) == (True, [])
    assert told.summary in form.found.objects[0].object
    form.upload._handle_msg({"answer": encode(told) | {"preview": False}, "status": 200})
    assert 1 == len(done)


def test_cells_stand_as_they_were_written_and_numbers_to_the_right(local):
    source = "select date '2024-01-31' as day, 1.50::decimal(5,2) as price, 'x' as word"
    days = local.sheets.create("typed", source_type="sql", source=source)
    view = started(SheetView(local, sheet_id=days.id))

    shows(view, "2024-01-31", "1.50")

    assert '"2024-01-31"' not in texts(view)
    rows = view.faces["rows"][1].grid
    assert {"#": "right", "day": "left", "price": "right", "word": "left"} == {head["title"]: head["align"] for head in rows.columns}
    assert "2024-01-31" == row_form(local, days, local.sheets.preview(days.id).rows[0], print).input("day").value
    view.close()


def test_a_search_that_finds_no_row_says_so_and_keeps_the_heads(shown):
    shows(shown, "word 1")
    rows = shown.faces["rows"][1]
    heads = rows.grid.columns

    rows.search("nowhere")
    shows(shown, "No row contains \u201cnowhere\u201d.")
    assert heads == rows.grid.columns

    rows.search("word 2")
    shows(shown, "word 21")
    assert "No row contains" not in texts(shown)


def test_columns_of_empty_texts_and_what_was_made_lead_somewhere(local):
    sheet = local.sheets.create("gaps", rows=[{"word": ""}, {"word": "a"}])
    made = local.training_sheets.assemble(sheet.id, template={"prompt_template": "{{word}}", "response_column": "word"})
    view = started(SheetView(local, sheet_id=sheet.id, face="columns"))
    shows(view, "empty text")

    view.face = "made"

    shows(view, made.name)
    table = view.faces["made"][0]
    assert eventually(lambda: table.grid.rows)
    assert f"made={made.id}" in table.grid.rows[0]["cells"][0]
    view.close()
