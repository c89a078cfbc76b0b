"""Fine-tuning a language model on this machine: a tiny one, made here, really learns. `make test-llm` runs this."""

import importlib.util
import json
import math

import pytest

from tests.trainers.recorder import Cancelled, Recorder
from tests.trainers.test_openai_fine_tuning import pairs
from tests.trainers.tiny_model import tiny_model
from workbench.errors import NotReady, ValidationError, WorkbenchError
from workbench.trainers import Inputs, Place, base_of, load_package, offers, trainer
from workbench.trainers.protocol import Size

INSTALLED = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "peft"))
pytestmark = [pytest.mark.llm, pytest.mark.skipif(not INSTALLED, reason="needs the extra [llm]")]
LORA = trainer("causal-lm-lora")
QUICK = {"learning_rate": 0.01, "lora_r": 16, "lora_dropout": 0.1, "batch_size": 6, "max_length": 64, "patience": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny-gpt2", kind="gpt2", chat=False)


def inputs(folder, *, system=None, count=30, **config):
    values, faults = LORA.Config.complete({**QUICK, **config})
    assert not faults
    given = LORA.given(values, str(folder), Place())
    facts = {"template": {"system_instruction": system}}
    return Inputs(pairs(count), pairs(9, start=count), values, str(folder), facts=facts, given=given)


@pytest.fixture(scope="module")
def done(tmp_path_factory, folder):
    context = Recorder(tmp_path_factory.mktemp("done"))
    return context, LORA.train(context, inputs(folder, epochs=10))


def test_it_learns_and_leaves_a_package_that_answers(done):
    context, metrics = done
    curve = context.curve("train_loss")
    assert len(curve) == 50 == len(context.curve("learning_rate"))
    assert curve[-1] < 0.3 * curve[0]
    assert len(context.curve("val_loss")) == 10
    assert metrics["val_accuracy"] == 1.0
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["val_loss"]))
    assert context.steps[-1][:2] == (50, 50)
    assert {path.name for path in (context.folder / "package").iterdir()} >= {
        "adapter_model.safetensors",
        "base.json",
        "manifest.json",
    }
    answers = load_package(context.folder / "package").predict(
        ["case 1 shows blue paint", "case 2 shows gray paint", "case 1 shows red paint"]
    )
    assert [a["value"] for a in answers] == ["cold", "neither", "warm"]
    assert all(0 < a["confidence"] <= 1 for a in answers)
    rows = json.loads((context.folder / "predictions.json").read_text())
    assert [row["pair_id"] for row in rows] == [f"p{i}" for i in range(30, 39)]
    assert all(row["loss"] > 0 and row["correct"] for row in rows)


def test_the_learning_rate_warms_up_and_falls(done):
    rates = done[0].curve("learning_rate")
    top = rates.index(max(rates))
    assert top <= 2
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] < 0.1 * max(rates)


def test_a_model_without_a_chat_template_is_asked_in_the_plain_form(plain, tmp_path):
    context = Recorder(tmp_path)
    metrics = LORA.train(context, inputs(plain, epochs=10, system="One word."))
    assert metrics["val_accuracy"] == 1.0
    assert "plain form" in context.words()
    assert load_package(tmp_path / "package").predict(["case 1 shows blue paint"])[0]["value"] == "cold"


def test_only_the_response_is_learned(folder):
    import torch

    from workbench.trainers.lora_examples import NOT_LEARNED, Example, Wording, losses, tensors
    from workbench.trainers.lora_model import base_model

    model, tokenizer = base_model(folder)
    wording = Wording(tokenizer, max_length=64)
    one, other = (wording.example(pair) for pair in pairs(2))
    _, mask, labels = tensors([one, other], wording.pad)
    for row, example in zip(labels.tolist(), (one, other), strict=True):
        assert row[: example.prompt] == [NOT_LEARNED] * example.prompt
        assert [t for t in row if t != NOT_LEARNED] == example.ids[example.prompt :]
        assert row[example.prompt :][: len(example.ids) - example.prompt][-1] == tokenizer.eos_token_id
    with torch.no_grad():
        lost, counts, _ = losses(model, [one], wording.pad)
        logs = model(torch.tensor([one.ids])).logits[0].log_softmax(-1)
    by_hand = -sum(float(logs[i - 1, one.ids[i]]) for i in range(one.prompt, len(one.ids)))
    assert float(lost[0]) == pytest.approx(by_hand, rel=1e-4)
    assert int(counts[0]) == len(one.ids) - one.prompt == 2
    # The prompt is read, never predicted: its own tokens get no gradient as targets.
    head = model.get_output_embeddings().weight
    losses(model, [Example(one.ids, one.prompt)], wording.pad)[0].sum().backward()
    assert head.grad is not None
    assert mask.sum() == len(one.ids) + len(other.ids)


def test_too_long_pairs_are_cut_where_it_hurts_least_and_counted(folder, tmp_path):
    context = Recorder(tmp_path)
    metrics = LORA.train(context, inputs(folder, epochs=1, max_length=16))
    assert metrics["truncated_pairs"] == 0
    from workbench.trainers.lora_examples import Wording
    from workbench.trainers.lora_model import base_model

    _, tokenizer = base_model(folder)
    whole, cut = Wording(tokenizer).example(pairs(1)[0]), Wording(tokenizer, max_length=5).example(pairs(1)[0])
    assert (whole.truncated, cut.truncated, len(cut.ids)) == (False, True, 5)
    assert cut.ids[cut.prompt :] == whole.ids[whole.prompt :]
    assert cut.ids[: cut.prompt] == whole.ids[whole.prompt - cut.prompt : whole.prompt]


