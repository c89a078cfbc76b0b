"""The trainer for closed sets of responses: n-grams and softmax regression, on any CPU."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import param

from workbench.domain.train import BaseModel, Recommendation
from workbench.domain.wording import grouped
from workbench.errors import ValidationError
from workbench.trainers.advice import one_sided, unusual_rate
from workbench.trainers.protocol import Config, Inputs, Reporter, Size, Trainer

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sp

    from workbench.trainers.ngrams import Ngrams
    from workbench.trainers.softmax import Softmax

MODEL = "weights.npz"
LIBRARIES = ("scikit-learn", "numpy", "scipy")
SMOOTHED_PAIRS = 100
CHECKPOINT = "checkpoint.npz"
_BASE_MODELS = {
    "ngrams-tfidf": (
        "Words and characters",
        "Word and character n-grams with a learned vocabulary: short to long texts, any language.",
        True,
    ),
    "ngrams-hashed": (
        "Words and characters, hashed",
        "The same without keeping a vocabulary: fixed size, no training word is stored.",
        False,
    ),
}


class TextClassifierConfig(Config):
    """Settings of the text classifier."""

    epochs = param.Integer(10, bounds=(1, 50), doc="Passes over the training pairs.")
    learning_rate = param.Number(0.5, bounds=(1e-5, 1.0), doc="Size of a step; each weight's own step shrinks as it learns.")
    batch_size = param.Integer(2, bounds=(1, 1024), doc="Pairs per step.")
    word_ngrams = param.Integer(2, bounds=(1, 3), doc="Longest run of words that counts as one feature.")
    char_ngrams = param.Integer(5, bounds=(0, 6), doc="Longest run of characters that counts as one feature; 0 for none.")


class TextClassifier(Trainer):
    """Choose one of the responses seen in training."""

    name: ClassVar[str] = "text-classifier"
    label: ClassVar[str] = "Text classifier"
    Config: ClassVar[type[Config]] = TextClassifierConfig
    lowers_memory: ClassVar[tuple[str, ...]] = ("char_ngrams", "word_ngrams")
    measures: ClassVar[tuple[str, ...]] = ("val_accuracy", "val_loss", "macro_f1", "calibration_error")

    def base_models(self) -> list[BaseModel]:
        """Return the two ways of counting n-grams."""
        return [
            BaseModel(name=name, trainer=self.name, label=label, description=words, recommended=best)
            for name, (label, words, best) in _BASE_MODELS.items()
        ]

    def search_space(self) -> dict[str, dict[str, Any]]:
        """Return the settings worth searching."""
        return {
            "learning_rate": {"type": "float", "low": 0.02, "high": 1.0, "log": True},
            "epochs": {"type": "int", "low": 5, "high": 30},
            "batch_size": {"type": "choice", "choices": [2, 4, 8, 16, 32]},
            "char_ngrams": {"type": "int", "low": 3, "high": 6},
        }

    def estimate(
        self, config: Mapping[str, Any], size: Size, *, base_model: str, threads: int, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Estimate from measured speed: a step costs with the number of weights, reading with the text."""
        features = 49_152 if base_model == "ngrams-hashed" else min(60 + size.characters // 6, 400_000)
        weights = features * max(2, size.classes)
        steps = config["epochs"] * max(1, size.pairs // config["batch_size"])
        per_pair = size.characters / max(1, size.pairs) / 60 * size.classes / 24 * 2e-5
        seconds = 3 + size.characters * 2.5e-6 + steps * (2e-4 + config["batch_size"] * per_pair)
        return {
            "tokens": size.characters // 6 * config["epochs"],
            "seconds": round(seconds, 1),
            "cost": 0.0,
            "memory_bytes": 150_000_000 + weights * 32 + size.characters * 40,
        }

    def advise(self, config: Mapping[str, Any], size: Size) -> list[Recommendation]:
        """Look at the number of classes, their balance and the learning rate."""
        found = []
        if size.classes < 2:
            found.append(
                _advice(
                    "blocking", "Add pairs with another response.", "All responses are the same: there is nothing to tell apart."
                )
            )
        if size.classes > max(20, size.pairs // 3):
            among = f"{grouped(size.classes)} different responses among {grouped(size.pairs)} pairs"
            words = f"{among} look like open answers, not a closed set."
            found.append(_advice("warning", "Check that the responses are a closed set.", words))
        found += one_sided(size)
        if size.pairs < 20 * max(1, size.classes):
            words = f"{grouped(size.pairs)} pairs for {grouped(size.classes)} responses are fewer than 20 each."
            found.append(_advice("info", "Label more pairs.", words))
        return found + unusual_rate(config["learning_rate"], 0.02, 1.0, "this trainer", best=0.5)

    def train(self, context: Reporter, inputs: Inputs) -> dict[str, Any]:
        """Learn by epochs, keep the epoch with the lowest held-out loss, write the package."""
        course = _Course(context, inputs)
        course.prepare()
        course.run()
        return course.finish(self.name)

    def load(self, folder: Path) -> TextClassifierModel:
        """Read a package; arrays and JSON only."""
        import numpy as np

        from workbench.trainers.ngrams import Ngrams
        from workbench.trainers.package import opened

        manifest = opened(folder, trainer=self.name)
        with np.load(folder / MODEL, allow_pickle=False) as arrays:
            weights, bias = arrays["weights"].astype(np.float64), arrays["bias"].astype(np.float64)
        return TextClassifierModel(Ngrams.load(folder), weights, bias, manifest["signature"]["output"]["labels"])


@dataclass
class TextClassifierModel:
    """A loaded text classifier."""

    ngrams: Ngrams
    weights: np.ndarray
    bias: np.ndarray
    labels: list[str]

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return the most probable response and its probability per text."""
        if (wrong := _first_wrong(texts)) is not None:
            raise ValidationError.field(f"inputs.{wrong}", "takes a text", None)
        if not texts:
            return []
        best, confidence = self.scored(texts)
        return [{"value": self.labels[b], "confidence": float(c)} for b, c in zip(best, confidence, strict=True)]

    def chances(self, texts: list[str]) -> np.ndarray:
        """Return the probability of each label per text."""
        from workbench.trainers.softmax import probabilities

        return probabilities(self.ngrams.rows(texts) @ self.weights + self.bias)

    def scored(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the place of the best label and its probability per text."""
        chances = self.chances(texts)
        return chances.argmax(axis=1), chances.max(axis=1)


@dataclass
class _Course:
    """One training from pairs to package."""

    context: Reporter
    inputs: Inputs
    labels: list[str] = field(default_factory=list)
    step: int = 0
    steps: int = 0
    loss: float | None = None
    epoch: int = 0
    tokens: int = 0
    best_loss: float = float("inf")
    best: tuple[np.ndarray, np.ndarray] | None = None
    begun: float = field(default_factory=time.monotonic)

    def prepare(self) -> None:
        """Turn the pairs into rows and class numbers."""
        import numpy as np

        from workbench.trainers.ngrams import Ngrams
        from workbench.trainers.softmax import Softmax

        config = self.inputs.config
        self.context.progress(0, None, "Reading the pairs", step="prepare")
        self.labels = sorted({p.response for p in self.inputs.train})
        if len(self.labels) < 2:
            raise ValidationError.field("training_sheet_id", "the training pairs all have the same response; label another one")
        self.ngrams: Ngrams = Ngrams(
            word=config["word_ngrams"], char=config["char_ngrams"], hashed=self.inputs.base_model == "ngrams-hashed"
        )
        self.rows: sp.csr_matrix = self.ngrams.fit([p.prompt for p in self.inputs.train])
        self.val_rows: sp.csr_matrix = self.ngrams.rows([p.prompt for p in self.inputs.val])
        number = {label: i for i, label in enumerate(self.labels)}
        self.truth: np.ndarray = np.array([number[p.response] for p in self.inputs.train])
        # A held-out response that training never saw cannot be answered: it counts as an error.
        self.val_truth: np.ndarray = np.array([number.get(p.response, -1) for p in self.inputs.val])
        self.words: np.ndarray = np.array([len(p.prompt.split()) for p in self.inputs.train])
        self.model: Softmax = Softmax(self.rows.shape[1], len(self.labels))
        self.context.log(f"{self.rows.shape[0]} pairs, {self.rows.shape[1]} features, {len(self.labels)} responses.")

    def run(self) -> None:
        """Pass over the pairs until done or asked to stop; each epoch ends with a checkpoint to go on from."""
        import numpy as np

        config = self.inputs.config
        self._go_on()
        random = np.random.default_rng(config["seed"])
        for _ in range(self.epoch):
            random.permutation(len(self.truth))
        size, epochs = config["batch_size"], config["epochs"]
        batches = -(-len(self.truth) // size)
        self.steps = batches * epochs
        for epoch in range(self.epoch + 1, epochs + 1):
            order = random.permutation(len(self.truth))
            for start in range(0, len(order), size):
                self._learn(order[start : start + size], epoch)
                self.context.progress(self.step, self.steps, f"Epoch {epoch} of {epochs}", step="train")
                if self.context.should_stop():
                    self.context.check()
                    self._look(epoch)
                    self.context.log(f"Stopped in epoch {epoch}; the best so far is kept.")
                    return
            self.epoch = epoch
            self._look(epoch)
            self._keep()

    def _go_on(self) -> None:
        """Take up the state an earlier attempt left at the end of an epoch."""
        import numpy as np

        path = self.context.resumed(CHECKPOINT)
        if path is None:
            return
        with np.load(path, allow_pickle=False) as kept:
            self.model.restore(kept)
            self.best = (kept["best_weights"], kept["best_bias"])
            self.loss, self.best_loss = float(kept["loss"]), float(kept["best_loss"])
            self.epoch, self.step, self.tokens = int(kept["epoch"]), int(kept["step"]), int(kept["tokens"])
            self.begun -= float(kept["seconds"])

    def _keep(self) -> None:
        """Save all that the next epoch depends on."""
        import numpy as np

        if self.best is None:
            return
        weights, bias = self.best
        facts = {"loss": self.loss, "best_loss": self.best_loss, "epoch": self.epoch, "step": self.step, "tokens": self.tokens}
        seconds = time.monotonic() - self.begun
        with self.context.checkpoint(CHECKPOINT) as part, part.open("wb") as file:
            np.savez(file, **self.model.state(), best_weights=weights, best_bias=bias, seconds=seconds, **facts)

    def _learn(self, chosen: np.ndarray, epoch: int) -> None:
        self.step += 1
        loss = self.model.learn(self.rows[chosen], self.truth[chosen], self.inputs.config["learning_rate"])
        self.tokens += int(self.words[chosen].sum())
        before = loss if self.loss is None else self.loss
        self.loss = before + min(1.0, len(chosen) / SMOOTHED_PAIRS) * (loss - before)
        self.context.metric("train_loss", self.loss, self.step, epoch)

    def _look(self, epoch: int) -> None:
        """Measure both sides, log the curves, keep the weights when they are the best so far."""
        import numpy as np

        known = self.val_truth >= 0
        chances = self.model.chances(self.val_rows)
        val_accuracy = float((chances.argmax(axis=1) == self.val_truth).mean())
        given = np.where(known, chances[np.arange(len(known)), np.maximum(self.val_truth, 0)], 0.0)
        val_loss = float(-np.log(np.maximum(given, 1e-12)).mean())
        train_accuracy = float((self.model.chances(self.rows).argmax(axis=1) == self.truth).mean())
        figures = {"val_loss": val_loss, "val_accuracy": val_accuracy, "train_accuracy": train_accuracy}
        for name, value in {**figures, "learning_rate": self.inputs.config["learning_rate"]}.items():
            self.context.metric(name, value, self.step, epoch)
        if val_loss < self.best_loss:
            self.best_loss = val_loss
            self.best = (self.model.weights.astype(np.float32), self.model.bias.astype(np.float32))

    def finish(self, trainer: str) -> dict[str, Any]:
        """Evaluate the kept weights as they will be served, write the package, return the metrics."""
        import numpy as np

        from workbench.trainers.package import manifest, seal

        self.context.progress(self.step, self.steps, "Evaluating on the held-out pairs", step="evaluate")
        weights, bias = self.best  # type: ignore[misc]
        model = TextClassifierModel(self.ngrams, weights.astype(np.float64), bias.astype(np.float64), self.labels)
        metrics = {**self._effort(), **self._evaluated(model)}
        self.context.progress(self.step, self.steps, f"Held-out accuracy {metrics['val_accuracy']:.1%}", step="evaluate")
        part = self.context.folder / ".package"
        part.mkdir()
        self.ngrams.save(part)
        with (part / MODEL).open("wb") as file:
            np.savez_compressed(file, weights=weights, bias=bias)
        told = manifest(trainer, self.inputs, metrics, framework="scikit-learn", labels=self.labels)
        seal(part, self.context.folder / "package", told, libraries=LIBRARIES)
        return metrics

    def _effort(self) -> dict[str, Any]:
        return {
            "epochs_completed": self.epoch,
            "steps": self.step,
            "tokens_processed": self.tokens,
            "training_duration_seconds": round(time.monotonic() - self.begun, 3),
            "learning_rate": self.inputs.config["learning_rate"],
        }

    def _evaluated(self, model: TextClassifierModel) -> dict[str, Any]:
        from workbench.trainers.held_out import held_out

        found, rows = held_out(model, self.inputs.train, self.inputs.val)
        path = self.context.folder / "predictions.json"
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        return found


def _first_wrong(texts: Sequence[Any]) -> int | None:
    return next((i for i, text in enumerate(texts) if not isinstance(text, str)), None)


def _advice(level: str, message: str, reason: str, *, field: str | None = None) -> Recommendation:
    return Recommendation(level=level, message=message, reason=reason, field=field)
