"""Studies: trials as jobs on the same pairs, pruning, failures, ends, the best trained again."""

import time

import pytest

from tests.services.approved import ENDED, change, ended, sheet_of, words
from tests.services.tiny_trainer import BASE_MODEL, NAME, score
from workbench.errors import InUse, InvalidTransition, NotEligible, NotFound, NotReady, ValidationError
from workbench.services.study_run import StudyRun
from workbench.trainers import registry


@pytest.fixture
def ws(local):
    """Work embedded: what passes the wire is tested with each operation, here it is the processes that take long."""
    return local


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Offer the tiny trainer."""
    monkeypatch.setitem(registry.BUILT_IN, NAME, NAME)
    registry.trainers.cache_clear()
    yield
    registry.trainers.cache_clear()


@pytest.fixture
def cases(ws):
    """A training sheet of 30 approved pairs."""
    return sheet_of(ws, words(30))


def create(ws, sheet, **more):
    return ws.studies.create(sheet.id, "colors", BASE_MODEL, **{"n_trials": 3, **more})


def done(ws, study, seconds=60):
    """Wait for the end of a study and return it."""
    return until(ws, study, lambda found: found.status in ENDED, seconds)


def until(ws, study, wished, seconds=60):
    deadline = time.monotonic() + seconds
    while not wished(found := ws.studies.get(study.id)):
        assert time.monotonic() < deadline, f"{found.status} {found.message} {found.error_message}"
        time.sleep(0.05)
    return found


def states(ws, study):
    return [trial.state for trial in ws.studies.trials(study.id)]


def test_a_study_tries_settings_on_the_same_pairs_and_finds_the_best(ws, cases):
    study = create(ws, cases, n_trials=3, parallel=2, training_config={"epochs": 2}, labels={"team": "paint"})
    assert (study.kind, study.metric, study.direction, study.trainer) == ("study", "val_accuracy", "higher", NAME)
    assert (study.total_pairs, study.train_pairs, study.val_pairs) == (30, 24, 6)
    assert {name: entry["type"] for name, entry in study.search_space.items()} == {"x": "float", "n": "int"}
    change(ws, cases.id, "response = 'changed later'")
    found = done(ws, study)
    assert (found.status, found.progress_percent, found.done, found.total) == ("succeeded", 100, 3, 3), found.error_message
    trials = list(ws.studies.trials(study.id))
    assert [(t.number, t.state, t.value) for t in trials] == [
        (n, "succeeded", score(**t.params)) for n, t in enumerate(trials, 1)
    ]
    best = max(trials, key=lambda t: t.value)
    assert (found.best_trial, found.best_value, found.best_job_id) == (best.number, best.value, best.id)
    assert found.best_config == {"seed": 42, "free": 1.0, "pause": 0.0, "mode": "fine", "epochs": 2, **best.params}
    assert [t.number for t in trials if t.best] == [best.number]
    assert found.result["best_config"] == found.best_config
    assert found.result["trials"] == {"made": 3, "succeeded": 3, "pruned": 0, "failed": 0, "cancelled": 0}
    job = ws.training.get(best.id)
    assert (job.parent_id, job.training_config, job.total_pairs, job.model_version_id) == (study.id, found.best_config, 30, None)
    assert ws.models.list().total == 0
    folder = ws.app.artifacts / "jobs"
    assert len({(folder / id / "pairs.parquet").stat().st_ino for id in (study.id, *(t.id for t in trials))}) == 1
    assert not list(folder.glob("*/attempt-*/package")), "the models of trials are not kept"
    assert ws.app.db.tuples("select job_id, count(*) from job_pairs group by 1") == [(study.id, 30)]


def test_a_study_is_a_job_and_stands_for_its_trials(local):
    cases = sheet_of(local, words(30))
    study = done(local, create(local, cases, n_trials=2))
    job = local.jobs.get(study.id)
    assert (job.kind, job.status, job.name, job.pid) == ("study", "succeeded", "Tune colors", None)
    assert [j.id for j in local.jobs.list()] == [study.id]
    assert local.jobs.list(trials=True).total == 3
    assert local.jobs.list(parent_id=study.id).total == local.training.list(parent_id=study.id).total == 2
    assert (local.training.list().total, local.training.list(trials=True).total, local.training.active().total) == (0, 2, 0)
    messages = [e.message for e in local.jobs.events(study.id)]
    assert [m for m in messages if m.startswith("Trial 1: held-out accuracy ")]
    curves = {m.name: [p["value"] for p in m.points] for m in local.jobs.metrics(study.id).metrics}
    values = [t.value for t in local.studies.trials(study.id)]
    assert curves == {"val_accuracy": values, "best_val_accuracy": [values[0], max(values)]}
    graph = {(e.from_id, e.relation, e.to_id) for e in local.lineage.get("job", study.id).edges}
    assert {(local.studies.trials(study.id)[0].id, "trial_of", study.id), (study.id, "trained_on", cases.id)} <= graph
    assert set(local.sql("select state from trials where study_id = ?", [study.id])["state"]) == {"succeeded"}
    assert local.sql("select best_value from studies")["best_value"][0] == study.best_value


@pytest.mark.slow
def test_the_same_seed_gives_the_same_study(local):
    cases = sheet_of(local, words(30))
    several = [done(local, create(local, cases, n_trials=2, seed=seed, training_config={"epochs": 1})) for seed in (5, 5, 6)]
    one, two, other = ([(t.params, t.outcome, t.value) for t in local.studies.trials(s.id)] for s in several)
    assert one == two != other
    assert one[0][0] == {"x": 0.5, "n": 3}, "the first trial takes the settings as they are without a search"


@pytest.mark.slow
def test_trials_that_fall_behind_are_pruned_not_failed(local):
    cases = sheet_of(local, words(30))
    space = {"x": {"choices": [0.3, 0.31, 0.32, 0.33, 0.34, 0.99]}}
    config = {"n": 7, "epochs": 3}
    study = done(local, create(local, cases, n_trials=6, seed=4, search_space=space, training_config=config))
    behind = local.studies.trials(study.id)[5]
    assert (behind.params, behind.state, behind.pruned_step) == ({"x": 0.99}, "pruned", 2)
    assert (behind.reason, study.trials_pruned, study.status) == ("It fell behind the median of the others.", 1, "succeeded")
    assert local.studies.get(study.id).best_config["x"] == 0.3


def test_three_failures_of_one_cause_end_a_study(local):
    cases = sheet_of(local, words(30))
    study = done(local, create(local, cases, n_trials=9, training_config={"mode": "fails"}))
    assert (study.status, study.trials_failed, study.error_code) == ("failed", 3, "JOB_FAILED")
    assert "the disk of the tiny trainer is full" in study.error_message
    assert set(states(local, study)) == {"failed"}
    assert {a.name for a in study.actions if a.enabled} == {"retry"}
    assert "No trial" in next(a.reason for a in study.actions if a.name == "train_best")
    with pytest.raises(InvalidTransition, match="no best trial"):
        local.studies.train_best(study.id)
    again = local.jobs.retry(study.id)
    assert (again.kind, again.parent_id) == ("study", study.id)
    local.studies.cancel(again.id)
    done(local, again)


@pytest.mark.parametrize("mode", ["nan", "nothing"])
def test_figures_that_are_none_are_failures(local, mode):
    sheet = sheet_of(local, words(30))
    study = done(local, create(local, sheet, n_trials=1, training_config={"mode": mode}))
    trial = local.studies.trials(study.id)[0]
    # What the training did not tell in the end is taken from its curve, where there is one.
    expected = {"nan": ("failed", "The held-out accuracy is not a finite number."), "nothing": ("succeeded", None)}[mode]
    assert (trial.state, trial.reason) == expected
    assert study.status == {"nan": "failed", "nothing": "succeeded"}[mode]
    if mode == "nan":
        assert (study.error_code, study.error_message) == ("NO_TRIAL_SUCCEEDED", "No trial has succeeded: 1 failed.")


def test_a_small_space_ends_when_all_of_it_was_tried(local):
    sheet = sheet_of(local, words(30))
    study = done(local, create(local, sheet, n_trials=9, search_space={"n": {"choices": [7, 8]}}))
    assert (study.status, study.trials_made, study.best_config["n"]) == ("succeeded", 2, 7)
    messages = [e.message for e in local.jobs.events(study.id)]
    assert "Every combination was tried." in messages
    assert any("2 combinations" in m for m in messages)


def test_cancel_ends_all_trials(local):
    cases = sheet_of(local, words(30))
    study = create(local, cases, n_trials=5, parallel=2, training_config={"epochs": 1000, "pause": 0.05})
    until(local, study, lambda found: "running" in states(local, study))
    assert local.studies.cancel(study.id, reason="wrong data").cancel_requested
    found = done(local, study)
    assert (found.status, found.cancel_reason, found.best_trial) == ("cancelled", "wrong data", None)
    assert set(states(local, study)) == {"cancelled"}
    assert local.jobs.list(parent_id=study.id, status="running").total == 0
    with pytest.raises(InvalidTransition):
        local.studies.cancel(study.id)
    with pytest.raises(InvalidTransition):
        local.studies.stop(study.id)


@pytest.mark.parametrize("moment", ["queued", "running"])
def test_a_study_cancelled_while_a_trial_is_thought_out_leaves_none_behind(local, monkeypatch, moment):
    cases = sheet_of(local, words(30))
    work, begin = local.app.training.work, StudyRun._begin

    def cancel(study_id):
        if local.studies.get(study_id).status == moment:
            local.studies.cancel(study_id, reason="wrong data")

    def beginning(run, study):
        cancel(study.id)
        begin(run, study)

    share = work.share
    monkeypatch.setattr(StudyRun, "_begin", beginning)
    monkeypatch.setattr(work, "share", lambda study_id, id: (share(study_id, id), cancel(study_id)))
    study = create(local, cases, n_trials=5, training_config={"epochs": 1000, "pause": 0.05})
    found = done(local, study)
    assert (found.status, found.cancel_reason, found.trials_made) == ("cancelled", "wrong data", 0)
    assert local.app.db.value("select count(*) from jobs where parent_id = ?", [study.id]) == 0
    assert [path.name for path in (local.app.artifacts / "jobs").iterdir()] in ([], [study.id])


def test_stop_keeps_the_best_so_far(local):
    cases = sheet_of(local, words(30))
    config = {"epochs": 40, "pause": 0.02}
    study = create(local, cases, n_trials=50, training_config=config)
    until(local, study, lambda found: found.trials_succeeded and found.trials_made > 1)
    assert local.jobs.stop(study.id).stop_requested
    found = done(local, study)
    assert (found.status, found.trials_cancelled) == ("succeeded", found.trials_made - found.trials_succeeded)
    assert found.best_value == max(t.value for t in local.studies.trials(study.id, state="succeeded"))
    assert found.trials_made < 50


def test_a_study_out_of_time_keeps_the_best_or_fails(local):
    sheet = sheet_of(local, words(30))
    study = create(local, sheet, n_trials=2, training_config={"epochs": 1000, "pause": 0.05}, timeout_seconds=60)
    until(local, study, lambda found: "running" in states(local, study))
    local.clock.advance(seconds=61)
    found = done(local, study)
    assert (found.status, found.error_code, found.trials_cancelled) == ("failed", "TIMEOUT", 1)


def test_a_trial_that_somebody_cancels_does_not_end_the_study(local):
    sheet = sheet_of(local, words(30))
    study = create(local, sheet, n_trials=2, training_config={"epochs": 25, "pause": 0.03})
    until(local, study, lambda found: "running" in states(local, study))
    local.jobs.cancel(local.studies.trials(study.id)[0].id, reason="not this one")
    found = done(local, study)
    assert (found.status, found.best_trial, found.trials_cancelled) == ("succeeded", 2, 1)
    assert local.studies.trials(study.id)[0].reason == "not this one"


def test_the_best_is_trained_again_and_registered(local):
    cases = sheet_of(local, words(30))
    space = {"epochs": {"low": 1, "high": 3}}
    study = local.studies.create(
        cases.id, "colors", "ngrams-tfidf", n_trials=2, search_space=space, training_config={"char_ngrams": 0}
    )
    study = done(local, study)
    assert study.status == "succeeded", study.error_message
    job = ended(local, study.train_best())
    assert (job.status, job.parent_id, job.training_config, job.name) == (
        "succeeded",
        study.id,
        study.best_config,
        "Train colors",
    )
    assert job.metrics.val_accuracy == study.best_value, "the same pairs, split and settings give the same figure"
    model = local.models.get(job.model_version_id)
    assert (model.name, model.status) == ("colors", "development")
    relations = {(e.from_id, e.relation, e.to_id) for e in local.lineage.get("job", job.id).edges}
    assert (job.id, "tuned_by", study.id) in relations
    assert [j.id for j in local.training.list()] == [job.id]
    other = local.studies.train_best(study.id, trial=1, model_name="first")
    assert (other.model_name, other.training_config) == (
        "first",
        local.training.get(local.studies.trials(study.id)[0].id).training_config,
    )
    local.training.cancel(other.id)
    with pytest.raises(NotFound, match="no trial 9"):
        local.studies.train_best(study.id, trial=9)


def test_a_failed_trial_may_be_repeated_as_a_training_of_its_own(local):
    sheet = sheet_of(local, words(30))
    study = done(local, create(local, sheet, n_trials=1, training_config={"mode": "fails"}))
    again = local.training.retry(local.studies.trials(study.id)[0].id)
    assert "trial_of" not in again.spec
    assert [j.id for j in local.training.list()] == [again.id]
    ended(local, again)
    assert local.studies.get(study.id).trials_made == 1


def test_every_faulty_field_is_named_at_once_and_nothing_is_stored(ws, cases):
    with pytest.raises(ValidationError) as refused:
        ws.studies.create(
            cases.id, " ", BASE_MODEL, parallel=9, metric="val_acuracy", train_val_split=1.0, training_config={"epochs": 0},
            search_space={"x": {"low": 0.9, "high": 0.1}, "colour": {}},
        )  # fmt: skip
    fields = {f["field"]: f["message"] for f in refused.value.context["fields"]}
    assert set(fields) == {
        "model_name", "parallel", "metric", "train_val_split", "training_config.epochs", "search_space.x.low", "search_space.colour",
    }  # fmt: skip
    assert "val_accuracy" in fields["metric"]
    for wrong in ({"n_trials": 0}, {"n_trials": 1001}, {"parallel": 0}, {"timeout_seconds": 0}, {"seed": -1}):
        with pytest.raises(ValidationError):
            create(ws, cases, **wrong)
    with pytest.raises(ValidationError):
        ws.studies.create(cases.id, "colors", "nothing", n_trials=1)
    assert ws.jobs.list(trials=True).total == 0


def test_the_checks_of_a_training_job_hold(ws, cases):
    with pytest.raises(NotFound):
        ws.studies.create("assembly_nothing", " ", "nothing", n_trials=3)
    change(ws, cases.id, "status = 'rejected'", "row_index > 4")
    with pytest.raises(NotEligible) as refused:
        create(ws, cases)
    assert refused.value.context["excluded"] == {"rejected": 25}
    ws.training_sheets.archive(cases.id)
    with pytest.raises(NotReady):
        create(ws, cases)
    assert ws.jobs.list(trials=True).total == 0


def test_an_unknown_study_is_not_found(ws, cases):
    job = ws.training.create(cases.id, "colors", BASE_MODEL)
    for ask in (
        ws.studies.get, ws.studies.trials, ws.studies.importance, ws.studies.coordinates, ws.studies.cancel, ws.studies.stop,
        ws.studies.retry, ws.studies.train_best,
    ):  # fmt: skip
        for unknown in ("job_nothing", job.id):
            with pytest.raises(NotFound):
                ask(unknown)
    ended(ws, job)


def test_trials_and_studies_are_listed_in_pages_and_order(local):
    sheet = sheet_of(local, words(30))
    study = done(local, create(local, sheet, n_trials=3, parallel=2))
    values = sorted((t.value for t in local.studies.trials(study.id)), reverse=True)
    page = local.studies.trials(study.id, sort="value", descending=True, page=2, page_size=2)
    assert (page.total, [t.value for t in page]) == (3, values[2:])
    assert "takes 10 trials" in local.studies.importance(study.id).reason
    best = local.studies.coordinates(study.id).lines[-1]
    assert (best.best, best.trial, best.value) == (True, study.best_trial, study.best_value)
    few = done(local, create(local, sheet, n_trials=1, search_space={"n": {"low": 1, "high": 2}}))
    assert [s.id for s in local.studies.list(sort="best_value")] == [study.id, few.id]
    assert local.studies.list(status="succeeded", page_size=1).total == 2
    assert local.studies.list(status="failed").total == 0
    assert [] == list(local.system.doctor())


def test_a_study_is_deleted_with_its_trials_and_a_trial_only_with_it(local):
    study = create(local, sheet_of(local, words(30)), n_trials=2, training_config={"epochs": 1})
    found = done(local, study)
    trial = next(iter(local.studies.trials(study.id)))
    with pytest.raises(InUse, match=f"study {found.name}"):
        local.jobs.delete(trial.id)
    assert local.jobs.delete(study.id).id == study.id
    assert local.jobs.list(trials=True).total == 0
    assert local.studies.list().total == 0
    assert local.system.doctor().total == 0
