"""The Deploy page against a real workspace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services import made
from tests.ui.rendered import shows, started
from workbench.ui.components.try_it import TryIt
from workbench.ui.endpoint import EndpointView
from workbench.ui.serving import ServingView


@pytest.fixture
def version(local: Any) -> Any:
    found = made.version(local)
    made.deployed(local, found)
    return found


def test_the_list_shows_what_serves_and_how_it_does(local, version):
    local.endpoints.invocations("topics", inputs=["Topic of socket packet?"])
    view = started(ServingView(local))

    shows(view, "topics", "serving", "Topics 1.0.0", "production")
    assert (1, 0.0) == (local.endpoints.list()[0].requests, local.endpoints.list()[0].error_rate)
    view.close()


def test_an_endpoint_is_asked_by_its_form(local, version):
    view = started(TryIt(local, endpoint="topics", example=version.input_example))

    view._inputs[""].value = "Topic of socket packet router?"
    view._ask(None)

    shows(view, "net", "1.0.0")
    assert 1 == local.monitoring.logs("topics").total
    view.close()


def test_a_refused_question_says_why(local, version):
    view = started(TryIt(local, endpoint="nowhere", example="x"))

    view._ask(None)

    shows(view, "nowhere")
    view.close()


def test_the_detail_shows_every_action_of_the_payload(local, version):
    view = started(EndpointView(local, endpoint="topics"))

    shows(view, *(action.label for action in local.endpoints.get("topics").actions), "Serve")
    view.close()
