"""The Monitor page against a real workspace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services import made
from tests.ui.rendered import eventually, shows, started
from workbench.ui.feedback import FeedbackView
from workbench.ui.monitor import MonitorView
from workbench.ui.request import RequestView


@pytest.fixture
def request_id(local: Any) -> str:
    made.deployed(local, made.version(local))
    return local.endpoints.invocations("topics", inputs=["Topic of socket packet?"]).request_ids[0]


def test_figures_health_and_series_come_from_the_log(local, request_id):
    view = started(MonitorView(local))

    shows(view, "topics", "Requests", "healthy", "100.0 % of 1 requests")
    assert eventually(lambda: 1 == sum(view._plot.buckets.data["requests"]))
    assert ["1.0.0"] == list(view._plot.deployments.data["version"])
    view.close()


def test_nothing_served_leads_to_the_models(local):
    view = started(MonitorView(local))

    shows(view, "No endpoint answers yet")
    view.close()


def test_a_request_is_judged_and_corrected(local, request_id):
    view = started(RequestView(local, request_id=request_id))
    shows(view, "Topic of socket packet?", "net", "Nobody has judged this answer yet.")
    form = view.form
    form.input("rating").value = "negative"
    form.input("corrected").value = "math"

    form._clicked(None)

    given = local.feedback.list()[0]
    assert ("negative", "math", request_id) == (given.sentiment, given.corrected, given.request_id)
    view.close()


def test_a_correction_goes_back_to_review(local, request_id):
    given = local.feedback.create(endpoint="topics", request_id=request_id, rating="negative", corrected="math")
    sheet = local.training_sheets.list()[0]
    view = started(FeedbackView(local, feedback_id=given.id))
    shows(view, *(action.label for action in given.actions), "math")
    assert eventually(lambda: view._sheets)

    view._ask_sheet()
    view.form._clicked(None)

    assert sheet.id == local.feedback.get(given.id).training_sheet_id
    shows(view, "Waits for review as pair")
    view.close()
