"""Asking providers on screen: an estimate before, progress and failures after, providers set up without a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.providers.chat_server import ChatServer, Say, chat_server
from tests.services.approved import ended
from tests.ui.rendered import eventually, shows, started
from workbench.ui import format as fmt
from workbench.ui.generation import MADE_UP, GenerationView
from workbench.ui.label_review import ReviewView
from workbench.ui.providers import ProvidersView
from workbench.ui.template_view import TemplateView

# A job starts a process of its own, which takes its time on a busy machine.
JOB_SECONDS = 60
PLAN = {"prompt_template": "Q: {{q}}?", "response_source_mode": "ai_generated"}


@pytest.fixture
def made(local: Any) -> Any:
    return local.training_sheets.assemble(
        local.sheets.create("asked", rows=[{"q": f"what {n}"} for n in range(6)]).id, template=PLAN
    )


@pytest.fixture
def chat(local: Any) -> Iterator[ChatServer]:
    bad = {"Q: what 2?"}
    with chat_server(
        lambda prompt, before: Say(status=400, error="too rude") if prompt in bad and not before else Say()
    ) as server:
        local.providers.create("mine", base_url=server.url, model="m", price_in=0.5, price_out=1)
        yield server


@pytest.mark.slow
def test_the_estimate_follows_the_form_and_failures_are_asked_again(local: Any, made: Any, chat: ChatServer) -> None:
    view = started(GenerationView(local, training_sheet_id=made.id))
    shows(view, "6 without an answer", "6 pairs, 6 requests", "No provider was asked yet.")
    assert MADE_UP in view._told.object
    view.form.input("provider").value = "mine"
    view.form.input("row_indices").value = "0-3, 5"
    shows(view, "5 pairs, 5 requests")
    assert MADE_UP not in view._told.object

    view.form._clicked(None)
    shows(view, "succeeded", "too rude", "Ask again about what failed", seconds=JOB_SECONDS)
    assert eventually(lambda: view._again.visible)
    assert local.training_sheets.get(made.id).counts["response_source"]["ai_generated"] == 4
    view._ask_again()
    assert eventually(lambda: local.training_sheets.get(made.id).counts["response_source"]["ai_generated"] == 5, JOB_SECONDS)
    assert eventually(lambda: not view._again.visible, JOB_SECONDS)
    view.close()


def test_wrong_rows_and_providers_that_lack_a_key_are_told_at_their_field(local: Any, made: Any, monkeypatch: Any) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    view = started(GenerationView(local, training_sheet_id=made.id))
    shows(view, "6 without an answer", "6 pairs, 6 requests")
    with view.guard:  # two answers draw the form, on threads of their own; a session draws on one
        view.form.input("row_indices").value = "few"
    shows(view, "takes numbers and ranges")
    view.form.input("row_indices").value = "9"
    shows(view, "name no pair: 9")
    view.form.input("row_indices").value = ""
    view.form.input("provider").value = "openai"
    shows(view, "OPENAI_API_KEY is not set")
    view.close()


def test_made_up_answers_say_so(local: Any, made: Any) -> None:
    ended(local, local.training_sheets.generate(made.id, "simulated"))
    view = started(GenerationView(local, training_sheet_id=made.id))
    shows(view, "Simulated answer to")
    # The mark comes first: an ellipsis may hide the end of a line, and with it what the answer is.
    assert eventually(lambda: view.answers.grid.rows)
    assert all(cells["cells"][2].startswith(fmt.simulated()) for cells in view.answers.grid.rows)
    view.close()
    reviewed = started(ReviewView(local, sheet=made.id))
    shows(reviewed, fmt.simulated().striptags())
    reviewed.close()


@pytest.mark.slow
def test_a_provider_is_set_up_tested_and_changed(local: Any, chat: ChatServer) -> None:
    view = started(ProvidersView(local))
    shows(view, "simulated", "makes answers up", "openai", "mine", chat.url)
    assert eventually(lambda: view.presets)
    view._add()
    view._fill(view.presets["Ollama, on this machine"])
    assert view.form.input("base_url").value == "http://localhost:11434/v1"
    view.form.input("key_variable").value = "sk-secret"
    view.form._clicked(None)
    shows(view, "never the key itself")
    view.form.input("key_variable").value = ""
    view.form._clicked(None)
    assert local.providers.get("ollama").base_url == "http://localhost:11434/v1"

    view.chosen = "mine"
    view._test()
    shows(view, "it answers", "fine")
    assert view.form.input("price_in").value == 0.5
    view.form.input("price_in").value = None
    view.form.input("requests_per_minute").value = 30
    view.form._clicked(None)
    changed = local.providers.get("mine")
    assert (changed.price_in, changed.requests_per_minute) == (None, 30)
    view.close()


def test_answers_and_fields_of_a_template_are_edited_and_versions_listed(local: Any) -> None:
    template = local.templates.create(
        "ask", "{{q}}", response_source_mode="ai_generated", label_classes=[{"name": "yes", "hotkey": "y"}]
    )
    view = started(TemplateView(local, template_id=template.id))
    shows(view, "yes", "1.0.0")
    view._edit()
    editor = view.lists["label_classes"]
    assert [one["name"] for one in editor.value] == ["yes"]
    editor._add({"name": "no", "hotkey": "y", "color": "#aa0000"})
    view.form._clicked(None)
    shows(view, "has the hotkey 'y' twice")
    editor._lines[1][1]["hotkey"].value = "n"
    view.lists["response_schema"]._add({"name": "score", "type": "number", "options": []})
    view.form._clicked(None)
    stored = local.templates.get(template.id)
    assert [(one.name, one.hotkey, one.color) for one in stored.label_classes][1] == ("no", "n", "#aa0000")
    assert [(one.name, one.type) for one in stored.response_schema] == [("score", "number")]

    local.templates.publish(template.id)
    local.templates.version(template.id)
    shows(view, "1.1.0", "published")
    assert [one.semver for one in local.templates.versions(template.id)] == ["1.1.0", "1.0.0"]
    view.close()


def test_the_button_says_why_a_second_one_cannot_be_started(local: Any, made: Any) -> None:
    local.app.engine.close()
    view = started(GenerationView(local, training_sheet_id=made.id))
    shows(view, "6 pairs, 6 requests")
    assert not view.form.button.disabled
    job = local.training_sheets.generate(made.id, "simulated")
    shows(view, f"{job.name} ({job.id}) has not ended yet.")
    assert view.form.button.disabled
    local.jobs.cancel(job.id)
    assert eventually(lambda: not view.form.button.disabled)
    view.close()


def test_what_has_no_pair_to_answer_cannot_be_started_and_says_why(local: Any, made: Any) -> None:
    local.training_sheets.generate(made.id, "simulated").wait(progress=False)
    view = started(GenerationView(local, training_sheet_id=made.id))

    shows(view, "There is no pair without an answer in")
    assert view.form.button.disabled

    view.form.input("overwrite_existing").value = True
    assert eventually(lambda: not view.form.button.disabled)
    view.close()
