"""Nearest neighbors among sparse rows, how far they can be trusted, and how well they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from workbench.trainers.protocol import Pair

BATCH = 256


class Retriever(Protocol):
    """A model that finds known questions."""

    ngrams: Any
    index: Index
    answers: list[str]

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return an answer per text."""


class Index:
    """Rows of unit length to be compared by the cosine of their angle."""

    def __init__(self, rows: sp.csr_matrix) -> None:
        self.rows = sp.csr_matrix(rows, dtype=np.float32)
        self._columns = self.rows.T.tocsr()

    def nearest(self, asked: sp.csr_matrix, count: int, *, leave_out: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of the nearest rows and their similarities, the nearest first, ties by place.

        With `leave_out`, the first asked row is row `leave_out` itself, and so on: no row finds itself.
        """
        wanted = min(count, self.rows.shape[0])
        places = np.zeros((asked.shape[0], wanted), dtype=np.int64)
        similarities = np.zeros((asked.shape[0], wanted))
        for start in range(0, asked.shape[0], BATCH):
            found = (sp.csr_matrix(asked[start : start + BATCH], dtype=np.float32) @ self._columns).toarray()
            if leave_out is not None:
                found[np.arange(len(found)), np.arange(len(found)) + leave_out + start] = -1.0
            best = np.argsort(-found, axis=1, kind="stable")[:, :wanted] if wanted > 1 else found.argmax(axis=1)[:, None]
            places[start : start + len(found)] = best
            similarities[start : start + len(found)] = np.take_along_axis(found, best, axis=1)
        return places, np.clip(similarities, 0.0, 1.0)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the index as plain arrays."""
        return {
            "data": self.rows.data,
            "indices": self.rows.indices,
            "indptr": self.rows.indptr,
            "shape": np.array(self.rows.shape),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Index:
        """Return the index kept in plain arrays."""
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        return cls(sp.csr_matrix(parts, shape=tuple(int(n) for n in arrays["shape"])))


class Trust:
    """The chance that the nearest question's answer is right, by its similarity."""

    def __init__(self, similarity: np.ndarray, chances: np.ndarray) -> None:
        self.similarity = similarity
        self.chances = chances

    @classmethod
    def learned(cls, similarity: np.ndarray, right: np.ndarray) -> Trust:
        """Learn a chance that never falls as the similarity rises."""
        from sklearn.isotonic import IsotonicRegression

        fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(similarity, right.astype(float))
        return cls(np.asarray(fitted.X_thresholds_, dtype=float), np.asarray(fitted.y_thresholds_, dtype=float))

    def chance(self, similarity: float) -> float:
        """Return the chance at one similarity."""
        return float(np.interp(similarity, self.similarity, self.chances))


def best_threshold(similarity: np.ndarray, right: np.ndarray) -> float:
    """Return the similarity from which answering pays, when a wrong answer costs what a right one gains.

    Where no answer is ever right, a single one, the nearest, is still given.
    """
    order = np.argsort(-similarity, kind="stable")
    gain = np.cumsum(np.where(right[order], 1, -1))
    # A threshold cannot tell equal similarities apart: only the last of each run is a choice.
    last = np.append(np.diff(similarity[order]) != 0, True)
    choices = np.flatnonzero(last)
    best = choices[np.argmax(gain[choices])]
    return float(similarity[order][best])


def retrieval_figures(model: Retriever, val: Sequence[Pair], k: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the figures on held-out pairs, and one row per pair: id, prediction, confidence, loss, correct.

    `answerable` is the share whose true answer is known at all; recall@k and the mean reciprocal rank
    count among all pairs, precision among the answered ones; the loss is the negative log of the chance
    given to the truth, which is least where the truth is no known answer.
    """
    texts = [p.prompt for p in val]
    told = model.predict(texts)
    ranks = _ranks(model, val, k)
    right = np.array([a["value"] == p.response and not a["abstained"] for a, p in zip(told, val, strict=True)])
    answered = np.array([not a["abstained"] for a in told])
    confidence = np.array([a["confidence"] for a in told])
    known = set(model.answers)
    loss = -np.log(np.clip(_given_to_truth(told, val, known), 1e-12, 1.0))
    figures = {
        "accuracy": float(right.mean()),
        "val_accuracy": float(right.mean()),
        "val_loss": float(loss.mean()),
        "precision": float(right[answered].mean()) if answered.any() else None,
        "coverage": float(answered.mean()),
        "recall_at_1": float((ranks == 1).mean()),
        "recall_at_k": float((ranks > 0).mean()),
        "k": k,
        "mrr": float(np.where(ranks > 0, 1 / np.maximum(ranks, 1), 0.0).mean()),
        "answerable": float(np.mean([p.response in known for p in val])),
        "word_overlap": float(np.mean([word_overlap(a["value"], p.response) for a, p in zip(told, val, strict=True)])),
        "mean_confidence": float(confidence.mean()),
    }
    rows = [
        {"pair_id": p.id, "prediction": a["value"], "confidence": float(c), "loss": float(x), "correct": bool(r)}
        for p, a, c, x, r in zip(val, told, confidence, loss, right, strict=True)
    ]
    return figures, rows


def _given_to_truth(told: Sequence[Mapping[str, Any]], val: Sequence[Pair], known: set[str]) -> np.ndarray:
    """Return the chance each true answer was given: what the nearest leaves is shared by the other known answers."""
    others = max(len(known) - 1, 1)
    chances = [
        a["confidence"] if a["value"] == p.response else (1 - a["confidence"]) / others if p.response in known else 0.0
        for a, p in zip(told, val, strict=True)
    ]
    return np.array(chances, dtype=float)


def _ranks(model: Retriever, val: Sequence[Pair], k: int) -> np.ndarray:
    """Return the rank of the true answer among the nearest k different ones, from 1; 0 where it is not there."""
    places, _ = model.index.nearest(model.ngrams.rows([p.prompt for p in val]), 10 * k)
    ranks = np.zeros(len(val), dtype=int)
    for row, pair in enumerate(val):
        found = list(dict.fromkeys(model.answers[place] for place in places[row]))[:k]
        ranks[row] = found.index(pair.response) + 1 if pair.response in found else 0
    return ranks


def word_overlap(given: str, truth: str) -> float:
    """Return the F1 score of the words two texts share."""
    from collections import Counter

    one, other = Counter(given.lower().split()), Counter(truth.lower().split())
    shared = sum((one & other).values())
    return 2 * shared / (one.total() + other.total()) if shared else 0.0
