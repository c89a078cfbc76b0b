"""Fine-tuning at a provider, against a service of our own over real HTTP: trouble, failure, stop, cancel, going on."""

import json

import pytest

from tests.providers.tuning_server import KEY, Plan, Trouble, tuning_server
from tests.trainers.recorder import Cancelled, Recorder
from workbench.domain.providers import ProviderConfig
from workbench.errors import NotReady, ProviderError
from workbench.trainers import Inputs, Pair, Place, base_of, load_package, offers, trainer
from workbench.trainers.protocol import Size

BASE = "databricks-meta-llama-3-1-8b-instruct"
VARIABLE = "TUNING_TEST_KEY"
HOSTED = trainer("openai-fine-tuning")
HTML = Trouble(status=200, raw=b"<html>maintenance</html>", content_type="text/html")


def pairs(count, start=0):
    colors = [("red", "warm"), ("blue", "cold"), ("gray", "neither")]
    return [Pair(f"p{i}", f"case {i} shows {colors[i % 3][0]} paint", colors[i % 3][1]) for i in range(start, start + count)]


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)


def place(url, **more):
    facts = {"name": "databricks", "base_url": url, "key_variable": VARIABLE, "status": "ready", "timeout_seconds": 5.0}
    return Place(providers=(ProviderConfig(**facts | more),))


def inputs(url, **config):
    values, faults = HOSTED.Config.complete(config)
    assert not faults
    facts = {"lineage": {"job_id": "job_7"}, "model_name": "Paint colors", "template": {"system_instruction": "One word."}}
    given = HOSTED.given(values, BASE, place(url))
    return Inputs(pairs(30), pairs(6, start=30), values, BASE, facts=facts, given=given)


def test_it_uploads_follows_evaluates_and_leaves_a_package_that_asks(tmp_path):
    with tuning_server(Plan(steps=6)) as service:
        context = Recorder(tmp_path)
        metrics = HOSTED.train(context, inputs(service.url, epochs=3, learning_rate=2e-4, batch_size=4, price=0.002))
        (job,) = service.jobs.values()
        wanted = job["wanted"]
        assert wanted["hyperparameters"] == {"n_epochs": 3, "learning_rate_multiplier": 2.0, "batch_size": 4}
        assert (wanted["seed"], wanted["suffix"], wanted["metadata"]) == (42, "paint-colors", {"workbench_job": "job_7"})
        assert [m["role"] for m in service.lines("train")[0]["messages"]] == ["system", "user", "assistant"]
        assert (len(service.lines("train")), len(service.lines("validation"))) == (30, 6)
        assert context.facts == {"fmapi_job_id": job["id"]}
        assert context.curve("train_loss") == [2.0 / n for n in range(1, 7)]
        assert [(s, e) for name, _, s, e in context.points if name == "train_loss"] == list(enumerate([1, 1, 2, 2, 3, 3], 1))
        assert context.curve("val_loss") == [2.5 / n for n in (2, 4, 6)]
        assert context.steps[-1][:2] == (6, 6)
        assert "Created fine-tuning job" in context.words()
        assert (metrics["val_accuracy"], metrics["tokens_processed"], metrics["cost_usd"]) == (1.0, 12_000, 0.024)
        assert metrics["val_loss"] == 2.5 / 6
        assert all(one["deleted"] for one in service.files.values())
        model = load_package(tmp_path / "package")
        before = len(service.asked)
        assert [a["value"] for a in model.predict(["a blue wall", "a red wall"])] == ["cold", "warm"]
        said = service.asked[before]
        assert said["model"] == job["fine_tuned_model"]
        assert said["messages"][0] == {"role": "system", "content": "One word."}
        assert (said["temperature"], service.keys) == (0.0, {KEY})
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_trouble_that_passes_is_waited_out_and_nothing_happens_twice(tmp_path):
    trouble = {
        "POST /files": [Trouble(429, {"retry-after": "0.1"}), Trouble(500, after=True)],
        "POST /fine_tuning/jobs": [Trouble(502), Trouble(500, after=True)],
        "GET /fine_tuning/jobs/[^/]+": [HTML, Trouble(503, {"retry-after": "0"})],
        "GET /fine_tuning/jobs/[^/]+/events": [Trouble(200, raw=b'{"data": [{"id": ')],
    }
    with tuning_server(Plan(steps=2), trouble) as service:
        metrics = HOSTED.train(Recorder(tmp_path), inputs(service.url))
        assert metrics["val_accuracy"] == 1.0
        assert (len(service.jobs), len(service.files)) == (1, 2)
        assert service.count("POST", "/files") == 3
        assert service.count("POST", "/fine_tuning/jobs") == 2


