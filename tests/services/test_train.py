"""Training over the wire: checks, split, a real run, lineage, evaluation, comparison."""

import json
import os
import signal
import time

import pytest

from tests.services.approved import change, ended, sample, sheet_of, words
from workbench.errors import InvalidTransition, NotEligible, NotFound, NotReady, ValidationError

# What a child process does is the same whoever asked for it.
TRANSPORTS = ("http",)
FAST = {"epochs": 2, "char_ngrams": 0}


@pytest.fixture
def cases(ws):
    """A training sheet of 90 approved pairs."""
    return sheet_of(ws, words(90))


def create(ws, sheet, name="colors", **more):
    return ws.training.create(sheet.id, name, "ngrams-tfidf", **{"training_config": FAST, **more})


def test_a_job_trains_registers_and_tells_everything(ws, cases):
    job = create(ws, cases, train_val_split=0.7, labels={"team": "paint"})
    assert (job.total_pairs, job.train_pairs, job.val_pairs) == (90, 63, 27)
    assert (job.status, job.training_sheet_name, job.trainer, job.sample) == ("queued", "cases #1", "text-classifier", True)
    assert job.training_config["learning_rate"] == 0.5
    assert job.training_config["seed"] == 42
    done = ended(ws, job)
    assert done.status == "succeeded", done.error_details
    assert (done.current_epoch, done.total_epochs, done.progress_percent) == (2, 2, 100)
    assert done.pid != os.getpid()
    assert done.model_version_id == done.result["model_version_id"]
    figures = ws.training.metrics(job.id)
    assert figures.val_accuracy == done.result["metrics"]["accuracy"] > 0.9
    assert figures.epochs_completed == 2
    assert None not in (
        figures.train_loss,
        figures.val_loss,
        figures.train_accuracy,
        figures.learning_rate,
        figures.tokens_processed,
    )
    model = ws.models.get(done.model_version_id)
    assert (model.name, model.version, model.status, model.sample) == ("colors", "1.0.0", "development", True)
    assert ws.jobs.get(job.id).status == "succeeded"
    assert {m.name for m in ws.jobs.metrics(job.id).metrics} == {
        "train_loss", "val_loss", "train_accuracy", "val_accuracy", "learning_rate",
    }  # fmt: skip
    predictions = ws.app.db.tuples("select count(*), count(*) filter (correct) from job_predictions where job_id = ?", [job.id])
    assert predictions == [(27, round(27 * figures.val_accuracy))]
    with ws.app.db.write():
        ws.app.db.execute("delete from metrics where job_id = ?", [job.id])
    assert ws.training.metrics(job.id).values() == figures.values(), "kept with the job when it ended"


def test_pairs_versions_and_sides_are_frozen_with_the_job(ws, cases):
    change(ws, cases.id, "response = 'cold'", "row_index = 5")
    job = create(ws, cases)
    kept = ws.app.db.tuples(
        "select pair_version, split, count(*) from job_pairs where job_id = ? group by all order by all", [job.id]
    )
    assert sum(count for *_, count in kept) == 90
    assert {side for _, side, _ in kept} == {"train", "val"}
    assert ws.app.db.value("select pair_version from job_pairs where pair_id = ?", [f"{cases.id}.5"]) == 3
    change(ws, cases.id, "response = 'changed later'", "true")
    done = ended(ws, job)
    assert done.status == "succeeded"
    assert "changed later" not in done.result["metrics"]["per_label"]


def test_pairs_barred_from_validation_are_all_learned_from(ws, cases):
    change(ws, cases.id, "prohibited_mask = 2", "row_index < 20")
    job = create(ws, cases, train_val_split=0.1)
    assert (job.train_pairs, job.val_pairs) == (20, 70)
    sides = ws.app.db.tuples(
        "select split, count(*) from job_pairs where pair_id in (select id from pairs where row_index < 20) group by 1"
    )
    assert sides == [("train", 20)]


