"""Trainers of other people in a workspace: named by module and class, trained, served; who may name one."""

import pytest

from tests.services.approved import ended, sheet_of, words
from tests.trainers.plugins import BAYES, installed
from workbench.config import Settings
from workbench.errors import NotReady, ValidationError
from workbench.testing import TRANSPORTS, frozen

MINE = "my_bayes:NaiveBayes"


@pytest.fixture
def plugin(tmp_path):
    with installed(tmp_path / "plugins", {"my_bayes": BAYES, "broken": "raise RuntimeError('born to fail')"}):
        yield


def create(ws, sheet, trainer=MINE, base_model="naive-bayes", **more):
    return ws.training.create(sheet.id, "colors", base_model, trainer=trainer, **more)


@pytest.mark.slow
def test_a_class_in_a_module_trains_in_a_process_and_answers(local, plugin):
    sheet = sheet_of(local, words(90))
    told = local.training.estimate(sheet.id, "naive-bayes", trainer=MINE)
    assert told.ready
    job = ended(local, create(local, sheet))
    assert job.status == "succeeded", job.error_details
    assert (job.trainer, job.metrics.val_accuracy) == (MINE, 1.0)
    version = local.models.get(job.model_version_id)
    assert (version.trainer, version.framework) == (MINE, "scikit-learn")
    local.models.promote(version.id)
    local.models.deploy(version.id, force=True, reason="a test")
    (answer,) = local.endpoints.invocations("colors", inputs=["a blue wall"]).predictions
    assert answer.value == "cold"
    evaluated = ended(local, local.training.evaluate(job.id))
    assert evaluated.result["metrics"]["accuracy"] == 1.0


PLAIN = """
from workbench.trainers import Trainer

class Plain(Trainer):
    name = "plain"
    def train(self, context, inputs):
        folder = context.folder / "package"
        if inputs.train[0].prompt:
            folder.mkdir()
            (folder / "answer.txt").write_text("warm")
        return {"val_accuracy": 0.5}
    def load(self, folder):
        self.answer = (folder / "answer.txt").read_text()
        return self
    def predict(self, texts):
        return [{"value": self.answer, "confidence": None} for text in texts]

class Empty(Plain):
    name = "empty"
    def train(self, context, inputs):
        return {"val_accuracy": 0.5}

class Wordy(Plain):
    name = "wordy"
    def train(self, context, inputs):
        return {"val_accuracy": "high"}

class Silent(Plain):
    name = "silent"
    def train(self, context, inputs):
        return None
"""


def test_files_a_trainer_leaves_become_a_package_and_what_is_missing_is_named(local, tmp_path):
    sheet = sheet_of(local, words(30))
    with installed(tmp_path / "more", {"more": PLAIN}):
        started = {name: create(local, sheet, f"more:{name}", name.lower()) for name in ("Plain", "Empty", "Wordy", "Silent")}
        found = {name: ended(local, job) for name, job in started.items()}
        assert found["Plain"].status == "succeeded", found["Plain"].error_message
        assert ended(local, local.training.evaluate(found["Plain"].id)).status == "succeeded"
    told = {name: job.error_message for name, job in found.items()}
    assert "The trainer empty left no model" in told["Empty"]
    assert "returned 'high' as val_accuracy; a figure is a number" in told["Wordy"]
    assert "returned a NoneType; train() returns its figures as a dict" in told["Silent"]


def test_every_fault_of_a_named_trainer_is_told(local, plugin):
    sheet = sheet_of(local, words(30))
    with pytest.raises(ValidationError) as refused:
        create(local, sheet, training_config={"seed": -1, "epochs": 3}, base_model="naive-bayse")
    fields = {f["field"]: f["message"] for f in refused.value.context["fields"]}
    assert set(fields) == {"base_model", "training_config.seed", "training_config.epochs"}
    assert "naive-bayes" in fields["base_model"]
    with pytest.raises(ValidationError, match="belongs to text-classifier"):
        create(local, sheet, base_model="ngrams-tfidf")
    with pytest.raises(NotReady, match="born to fail"):
        create(local, sheet, trainer="broken:Any", base_model="broken:Any")
    assert local.jobs.list(kind="train").total == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_server_loads_only_the_trainers_it_names(transport, plugin):
    settings = Settings(trainers=["broken:Any"])
    with frozen(transport=transport, settings=settings) as ws:
        sheet = sheet_of(ws, words(30))
        listed = {m.trainer: m for m in ws.training.base_models()}
        assert MINE not in listed
        assert "born to fail" in listed["broken:Any"].reason
        if transport == "http":
            with pytest.raises(ValidationError, match="WORKBENCH_TRAINERS"):
                create(ws, sheet)
            ws.app.settings.trainers = [MINE]
            assert [m.available for m in ws.training.base_models() if m.trainer == MINE] == [True]
        assert create(ws, sheet).trainer == MINE
