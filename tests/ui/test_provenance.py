"""Every number, word and button on every view came from an answer, or is written in the view's code."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.architecture.subjects import view_types
from tests.ui.provenance import Recorder, buttons, offered, unexplained
from tests.ui.rendered import eventually, started
from workbench.client.live import TIMER
from workbench.client.workspace import Workspace
from workbench.errors import NotFound
from workbench.server import demo
from workbench.testing import frozen
from workbench.ui import (
    agreement,
    compare,
    data,
    endpoint,
    feedback,
    generate,
    generation,
    home,
    job,
    jobs,
    label,
    label_review,
    labels,
    model,
    models,
    monitor,
    pages,
    predictions,
    providers,
    reassemble,
    record_view,
    request,
    review_history,
    serving,
    settings,
    sheet_view,
    studies,
    study,
    study_form,
    template_view,
    topbar,
    train,
    train_form,
    training_job,
    training_sheet_view,
)
from workbench.ui.components import try_it
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.markup import html
from workbench.ui.view import View

# View -> how a test opens it on what the sample run has made.
SUBJECTS: dict[type, Any] = {
    home.HomeView: lambda ws, made: {},
    settings.SettingsView: lambda ws, made: {},
    topbar.TopBar: lambda ws, made: {},
    topbar.Footer: lambda ws, made: {},
    data.DataView: lambda ws, made: {},
    labels.KnownLabelsView: lambda ws, made: {"sheet_id": made["sheet"].id},
    labels.KnownLabelView: lambda ws, made: {"label_id": ws.labels.list()[0].id},
    sheet_view.SheetView: lambda ws, made: {"sheet_id": made["sheet"].id},
    generate.GenerateView: lambda ws, made: {},
    template_view.TemplateView: lambda ws, made: {"template_id": made["template"].id},
    training_sheet_view.TrainingSheetView: lambda ws, made: {"training_sheet_id": made["pairs"].id},
    generation.GenerationView: lambda ws, made: {"training_sheet_id": made["pairs"].id},
    providers.ProvidersView: lambda ws, made: {},
    reassemble.ReassembleView: lambda ws, made: {"training_sheet_id": made["pairs"].id},
    review_history.ReviewHistory: lambda ws, made: {"training_sheet_id": made["pairs"].id},
    label.LabelView: lambda ws, made: {"sheet": made["pairs"].id},
    label_review.ReviewView: lambda ws, made: {"sheet": made["pairs"].id, "status": "flagged"},
    agreement.AgreementView: lambda ws, made: {"sheet": made["pairs"].id},
    train.TrainView: lambda ws, made: {},
    train.TrainingJobs: lambda ws, made: {"parent": train.TrainView(ws)},
    train_form.TrainForm: lambda ws, made: {"training_sheet_id": made["pairs"].id},
    training_job.TrainingJobView: lambda ws, made: {"job_id": made["job"].id},
    compare.CompareView: lambda ws, made: {"ids": made["job"].id},
    predictions.PredictionsView: lambda ws, made: {"job_id": made["job"].id},
    studies.StudyList: lambda ws, made: {"parent": train.TrainView(ws)},
    study.StudyView: lambda ws, made: {"study_id": made["study"].id},
    study_form.StudyForm: lambda ws, made: {"training_sheet_id": made["pairs"].id},
    jobs.JobsView: lambda ws, made: {},
    job.JobView: lambda ws, made: {"job_id": made["job"].id},
    models.ModelsView: lambda ws, made: {},
    model.ModelView: lambda ws, made: {"model_id": made["version"]},
    serving.ServingView: lambda ws, made: {},
    serving.ServeForm: lambda ws, made: {"version": made["version"]},
    endpoint.EndpointView: lambda ws, made: {"endpoint": made["endpoint"].name},
    try_it.TryIt: lambda ws, made: {"endpoint": made["endpoint"].name},
    monitor.MonitorView: lambda ws, made: {"endpoint": made["endpoint"].name},
    monitor.EndpointRequests: lambda ws, made: {"parent": monitor.MonitorView(ws, endpoint=made["endpoint"].name)},
    monitor.EndpointFeedback: lambda ws, made: {"parent": monitor.MonitorView(ws, endpoint=made["endpoint"].name)},
    request.RequestView: lambda ws, made: {"request_id": made["answered"][0][0]},
    feedback.FeedbackView: lambda ws, made: {"feedback_id": ws.feedback.list()[0].id},
    record_view.RecordView: lambda ws, made: {"record": made["sheet"]},
    record_view.PageView: lambda ws, made: {"page": ws.sheets.list()},
    pages.BrokenView: lambda ws, made: {"error": NotFound.of("sheet", "sheet_9")},
}


@pytest.fixture(scope="module")
def sample():
    """Run the loop once, small, and give what it made."""
    sizes = pytest.MonkeyPatch()
    sizes.setattr(demo, "PAIRS", 400)
    sizes.setattr(demo, "REQUESTS", 40)
    with frozen() as ws:
        made = demo.run(ws, say=lambda line: None)
        made["version"] = ws.models.list()[0].id
        made["study"] = ws.studies.create(
            made["pairs"].id, "modules", "ngrams-tfidf", n_trials=2, parallel=2, search_space={"epochs": {"low": 1, "high": 2}},
            training_config={"char_ngrams": 0},
        ).wait(progress=False)  # fmt: skip
        yield ws, made
    sizes.undo()


def opened(sample, kind: type[View]) -> tuple[View, Recorder]:
    """Open a view on recorded answers and wait until it has drawn them."""
    ws, made = sample
    recorder = Recorder(ws.transport)
    watched = Workspace(recorder)
    view = started(kind(watched, **SUBJECTS[kind](watched, made)))
    assert eventually(lambda: all(part.query.revision or part.query.error for part in view.parts) and not asking())
    return view, recorder


def asking() -> bool:
    """Return whether a thread still asks, or draws what was answered."""
    return any(t.name == TIMER or t.name.endswith(("(start)", "(refresh)")) for t in threading.enumerate())


def test_every_view_is_a_subject():
    assert set() == set(view_types()) - set(SUBJECTS)


def placed_anew(view: View) -> list[str]:
    """Draw each part once more and return what drew those that now show other things."""
    placed = [(part, [*map(id, part.box.objects)]) for part in view.parts]
    for part in view.parts:
        part._update()
    return [part._draw.__qualname__ for part, before in placed if [*map(id, part.box.objects)] != before]


@pytest.mark.parametrize("kind", SUBJECTS, ids=lambda kind: kind.__name__)
def test_all_that_is_shown_was_given_and_stays_while_answers_say_the_same(sample, kind):
    view, recorder = opened(sample, kind)
    given = [str(value) for value in view.param.values().values()] + [recorder.label, recorder.user]

    assert [] == unexplained(view, recorder.wire, given)
    assert set() == buttons(view) - set(offered(recorder.wire)) - OWN_BUTTONS, "buttons that no answer has as an action"
    # An answer that was still under way may come in between; then all is drawn once more.
    assert eventually(lambda: not placed_anew(view)), placed_anew(view)
    view.close()


OWN_BUTTONS: set[tuple[str, bool]] = set()


class Inventive(View):
    """A planted case: computes, cuts a number out of a date, invents words, offers what nobody allowed."""

    def build(self):
        self.watch(self.ws.sheets.list, lambda page: None)
        action = type("Made", (), {"name": "explode", "label": "Explode", "enabled": True, "reason": None, "confirm": None})
        return [html(f"{self.ws.sheets.list().total * 7919} 026 quuxish"), ActionBar([action], lambda name: None)]


def test_what_a_view_makes_up_is_found(sample):
    ws, _ = sample
    recorder = Recorder(ws.transport)
    view = started(Inventive(Workspace(recorder)))

    assert ["026", "7919", "quuxish"] == [word for word in unexplained(view, recorder.wire) if word != "explode"]
    assert {("explode", True)} == buttons(view) - set(offered(recorder.wire))
    view.close()
