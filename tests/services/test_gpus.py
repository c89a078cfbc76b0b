"""What runs on a GPU asks for one where there is one: trainings, evaluations and tests alike."""

import json

import pytest

from tests.services.approved import ended, sheet_of, words
from tests.services.made import version
from tests.trainers.plugins import BAYES, installed
from workbench.config import Settings
from workbench.domain.jobs import Job
from workbench.services.training_place import needs, surroundings
from workbench.testing import frozen

ON_A_CARD = (
    f"{BAYES}\n\nclass OnACard(NaiveBayes):\n    '''Count words on a card.'''\n    name = 'on-a-card'\n    uses_gpu = True\n"
)
MINE = "my_card:OnACard"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Nothing is hidden by the environment."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_language_model_asks_for_a_card_where_there_is_one():
    with frozen(settings=Settings(gpus=1)) as ws:
        assert needs(ws.app, "causal-lm-lora", {}) == needs(ws.app, "causal-lm-lora") == {"GPU": 1.0}
        assert needs(ws.app, "text-classifier", {}) == needs(ws.app, "gone:Away") == {}
        assert surroundings(ws.app).place.gpu
    with frozen(settings=Settings(gpus=0)) as ws:
        assert needs(ws.app, "causal-lm-lora", {}) == {}
        assert not surroundings(ws.app).place.gpu


def test_training_evaluation_and_test_ask_alike():
    with frozen(settings=Settings(gpus=1)) as ws:
        model = version(ws)
        with ws.app.db.write():
            ws.app.db.execute("update models set trainer = 'causal-lm-lora' where id = ?", [model.id])
        for kind, spec in {
            "train": {"trainer": "causal-lm-lora", "training_config": {}},
            "evaluate": {"model_version_id": model.id},
            "model_test": {"model_id": model.id},
        }.items():
            assert ws.app.engine.kinds[kind].resources(Job(kind=kind, spec=spec)) == {"GPU": 1.0}


def test_a_trainer_of_ones_own_gets_a_card(tmp_path):
    with installed(tmp_path / "plugins", {"my_card": ON_A_CARD}), frozen(settings=Settings(gpus=1)) as ws:
        job = ended(ws, ws.training.create(sheet_of(ws, words(90)).id, "colors", "on-a-card", trainer=MINE))
        assert job.status == "succeeded", job.error_details
        assert json.loads((ws.app.engine.folder(job.id, 1) / "job.json").read_text())["cards"] == ["0"]