def test_what_a_service_does_not_know_is_left_out(tmp_path):
    unknown = [Trouble(400, message="unknown parameter: metadata"), Trouble(422, message="hyperparameters went: use method")]
    with tuning_server(Plan(steps=1), {"POST /fine_tuning/jobs": unknown}) as service:
        HOSTED.train(Recorder(tmp_path), inputs(service.url))
        (job,) = service.jobs.values()
        assert "metadata" not in job["wanted"]
        assert job["wanted"]["method"]["supervised"]["hyperparameters"]["n_epochs"] == 3


@pytest.mark.parametrize(
    ("plan", "trouble", "words"),
    [
        (Plan(steps=1, end="failed", error="too few tokens"), {}, "too few tokens"),
        (Plan(steps=1, end="cancelled"), {}, "was cancelled at databricks"),
        (Plan(steps=1, names_model=False), {}, "without naming a model"),
        (Plan(), {"POST /files": [Trouble(401)]}, VARIABLE),
        (Plan(), {"POST /fine_tuning/jobs": [Trouble(404, message="no such model")]}, "no such model"),
        (Plan(), {"POST /files": [Trouble(200, raw=b"{}")]}, "without the id of the file"),
    ],
    ids=["failed", "cancelled there", "no model", "denied", "no model of that name", "no file id"],
)
def test_the_reason_of_a_failure_is_told_without_the_key(tmp_path, plan, trouble, words):
    with tuning_server(plan, trouble) as service:
        with pytest.raises(ProviderError) as failed:
            HOSTED.train(Recorder(tmp_path), inputs(service.url))
    assert words in str(failed.value)
    assert KEY not in str(failed.value)


def test_a_cancel_cancels_there_and_makes_sure_of_it(tmp_path):
    with tuning_server(Plan(hold=True)) as service:
        context = Recorder(tmp_path, cancel_when=lambda told: len(told.curve("train_loss")) >= 2)
        with pytest.raises(Cancelled):
            HOSTED.train(context, inputs(service.url))
        (job,) = service.jobs.values()
        assert job["status"] == "cancelled"
        assert f"says of the job {job['id']}: cancelled" in context.words()
        assert all(one["deleted"] for one in service.files.values())


def test_a_cancel_while_the_job_is_being_started_finds_it(tmp_path):
    with tuning_server(Plan(hold=True, delay=0.2)) as service:
        starting = lambda told: service.count("POST", "/fine_tuning/jobs") == 1  # noqa: E731
        context = Recorder(tmp_path, cancel_when=starting)
        with pytest.raises(Cancelled):
            HOSTED.train(context, inputs(service.url))
        assert [job["status"] for job in service.jobs.values()] == ["cancelled"]


