"""Studies on the Train page: the list, the form made of the trainer's search space, one study live."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services import made
from tests.ui.rendered import eventually, shows, started
from workbench.errors import ValidationError
from workbench.ui.components.space_editor import SpaceEditor
from workbench.ui.components.study_plots import CoordinatesPlot, HistoryPlot
from workbench.ui.display import view_of
from workbench.ui.study import StudyView
from workbench.ui.study_form import StudyForm
from workbench.ui.train import TrainView

SPACE = {"epochs": {"low": 1, "high": 2}}


@pytest.fixture
def version(local: Any) -> Any:
    return made.version(local)


@pytest.fixture
def study(local: Any, version: Any) -> Any:
    return local.studies.create(
        version.training_sheet_id, "Topics", "ngrams-tfidf", n_trials=2, search_space=SPACE, training_config={"char_ngrams": 0}
    ).wait(progress=False)


def test_a_study_is_listed_opened_and_shown_with_all_it_found(local, study):
    page = started(TrainView(local, tab="studies"))
    listed = started(page.shown)
    shows(listed, "Topics", "succeeded", "2 of 2", "Held-out accuracy")
    page.study = study.id
    assert isinstance(page.shown, StudyView)
    detail = started(page.shown)
    shows(detail, "Train the best", "of trial", "Epochs", "1 to 2", "Learning rate", "It takes 10 trials", "All trials")
    assert eventually(lambda: 2 == len(detail._coordinates.lines.data["xs"]))
    assert eventually(lambda: 2 == len(detail._history.sources["trials"].data["x"]))
    opened = []
    detail.on_made = opened.append
    detail._run(local.studies.get(study.id), "train_best")
    assert local.training.get(opened[0]).spec["tuned_by"] == study.id
    local.training.cancel(opened[0])
    for view in (listed, detail, page):
        view.close()


def test_a_study_is_its_own_display(local, study):
    assert isinstance(view_of(local.studies.get(study.id)), StudyView)


@pytest.mark.slow
def test_the_form_offers_the_trainers_space_and_shows_faults_at_their_settings(local, version):
    form = started(StudyForm(local))
    shows(form, "Batch size", "Passes over the training pairs", "300 eligible", "60 pairs", "2, 4, 8, 16, 32")
    form._form.input("model_name").value = "x"
    form._form.input("parallel").value = 99
    form._editor.line("epochs").low.value = 90
    form._form._clicked(None)
    shows(form, "low must be between 1 and 50", "must be at most 2")
    assert 0 == local.studies.list().total
    form._form.input("parallel").value = 1
    form._editor.line("epochs").low.value = 2
    form._editor.line("epochs").high.value = 3
    for name in ("learning_rate", "batch_size", "char_ngrams"):
        form._editor.line(name).searched.value = False
    form._editor.line("char_ngrams").fixed.value = 0
    form._form.input("n_trials").value = 1
    form._form._clicked(None)
    assert eventually(lambda: local.studies.list().total)
    made = local.studies.list()[0]
    assert made.search_space == {"epochs": {"type": "int", "low": 2, "high": 3, "log": False}}
    assert (made.training_config, made.n_trials, made.metric) == ({"char_ngrams": 0}, 1, "val_accuracy")
    local.studies.cancel(made.id)
    form.close()


def test_choices_are_read_as_what_they_are():
    settings = [
        {"name": "size", "type": "integer", "default": 2, "bounds": [1, 9], "doc": "Size."},
        {"name": "mode", "type": "selector", "default": "a", "choices": ["a", "b"], "doc": "Mode."},
    ]
    editor = SpaceEditor(settings, {"size": {"type": "choice", "choices": [1, 2]}})
    assert editor.values() == {"search_space": {"size": {"choices": [1, 2]}}, "training_config": {}}
    editor.line("mode").fixed.value = "b"
    assert editor.values()["training_config"] == {"mode": "b"}
    editor.line("mode").searched.value = True
    assert editor.values()["search_space"]["mode"] == {"choices": ["a", "b"]}
    editor.line("size").choices.value = "1, two"
    with pytest.raises(ValidationError, match="takes numbers"):
        editor.values()


def test_plots_of_nothing_are_empty_not_broken():
    assert HistoryPlot().sources["best"].data["x"] == []
    assert CoordinatesPlot().lines.data["xs"] == []