class Killed(BaseException):
    """End a training as SIGKILL does: nothing is tidied up."""


@pytest.mark.parametrize("points", [3, 8])
def test_going_on_ends_like_a_training_that_was_never_interrupted(folder, tmp_path, points, monkeypatch):
    monkeypatch.setattr("workbench.trainers.lora_course.CHECKPOINT_SECONDS", 0.0)

    def die(told):
        if len(told.curve("train_loss")) >= points:
            raise Killed
        return False

    settings = {"epochs": 2, "gradient_accumulation": 2, "batch_size": 3}
    through = Recorder(tmp_path / "through")
    expected = LORA.train(through, inputs(folder, **settings))
    first = Recorder(tmp_path / "first", stop_when=die)
    with pytest.raises(Killed):
        LORA.train(first, inputs(folder, **settings))
    second = Recorder(tmp_path / "second", earlier=first.folder)
    metrics = LORA.train(second, inputs(folder, **settings))
    timeless = {k for k in expected if k != "training_duration_seconds"}
    assert {k: metrics[k] for k in timeless} == {k: expected[k] for k in timeless}
    done = {step for name, _, step, _ in first.points if name == "train_loss"}
    again = {step: value for name, value, step, _ in second.points if name == "train_loss"}
    assert min(again) in (max(done), max(done) + 1)
    assert all(value == through.curve("train_loss")[step - 1] for step, value in again.items())
    hashes = [
        json.loads((c.folder / "package" / "manifest.json").read_text())["files"]["adapter_model.safetensors"]
        for c in (through, second)
    ]
    assert hashes[0] == hashes[1]


def test_a_checkpoint_of_another_training_is_left_alone(folder, tmp_path):
    first = Recorder(tmp_path / "first")
    LORA.train(first, inputs(folder, epochs=1))
    second = Recorder(tmp_path / "second", earlier=first.folder)
    LORA.train(second, inputs(folder, epochs=1, seed=7))
    assert "Going on" not in second.words()
    assert len(second.curve("train_loss")) == 5


def test_a_cancel_ends_within_a_step_and_a_stop_keeps_the_best(folder, tmp_path):
    context = Recorder(tmp_path / "cancel", cancel_when=lambda told: len(told.curve("train_loss")) >= 3)
    with pytest.raises(Cancelled):
        LORA.train(context, inputs(folder, epochs=10))
    assert len(context.curve("train_loss")) == 3
    assert not (context.folder / "package").exists()
    context = Recorder(tmp_path / "stop", stop_when=lambda told: len(told.curve("train_loss")) >= 12)
    metrics = LORA.train(context, inputs(folder, epochs=10))
    assert (len(context.curve("train_loss")), metrics["epochs_completed"]) == (12, 2)
    assert metrics["val_loss"] == pytest.approx(min(context.curve("val_loss")), rel=1e-5)


def test_it_ends_early_when_nothing_gets_better(folder, tmp_path):
    context = Recorder(tmp_path)
    metrics = LORA.train(context, inputs(folder, epochs=10, learning_rate=0.01, patience=1, lora_alpha=1024))
    assert metrics["epochs_completed"] < 10
    assert "did not fall" in context.words()


def test_a_changed_base_model_or_package_is_refused(folder, tmp_path):
    import shutil

    moved = tmp_path / "base"
    shutil.copytree(folder, moved)
    context = Recorder(tmp_path / "job")
    LORA.train(context, inputs(moved, epochs=1))
    package = context.folder / "package"
    (moved / "tokenizer.json").write_text((moved / "tokenizer.json").read_text() + " ")
    with pytest.raises(NotReady, match="not the one"):
        load_package(package)
    shutil.rmtree(moved)
    with pytest.raises(NotReady, match="Put it back"):
        load_package(package)
    (package / "adapter_model.safetensors").write_bytes(b"x")
    with pytest.raises(WorkbenchError, match="was changed"):
        load_package(package)


def test_layers_that_the_model_has_not_are_named(folder, tmp_path):
    with pytest.raises(ValidationError, match="q_proj"):
        LORA.train(Recorder(tmp_path / "wrong"), inputs(folder, epochs=1, target_modules="query"))
    context = Recorder(tmp_path / "right")
    LORA.train(context, inputs(folder, epochs=1, target_modules="q_proj, v_proj"))
    told = json.loads((context.folder / "package" / "adapter_config.json").read_text())
    assert sorted(told["target_modules"]) == ["q_proj", "v_proj"]


def test_the_estimate_knows_the_model(folder):
    place = Place(models=(folder.parent,))
    assert [m.available for m in offers(LORA, place) if m.name == folder.name] == [True]
    assert base_of(LORA, str(folder), place).context_length == 128
    config, _ = LORA.Config.complete({})
    given = LORA.given(config, folder.name, place)
    told = LORA.estimate(config, Size(100, 8000, 3, 40, 800), base_model=folder.name, threads=1, given=given)
    assert given["parameters"] > 10_000
    assert told["tokens"] == 6600
    assert told["seconds"] > 0