def test_every_faulty_field_is_named_at_once(ws, cases):
    with pytest.raises(ValidationError) as refused:
        ws.training.create(
            cases.id, " ", "ngrams-tfidv", trainer="text-classifyer", train_val_split=1.0, register_to_uc=True,
            training_config={"epochs": 0},
        )  # fmt: skip
    fields = {f["field"]: f["message"] for f in refused.value.context["fields"]}
    assert set(fields) == {"model_name", "base_model", "trainer", "train_val_split", "uc_catalog", "uc_schema"}
    assert "ngrams-tfidf" in fields["base_model"]
    with pytest.raises(ValidationError) as refused:
        create(ws, cases, train_val_split=0, training_config={"epochs": 0, "learning_rate": 2, "batch_size": "x", "colour": 1})
    fields = {f["field"] for f in refused.value.context["fields"]}
    assert fields == {"train_val_split", *(f"training_config.{n}" for n in ("epochs", "learning_rate", "batch_size", "colour"))}
    with pytest.raises(ValidationError, match="uc_catalog: is kept only with register_to_uc") as refused:
        create(ws, cases, uc_catalog="main", uc_schema="tuned")
    assert [f["field"] for f in refused.value.context["fields"]] == ["uc_catalog", "uc_schema"]
    assert ws.jobs.list().total == 0


def test_an_unknown_training_sheet_comes_first(ws):
    with pytest.raises(NotFound):
        ws.training.create("assembly_nothing", "m", "nothing", train_val_split=7)


def test_a_training_sheet_that_is_not_ready_is_refused(ws, cases):
    ws.training_sheets.archive(cases.id)
    with pytest.raises(NotReady) as refused:
        create(ws, cases)
    assert refused.value.context["status"] == "archived"


def test_too_few_pairs_are_refused_with_the_reasons(ws):
    sheet = sheet_of(ws, words(30), approve=15)
    change(ws, sheet.id, "stale = true", "row_index < 4")
    change(ws, sheet.id, "prohibited_mask = 1", "row_index between 4 and 6")
    change(ws, sheet.id, "status = 'rejected'", "row_index >= 25")
    with pytest.raises(NotEligible) as refused:
        create(ws, sheet)
    assert refused.value.context["excluded"] == {"unlabeled": 10, "rejected": 5, "stale": 4, "prohibited": 3}
    assert refused.value.context["eligible"] == 8
    told = ws.training.estimate(sheet.id, "ngrams-tfidf")
    assert not told.ready
    assert told.recommendations[0].level == "blocking"


def test_short_responses_warn(ws, cases):
    change(ws, cases.id, "response = 'x'", "row_index = 1")
    job = create(ws, cases)
    assert any("fewer than 2 characters" in e.message for e in ws.training.events(job.id))


def test_one_response_or_one_prompt_cannot_be_trained_on(ws):
    same = [{"id": f"i{n}", "text": f"case {n}", "label": "same"} for n in range(20)]
    with pytest.raises(NotEligible, match="the same"):
        create(ws, sheet_of(ws, same, name="one response"))
    alike = [{"id": f"i{n}", "text": "case", "label": "ab"[n % 2] * 3} for n in range(20)]
    with pytest.raises(NotEligible, match="same prompt"):
        create(ws, sheet_of(ws, alike, name="one prompt"))


def test_lists_and_paths_agree(ws, cases):
    job = create(ws, cases)
    assert [j.id for j in ws.training.list(training_sheet_id=cases.id)] == [job.id]
    assert ws.training.list(training_sheet_id="other").total == 0
    ended(ws, job)
    assert ws.training.active().total == 0
    assert ws.training.list(status="succeeded").total == 1
    before = ws.training.get(job.id)
    assert ws.training.poll(job.id).version == before.version
    assert ws.training.events(job.id).total == ws.jobs.events(job.id).total


def test_cancel_and_retry_with_other_settings(ws, cases):
    ws.app.engine.limits = type(ws.app.engine.limits)(total=0)
    job = create(ws, cases)
    assert ws.training.cancel(job.id, reason="oops").status == "cancelled"
    with pytest.raises(InvalidTransition):
        ws.training.cancel(job.id)
    again = ws.training.retry(job.id, training_config={"epochs": 3})
    assert (again.parent_id, again.total_epochs, again.training_config["char_ngrams"]) == (job.id, 3, 0)
    assert ws.jobs.get(job.id).status == "cancelled"
    other = ws.training.get(ws.jobs.retry(job.id, training_config={"epochs": 4}).id)
    assert (other.parent_id, other.total_epochs) == (job.id, 4)
    run = ws.jobs.start_external("elsewhere")
    ws.jobs.cancel(run.id)
    with pytest.raises(ValidationError, match="is for trainings"):
        ws.jobs.retry(run.id, training_config={"epochs": 4})


