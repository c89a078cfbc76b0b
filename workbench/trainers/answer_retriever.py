"""The trainer for open answers: find the nearest known question, or admit that none is near."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import param

from workbench.domain.train import BaseModel, Recommendation
from workbench.domain.wording import grouped
from workbench.trainers.advice import few_pairs, one_sided
from workbench.trainers.protocol import Config, Inputs, Reporter, Requirements, Size, Trainer

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sp

    from workbench.trainers.nearest import Index, Trust
    from workbench.trainers.ngrams import Ngrams

BASE_MODEL = "nearest-question"
ANSWERS = "answers.json"
INDEX = "index.npz"
LIBRARIES = ("scikit-learn", "numpy", "scipy")
BATCH = 256


class AnswerRetrieverConfig(Config):
    """Settings of the answer retriever."""

    top_k = param.Integer(5, bounds=(1, 100), doc="Candidates looked at for recall@k and the mean reciprocal rank.")
    abstain_below = param.Number(
        None, bounds=(0.0, 1.0), allow_None=True,
        doc="Similarity (0-1) below which nothing is answered; none: learned, so that a wrong answer costs what a right one gains.",
    )  # fmt: skip
    abstention = param.String("", doc="What is answered when no known question is near enough.")
    word_ngrams = param.Integer(2, bounds=(1, 3), doc="Longest run of words that counts as one feature.")
    char_ngrams = param.Integer(4, bounds=(0, 6), doc="Longest run of characters that counts as one feature; 0 for none.")


class AnswerRetriever(Trainer):
    """Answer with the response of the most similar question seen in training."""

    name: ClassVar[str] = "answer-retriever"
    label: ClassVar[str] = "Answer retriever"
    Config: ClassVar[type[Config]] = AnswerRetrieverConfig
    lowers_memory: ClassVar[tuple[str, ...]] = ("char_ngrams", "word_ngrams")
    measures: ClassVar[tuple[str, ...]] = ("val_accuracy", "mrr", "recall_at_k", "coverage")

    def base_models(self) -> list[BaseModel]:
        """Return the one way of comparing questions."""
        words = "Answers open questions with the response of the nearest known one, and says so when none is near."
        return [BaseModel(name=BASE_MODEL, trainer=self.name, label="Nearest question", description=words)]

    def requirements(self) -> Requirements:
        """Return that any machine will do."""
        return Requirements()

    def search_space(self) -> dict[str, dict[str, Any]]:
        """Return the settings worth searching."""
        return {
            "word_ngrams": {"type": "int", "low": 1, "high": 3},
            "char_ngrams": {"type": "int", "low": 0, "high": 6},
        }

    def estimate(
        self, config: Mapping[str, Any], size: Size, *, base_model: str, threads: int, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Estimate from measured speed: every question is compared with every other one."""
        seconds = 3 + size.characters * 3e-6 + size.pairs**2 * 2.5e-7
        memory = 150_000_000 + size.characters * 60 + size.pairs * BATCH * 8
        return {"tokens": size.characters // 6, "seconds": round(seconds, 1), "cost": 0.0, "memory_bytes": memory}

    def advise(self, config: Mapping[str, Any], size: Size) -> list[Recommendation]:
        """Look at the number of pairs and their balance; a closed set of responses a classifier learns better."""
        found = few_pairs(size, 50, "Most new questions will be far from any known one.") + one_sided(size)
        if size.classes > 1 and size.pairs >= 20 * size.classes:
            words = f"{grouped(size.pairs)} pairs share {grouped(size.classes)} responses: they look like a closed set."
            found.append(Recommendation(level="info", message="Consider the text classifier.", reason=words))
        return found

    def train(self, context: Reporter, inputs: Inputs) -> dict[str, Any]:
        """Index the questions, learn when to abstain, write the package."""
        course = _Course(context, inputs)
        course.read()
        course.learn()
        return course.finish(self.name)

    def load(self, folder: Path) -> AnswerRetrieverModel:
        """Read a package; arrays and JSON only."""
        import numpy as np

        from workbench.trainers.nearest import Index, Trust
        from workbench.trainers.ngrams import Ngrams
        from workbench.trainers.package import opened

        opened(folder, trainer=self.name)
        told = json.loads((folder / ANSWERS).read_text(encoding="utf-8"))
        with np.load(folder / INDEX, allow_pickle=False) as arrays:
            index, trust = Index.of(arrays), Trust(arrays["similarity"], arrays["chance"])
        return AnswerRetrieverModel(Ngrams.load(folder), index, trust, told["answers"], told["abstain_below"], told["abstention"])


@dataclass
class AnswerRetrieverModel:
    """A loaded answer retriever."""

    ngrams: Ngrams
    index: Index
    trust: Trust
    answers: list[str]
    abstain_below: float
    abstention: str = ""

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return per text the nearest question's response with the chance that it is right, or the abstention."""
        if not texts:
            return []
        places, similarities = self.index.nearest(self.ngrams.rows(texts), 1)
        return [self._answer(int(p[0]), float(s[0])) for p, s in zip(places, similarities, strict=True)]

    def _answer(self, place: int, similarity: float) -> dict[str, Any]:
        known = similarity >= self.abstain_below and similarity > 0
        value = self.answers[place] if known else self.abstention
        return {"value": value, "confidence": self.trust.chance(similarity), "abstained": not known}


@dataclass
class _Course:
    """One training from pairs to package."""

    context: Reporter
    inputs: Inputs
    begun: float = field(default_factory=time.monotonic)

    def read(self) -> None:
        """Turn the questions into rows."""
        from workbench.trainers.nearest import Index
        from workbench.trainers.ngrams import Ngrams

        config = self.inputs.config
        self.total = len(self.inputs.train) + len(self.inputs.val)
        self.context.progress(0, self.total, "Reading the questions", step="prepare")
        self.answers = [p.response for p in self.inputs.train]
        self.ngrams: Ngrams = Ngrams(word=config["word_ngrams"], char=config["char_ngrams"])
        self.rows: sp.csr_matrix = self.ngrams.fit([p.prompt for p in self.inputs.train])
        self.index: Index = Index(self.rows)

    def learn(self) -> None:
        """Ask every question of the others, to learn how far a similarity can be trusted."""
        import numpy as np

        from workbench.trainers.nearest import Trust, best_threshold

        right: list[np.ndarray] = []
        near: list[np.ndarray] = []
        texts = np.array(self.answers, dtype=object)
        for start in range(0, len(texts), BATCH):
            self.context.check()
            stop = min(start + BATCH, len(texts))
            places, similarities = self.index.nearest(self.rows[start:stop], 1, leave_out=start)
            near.append(similarities[:, 0])
            right.append(texts[places[:, 0]] == texts[start:stop])
            self.context.metric("train_accuracy", float(np.concatenate(right).mean()), stop)
            self.context.progress(stop, self.total, "Asking every question of the others", step="train")
        self.similarity, self.hits = np.concatenate(near), np.concatenate(right).astype(bool)
        self.trust = Trust.learned(self.similarity, self.hits)
        wished = self.inputs.config["abstain_below"]
        self.threshold = best_threshold(self.similarity, self.hits) if wished is None else float(wished)

    def finish(self, trainer: str) -> dict[str, Any]:
        """Evaluate on the held-out questions as they will be served, write the package, return the metrics."""
        import numpy as np

        from workbench.trainers.package import manifest, seal

        config = self.inputs.config
        model = AnswerRetrieverModel(self.ngrams, self.index, self.trust, self.answers, self.threshold, config["abstention"])
        metrics = {**self._effort(), **self._evaluated(model)}
        part = self.context.folder / ".package"
        part.mkdir()
        self.ngrams.save(part)
        told = {"answers": self.answers, "abstain_below": self.threshold, "abstention": config["abstention"]}
        (part / ANSWERS).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        with (part / INDEX).open("wb") as file:
            np.savez_compressed(file, **self.index.arrays(), similarity=self.trust.similarity, chance=self.trust.chances)
        described = manifest(trainer, self.inputs, metrics, framework="scikit-learn")
        seal(part, self.context.folder / "package", described, libraries=LIBRARIES)
        return metrics

    def _effort(self) -> dict[str, Any]:
        return {
            "epochs_completed": 1,
            "tokens_processed": sum(len(p.prompt.split()) for p in self.inputs.train),
            "train_accuracy": float(self.hits.mean()),
            "abstain_below": self.threshold,
        }

    def _evaluated(self, model: AnswerRetrieverModel) -> dict[str, Any]:
        from workbench.trainers.nearest import retrieval_figures

        self.context.progress(len(self.answers), self.total, "Evaluating on the held-out questions", step="evaluate")
        figures, rows = retrieval_figures(model, self.inputs.val, self.inputs.config["top_k"])
        (self.context.folder / "predictions.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        for name in ("val_accuracy", "recall_at_k", "mrr", "coverage"):
            self.context.metric(name, figures[name], len(self.answers))
        self.context.progress(self.total, self.total, f"Held-out accuracy {figures['val_accuracy']:.1%}", step="evaluate")
        return figures | {"training_duration_seconds": round(time.monotonic() - self.begun, 3)}
