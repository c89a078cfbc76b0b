"""The Models page against a real workspace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services import made
from tests.ui.rendered import eventually, shows, started, texts
from workbench.ui.model import ModelView
from workbench.ui.models import ModelsView


@pytest.fixture
def version(local: Any) -> Any:
    return made.version(local)


def test_a_card_shows_stage_figures_gate_and_actions(local, version):
    view = started(ModelsView(local))

    words = shows(view, "Topics", "1.0.0", "development", "not tested", "Run the tests")
    assert "Roll back" not in words, "a card offers only what can be done"
    view.close()


def test_the_detail_shows_every_action_of_the_payload(local, version):
    view = started(ModelView(local, model_id=version.id))

    shows(view, *(action.label for action in version.actions), "The tests have not run. Run them first.")
    view.close()


def test_actions_change_what_is_stored_and_the_view_follows(local, version):
    made.passing(local, version)
    view = started(ModelView(local, model_id=version.id))
    shows(view, "20/20 tests passed")
    assert eventually(lambda: view._actions._run)

    view._actions._run("promote")
    assert "staging" == local.models.get(version.id).status
    view._actions._run("deploy")

    assert "production" == local.models.get(version.id).status
    assert eventually(lambda: "production" in texts(view) and "register" in texts(view).lower())
    view.close()


def test_nothing_yet_leads_to_training(local):
    view = started(ModelsView(local))

    shows(view, "No model version yet.")
    view.close()
