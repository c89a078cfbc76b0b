"""The Generate page against a real workspace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui.rendered import eventually, shows, started, texts
from workbench.ui.generate import GenerateView
from workbench.ui.reassemble import ReassembleView
from workbench.ui.review_history import ReviewHistory
from workbench.ui.template_view import NEW, TemplateView
from workbench.ui.training_sheet_view import TrainingSheetView


@pytest.fixture
def sheet(local: Any) -> Any:
    return local.sheets.create("words", rows=[{"word": "alpha", "kind": "letter"}, {"word": "<b>", "kind": "tag"}])


@pytest.fixture
def template(local: Any) -> Any:
    return local.templates.create("ask", "What is {{word}}?", response_column="kind")


def test_templates_and_training_sheets_are_listed(local, sheet, template):
    local.training_sheets.assemble(sheet.id, template_id=template.id)
    view = started(GenerateView(local))

    shows(view, "ask", "1.0.0", "existing column", "word", "words #1")

    eventually(lambda: "1 training sheet" in view.sentence)
    assert "1 template" in view.sentence
    view.close()


def test_who_has_no_sheet_yet_is_led_to_where_one_is_imported(local):
    view = started(GenerateView(local))

    view._assemble()

    shows(view, "There are no sheets yet.", "Import a table")
    view.close()


def test_the_preview_follows_the_text_and_names_missing_columns(local, sheet):
    view = started(TemplateView(local, template_id=NEW))
    assert eventually(lambda: view.tried.value == sheet.id)
    view.form.input("response_column").value = "kind"
    view.form.input("prompt_template").value_input = "Tell me {{word}}"
    shows(view, "Fits words: 1 placeholder, 2 rows.", "alpha", "letter")

    view.form.input("prompt_template").value_input = "Tell me {{wort}}"

    shows(view, "No column for wort.", "{{wort}}", "wort stands for")
    assert "alpha" not in texts(view)
    view.close()


def test_a_new_template_is_judged_where_something_was_entered_and_as_a_whole_on_saving(local, sheet):
    view = started(TemplateView(local, template_id=NEW))
    shows(view, "Still to fill in: prompt template, response column.", "Columns")
    assert "tone-error" not in view.outcome.object and "ink-error" not in view.outcome.object

    view.form.input("prompt_template").value_input = "Tell me {{word}}"
    shows(view, "Still to fill in: response column.")
    view.form.input("prompt_template").value_input = ""
    shows(view, "Prompt template is empty", "Something is missing")
    assert "Response column" not in view.outcome.object
    view.form.input("prompt_template").value_input = "Tell me {{word}}"

    view.form._clicked(None)

    shows(view, "Response column is missing")
    assert "tone-error" in view.outcome.object
    view.close()


def test_a_missing_placeholder_can_be_given_a_column(local, sheet):
    view = started(TemplateView(local, template_id=NEW))
    eventually(lambda: view.tried.value == sheet.id)
    view.form.input("name").value = "mapped"
    view.form.input("response_column").value = "kind"
    text = view.form.input("prompt_template")
    text.param.update(value="Tell me {{it}}", value_input="Tell me {{it}}")
    assert eventually(lambda: len(view.holes))

    view.holes[0].value = "word"

    shows(view, "Fits words: 1 placeholder, 2 rows.")
    view.form._clicked(None)
    stored = local.templates.list().rows[0]
    assert ("mapped", {"it": "word"}) == (stored["name"], stored["column_mapping"])
    view.close()


def test_what_a_cell_holds_is_text_and_never_markup(local, sheet, template):
    local.sheets.attach_template(sheet.id, template.id)
    view = started(TemplateView(local, template_id=template.id))

    eventually(lambda: "First rows" in view.outcome.object)

    assert "&lt;b&gt;" in view.outcome.object
    view.close()


def test_a_new_version_opens_in_place_of_the_published_one(local, template):
    local.templates.publish(template.id)
    view = started(TemplateView(local, template_id=template.id))
    eventually(lambda: view.template)

    view._version()

    assert "1.1.0" == local.templates.get(view.template_id).semver
    view.close()


def test_a_training_sheet_shows_counts_eligibility_and_exactly_its_actions(local, sheet, template):
    made = local.training_sheets.assemble(sheet.id, template_id=template.id)
    local.review.decide(made.id, 0, action="approve")
    view = started(TrainingSheetView(local, training_sheet_id=made.id))

    words = shows(view, "words #1", "1 unlabeled · 1 labeled", "1 of 2 pairs may be trained on", "What is alpha?")

    assert {a.label for a in made.actions} <= set(words.splitlines())
    view.close()


def test_how_many_review_each_pair_is_changed_on_the_page(local, sheet, template, monkeypatch):
    made = local.training_sheets.assemble(sheet.id, template_id=template.id)
    view = started(TrainingSheetView(local, training_sheet_id=made.id))
    shows(view, "Reviewers per pair")
    opened: list[Any] = []
    monkeypatch.setattr(view.dialog, "open", lambda title, form: opened.append(form))

    view._edit()
    opened[0].input("overlap").value = 2
    opened[0]._clicked(None)

    assert 2 == local.training_sheets.get(made.id).overlap
    view.close()


def test_a_re_assembly_is_counted_shown_and_done(local, sheet, template):
    made = local.training_sheets.assemble(sheet.id, template_id=template.id)
    local.review.decide(made.id, 0, action="approve")
    other = local.templates.create("tell", "Tell me of {{word}}", response_column="kind")
    told = []
    view = started(ReassembleView(local, training_sheet_id=made.id, done=told.append))
    shows(view, "2 of 2 pairs stay as they are")
    assert view.button.disabled

    view.template.value = other.id
    shows(view, "1 would go back to review", "approval goes stale", "Tell", "rendered anew")
    assert not view.button.disabled

    view._commit(None)
    assert [1] == [found.stale for found in told]
    assert local.review.get(made.id, 0).stale
    view.close()


def test_each_pair_that_a_re_assembly_would_change_can_be_looked_at(local):
    sheet = local.sheets.create("words", rows=[{"word": f"word{n}", "kind": "noun"} for n in range(14)])
    made = local.training_sheets.assemble(sheet.id, template={"prompt_template": "What is {{word}}?", "response_column": "kind"})
    local.review.bulk_approve(made.id, row_indices=[12, 13])
    other = local.templates.create("tell", "Tell me of {{word}}", response_column="kind")
    view = started(ReassembleView(local, training_sheet_id=made.id))
    shows(view, "14 of 14 pairs stay as they are")

    view.template.value = other.id
    first = shows(view, "14 pairs", "item 0", "item 5", "What", "Tell")
    assert "item 6" not in first
    view.pager.value = 2
    assert "item 11" not in shows(view, "14 pairs", "item 12", "item 13")

    view.way.value = "stale"
    found = shows(view, "2 pairs", "item 12", "approval goes stale")
    assert ("item 0" not in found, view.page, view.pager.visible) == (True, 1, False)
    assert list(view.way.options) == ["All that change", "Approvals that go back to review", "Prompts rendered anew"]

    view.template.value = ""
    shows(view, "14 of 14 pairs stay as they are")
    view.template.value = other.id
    shows(view, "14 pairs", "item 0")
    assert (view.way.value, view.page) == ("", 1)
    view.close()


def test_steps_are_listed_opened_and_taken_back(local, sheet, template):
    made = local.training_sheets.assemble(sheet.id, template_id=template.id)
    batch = local.review.bulk_approve(made.id, row_indices=[0, 1]).batch_id
    view = started(ReviewHistory(local, training_sheet_id=made.id))
    shows(view, "Approved")

    view.batch = batch
    shows(view, "Undo", "2 pairs")
    view._take("undo")

    shows(view, "taken back", "Redo")
    assert "unlabeled" == local.review.get(made.id, 0).status
    view.close()
