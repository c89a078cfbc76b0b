"""Texts as sets of numbers: each run of five characters is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

RUN = 5
BUCKETS = 1 << 22
# Beyond this a text is represented by its beginning: what is copied is copied from the start.
LONGEST = 20_000


@dataclass(frozen=True)
class Shingles:
    """Hold the distinct shingles of some texts, ordered by text."""

    count: int
    rows: np.ndarray[Any, Any]
    values: np.ndarray[Any, Any]

    def where(self, kept: np.ndarray[Any, Any]) -> Shingles:
        """Return those that are kept."""
        return Shingles(self.count, self.rows[kept], self.values[kept])


def normalized(texts: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return texts in lower case, everything but letters and digits as one blank."""
    lowered = pc.utf8_lower(pc.utf8_slice_codeunits(pc.fill_null(texts, ""), 0, LONGEST))
    plain = pc.utf8_trim_whitespace(pc.replace_substring_regex(lowered, r"[^\pL\pN]+", " "))
    return plain.combine_chunks() if isinstance(plain, pa.ChunkedArray) else plain


def shingles(texts: pa.ChunkedArray | pa.Array) -> Shingles:
    """Return the distinct runs of five bytes of each text as 32-bit numbers; a shorter text is one run."""
    plain = normalized(texts).cast(pa.large_binary())
    offsets = np.frombuffer(plain.buffers()[1], dtype=np.int64)[plain.offset : plain.offset + len(plain) + 1]
    data = (
        np.frombuffer(plain.buffers()[2] or b"", dtype=np.uint8)[offsets[0] : offsets[-1]]
        if len(plain)
        else np.zeros(0, np.uint8)
    )
    lengths = np.diff(offsets)
    counts = np.where(lengths > 0, np.maximum(lengths - RUN + 1, 1), 0)
    rows = np.repeat(np.arange(len(plain)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    start = (offsets[:-1] - offsets[0])[rows] + within
    padded = np.concatenate([data, np.zeros(RUN, dtype=np.uint8)])
    value = np.zeros(len(rows), dtype=np.uint32)
    for step in range(RUN):
        inside = within + step < lengths[rows]
        value = value * np.uint32(0x01000193) + np.where(inside, padded[start + step], 0).astype(np.uint32)
    value ^= value >> np.uint32(16)
    value *= np.uint32(0x85EBCA6B)
    keys = np.unique((rows.astype(np.uint64) << np.uint64(32)) | value.astype(np.uint64))
    return Shingles(len(plain), (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32))
