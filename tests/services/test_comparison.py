"""Training jobs side by side: what differs, what is better, over how many seeds; and the refusals."""

from __future__ import annotations

import json

import pytest

from workbench.domain.jobs import Job
from workbench.domain.train import direction
from workbench.errors import NotFound, ValidationError

CONFIG = {"epochs": 5, "learning_rate": 0.5, "batch_size": 16, "seed": 42}


def train(app, number, **config):
    """Record a finished training job with curves of its own, without the wait for a process."""
    id = f"job_{number:03d}"
    details = {"id": id, "training_sheet_id": "assembly_1", "training_sheet_name": "Cases", "model_name": "cases"}
    details |= {"base_model": "ngrams-tfidf", "trainer": "text-classifier", "training_config": json.dumps({**CONFIG, **config})}
    details |= {"train_val_split": 0.8, "total_pairs": 100, "train_pairs": 80, "val_pairs": 20, "register_to_uc": False}
    with app.db.write():
        app.engine.ledger.add(
            Job(id=id, kind="train", name="Train cases", status="succeeded", spec={}, completed_at=app.clock.now())
        )
        marks = ", ".join("?" * len(details))
        app.db.execute(f"insert into training_details ({', '.join(details)}) values ({marks})", list(details.values()))
        app.db.execute(
            "insert into metrics by name select ? as job_id, name, s as step, s // 10 as epoch, ? + case name when 'val_accuracy' "
            "then s / 100 else abs(s - 30) end as value, timestamp '2026-01-01' as logged_at "
            "from range(50) t(s), (values ('val_loss'), ('val_accuracy')) n(name)",
            [id, number / 1000],
        )
    return id


def test_the_best_of_last_and_of_all_steps_may_differ(local):
    one, two = train(local.app, 1), train(local.app, 2, epochs=9)
    told = local.training.compare(f"{one},{two}")
    loss = {figure.name: figure for figure in told.metrics}["val_loss"]

    assert loss.values == {one: 19.001, two: 19.002}
    assert loss.best_values == {one: 0.001, two: 0.002}
    assert loss.best_steps == {one: 30, two: 30}
    assert (loss.direction, loss.best, loss.best_over_steps) == ("lower", (one,), (one,))
    accuracy = {figure.name: figure for figure in told.metrics}["val_accuracy"]
    assert (accuracy.direction, accuracy.best) == ("higher", (two,))


@pytest.mark.parametrize(
    ("metric", "way"),
    [("wer", "lower"), ("test/WER", "lower"), ("val_ppl", "lower"), ("duration", "lower"), ("brier_score", "lower"), ("mae", "lower"),
     ("accuracy", "higher"), ("power", "higher"), ("precision", "higher"), ("recall_at_5", "higher"), ("maestro", "higher")],
)  # fmt: skip
def test_which_way_is_better(metric, way):
    assert way == direction(metric)


def test_settings_that_are_the_same_come_on_demand(local):
    ids = f"{train(local.app, 1)},{train(local.app, 2, learning_rate=0.1)}"
    told = local.training.compare(ids)
    whole = local.training.compare(ids, all_settings=True)

    assert [one.name for one in told.config] == ["learning_rate"]
    assert told.same == len(whole.config) - 1
    assert {one.name: one.differs for one in whole.config}["epochs"] is False
    assert list(told.labels.values()) == ["cases, learning rate 0.5", "cases, learning rate 0.1"]


def test_mean_and_deviation_over_seeds(local):
    ids = [train(local.app, n, seed=n) for n in (1, 2, 3)] + [train(local.app, 4, epochs=9)]
    told = local.training.compare(",".join(ids))

    assert [(group.jobs, group.seeds) for group in told.groups] == [(tuple(ids[:3]), [1, 2, 3])]
    loss = {metric.name: metric for metric in told.groups[0].metrics}["val_loss"]
    assert (round(loss.mean, 6), round(loss.std, 6), loss.count) == (19.002, 0.001, 3)


def test_a_hundred_jobs_share_the_points(local):
    ids = [train(local.app, n, seed=n) for n in range(100)]
    told = local.training.compare(",".join(ids), metrics=["val_loss"])

    assert list(told.curves) == ["val_loss"]
    assert {told.totals["val_loss"][id]["total"] for id in ids} == {50}
    assert min(point["value"] for point in told.curves["val_loss"][ids[7]]) == 0.007
    assert set(told.metric_names) == {"val_loss", "val_accuracy"}


