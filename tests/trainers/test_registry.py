"""Trainers of other people: ten lines work, a bad one harms nobody."""

import json
import os

import param
import pytest

from tests.trainers.plugins import BAYES, installed
from tests.trainers.test_text_classifier import Recorder
from workbench.errors import ValidationError, WorkbenchError
from workbench.trainers import Config, Inputs, Pair, Place, load_package, offers, trainer, trainers
from workbench.trainers.registry import base_of

HERE = Place()
BROKEN = {
    "no_import": "import a_module_that_nobody_has",
    "raises": "raise RuntimeError('born to fail')",
    "leaves": "raise SystemExit(3)",
    "wrong_class": "class Trainer:\n    name = 'wrong'\n",
    "abstract": "from workbench.trainers import Trainer\nclass Half(Trainer):\n    name = 'half'\n",
    "nameless": BAYES.replace('    name = "naive-bayes"\n', ""),
    "needs": BAYES + "    def requirements(self):\n        raise OSError('no such device')\n",
    "listing": BAYES + "    def offered(self, place):\n        raise KeyError('later')\n",
    "config": BAYES + "    Config = dict\n",
}
CLASSES = {"wrong_class": "Trainer", "abstract": "Half"}
SAID = {
    "no_import": "a_module_that_nobody_has",
    "raises": "born to fail",
    "leaves": "SystemExit",
    "wrong_class": "no subclass",
    "abstract": "abstract",
    "nameless": "no name",
    "needs": "no such device",
    "listing": "later",
    "config": "Config",
}


def pairs(count):
    colors = [("red", "warm"), ("blue", "cold"), ("gray", "neither")]
    return [Pair(f"p{i}", f"case {i} shows {colors[i % 3][0]} paint", colors[i % 3][1]) for i in range(count)]


@pytest.fixture
def bad(tmp_path):
    """Plugins each wrong in a way of its own, and a good one among them."""
    modules = {f"plugin_{name}": source for name, source in BROKEN.items()} | {"plugin_good": BAYES}
    entries = {name: f"plugin_{name}:{CLASSES.get(name, 'NaiveBayes')}" for name in BROKEN} | {"good": "plugin_good:NaiveBayes"}
    with installed(tmp_path / "plugins", modules, entries):
        yield


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_bad_plugin_is_listed_with_the_reason(bad, name):
    (told,) = offers(trainers()[name], HERE)
    assert (told.trainer, told.available) == (name, False)
    assert SAID[name] in told.reason


def test_a_bad_plugin_harms_nobody_else(bad):
    found = {name: offers(worker, HERE) for name, worker in trainers().items()}
    assert all(one.available for name in ("text-classifier", "answer-retriever", "good") for one in found[name])
    assert trainer("good").reference == "good"


def test_ten_lines_train_evaluate_and_are_read_back(tmp_path):
    with installed(tmp_path / "plugins", {"my_bayes": BAYES}):
        assert len([line for line in BAYES.splitlines() if line.strip()]) <= 10
        worker = trainer("my_bayes:NaiveBayes")
        assert base_of(worker, "naive-bayes", HERE).trainer == "my_bayes:NaiveBayes"
        context = Recorder(tmp_path)
        metrics = worker.train(context, Inputs(pairs(60), pairs(12), worker.Config.complete({})[0], "naive-bayes"))
        assert metrics["val_accuracy"] == 1.0
        assert metrics["val_loss"] > 0
        manifest = json.loads((tmp_path / "package" / "manifest.json").read_text())
        assert manifest["trainer"] == "my_bayes:NaiveBayes"
        assert manifest["signature"]["output"]["labels"] == ["cold", "neither", "warm"]
        assert len(json.loads((tmp_path / "predictions.json").read_text())) == 12
        (answer,) = load_package(tmp_path / "package").predict(["a blue wall"])
        assert (answer["value"], answer["confidence"] > 0.5) == ("cold", True)


def test_an_estimator_of_unknown_types_needs_someone_who_vouches(tmp_path):
    source = (
        BAYES.replace("CountVectorizer()", "CountVectorizer(tokenizer=words)") + "\ndef words(text):\n    return text.split()\n"
    )
    with installed(tmp_path / "plugins", {"my_bayes": source}):
        worker = trainer("my_bayes:NaiveBayes")
        config = worker.Config.complete({})[0]
        (tmp_path / "one").mkdir()
        with pytest.raises(WorkbenchError, match="my_bayes.words"):
            worker.train(Recorder(tmp_path / "one"), Inputs(pairs(30), pairs(6), config, "naive-bayes"))
        type(worker).trusted = ("my_bayes.words",)
        (tmp_path / "two").mkdir()
        assert worker.train(Recorder(tmp_path / "two"), Inputs(pairs(30), pairs(6), config, "naive-bayes"))["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("name", "words"),
    [("__main__:Mine", "%%writefile"), ("os:getcwd", "no subclass"), ("nowhere:Mine", "nowhere"), ("x", "known are")],
)
def test_what_is_no_trainer_is_refused_and_not_called(name, words):
    with pytest.raises(ValidationError, match=words):
        trainer(name)


def test_a_trainer_that_was_mended_is_read_anew(tmp_path):
    source = BAYES.replace('    name = "naive-bayes"\n', "")
    with installed(tmp_path / "plugins", {"mended": source}):
        with pytest.raises(ValidationError, match="no name"):
            trainer("mended:NaiveBayes")
        path = tmp_path / "plugins" / "mended.py"
        path.write_text(BAYES)
        os.utime(path, ns=(1, 1))
        assert trainer("mended:NaiveBayes").name == "naive-bayes"


def test_a_setting_may_be_none_where_that_is_a_choice():
    values, faults = trainer("answer-retriever").Config.complete({"abstain_below": None, "top_k": None})
    assert [fault["field"] for fault in faults] == ["training_config.top_k"]
    assert values["abstain_below"] is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("text", None, "takes text"), ("flag", 1, "takes true or false"), ("one", "z", "must be one of x, y"), ("seed", "x", "takes a whole"),
     ("share", True, "takes a number"), ("share", float("nan"), "must be between 0 and 1"), ("sed", 1, "Did you mean 'seed'")],
)  # fmt: skip
def test_a_fault_of_a_setting_is_told_in_words_for_people(name, value, words):
    class Settings(Config):
        text = param.String("", doc="Text.")
        flag = param.Boolean(False, doc="Flag.")
        one = param.Selector(default="x", objects=["x", "y"], doc="One.")
        share = param.Number(0.5, bounds=(0, 1), doc="Share.")

    assert words in Settings.fault(name, value)
