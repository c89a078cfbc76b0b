"""The text classifier on real data: as good as it claims, repeatable, safe to load."""

import csv
import json
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import ValidationError, WorkbenchError
from workbench.trainers import Inputs, Pair, load_package, trainer, trainer_of, trainers
from workbench.trainers.protocol import Size

DATA = Path(__file__).parents[2] / "datasets" / "stdlib_functions.csv"


class Recorder:
    """A job context that only listens."""

    def __init__(self, folder, stop_after=None):
        self.folder = folder
        self.threads = 1
        self.points = []
        self.words = []
        self.stop_after = stop_after

    def progress(self, done, total=None, message="", *, step=""):
        self.words.append((done, total, step))

    def metric(self, name, value, step, epoch=None):
        self.points.append((name, value, step, epoch))

    def log(self, message, *, level="info", **data):
        self.words.append(message)

    def should_stop(self):
        return self.stop_after is not None and len(self.points) >= self.stop_after

    def check(self):
        pass

    def resumed(self, name):
        return None

    @contextmanager
    def checkpoint(self, name):
        yield self.folder / name

    def curve(self, name):
        return [value for found, value, *_ in self.points if found == name]


@pytest.fixture(scope="module")
def sides():
    """The sample data, shuffled and split 80/20."""
    with DATA.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    order = np.random.default_rng(7).permutation(len(rows))
    pairs = [Pair(str(i), f"Which module offers this?\n\n{rows[i]['summary']}", rows[i]["module"]) for i in order]
    cut = int(0.8 * len(pairs))
    return pairs[:cut], pairs[cut:]


def trained(folder, sides, base_model="ngrams-tfidf", stop_after=None, **config):
    folder.mkdir(exist_ok=True)
    values, faults = trainer("text-classifier").Config.complete(config)
    assert not faults
    context = Recorder(folder, stop_after)
    metrics = trainer("text-classifier").train(context, Inputs(sides[0], sides[1], values, base_model))
    return context, metrics


@pytest.fixture(scope="module")
def default(tmp_path_factory, sides):
    """A training with the defaults, and the seconds of work it took; others at work here do not count."""
    folder = tmp_path_factory.mktemp("default")
    begun = time.thread_time()
    context, metrics = trained(folder, sides)
    return context, metrics, time.thread_time() - begun


@pytest.mark.slow
def test_defaults_are_within_two_points_of_logistic_regression(default, sides):
    from sklearn.linear_model import LogisticRegression

    from workbench.trainers.ngrams import Ngrams

    ngrams = Ngrams()
    rows = ngrams.fit([p.prompt for p in sides[0]])
    other = LogisticRegression(C=10.0, max_iter=300).fit(rows, [p.response for p in sides[0]])
    reference = other.score(ngrams.rows([p.prompt for p in sides[1]]), [p.response for p in sides[1]])
    assert default[1]["accuracy"] >= reference - 0.02
    assert default[1]["accuracy"] > default[1]["trivial_accuracy"] + 0.3


def test_curves_have_a_point_per_mini_batch_and_per_epoch(default, sides):
    context, metrics, _ = default
    batches = -(-len(sides[0]) // 2)
    assert len(context.curve("train_loss")) == metrics["steps"] == 10 * batches
    for name in ("val_loss", "val_accuracy", "train_accuracy", "learning_rate"):
        assert len(context.curve(name)) == 10
    assert context.curve("val_loss")[-1] < context.curve("val_loss")[0]
    assert metrics["epochs_completed"] == 10
    assert metrics["tokens_processed"] == 10 * sum(len(p.prompt.split()) for p in sides[0])


def test_the_package_says_everything_and_answers_alike(default, sides):
    context, metrics, _ = default
    folder = context.folder / "package"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["files"]) == {"features.json", "idf.npz", "weights.npz"}
    assert {"format_version", "trainer", "base_model", "signature", "template", "metrics", "input_example"} <= set(manifest)
    assert {"environment", "lineage", "content_hash"} <= set(manifest)
    model = load_package(folder)
    answers = model.predict([p.prompt for p in sides[1]])
    accuracy = np.mean([a["value"] == p.response for a, p in zip(answers, sides[1], strict=True)])
    assert accuracy == pytest.approx(metrics["accuracy"], abs=1e-12)
    assert np.mean([a["confidence"] for a in answers]) == pytest.approx(metrics["mean_confidence"], abs=1e-9)
    alone = model.predict([sides[1][0].prompt])[0]
    assert alone["value"] == answers[0]["value"]
    assert alone["confidence"] == pytest.approx(answers[0]["confidence"], abs=1e-9)


