"""The trainer for a language model on this machine: a small adapter is learned, the model itself stays as it is."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import param

from workbench.domain.train import BaseModel, Recommendation
from workbench.errors import NotReady
from workbench.trainers.advice import few_pairs, one_sided, unusual_rate
from workbench.trainers.local_models import LocalModel, local_models, model_at
from workbench.trainers.protocol import Config, Inputs, Place, Reporter, Requirements, Size, Trainer

PLACEHOLDER = "local-language-model"
LIBRARIES = ("torch", "transformers", "peft")
HARDWARE = "gpu or cpu"
CHARACTERS_PER_TOKEN = 4
# Operations a second that a training really gets, by rough measurement.
CPU_THREAD, GPU = 2e10, 5e13
USUAL_RATES = (2e-5, 1e-3)


class CausalLMLoraConfig(Config):
    """Settings of the fine-tuning of a language model."""

    epochs = param.Integer(3, bounds=(1, 10), doc="Passes over the training pairs.")
    learning_rate = param.Number(1e-4, bounds=(1e-5, 1e-2), doc="Largest size of a step; it grows in the warm-up, then shrinks.")
    batch_size = param.Integer(4, bounds=(1, 128), doc="Pairs looked at together; the memory grows with it.")
    gradient_accumulation = param.Integer(1, bounds=(1, 256), doc="Batches that make one step together.")
    max_length = param.Integer(
        1024, bounds=(16, 131_072), doc="Tokens of a pair at most; of a longer prompt the beginning is cut."
    )
    lora_r = param.Integer(16, bounds=(1, 256), doc="Rank of the adapter: how much it can learn.")
    lora_alpha = param.Integer(32, bounds=(1, 1024), doc="Weight of the adapter, relative to its rank.")
    lora_dropout = param.Number(0.05, bounds=(0.0, 0.9), doc="Share of the adapter's inputs that is left out while it learns.")
    target_modules = param.String("", doc="Layers that get an adapter, comma-separated; empty: every linear one.")
    warmup = param.Number(0.03, bounds=(0.0, 0.5), doc="Share of the steps in which the learning rate grows.")
    patience = param.Integer(2, bounds=(0, 10), doc="Epochs without a better held-out loss before it ends early; 0: never.")
    answered_pairs = param.Integer(32, bounds=(0, 10_000), doc="Held-out pairs the model writes answers to after each epoch.")


class CausalLMLora(Trainer):
    """Fine-tune a local language model on the responses with LoRA."""

    name: ClassVar[str] = "causal-lm-lora"
    label: ClassVar[str] = "Language model on this machine"
    Config: ClassVar[type[Config]] = CausalLMLoraConfig
    measures: ClassVar[tuple[str, ...]] = ("val_loss", "val_accuracy")
    uses_gpu: ClassVar[bool] = True
    lowers_memory: ClassVar[tuple[str, ...]] = ("batch_size", "max_length", "lora_r")

    def base_models(self) -> list[BaseModel]:
        """Return what stands for a model of one's own."""
        reason = "No language model was found here. Put its folder (config, tokenizer, .safetensors) into one named in WORKBENCH_MODELS."
        return [
            BaseModel(
                name=PLACEHOLDER,
                trainer=self.name,
                label="A language model of your own",
                description="Any causal language model in a folder of this machine; nothing is downloaded.",
                hardware=HARDWARE,
                available=False,
                reason=reason,
            )
        ]

    def offered(self, place: Place) -> list[BaseModel]:
        """Return the models in the folders for them and in the hub's cache."""
        return [self._described(one) for one in local_models(place.models)] or self.base_models()

    def found(self, base_model: str, place: Place) -> BaseModel | None:
        """Return a model by its name, or by its folder where the caller may read that."""
        model = _found(base_model, place)
        return super().found(base_model, place) if model is None else self._described(model)

    def requirements(self) -> Requirements:
        """Return whether the extra is installed."""
        lacking = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
        if not lacking:
            return Requirements(hardware=HARDWARE)
        words = f"It needs {', '.join(lacking)}: install workbench[llm] (pip install 'workbench[llm]'), then open the workspace again."
        return Requirements(False, words, HARDWARE)

    def search_space(self) -> dict[str, dict[str, Any]]:
        """Return the settings worth searching."""
        return {
            "learning_rate": {"type": "float", "low": 2e-5, "high": 1e-3, "log": True},
            "epochs": {"type": "int", "low": 1, "high": 5},
            "lora_r": {"type": "choice", "choices": [4, 8, 16, 32, 64]},
            "lora_dropout": {"type": "float", "low": 0.0, "high": 0.2},
        }

    def given(self, config: Mapping[str, Any], base_model: str, place: Place) -> dict[str, Any]:
        """Return the folder of the model and what an estimate is made from."""
        model = _found(base_model, place)
        if model is None:
            raise NotReady(
                f"The language model {base_model} is not there any more. Put it back, then retry.", status="unavailable"
            )
        return {"folder": str(model.folder), "parameters": model.parameters, "gpu": place.gpu}

    def estimate(
        self, config: Mapping[str, Any], size: Size, *, base_model: str, threads: int, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Estimate from the size of the model: six operations per weight and token, sixteen bits a weight on a GPU."""
        parameters, gpu = given.get("parameters") or 0, given.get("gpu")
        tokens = (size.characters + size.response_characters) // CHARACTERS_PER_TOKEN * config["epochs"]
        seconds = 20 + 6 * parameters * tokens / (GPU if gpu else CPU_THREAD * threads)
        activations = config["batch_size"] * min(config["max_length"], 4 * tokens // max(1, size.pairs)) * 200_000
        memory = 700_000_000 + parameters * (2 if gpu else 4) + activations
        return {"tokens": tokens, "seconds": round(seconds, 1), "cost": 0.0, "memory_bytes": memory}

    def advise(self, config: Mapping[str, Any], size: Size) -> list[Recommendation]:
        """Look at the number of pairs, their balance, their length and the learning rate."""
        found = few_pairs(size, 100, "A language model repeats what it was before below about 100 of them.") + one_sided(size)
        tokens = (size.characters + size.response_characters) / max(1, size.pairs) / CHARACTERS_PER_TOKEN
        if tokens > config["max_length"]:
            words = (
                f"A pair has about {tokens:.0f} tokens, {config['max_length']} are kept of it: most prompts lose their beginning."
            )
            field = "training_config.max_length"
            found.append(Recommendation(level="warning", message="Raise max_length.", reason=words, field=field))
        return found + unusual_rate(config["learning_rate"], *USUAL_RATES, "an adapter", best=1e-4)

    def train(self, context: Reporter, inputs: Inputs) -> dict[str, Any]:
        """Learn by epochs, keep the adapter with the lowest held-out loss, write the package."""
        from workbench.trainers.lora_course import LoraCourse

        return LoraCourse(context, inputs).run(self.reference)

    def load(self, folder: Path) -> Any:
        """Return the model with its adapter; tensors and JSON only, no code of the model's own."""
        from workbench.trainers.lora_model import packaged
        from workbench.trainers.package import opened

        opened(folder, trainer=self.reference)
        return packaged(folder)

    def _described(self, model: LocalModel) -> BaseModel:
        return BaseModel(
            name=model.name,
            trainer=self.name,
            label=model.label,
            description="A language model on this machine; an adapter is learned, the model stays as it is.",
            context_length=model.context_length,
            hardware=HARDWARE,
            available=model.fault is None,
            reason=model.fault,
        )


def _found(base_model: str, place: Place) -> LocalModel | None:
    folder = Path(base_model)
    if not folder.is_absolute():
        return next((one for one in local_models(place.models) if one.name == base_model), None)
    real = folder.resolve()
    allowed = place.roots is None or any(real.is_relative_to(root.resolve()) for root in (*place.roots, *place.models))
    return model_at(real, base_model) if allowed else None
