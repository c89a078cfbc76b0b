"""Texts that occur again, exactly or nearly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.signals.shingles import BUCKETS, Shingles, shingles

BANDS = 20
ROWS = 3
SEED = 20_240_229
NEAR = 0.6
# A shingle found in more than this part of many texts belongs to their form, not to what they say.
COMMON = 0.1
MANY = 1000
FEWEST = 8
CHUNK = 5000


def groups_of(keys: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return, per row, how many other rows share its key and the first of them all (-1: it is alone)."""
    _, first, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    others = counts[inverse] - 1
    return others, np.where(others > 0, first[inverse], -1)


def exact(texts: pa.ChunkedArray) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return, per text, the number of other rows with the same text and the first of them; blank ones are left out."""
    codes = pc.dictionary_encode(texts.combine_chunks() if texts.num_chunks != 1 else texts.chunk(0)).indices
    keys = np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)
    counts = np.bincount(keys)
    first = np.full(len(counts), len(keys), dtype=np.int64)
    np.minimum.at(first, keys, np.arange(len(keys)))
    blank = np.asarray(pc.equal(pc.utf8_trim_whitespace(texts), "").to_numpy(zero_copy_only=False), dtype=bool)
    others = np.where(blank, 0, counts[keys] - 1)
    return others, np.where(others > 0, first[keys], -1)


def near(texts: pa.ChunkedArray, tell: Callable[[int, int], None]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return, per text, the number of other rows with nearly the same text and the first of them.

    MinHash signatures are banded; rows that meet in a band are compared shingle by shingle. `tell(done, all)`
    hears how far it is and may raise to end it.
    """
    size = len(texts)
    common = _common(texts, tell)
    signatures = np.concatenate(
        [_signature(found) for found in _chunks(texts, common, tell)] or [np.zeros((0, BANDS * ROWS), np.uint32)]
    )
    pairs = _candidates(signatures)
    alike = (signatures[pairs[:, 0]] == signatures[pairs[:, 1]]).mean(axis=1) >= NEAR - 0.2
    pairs = pairs[alike]
    kept = _confirmed(texts, pairs, common)
    labels = _connected(size, pairs[kept])
    return groups_of(labels)


def _chunks(texts: pa.ChunkedArray, common: np.ndarray[Any, Any] | None, tell: Callable[[int, int], None]) -> Iterator[Shingles]:
    for start in range(0, len(texts), CHUNK):
        tell(start, len(texts))
        yield _distinctive(shingles(texts.slice(start, CHUNK)), common)