def test_strange_inputs_are_answered_or_refused(default):
    model = load_package(default[0].folder / "package")
    assert model.predict([]) == []
    for text in ("", "   ", "qxvzj", "你好 \x00", "word " * 20_000):
        assert 0 <= model.predict([text])[0]["confidence"] <= 1
    with pytest.raises(ValidationError):
        model.predict(["fine", None])


def test_a_changed_file_is_refused(default, tmp_path):
    import shutil

    folder = tmp_path / "package"
    shutil.copytree(default[0].folder / "package", folder)
    (folder / "idf.npz").write_bytes(b"not what was written")
    with pytest.raises(WorkbenchError, match=r"idf\.npz"):
        load_package(folder)


@pytest.fixture
def few(sides):
    """A small part of the data."""
    return sides[0][:300], sides[1][:100]


@pytest.mark.parametrize("base_model", ["ngrams-tfidf", "ngrams-hashed"])
def test_the_same_seed_gives_the_same_model(tmp_path, few, base_model):
    found = []
    for name in ("one", "two"):
        trained(tmp_path / name, few, base_model, epochs=2)
        found.append(json.loads((tmp_path / name / "package" / "manifest.json").read_text())["files"])
    assert found[0] == found[1]
    trained(tmp_path / "three", few, base_model, epochs=2, seed=1)
    other = json.loads((tmp_path / "three" / "package" / "manifest.json").read_text())["files"]
    assert other["weights.npz"] != found[0]["weights.npz"]


def test_stop_keeps_the_best_so_far(tmp_path, few):
    context, metrics = trained(tmp_path / "stopped", few, stop_after=60, epochs=50)
    assert metrics["steps"] < 70
    assert metrics["accuracy"] > 0
    assert load_package(context.folder / "package").predict(["a widget"])[0]["value"]


def test_a_response_never_learned_counts_as_an_error(tmp_path, few):
    train = [p for p in few[0] if p.response != "tkinter"]
    _, metrics = trained(tmp_path / "unseen", (train, few[1]), epochs=1)
    assert metrics["unseen_responses"] == sum(p.response == "tkinter" for p in few[1])
    assert metrics["accuracy"] < 1


def test_one_response_cannot_be_learned(tmp_path):
    pairs = [Pair(str(i), f"text {i}", "same") for i in range(20)]
    with pytest.raises(ValidationError, match="same response"):
        trained(tmp_path / "one", (pairs[:15], pairs[15:]))


def test_all_faulty_settings_are_named_at_once():
    given = {
        "epochs": 51,
        "learning_rate": 2.0,
        "batch_size": "16",
        "seed": -1,
        "char_ngrams": 1.5,
        "colour": "red",
        "word_ngrams": True,
    }
    _, faults = trainer("text-classifier").Config.complete(given)
    assert {f["field"] for f in faults} == {f"training_config.{name}" for name in given}
    assert all(f["message"] for f in faults)


def test_bounds_and_defaults():
    fields = {f["name"]: f for f in trainer("text-classifier").Config.fields()}
    assert (fields["epochs"]["default"], fields["epochs"]["bounds"]) == (10, [1, 50])
    assert (fields["learning_rate"]["default"], fields["learning_rate"]["bounds"]) == (0.5, [1e-5, 1.0])
    assert fields["seed"]["default"] == 42
    assert all(f["doc"] for f in fields.values())


def test_trainers_are_found_by_name_and_base_model():
    assert "text-classifier" in trainers()
    assert trainer_of("ngrams-tfidf").name == "text-classifier"
    assert trainer_of("nothing") is None
    with pytest.raises(ValidationError):
        trainer("nothing")


def test_advice_names_what_is_wrong():
    classifier = trainer("text-classifier")
    config, _ = classifier.Config.complete({"learning_rate": 0.001})
    levels = {r.level for r in classifier.advise(config, Size(pairs=100, characters=1000, classes=1, largest_class=100))}
    assert "blocking" in levels
    fine, _ = classifier.Config.complete({})
    assert classifier.advise(fine, Size(pairs=1000, characters=1000, classes=5, largest_class=300)) == []


def test_the_estimate_is_of_the_right_order(default, sides):
    classifier = trainer("text-classifier")
    config, _ = classifier.Config.complete({})
    size = Size(len(sides[0]), sum(len(p.prompt) for p in sides[0]), 24, 500)
    told = classifier.estimate(config, size, base_model="ngrams-tfidf", threads=1, given={})
    assert told["seconds"] / 4 < default[2] < told["seconds"] * 4
