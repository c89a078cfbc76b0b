"""The Train page against a real workspace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services import made
from tests.ui.rendered import eventually, shows, started
from workbench.ui.components.curve import Curve
from workbench.ui.train import TrainView
from workbench.ui.train_form import TrainForm


@pytest.fixture
def version(local: Any) -> Any:
    return made.version(local)


def test_the_list_shows_jobs_with_state_and_pairs(local, version):
    page = started(TrainView(local))
    listed = started(page.shown)

    shows(listed, "Topics", "succeeded", "ngrams-tfidf", "300")
    listed.close()
    page.close()


def test_a_job_has_its_own_address(local, version):
    view = started(TrainView(local, job=version.job_id))
    job = local.training.get(version.job_id)
    detail = started(view.shown)

    shows(detail, "succeeded", "to learn from", "Settings", "Lineage", *(action.label for action in job.actions))
    detail.close()
    view.close()


def test_the_form_asks_for_what_the_trainer_declares_and_shows_its_estimate(local, version):
    form = started(TrainForm(local))

    shows(form, "Batch size", "Passes over the training pairs", "300 eligible", "240", "60 pairs")
    form.close()


def test_faults_of_settings_are_shown_at_their_inputs(local, version):
    form = started(TrainForm(local))
    assert eventually(lambda: form._form is not None)
    form._form.input("model_name").value = "x"
    form._form.input("epochs").value = 999

    form._form._clicked(None)

    shows(form, "must be between 1 and 50")
    assert 1 == local.training.list().total
    form.close()


def test_a_growing_curve_sends_only_its_end():
    curve = Curve("Loss", {"train_loss": "training"})
    points = [{"step": i, "value": float(i), "epoch": 1} for i in range(20)]
    curve.update({"train_loss": points})
    whole = curve.sources["train_loss"].data

    curve.update({"train_loss": [*points[:19], {"step": 30, "value": 9.0, "epoch": 2}, {"step": 31, "value": 7.0, "epoch": 2}]})

    assert whole is curve.sources["train_loss"].data, "the data was replaced, not continued"
    assert [*range(19), 30, 31] == list(curve.sources["train_loss"].data["x"])
