"""Measures of agreement, computed from how often each pattern of answers occurs.

A pattern counts the answers to one pair by category. All measures are nominal and take many weightings of
the patterns at once, one per row, so that a bootstrap over pairs is one matrix product: drawing pairs with
replacement is drawing the numbers of patterns from a multinomial distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = Any
CHUNK_CELLS = 5_000_000
PERCENTILES = (2.5, 97.5)


def percent(weights: Array, patterns: Array) -> Array:
    """Return the share of equal answers among all two answers to one pair."""
    size = patterns.sum(axis=1)
    equal = (patterns * (patterns - 1)).sum(axis=1) / (size * (size - 1))
    return weights @ equal / weights.sum(axis=1)


def fleiss(weights: Array, patterns: Array) -> Array:
    """Return Fleiss' kappa (1971) of pairs that all have equally many answers."""
    totals = weights @ patterns
    shares = totals / totals.sum(axis=1, keepdims=True)
    return _beyond_chance(percent(weights, patterns), (shares**2).sum(axis=1))


def krippendorff(weights: Array, patterns: Array) -> Array:
    """Return Krippendorff's alpha for nominal data; pairs may have different numbers of answers."""
    size = patterns.sum(axis=1)
    observed = weights @ ((patterns * (size[:, None] - patterns)).sum(axis=1) / (size - 1))
    totals = weights @ patterns
    whole = totals.sum(axis=1)
    expected = (totals * (whole[:, None] - totals)).sum(axis=1) / (whole - 1)
    return 1 - np.divide(observed, expected, out=np.full_like(observed, np.nan), where=expected > 0)


def gwet(weights: Array, patterns: Array) -> Array:
    """Return Gwet's AC1 (2008) over the categories that occur."""
    categories = patterns.shape[1]
    shares = weights @ (patterns / patterns.sum(axis=1, keepdims=True)) / weights.sum(axis=1, keepdims=True)
    if categories < 2:
        return np.full(len(weights), np.nan)
    return _beyond_chance(percent(weights, patterns), (shares * (1 - shares)).sum(axis=1) / (categories - 1))


def cohen(weights: Array, cells: Array) -> Array:
    """Return Cohen's kappa (1960); `cells` are the answers of two people, `weights` how often they occur."""
    categories = int(cells.max()) + 1
    table = np.zeros((len(weights), categories, categories))
    np.add.at(table, (slice(None), cells[:, 0], cells[:, 1]), weights)
    table /= table.sum(axis=(1, 2), keepdims=True)
    chance = (table.sum(axis=1) * table.sum(axis=2)).sum(axis=1)
    return _beyond_chance(np.trace(table, axis1=1, axis2=2), chance)


def _beyond_chance(observed: Array, chance: Array) -> Array:
    room = 1 - chance
    return np.divide(observed - chance, room, out=np.full_like(observed, np.nan), where=room > 1e-12)


def interval(measure: Callable[[Array, Array], Array], counts: Sequence[int], shapes: Array, samples: int, seed: int) -> Array:
    """Return the 95 % percentile interval of a measure over resampled pairs, or two NaN."""
    counts = np.asarray(counts, dtype=np.int64)
    dice = np.random.default_rng(seed)
    total, share = int(counts.sum()), counts / counts.sum()
    step = max(CHUNK_CELLS // len(counts), 1)
    found = [
        measure(dice.multinomial(total, share, size=min(step, samples - done)).astype(float), shapes)
        for done in range(0, samples, step)
    ]
    values = np.concatenate(found)
    values = values[np.isfinite(values)]
    # Where most samples have no value, the few that have one say nothing.
    return np.percentile(values, PERCENTILES) if len(values) > samples / 2 else np.array([np.nan, np.nan])
