"""How well a model answers pairs it never learned from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from workbench.trainers.protocol import Pair

MOST_CONFUSIONS = 50
MOST_LABELS = 200


class Scorer(Protocol):
    """A model that knows its labels and their probabilities."""

    labels: list[str]

    def chances(self, texts: list[str]) -> Any:
        """Return the probability of each label per text."""


def held_out(model: Scorer, train: Sequence[Pair], val: Sequence[Pair]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the figures on `val`, and one row per pair: id, prediction, confidence, loss, correct."""
    import numpy as np

    from workbench.trainers.softmax import calibration_error

    chances = model.chances([p.prompt for p in val])
    best, confidence = chances.argmax(axis=1), chances.max(axis=1)
    given = [model.labels[b] for b in best]
    right = np.array([g == p.response for g, p in zip(given, val, strict=True)])
    number = {label: i for i, label in enumerate(model.labels)}
    truth = np.array([number.get(p.response, -1) for p in val])
    lost = -np.log(np.maximum(np.where(truth >= 0, chances[np.arange(len(val)), np.maximum(truth, 0)], 0.0), 1e-12))
    common, trivial = trivial_accuracy(train, val)
    metrics = {
        "accuracy": float(right.mean()),
        "val_accuracy": float(right.mean()),
        "val_loss": float(lost.mean()),
        "macro_f1": macro_f1(given, val),
        "mean_confidence": float(confidence.mean()),
        "calibration_error": calibration_error(confidence, right),
        "trivial_accuracy": trivial,
        "majority_label": common,
        "unseen_responses": int((truth < 0).sum()),
        "per_label": per_label(given, val),
        "confusions": confusions(given, val),
    }
    rows = [
        {"pair_id": p.id, "prediction": g, "confidence": float(c), "loss": float(x), "correct": bool(r)}
        for p, g, c, x, r in zip(val, given, confidence, lost, right, strict=True)
    ]
    return metrics, rows


def evaluated(
    context: Any, model: Any, pairs: Sequence[Pair], *, majority: str | None = None, chunk: int = 500
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the figures of any predictor on pairs, and one row per pair, asked for chunk by chunk."""
    rows: list[dict[str, Any]] = []
    for start in range(0, len(pairs), chunk):
        context.check()
        some = pairs[start : start + chunk]
        rows += [_answered(p, told) for p, told in zip(some, model.predict([p.prompt for p in some]), strict=True)]
        context.progress(len(rows), len(pairs), "Asking the model", step="evaluate")
    given = [row["prediction"] for row in rows]
    confidences = [row["confidence"] for row in rows if row["confidence"] is not None]
    losses = [row["loss"] for row in rows if row["loss"] is not None]
    metrics = {
        "pairs": len(rows),
        "accuracy": sum(row["correct"] for row in rows) / max(1, len(rows)),
        "macro_f1": macro_f1(given, pairs),
        "mean_confidence": sum(confidences) / len(confidences) if confidences else None,
        "loss": sum(losses) / len(losses) if losses else None,
        "trivial_accuracy": None if majority is None else sum(p.response == majority for p in pairs) / max(1, len(pairs)),
        "per_label": commonest(per_label(given, pairs)),
        "confusions": confusions(given, pairs),
    }
    return metrics, rows


def commonest(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the labels with the most support: open answers are as many as the pairs."""
    chosen = sorted(found, key=lambda label: (-found[label]["support"], label))[:MOST_LABELS]
    return {label: found[label] for label in sorted(chosen)}


def _answered(pair: Pair, told: dict[str, Any]) -> dict[str, Any]:
    value, confidence = str(told["value"]), told.get("confidence")
    return {
        "pair_id": pair.id,
        "prediction": value,
        "confidence": confidence,
        # Only the probability of the answer is known: that of another truth is what it leaves at most.
        "loss": None if confidence is None else -math.log(max(confidence if value == pair.response else 1 - confidence, 1e-12)),
        "correct": value == pair.response,
    }


def trivial_accuracy(train: Sequence[Pair], val: Sequence[Pair]) -> tuple[str, float]:
    """Return the commonest training response and how often it alone would be right."""
    common = Counter(p.response for p in train).most_common(1)[0][0]
    return common, sum(p.response == common for p in val) / max(1, len(val))


def per_label(given: Sequence[str], val: Sequence[Pair]) -> dict[str, dict[str, Any]]:
    """Return support, precision and recall of each label."""
    support, answered = Counter(p.response for p in val), Counter(given)
    hits = Counter(g for g, p in zip(given, val, strict=True) if g == p.response)
    return {
        label: {
            "support": support[label],
            "precision": hits[label] / answered[label] if answered[label] else None,
            "recall": hits[label] / support[label] if support[label] else None,
        }
        for label in sorted(support | answered)
    }


def macro_f1(given: Sequence[str], val: Sequence[Pair]) -> float:
    """Return the F1 score averaged over the labels."""
    scores = []
    for told in per_label(given, val).values():
        precision, recall = told["precision"] or 0.0, told["recall"] or 0.0
        scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    return sum(scores) / max(1, len(scores))


def confusions(given: Sequence[str], val: Sequence[Pair]) -> list[dict[str, Any]]:
    """Return the commonest mistakes."""
    found = Counter((p.response, g) for g, p in zip(given, val, strict=True) if g != p.response)
    return [{"truth": t, "prediction": g, "count": n} for (t, g), n in found.most_common(MOST_CONFUSIONS)]
