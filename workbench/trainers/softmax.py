"""Softmax regression on sparse rows, learned in mini-batches with a step size per weight."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.sparse as sp

_START = 1e-3


class Softmax:
    """Weights and biases, and the running sums of squared gradients that set each weight's step."""

    def __init__(self, features: int, classes: int) -> None:
        self.weights = np.zeros((features, classes))
        self.bias = np.zeros(classes)
        self._squares = np.full((features, classes), _START)
        self._bias_squares = np.full(classes, _START)

    def state(self) -> dict[str, np.ndarray]:
        """Return all that the next step depends on."""
        return {"weights": self.weights, "bias": self.bias, "squares": self._squares, "bias_squares": self._bias_squares}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up a state again; the steps that follow are exactly those that would have followed."""
        self.weights, self.bias = state["weights"], state["bias"]
        self._squares, self._bias_squares = state["squares"], state["bias_squares"]

    def learn(self, rows: sp.csr_matrix, truth: np.ndarray, rate: float) -> float:
        """Take one step on a mini-batch and return its loss before the step.

        Only the features that occur in the batch have a gradient, so only their weights are touched.
        """
        seen, place = np.unique(rows.indices, return_inverse=True)
        compact = sp.csr_matrix((rows.data, place, rows.indptr), shape=(rows.shape[0], len(seen)))
        weights = self.weights[seen]
        chances = probabilities(compact @ weights + self.bias)
        loss = cross_entropy(chances, truth)
        chances[np.arange(len(truth)), truth] -= 1
        chances /= len(truth)
        gradient = np.asarray(compact.T @ chances)
        squares = self._squares[seen] + gradient * gradient
        self._squares[seen] = squares
        self.weights[seen] = weights - rate * gradient / np.sqrt(squares)
        slope = chances.sum(axis=0)
        self._bias_squares += slope * slope
        self.bias -= rate * slope / np.sqrt(self._bias_squares)
        return loss

    def chances(self, rows: sp.csr_matrix) -> np.ndarray:
        """Return the probability of each class per row."""
        return probabilities(rows @ self.weights + self.bias)


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Return the softmax of each row of scores."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def cross_entropy(chances: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean negative log of the probability given to the truth."""
    return float(-np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-12)).mean())


def calibration_error(confidence: np.ndarray, right: np.ndarray, *, bins: int = 10) -> float:
    """Return the expected calibration error: the mean gap between confidence and accuracy."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[place == b].mean() - right[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))