def test_a_cancel_that_cannot_be_made_sure_of_is_an_error_in_the_events(tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.trainers.remote_course.WITHDRAW_SECONDS", 0.5)
    with tuning_server(Plan(hold=True), {"POST /fine_tuning/jobs/.*/cancel": [Trouble(500, times=99)]}) as service:
        context = Recorder(tmp_path, cancel_when=lambda told: len(told.curve("train_loss")) >= 1)
        with pytest.raises(Cancelled):
            HOSTED.train(context, inputs(service.url))
    assert "End it there" in context.words("error")


def test_a_stop_keeps_the_last_checkpoint_or_goes_on_until_there_is_one(tmp_path):
    with tuning_server(Plan(steps=50, checkpoints=True)) as service:
        context = Recorder(tmp_path, stop_when=lambda told: True)
        metrics = HOSTED.train(context, inputs(service.url))
        (job,) = service.jobs.values()
        assert job["status"] == "cancelled"
        assert metrics["epochs_completed"] is None
        told = json.loads((tmp_path / "package" / "remote.json").read_text())
        assert ":ckpt-step-" in told["model"]
    assert "has no checkpoint yet" in context.words("warning")


def test_another_attempt_goes_on_with_the_same_job(tmp_path):
    class Killed(BaseException):
        pass

    def die(told):
        if len(told.curve("train_loss")) >= 2:
            raise Killed
        return False

    with tuning_server(Plan(steps=4)) as service:
        first = Recorder(tmp_path / "one", stop_when=die)
        with pytest.raises(Killed):
            HOSTED.train(first, inputs(service.url))
        second = Recorder(tmp_path / "two", earlier=first.folder)
        HOSTED.train(second, inputs(service.url))
        assert (len(service.jobs), service.count("POST", "/files")) == (1, 2)
        assert second.facts == first.facts
        steps = {s for name, _, s, _ in first.points + second.points if name == "train_loss"}
        assert steps == {1, 2, 3, 4}


def test_an_attempt_that_died_before_it_heard_of_its_job_finds_it(tmp_path):
    with tuning_server(Plan(steps=2), {"POST /fine_tuning/jobs": [Trouble(401, after=True)]}) as service:
        first = Recorder(tmp_path / "one")
        with pytest.raises(ProviderError):
            HOSTED.train(first, inputs(service.url))
        HOSTED.train(Recorder(tmp_path / "two", earlier=first.folder), inputs(service.url))
        assert len(service.jobs) == 1


def test_a_model_that_cannot_be_asked_is_kept_all_the_same(tmp_path):
    with tuning_server(Plan(steps=1), {"POST /chat/completions": [Trouble(404, times=9)]}) as service:
        context = Recorder(tmp_path)
        metrics = HOSTED.train(context, inputs(service.url))
    assert "val_accuracy" not in metrics
    assert "could not be asked" in context.words("warning")
    assert (tmp_path / "package" / "manifest.json").exists()


def test_base_models_are_those_that_configured_providers_serve():
    bare = {one.name: one for one in offers(HOSTED, Place())}
    assert not any(one.available for one in bare.values())
    assert "Databricks" in bare[BASE].reason
    assert "OpenAI" in bare["gpt-4o-mini"].reason
    ours = place("https://adb-1.azuredatabricks.net/serving-endpoints", name="lake", price_in=0.001)
    told = {one.name: one for one in offers(HOSTED, ours)}
    assert (told[BASE].available, told[BASE].price, told["gpt-4o-mini"].available) == (True, 0.001, False)
    own = {one.name: one for one in offers(HOSTED, place("http://10.0.0.7:9000/v1", name="lab", model="lab-7b"))}
    assert own["lab-7b"].available
    ollama = offers(HOSTED, place("http://localhost:11434/v1", name="here", model="llama3"))
    assert "llama3" not in {one.name for one in ollama}
    lacking = base_of(HOSTED, BASE, place("http://x/v1", status="incomplete", reason="The environment variable A is not set."))
    assert "A is not set" in lacking.reason
    with pytest.raises(NotReady):
        HOSTED.given(HOSTED.Config.complete({})[0], BASE, Place())


def test_bounds_estimate_and_advice():
    _, faults = HOSTED.Config.complete({"epochs": 11, "learning_rate": 0.02, "batch_size": 0, "price": -1})
    assert {f["field"] for f in faults} == {f"training_config.{n}" for n in ("epochs", "learning_rate", "batch_size", "price")}
    config = HOSTED.Config.complete({"learning_rate": 1e-2})[0]
    assert HOSTED.faults({**config, "provider": "openai"}, BASE, place("http://x/v1"))[0]["field"] == "training_config.provider"
    assert not HOSTED.faults({**config, "provider": "Databricks"}, BASE, place("http://x/v1"))
    size = Size(20, 4000, classes=2, largest_class=15, response_characters=400)
    told = HOSTED.estimate(config, size, base_model=BASE, threads=1, given={"price": 0.01})
    assert (told["tokens"], told["cost"]) == (3 * (1100 + 160), 0.0378)
    assert HOSTED.estimate(config, size, base_model=BASE, threads=1, given={})["cost"] is None
    advice = {one.message: one for one in HOSTED.advise(config, size)}
    assert set(advice) == {"Label more pairs.", "Label more pairs of the rarer responses.", "Lower the learning rate."}
    assert all(one.reason for one in advice.values())
