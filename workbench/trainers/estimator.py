"""For anything with `fit` and `predict`, as scikit-learn's pipelines have: say which, the rest is here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from workbench.errors import WorkbenchError
from workbench.trainers.fitted import FittedTrainer
from workbench.trainers.protocol import Inputs, Reporter

FILE = "estimator.skops"


class EstimatorTrainer(FittedTrainer):
    """Choose one of the known responses with an estimator that takes texts and returns labels.

    It is kept in the format of skops: reading it back builds known types only. A type that skops does not
    know is named in `trusted`, as `module.Class`, by whoever vouches for it.
    """

    framework: ClassVar[str] = "scikit-learn"
    libraries: ClassVar[tuple[str, ...]] = ("scikit-learn", "skops", "numpy")
    trusted: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def estimator(self, config: Mapping[str, Any]) -> Any:
        """Return an estimator that has learned nothing yet; its numbers come from `config["seed"]`."""

    def fit(self, context: Reporter, inputs: Inputs) -> EstimatorModel:
        """Fit the estimator to the prompts and their responses."""
        estimator = self.estimator(inputs.config)
        return EstimatorModel(estimator.fit([p.prompt for p in inputs.train], [p.response for p in inputs.train]))

    def save(self, model: EstimatorModel, folder: Path) -> None:
        """Write the estimator."""
        import skops.io

        skops.io.dump(model.estimator, folder / FILE)

    def restore(self, folder: Path) -> EstimatorModel:
        """Read the estimator; refuse one with types nobody vouches for."""
        import skops.io

        unknown = set(skops.io.get_untrusted_types(file=folder / FILE)) - set(self.trusted)
        if unknown:
            names = ", ".join(sorted(unknown))
            raise WorkbenchError(
                f"The estimator of {self.reference} holds types that are not known to be safe: {names}. "
                "If you trust them, name them in `trusted` of the trainer."
            )
        return EstimatorModel(skops.io.load(folder / FILE, trusted=list(self.trusted)))

    def labels(self, model: EstimatorModel) -> list[str]:
        """Return the responses the estimator knows."""
        return [str(label) for label in model.estimator.classes_]


@dataclass
class EstimatorModel:
    """A fitted estimator that answers texts."""

    estimator: Any

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return the label per text, and its probability where the estimator knows one."""
        if not texts:
            return []
        if not hasattr(self.estimator, "predict_proba"):
            return [{"value": str(label), "confidence": None} for label in self.estimator.predict(texts)]
        chances = self.estimator.predict_proba(texts)
        best = chances.argmax(axis=1)
        labels = self.estimator.classes_
        return [{"value": str(labels[b]), "confidence": float(row[b])} for b, row in zip(best, chances, strict=True)]
