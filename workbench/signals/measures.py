"""What a text shows by itself: its length, its repeats, what it gives away, how unusual it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.signals.shingles import RUN, Shingles, normalized, shingles

REFUSAL = (
    r"(?i)\b(?:as an? (?:ai|(?:ai |large )?language) (?:model|assistant)|i(?:['’]m| am) (?:sorry,?|unable|not able)[^.]{0,60}"
    r"(?:can['’]?t|cannot|unable|not able|to (?:help|assist|answer|provide|comply|fulfil))|i (?:can['’]?t|cannot|won['’]?t) "
    r"(?:help|assist|answer|comply|provide|do that|fulfil)|(?:das )?kann ich (?:leider )?nicht (?:beantworten|helfen)|"
    r"ich kann (?:dir |ihnen )?(?:dabei |damit )?(?:leider )?nicht helfen|je ne peux pas (?:vous )?(?:aider|répondre)|"
    r"no puedo (?:ayudar|responder|proporcionar))"
)
FEWEST_RUNS = 8
COMPARED = 10
FARTHEST = 99.0
REASONS = ("length", "characters", "words")


def words(texts: pa.Array) -> np.ndarray[Any, Any]:
    """Return the number of words of each text."""
    return _numbers(pc.count_substring_regex(texts, r"[\pL\pN]+"))


def lengths(texts: pa.Array) -> np.ndarray[Any, Any]:
    """Return the number of characters of each text."""
    return _numbers(pc.utf8_length(texts))


def symbols(texts: pa.Array) -> np.ndarray[Any, Any]:
    """Return the part of each text that is neither letter, blank nor digit."""
    marks = _numbers(pc.count_substring_regex(texts, r"[^\pL\pN\s]"))
    return marks / np.maximum(lengths(texts), 1)


def repetition(texts: pa.Array, found: Shingles) -> np.ndarray[Any, Any]:
    """Return the part of each text's runs of characters that occur before in it."""
    runs = np.maximum(_numbers(pc.binary_length(normalized(texts))) - RUN + 1, 1)
    return np.clip(1 - np.bincount(found.rows, minlength=found.count) / runs, 0, 1)


def leakage(prompts: pa.Array, responses: pa.Array) -> np.ndarray[Any, Any]:
    """Return how much of each response its prompt holds: 1 where all of it stands there as whole words."""
    given, said = normalized(prompts).to_pylist(), normalized(responses).to_pylist()
    whole = np.array([bool(r) and f" {r} " in f" {p} " for p, r in zip(given, said, strict=True)], dtype=float)
    left, right = (_keys(shingles(texts)) for texts in (prompts, responses))
    sizes = np.bincount((right >> np.uint64(32)).astype(np.int64), minlength=len(prompts))
    both = np.intersect1d(left, right, assume_unique=True)
    shared = np.bincount((both >> np.uint64(32)).astype(np.int64), minlength=len(prompts))
    return np.maximum(whole, np.where(sizes >= FEWEST_RUNS, shared / np.maximum(sizes, 1), 0))


def refusals(texts: pa.Array) -> np.ndarray[Any, Any]:
    """Return which texts decline to answer."""
    return np.asarray(pc.match_substring_regex(texts, REFUSAL).to_numpy(zero_copy_only=False), dtype=bool)


def outliers(features: list[np.ndarray[Any, Any]]) -> tuple[np.ndarray[Any, Any], list[str | None]]:
    """Return how many deviations each row is from the middle, in the feature where it is farthest, and which that is."""
    size = len(features[0])
    if size < COMPARED:
        return np.zeros(size), [None] * size
    scores = np.stack([_deviations(feature) for feature in features])
    # Few symbols and common words are nothing odd; a text may be too short as well as too long.
    scores[1:] = np.maximum(scores[1:], 0)
    scores = np.minimum(np.abs(scores), FARTHEST)
    farthest = scores.argmax(axis=0)
    return scores.max(axis=0), [
        REASONS[place] if score >= 3 else None for place, score in zip(farthest, scores.max(axis=0), strict=True)
    ]


def _deviations(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the distance from the median, in robust standard deviations where they exist."""
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    spread = max(spread, values.std() / 4)
    return (values - middle) / spread if spread > 1e-9 else np.zeros(len(values))


def _keys(found: Shingles) -> np.ndarray[Any, Any]:
    return (found.rows.astype(np.uint64) << np.uint64(32)) | found.values.astype(np.uint64)


def _numbers(values: Any) -> np.ndarray[Any, Any]:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.int64)