def test_a_limit_of_time_is_given_kept_and_raised(ws, cases):
    ws.app.engine.limits = type(ws.app.engine.limits)(total=0)
    job = create(ws, cases, timeout_seconds=60)
    ws.training.cancel(job.id)
    kept, raised = ws.training.retry(job.id), ws.jobs.retry(job.id, timeout_seconds=120)
    assert (job.timeout_seconds, kept.timeout_seconds, raised.timeout_seconds) == (60, 60, 120)
    with pytest.raises(ValidationError, match="timeout_seconds"):
        create(ws, cases, timeout_seconds=0)


def test_a_running_training_is_cancelled_or_stopped(ws):
    sheet = sheet_of(ws, sample(1500))
    config = {"epochs": 50, "batch_size": 4}
    first = create(ws, sheet, training_config=config)
    wait_for_points(ws, first)
    ws.training.cancel(first.id)
    assert ended(ws, first).status == "cancelled"
    assert ws.app.db.value("select count(*) from models") == 0
    second = create(ws, sheet, training_config=config)
    wait_for_points(ws, second, "val_loss")
    ws.training.stop(second.id)
    stopped = ended(ws, second)
    assert stopped.status == "succeeded"
    assert stopped.current_epoch < 50
    assert stopped.model_version_id


def wait_for_points(ws, job, name="train_loss"):
    deadline = time.monotonic() + 60
    while not ws.app.db.value("select count(*) from metrics where job_id = ? and name = ?", [job.id, name]):
        assert time.monotonic() < deadline, ws.training.get(job.id).error_message
        time.sleep(0.05)


def test_a_killed_training_is_a_failed_job(local):
    sheet = sheet_of(local, sample(1500))
    job = create(local, sheet, training_config={"epochs": 50})
    wait_for_points(local, job)
    os.kill(local.training.get(job.id).pid, signal.SIGKILL)
    failed = ended(local, job)
    assert (failed.status, failed.error_code) == ("failed", "PROCESS_KILLED")
    assert failed.model_version_id is None


def test_the_estimate_tells_what_a_job_would_use(ws, cases):
    told = ws.training.estimate(cases.id, "ngrams-tfidf", train_val_split=0.7)
    assert (told.total_pairs, told.train_pairs, told.val_pairs, told.classes, told.ready) == (90, 63, 27, 3, True)
    assert told.seconds > 0
    assert told.memory_bytes > 0
    slow = ws.training.estimate(cases.id, "ngrams-tfidf", training_config={"learning_rate": 0.001})
    assert any(r.field == "training_config.learning_rate" and r.reason for r in slow.recommendations)


def test_base_models_name_their_trainer_and_settings(ws):
    found = {m.name: m for m in ws.training.base_models()}
    assert {m.trainer for m in found.values()} >= {"text-classifier", "answer-retriever"}
    assert [m.name for m in found.values() if m.recommended] == ["ngrams-tfidf"]
    assert {"epochs", "learning_rate", "seed"} <= {c["name"] for c in found["ngrams-tfidf"].config}


def test_lineage_goes_from_the_sheet_to_the_model(ws, cases):
    job = ended(ws, create(ws, cases))
    graph = ws.training.lineage(job.id)
    kinds = {n.kind for n in graph.nodes}
    assert {"sheet", "training_sheet", "job", "model"} <= kinds
    ids = {n.id for n in graph.nodes}
    assert all({e.from_id, e.to_id} <= ids for e in graph.edges)
    assert (graph.pairs["train"], graph.pairs["val"]) == (72, 18)
    assert graph.pairs["href"]