def test_runs_of_ones_own_loops_stand_beside_training_jobs(local):
    runs = [local.jobs.start_external(f"boost {depth}", config={"depth": depth, "seed": 1}) for depth in (2, 4)]
    for number, run in enumerate(runs):
        for step in range(10):
            run.log({"auc": 0.5 + number / 10 + step / 100, "rmse": 1 + number - step / 100}, step=step)
        run.finish()
    told = local.training.compare(f"{runs[0].id},{runs[1].id},{train(local.app, 1)}")

    assert [job.kind for job in told.jobs] == ["external", "external", "train"]
    assert [list(told.labels.values())[n].split(",")[0] for n in range(3)] == ["boost 2", "boost 4", "cases"]
    assert told.hrefs[runs[0].id] == f"/jobs?job={runs[0].id}" and told.hrefs["job_001"] == "/train?job=job_001"
    depth = next(one for one in told.config if one.name == "depth")
    assert depth.values == {runs[0].id: 2, runs[1].id: 4, "job_001": None}
    assert next(one for one in told.config if one.name == "train_val_split").values[runs[0].id] is None

    alone = local.training.compare(f"{runs[0].id},{runs[1].id}")
    figures = {figure.name: figure for figure in alone.metrics}
    assert (figures["auc"].direction, figures["auc"].best) == ("higher", (runs[1].id,))
    assert (figures["rmse"].direction, figures["rmse"].best) == ("lower", (runs[0].id,))
    assert list(alone.curves) == ["auc", "rmse"]
    assert alone.jobs[0].metrics.training_duration_seconds is not None


def test_what_cannot_be_compared_is_named(ws):
    run = ws.jobs.start_external("elsewhere")
    with pytest.raises(NotFound, match="job_x"):
        ws.training.compare(f"job_x,{run.id}")
    asked = ws.sheets.create("rows", rows=[{"id": "1", "text": "x"}])
    scan = ws.sheets.scan(asked.id)
    with pytest.raises(ValidationError, match="kind scan; only training jobs and external runs"):
        ws.training.compare(f"{run.id},{scan.id}")
    with pytest.raises(ValidationError, match="101 jobs"):
        ws.training.compare(",".join(f"job_{n}" for n in range(101)))
    with pytest.raises(ValidationError, match="names no job"):
        ws.training.compare(" , ")


def test_several_jobs_are_ended_or_repeated_each_by_itself(ws):
    runs = [ws.jobs.start_external(f"run {n}") for n in range(3)]
    ws.jobs.finish(runs[0].id)
    told = ws.jobs.bulk_cancel([runs[0].id, runs[1].id, runs[2].id, "job_x"], reason="enough")

    assert (told.action, told.done, told.refused) == ("cancel", 2, 2)
    assert [(one.done, one.error_code) for one in told.outcomes] == [
        (False, "INVALID_TRANSITION"), (True, None), (True, None), (False, "NOT_FOUND"),
    ]  # fmt: skip
    assert (told.outcomes[0].job_name, told.outcomes[0].status) == ("run 0", "succeeded")
    assert {ws.jobs.get(run.id).status for run in runs[1:]} == {"cancelled"}
    assert ws.jobs.get(runs[1].id).cancel_reason == "enough"
    again = ws.jobs.bulk_retry([runs[1].id])
    assert (again.done, again.outcomes[0].message != "") == (0, True)


def test_a_name_says_of_a_long_number_what_tells_it_from_the_others(local):
    thirds = [train(local.app, number, learning_rate=1 / number) for number in (3, 7)]
    close = [train(local.app, number, learning_rate=rate) for number, rate in ((10, 0.123456), (11, 0.123457))]

    assert ["cases, learning rate 0.3333", "cases, learning rate 0.1429"] == list(
        local.training.compare(",".join(thirds)).labels.values()
    )
    assert ["cases, learning rate 0.123456", "cases, learning rate 0.123457"] == list(
        local.training.compare(",".join(close)).labels.values()
    )
