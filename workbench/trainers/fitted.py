"""For a trainer that only has to learn, keep and read back: everything around that is done here."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from workbench.trainers.protocol import Inputs, Predictor, Reporter, Trainer

PREDICTIONS = "predictions.json"


class FittedTrainer(Trainer):
    """Learn in one go: `fit` makes a predictor, `save` and `restore` put it into a folder and take it out.

    Progress, the figures on the held-out pairs, the predictions and the sealed package come by themselves.
    """

    framework: ClassVar[str] = "python"
    libraries: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def fit(self, context: Reporter, inputs: Inputs) -> Predictor:
        """Return what learned from `inputs.train`."""

    @abstractmethod
    def save(self, model: Any, folder: Path) -> None:
        """Write what `fit` returned as files into an empty folder; nothing that has to be executed to be read."""

    @abstractmethod
    def restore(self, folder: Path) -> Predictor:
        """Return the predictor whose files are in a folder."""

    def labels(self, model: Any) -> list[str] | None:
        """Return the closed set of answers a model chooses from, or None."""
        return None

    def train(self, context: Reporter, inputs: Inputs) -> dict[str, Any]:
        """Learn, evaluate what was read back as it will be served, seal the package."""
        from workbench.trainers.package import manifest, seal

        begun = time.monotonic()
        context.progress(0, len(inputs.val), "Learning", step="train")
        fitted = self.fit(context, inputs)
        context.check()
        part = context.folder / ".package"
        part.mkdir()
        self.save(fitted, part)
        metrics = self._evaluated(context, self.restore(part), inputs)
        metrics["training_duration_seconds"] = round(time.monotonic() - begun, 3)
        told = manifest(self.reference, inputs, metrics, framework=self.framework, labels=self.labels(fitted))
        seal(part, context.folder / "package", told, libraries=self.libraries)
        return metrics

    def load(self, folder: Path) -> Predictor:
        """Return the predictor of a package after its files were checked."""
        from workbench.trainers.package import opened

        opened(folder, trainer=self.reference)
        return self.restore(folder)

    def _evaluated(self, context: Reporter, model: Predictor, inputs: Inputs) -> dict[str, Any]:
        from workbench.trainers.held_out import evaluated, trivial_accuracy

        majority, _ = trivial_accuracy(inputs.train, inputs.val)
        metrics, rows = evaluated(context, model, inputs.val, majority=majority)
        (context.folder / PREDICTIONS).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        losses = [row["loss"] for row in rows if row["loss"] is not None]
        figures = {
            "val_accuracy": metrics["accuracy"],
            "val_loss": sum(losses) / len(losses) if losses else None,
            "majority_label": majority,
            "tokens_processed": sum(len(pair.prompt.split()) for pair in inputs.train),
            "epochs_completed": 1,
        }
        for name in ("val_accuracy", "val_loss"):
            if figures[name] is not None:
                context.metric(name, figures[name], 1)
        return {**metrics, **figures}