def test_evaluation_on_held_out_and_on_other_pairs(ws, cases):
    job = create(ws, cases)
    with pytest.raises(InvalidTransition):
        ws.training.evaluate(job.id)
    job = ended(ws, job)
    held_out = ended(ws, ws.training.evaluate(job.id))
    assert held_out.status == "succeeded", held_out.error_details
    assert (held_out.kind, held_out.parent_id) == ("evaluate", job.id)
    assert held_out.result["metrics"]["accuracy"] == job.result["metrics"]["accuracy"]
    other = sheet_of(ws, words(40), approve=30, name="others")
    told = ended(ws, ws.training.evaluate(job.id, training_sheet_id=other.id))
    assert told.result["metrics"]["pairs"] == 30
    assert ws.app.db.value("select count(*) from job_predictions where job_id = ?", [told.id]) == 30
    worst = ws.review.queue(told.result["training_sheet_id"], status="all", order="training_loss", descending=True, limit=30)
    losses = [pair.quality["training_loss"] for pair in worst]
    assert losses == sorted(losses, reverse=True)
    ws.review.bulk_rights(other.id, filter={"status": "labeled"}, prohibited_uses=["evaluation"])
    with pytest.raises(NotEligible, match="30 prohibited, 10 unlabeled") as barred:
        ws.training.evaluate(job.id, training_sheet_id=other.id)
    assert barred.value.context["excluded"] == {"prohibited": 30, "unlabeled": 10}
    edges = {(edge.relation, edge.to_id) for edge in ws.lineage.get("job", told.id).edges if edge.from_id == told.id}
    assert {("evaluates", job.id), ("evaluates", job.model_version_id), ("evaluated_on", other.id)} <= edges
    assert "retry_of" not in {relation for relation, _ in edges}


def test_predictions_are_listed_and_lead_to_the_review(ws, cases):
    job = ended(ws, create(ws, cases))
    page = ws.training.predictions(job.id, page_size=5)
    losses = [one.loss for one in page]
    assert (page.total, losses) == (job.val_pairs, sorted(losses, reverse=True))
    worst = page[0]
    pair = ws.review.queue(cases.id, status="all", limit=1000)
    text = {f"{cases.id}.{one.row_index}": one for one in pair}[worst.pair_id]
    assert (worst.prompt, worst.truth, worst.split, worst.changed) == (text.prompt, text.response, "val", False)
    assert worst.href == f"/label?pair={worst.pair_id}"
    told = ws.training.confusions(job.id)
    assert (told.total, told.correct + told.wrong) == (job.val_pairs, job.val_pairs)
    assert ws.training.predictions(job.id, wrong=True).total == told.wrong == sum(one.count for one in told.confusions)
    assert told.review[0]["training_sheet_id"] == cases.id
    assert "order=training_loss" in told.review[0]["href"]
    learned = ended(ws, ws.training.evaluate(job.id, side="train"))
    assert (learned.result["metrics"]["pairs"], learned.result["side"]) == (job.train_pairs, "train")
    assert learned.result["metrics"]["loss"] > 0
    assert {one.split for one in ws.training.predictions(learned.id)} == {"train"}
    told = ws.sql("select pair_id from learned_from where model_id = ? and split = 'train'", [job.model_version_id])
    assert len(told) == job.train_pairs
    asked = (
        "select distinct model_id from learned_from where sheet_id = ? and item_ref = (select item_ref from learned_from limit 1)"
    )
    assert list(ws.sql(asked, [cases.sheet_id])["model_id"]) == [job.model_version_id]
    with pytest.raises(NotFound):
        ws.training.predictions("job_nothing")


def test_comparison_names_differences_and_the_better_ones(ws, cases):
    one = ended(ws, create(ws, cases))
    two = ended(ws, create(ws, cases, training_config={**FAST, "epochs": 5}))
    told = ws.training.compare(f"{one.id},{two.id}")
    assert [j.id for j in told.jobs] == [one.id, two.id]
    assert {d.name: d.values for d in told.config}["epochs"] == {one.id: 2, two.id: 5}
    figures = {m.name: m for m in told.metrics}
    assert (figures["val_loss"].direction, figures["accuracy"].direction) == ("lower", "higher")
    assert figures["val_loss"].best == (two.id,)
    assert set(told.curves["train_loss"]) == {one.id, two.id}


def test_an_unknown_training_job_is_not_found(ws):
    for ask in (
        ws.training.get,
        ws.training.poll,
        ws.training.cancel,
        ws.training.retry,
        ws.training.metrics,
        ws.training.lineage,
    ):
        with pytest.raises(NotFound):
            ask("job_nothing")


def test_the_frozen_template_travels_with_the_package(local):
    sheet = sheet_of(local, words(30))
    job = ended(local, create(local, sheet))
    model = local.models.get(job.model_version_id)
    manifest = json.loads((local.app.models.package(model) / "manifest.json").read_text())
    assert manifest["template"]["prompt_template"] == "{{text}}"
    assert manifest["lineage"]["training_sheet_id"] == sheet.id
    assert manifest["signature"]["inputs"] == [{"name": "text", "type": "text"}]
    assert manifest["signature"]["output"]["labels"] == ["cold", "neither", "warm"]
