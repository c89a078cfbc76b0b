"""The Train page against a real workspace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import panel_material_ui as pmui
import pytest

from tests.services import made
from tests.services.test_comparison import train
from tests.ui.rendered import eventually, shows, started, texts
from workbench.ui.compare import CompareView
from workbench.ui.components.curve import Curve
from workbench.ui.components.line_bundle import LineBundle
from workbench.ui.job import JobView
from workbench.ui.jobs import JobsView
from workbench.ui.predictions import PredictionsView
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


def in_sight(part: Any) -> Iterator[Any]:
    """Yield a part and what it holds, as far as it is visible."""
    if part.visible:
        yield part
        for inner in getattr(part, "objects", ()):
            yield from in_sight(inner)


def test_the_address_of_a_job_that_is_no_training_leads_to_the_page_that_shows_it(local):
    run = local.jobs.start_external("sweep").job
    for opened in ({"job": run.id}, {"study": run.id}):
        view = started(TrainView(local, **opened))
        detail = started(view.shown)

        assert "that is an external run, 'sweep'" in shows(detail, "Open it among the jobs")
        assert f"./jobs?job={run.id}" in [button.href for button in detail._layout.select(pmui.Button)]
        assert not [name for part in in_sight(detail._layout) for name in part.css_classes if name.startswith("card-")]
        detail.close()
        view.close()


def test_the_form_asks_for_what_the_trainer_declares_and_shows_its_estimate(local, version):
    form = started(TrainForm(local))

    shows(form, "Batch size", "Passes over the training pairs", "300 eligible", "240", "60 pairs")
    form.close()


def test_faults_of_settings_are_shown_at_their_inputs(local, version):
    form = started(TrainForm(local))
    shows(form, "300 eligible")
    form._form.input("model_name").value = "x"
    form._form.input("epochs").value = 999

    form._form._clicked(None)

    shows(form, "must be between 1 and 50")
    assert 1 == local.training.list().total
    form.close()


def test_another_trainer_begins_with_its_own_settings(local, version, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    form = started(TrainForm(local))
    shows(form, "300 eligible")
    form._form.input("model_name").value = "x"
    form._form.input("epochs").value = 20
    form._form.input("base_model").value = "ngrams-hashed"
    assert 20 == form._form.input("epochs").value
    form._form.input("base_model").value = "gpt-4o-mini"

    assert eventually(lambda: tuple(form._form.input(name).value for name in ("epochs", "learning_rate")) == (3, 1e-4))
    assert "x" == form._form.input("model_name").value
    shows(form, "cannot be asked", "OPENAI_API_KEY")
    form.close()


def test_a_growing_curve_sends_only_its_end():
    curve = Curve("Loss", {"train_loss": "training"})
    points = [{"step": i, "value": float(i), "epoch": 1} for i in range(20)]
    curve.update({"train_loss": points})
    whole = curve.sources["train_loss"].data

    curve.update({"train_loss": [*points[:19], {"step": 30, "value": 9.0, "epoch": 2}, {"step": 31, "value": 7.0, "epoch": 2}]})

    assert whole is curve.sources["train_loss"].data, "the data was replaced, not continued"
    assert [*range(19), 30, 31] == list(curve.sources["train_loss"].data["x"])


@pytest.mark.parametrize(("name", "values", "ends"), [("accuracy", (1, 1), [0, 1]), ("accuracy", (0.8, 1), []), ("loss", (1, 1), [])])
def test_a_share_that_never_changes_is_drawn_on_its_own_scale(name, values, ends):
    curve = Curve("Something", {f"train_{name}": "training", f"val_{name}": "validation"})
    curve.update({f"{side}_{name}": [{"step": 3, "value": value}] for side, value in zip(("train", "val"), values, strict=True)})
    held = curve._anchor._source.data
    assert (held["y"], held["x"]) == (ends, [3 for _ in ends])
    bundle = LineBundle(f"Training {name}")
    bundle.update({"job_1": [{"step": 3, "value": values[0]}]}, {"job_1": "first"}, {"job_1": "red"}, {})
    assert bundle._anchor._source.data["y"] == ([0, 1] if name == "accuracy" else [])


def test_zooming_asks_for_the_steps_in_sight(local):
    run = local.jobs.start_external("long")
    local.jobs.log_metrics(run.id, [{"name": "loss", "step": i, "value": i % 17} for i in range(20_000)])
    view = started(JobView(local, job_id=run.id))
    shows(view, "Shows loss", "of 20 000 points")
    board = view.board
    curve = board._curves["loss"]
    assert len(curve.sources["loss"].data["x"]) <= 1200

    curve._moved(SimpleNamespace(x0=99.5, x1=149.5))

    assert eventually(lambda: list(curve.sources["loss"].data["step"]) == list(range(99, 151)))
    board._zoom(None, None)
    assert eventually(lambda: list(curve.sources["loss"].data["step"])[-1] == 19_999)
    view.close()


def test_points_that_are_no_number_are_marked(local):
    run = local.jobs.start_external("odd")
    local.jobs.log_metrics(run.id, [{"name": "loss", "step": i, "value": "NaN" if i == 3 else i} for i in range(9)])
    view = started(JobView(local, job_id=run.id))

    shows(view, "1 point is no number, marked by a dotted line")
    assert (list(view.board._curves["loss"].odd.data["step"]), list(view.board._curves["loss"].odd.data["word"])) == (
        [3],
        ["NaN"],
    )
    view.board._log.value = True
    shows(view, "A log scale cannot show zero and below")
    view.close()


def test_metrics_are_chosen_from_however_many_there_are(local):
    run = local.jobs.start_external("wide")
    local.jobs.log_metrics(run.id, [{"name": f"layer_{i}", "step": 1, "value": i} for i in range(500)])
    view = started(JobView(local, job_id=run.id))
    shows(view, "500 metrics")
    assert eventually(lambda: len(view.board._curves) == 6)

    assert asked(view) == {"get", "metric_names", "metrics", "events"}
    view.board._more.clicks += 1
    view.board._names.selected = ["layer_77"]

    assert eventually(lambda: list(view.board._curves) == ["layer_77"])
    (tabs,) = view.__panel__().select(pmui.Tabs)
    tabs.active = 1
    shows(view, "The process wrote nothing")
    view.close()


def asked(view):
    """Return the operations a view asks for: what nobody looks at yet is not among them."""
    return {part.query._call.operation.name for part in view.parts}


def test_jobs_stand_side_by_side(local, version):
    other = made.version(local, seed=7)
    view = started(CompareView(local, ids=f"{version.job_id},{other.job_id}"))

    shows(view, "Figures", "Topics", "These jobs have the same settings")
    view.close()


def test_each_figure_takes_one_column_and_metrics_are_chosen_by_words(local):
    ids = [train(local.transport.app, number, learning_rate=1 / number) for number in (2, 3)]
    view = started(CompareView(local, ids=",".join(ids)))

    shows(view, "Held-out loss", "best 0.0020", "cases, learning rate 0.3333")
    heads = re.findall(r"<th(?: [^>]*)?>(.*?)</th>", view._figures.object)
    assert ["Job", "Status", "Held-out loss", "Held-out accuracy"] == heads
    assert {"Held-out accuracy": "val_accuracy", "Held-out loss": "val_loss"} == view._metrics.options
    waiting, lines = [], next(iter(view._bundles.values())).source.selected
    view.run = waiting.append
    view._legend.lit = ids[0]
    assert lines.indices == [], "only what holds the document of a page may change its plots"
    waiting.pop()()
    assert lines.indices == [0]
    view.close()


def test_what_cannot_be_compared_is_said(local):
    view = started(CompareView(local, ids="job_nothing"))
    shows(view, "No training job 'job_nothing'")
    view.close()


def test_runs_of_ones_own_loops_are_compared_from_the_list_of_jobs(local):
    runs = [local.jobs.start_external(f"sweep {number}", config={"depth": number}) for number in (2, 4)]
    for number, run in enumerate(runs):
        run.log({"auc": 0.5 + number / 10}, step=1)
        run.finish()
    view = started(JobsView(local))
    shows(view, "sweep 2", "sweep 4")
    view.bar._table.selected = [run.id for run in runs]
    next(button for button in view.bar._bar if "compare-jobs" in (button.css_classes or [])).clicks += 1
    view.compared.ready._handle_msg("ready")
    shows(view, "sweep 2, depth 2", "sweep 4, depth 4", "Auc")
    assert view.compare == ",".join(run.id for run in runs)
    view.compare = ""
    assert "Auc" not in texts(view)
    view.close()


def test_several_jobs_are_cancelled_after_a_question(local):
    runs = [local.jobs.start_external(f"run {n}") for n in range(2)]
    local.jobs.finish(runs[0].id)
    view = started(JobsView(local))
    shows(view, "run 1")
    bar = view.bar
    bar._table.selected = [run.id for run in runs]
    shows(view, "2 jobs chosen")

    bar._ask("bulk_cancel", "Cancel the jobs")
    assert local.jobs.get(runs[1].id).status == "running"
    bar._run("bulk_cancel")

    shows(view, "1 done, 1 refused")
    assert local.jobs.get(runs[1].id).status == "cancelled"
    view.close()


def test_a_form_begins_with_the_settings_of_another_job(local, version):
    with local.transport.app.db.write():
        local.transport.app.db.execute("update training_details set training_config = '{\"epochs\": 7}'")
    form = started(TrainForm(local, like=version.job_id))
    shows(form, "300 eligible")
    assert (form._form.input("epochs").value, form._form.input("model_name").value) == (7, "Topics")

    form._form.input("epochs").value = 999
    form._form.input("learning_rate").value = 55.0

    shows(form, "must be between 1 and 50", "must be between 1e-05 and 1")
    form.close()


def test_answers_of_a_model_are_shown_pair_by_pair(local, version):
    pairs = made.training_sheet(local)
    db = local.transport.app.db
    with db.write():
        db.execute(
            "insert into job_predictions select ?, id, 'draw', 0.25, 1.386, response = 'draw', response, 'val' from pairs "
            "where training_sheet_id = ? and row_index >= 200",
            [version.job_id, pairs.id],
        )
    view = started(PredictionsView(local, job_id=version.job_id))

    shows(view, "of 100 answered rightly", "Answered instead", f"Review these 100 next in {pairs.name}", "1.386", "25.0")
    view.wrong = True
    assert eventually(lambda: view._table.total == local.training.confusions(version.job_id).wrong)
    view.close()
