"""Language models of this machine, as far as that goes without torch: found, listed, refused with what to do."""

import json
import subprocess
import sys

import pytest

from tests.services.approved import sheet_of, words
from workbench.config import Settings
from workbench.errors import NotReady, ValidationError
from workbench.testing import TRANSPORTS, frozen
from workbench.trainers import Place, base_of, offers, trainer
from workbench.trainers.causal_lm_lora import PLACEHOLDER
from workbench.trainers.local_models import content_hash, local_models
from workbench.trainers.protocol import Requirements, Size

LORA = trainer("causal-lm-lora")


def model(folder, *, weights="model.safetensors", tokenizer=True, **config):
    folder.mkdir(parents=True)
    told = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 4096, "dtype": "bfloat16", **config}
    (folder / "config.json").write_text(json.dumps(told))
    (folder / weights).write_bytes(bytes(2000))
    if tokenizer:
        (folder / "tokenizer.json").write_text("{}")
    return folder


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def models(tmp_path):
    top = tmp_path / "models"
    model(top / "good")
    model(top / "team" / "deep")
    model(top / "pickled", weights="pytorch_model.bin")
    model(top / "coded", auto_map={"AutoModelForCausalLM": "modeling.Mine"})
    model(top / "mute", tokenizer=False)
    model(top / "reader", architectures=["BertForMaskedLM"])
    (top / "empty").mkdir()
    return top


def absent(monkeypatch, *, present=False):
    found = Requirements() if present else Requirements(False, "install workbench[llm]")
    monkeypatch.setattr(type(LORA), "requirements", lambda self: found)


def test_models_in_folders_and_in_the_cache_are_found_with_their_faults(models, tmp_path):
    snapshot = tmp_path / "hub" / "models--org--tiny" / "snapshots" / "abc"
    model(snapshot)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    found = {one.name: one for one in local_models([models])}
    assert set(found) == {"coded", "good", "mute", "org/tiny", "pickled", "team/deep"}
    assert {name for name, one in found.items() if one.fault is None} == {"good", "team/deep", "org/tiny"}
    assert (found["good"].context_length, found["good"].parameters) == (4096, 1000)
    assert ".safetensors" in found["pickled"].fault
    assert "code of its own" in found["coded"].fault
    assert "tokenizer" in found["mute"].fault


def test_the_hash_changes_with_what_makes_the_model(models):
    before = content_hash(models / "good")
    (models / "good" / "README.md").write_text("words")
    assert content_hash(models / "good") == before
    (models / "good" / "model.safetensors").write_bytes(bytes(1999) + b"1")
    assert content_hash(models / "good") != before


def test_a_path_counts_only_inside_the_roots(models, monkeypatch):
    absent(monkeypatch, present=True)
    path = str(models / "good")
    assert base_of(LORA, path, Place()).available
    assert base_of(LORA, path, Place(roots=(models,))).available
    assert base_of(LORA, path, Place(roots=(models.parent / "other",))) is None
    assert base_of(LORA, path, Place(roots=(), models=(models,))).available
    outside = models.parent / "link"
    outside.symlink_to(models / "good")
    assert base_of(LORA, str(outside), Place(roots=(models.parent / "other",))) is None


def test_without_the_extra_it_stands_in_the_list_with_what_to_install(monkeypatch):
    absent(monkeypatch)
    (one,) = offers(LORA, Place())
    assert (one.name, one.available, one.hardware) == (PLACEHOLDER, False, "gpu or cpu")
    assert "install workbench[llm]" in one.reason
    absent(monkeypatch, present=True)
    (one,) = offers(LORA, Place())
    assert "WORKBENCH_MODELS" in one.reason


def test_listing_imports_nothing_heavy(models):
    code = (
        "import sys; from pathlib import Path; from workbench.trainers import Place, offers, trainers\n"
        f"for one in trainers().values(): offers(one, Place(models=(Path({str(models)!r}),)))\n"
        "print([name for name in ('torch', 'transformers', 'peft', 'sklearn', 'openai') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_unavailable_model_is_409_an_unknown_one_422(transport, models, monkeypatch):
    absent(monkeypatch)
    with frozen(transport=transport, settings=Settings(models=[str(models)])) as ws:
        sheet = sheet_of(ws, words(30))
        listed = {m.name: m for m in ws.training.base_models() if m.trainer == "causal-lm-lora"}
        assert {"good", "team/deep"} <= set(listed)
        assert not listed["good"].available
        for name in ("good", str(models / "good")):
            with pytest.raises(NotReady, match=r"install workbench\[llm\]"):
                ws.training.create(sheet.id, "m", name)
        absent(monkeypatch, present=True)
        with pytest.raises(NotReady, match="code of its own"):
            ws.training.create(sheet.id, "m", "coded")
        with pytest.raises(ValidationError, match="Did you mean 'good'"):
            ws.training.create(sheet.id, "m", "goood")
        config = {"epochs": 11, "learning_rate": 0.1, "lora_r": 0, "max_length": 2, "target_modules": 3}
        with pytest.raises(ValidationError) as refused:
            ws.training.create(sheet.id, "m", "good", training_config=config)
        assert {f["field"] for f in refused.value.context["fields"]} == {f"training_config.{name}" for name in config}
        told = ws.training.estimate(sheet.id, "good")
        assert (told.cost, told.tokens > 0, told.ready) == (0.0, True, True)


def test_advice_names_its_reason():
    config, _ = LORA.Config.complete({"learning_rate": 0.01, "max_length": 16})
    found = {one.message: one for one in LORA.advise(config, Size(40, 40_000, 2, 35, 400))}
    assert set(found) == {
        "Label more pairs.",
        "Label more pairs of the rarer responses.",
        "Raise max_length.",
        "Lower the learning rate.",
    }
    assert all(one.reason for one in found.values())
    fine, _ = LORA.Config.complete({})
    assert LORA.advise(fine, Size(400, 40_000, 4, 120, 4000)) == []