def _common(texts: pa.ChunkedArray, tell: Callable[[int, int], None]) -> np.ndarray[Any, Any] | None:
    """Return which shingles a sample of many texts has too often to tell them apart."""
    if len(texts) < MANY:
        return None
    step = max(1, len(texts) // 20_000)
    sample = texts.take(pa.array(np.arange(0, len(texts), step)))
    seen = np.zeros(BUCKETS, dtype=np.int64)
    for start in range(0, len(sample), CHUNK):
        tell(0, len(texts))
        found = shingles(sample.slice(start, CHUNK))
        seen += np.bincount(found.values % BUCKETS, minlength=BUCKETS)
    return seen > COMMON * len(sample)


def _distinctive(found: Shingles, common: np.ndarray[Any, Any] | None) -> Shingles:
    """Leave out common shingles; a text that consists of little else keeps them."""
    if common is None:
        return found
    telling = ~common[found.values % BUCKETS]
    left = np.bincount(found.rows[telling], minlength=found.count)
    return found.where(telling | (left < FEWEST)[found.rows])


def _signature(found: Shingles) -> np.ndarray[Any, Any]:
    """Return the smallest value of each hash function per text; an empty text has a signature of its own."""
    rng = np.random.default_rng(SEED)
    factors = rng.integers(1, 1 << 32, BANDS * ROWS, dtype=np.uint64).astype(np.uint32) | np.uint32(1)
    shifts = rng.integers(0, 1 << 32, BANDS * ROWS, dtype=np.uint64).astype(np.uint32)
    sizes = np.bincount(found.rows, minlength=found.count)
    filled = sizes > 0
    starts = (np.cumsum(sizes) - sizes)[filled]
    signature = np.zeros((found.count, BANDS * ROWS), dtype=np.uint32)
    for place, (factor, shift) in enumerate(zip(factors, shifts, strict=True)):
        if len(starts):
            mixed = found.values * factor + shift
            mixed ^= mixed >> np.uint32(15)
            mixed *= np.uint32(2_246_822_519)
            signature[filled, place] = np.minimum.reduceat(mixed, starts)
    signature[~filled] = rng.integers(0, 1 << 32, (int((~filled).sum()), BANDS * ROWS), dtype=np.uint64).astype(np.uint32)
    return signature


def _candidates(signatures: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return pairs of rows that agree in some band: each with its neighbor and with the first of its bucket."""
    found = [np.zeros((0, 2), dtype=np.int64)]
    for band in range(BANDS):
        part = signatures[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
        key = (part[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ part[:, 1]) * np.uint64(0xC2B2AE3D27D4EB4F) ^ part[:, 2]
        # Rows of one bucket that are alike elsewhere too come to stand beside each other.
        order = np.lexsort((signatures[:, (band * ROWS + ROWS) % signatures.shape[1]], key))
        same = key[order][1:] == key[order][:-1]
        leader = order[np.maximum.accumulate(np.where(np.r_[True, ~same], np.arange(len(order)), 0))]
        found.append(np.stack([order[:-1][same], order[1:][same]], axis=1))
        found.append(np.stack([leader[1:][same], order[1:][same]], axis=1))
    pairs = np.sort(np.concatenate(found), axis=1)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    codes = np.unique(pairs[:, 0] * len(signatures) + pairs[:, 1]) if len(pairs) else np.zeros(0, dtype=np.int64)
    return np.stack([codes // max(1, len(signatures)), codes % max(1, len(signatures))], axis=1)


def _confirmed(texts: pa.ChunkedArray, pairs: np.ndarray[Any, Any], common: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any]:
    """Return which pairs share enough shingles, counted one by one."""
    kept = np.zeros(len(pairs), dtype=bool)
    for start in range(0, len(pairs), CHUNK):
        some = pairs[start : start + CHUNK]
        rows, places = np.unique(some, return_inverse=True)
        found = _distinctive(shingles(texts.take(pa.array(rows))), common)
        sizes = np.bincount(found.rows, minlength=found.count)
        left, right = (_spread(found, sizes, places.reshape(-1, 2)[:, side]) for side in (0, 1))
        both = np.concatenate([left, right])
        both.sort()
        shared = np.bincount((both[1:][both[1:] == both[:-1]] >> np.uint64(32)).astype(np.int64), minlength=len(some))
        whole = sizes[places.reshape(-1, 2)].sum(axis=1) - shared
        kept[start : start + CHUNK] = shared >= NEAR * np.maximum(whole, 1)
    return kept


def _spread(found: Shingles, sizes: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the shingles of the given texts, each beside the place of its text in the list."""
    starts = np.cumsum(sizes) - sizes
    counts = sizes[rows]
    place = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return (place.astype(np.uint64) << np.uint64(32)) | found.values[starts[rows][place] + within].astype(np.uint64)


def _connected(size: int, pairs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return one label per row: the smallest row it is connected with."""
    labels = np.arange(size)
    while True:
        before = labels.copy()
        lowest = np.minimum(labels[pairs[:, 0]], labels[pairs[:, 1]])
        np.minimum.at(labels, pairs[:, 0], lowest)
        np.minimum.at(labels, pairs[:, 1], lowest)
        labels = labels[labels]
        if (labels == before).all():
            return labels
