"""The entry of a scan: read the texts from the folder, leave one line of signals for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.signals import measures
from workbench.signals.duplicates import exact, near
from workbench.signals.language import UNKNOWN, languages
from workbench.signals.pii import personal
from workbench.signals.shingles import BUCKETS, Shingles, shingles

TEXTS = "texts.parquet"
SIGNALS = "signals.parquet"
CHUNK = 5000
SAMPLE = 20_000

Column = np.ndarray[Any, Any]


def scan(context: Any) -> dict[str, Any]:
    """Measure every text of the folder; columns row_index, fingerprint, text and, where there is one, response."""
    with pq.ParquetFile(context.folder / TEXTS) as file:
        table = file.read()
    texts = table["text"]
    steps = 2 * len(texts)
    context.progress(0, steps, "Looking for exact duplicates", step="exact")
    duplicates, first = exact(texts)
    signals: dict[str, Any] = {"duplicates": duplicates, "duplicate_group": first}
    signals |= _alone(context, table, steps)

    def tell(done: int, whole: int) -> None:
        context.check()
        context.progress(len(texts) + done, steps, "Looking for near duplicates", step="near")

    signals["near_duplicates"], signals["near_group"] = near(texts, tell)
    signals["concern"] = concern(signals)
    context.check()
    _write(context, table, signals)
    context.progress(steps, steps, "Done", step="near")
    return {"rows": len(texts), "responses": "response" in table.column_names}


def _alone(context: Any, table: pa.Table, steps: int) -> dict[str, Any]:
    """Measure what each text shows by itself, chunk by chunk."""
    seen = _seen(table["text"])
    parts: dict[str, list[Any]] = {}
    for start in range(0, len(table), CHUNK):
        context.check()
        context.progress(start, steps, "Reading", step="texts")
        for name, values in _chunk(table.slice(start, CHUNK), seen).items():
            parts.setdefault(name, []).append(values)
    found: dict[str, Any] = {name: np.concatenate(values) for name, values in parts.items()}
    features = [np.log1p(found["length"]), found.pop("symbols"), found.pop("rarity")]
    found["outlier"], found["outlier_by"] = measures.outliers(features)
    return found


def _chunk(table: pa.Table, seen: Column) -> dict[str, Any]:
    texts = table["text"].combine_chunks()
    response = table["response"].combine_chunks() if "response" in table.column_names else None
    runs = shingles(texts)
    count, kinds = personal(texts)
    said = texts if response is None else response
    found = {
        "length": measures.lengths(said),
        "words": measures.words(texts),
        "language": languages(texts),
        "pii": count,
        "pii_kinds": np.array(kinds, dtype=object),
        "refusal": measures.refusals(said),
        "repetition": measures.repetition(texts, runs),
        "symbols": measures.symbols(texts),
        "rarity": _rarity(runs, seen),
    }
    if response is not None:
        found["leakage"] = measures.leakage(table["prompt"].combine_chunks(), response)
    return found


def _seen(texts: pa.ChunkedArray) -> Column:
    """Return in how many texts of a sample each shingle occurs."""
    step = max(1, len(texts) // SAMPLE)
    sample = texts.take(pa.array(np.arange(0, len(texts), step)))
    seen = np.zeros(BUCKETS, dtype=np.int64)
    for start in range(0, len(sample), CHUNK):
        seen += np.bincount(shingles(sample.slice(start, CHUNK)).values % BUCKETS, minlength=BUCKETS)
    return seen


def _rarity(found: Shingles, seen: Column) -> Column:
    """Return how seldom the runs of each text are, on average."""
    total = np.bincount(found.rows, weights=-np.log(seen[found.values % BUCKETS] + 1.0), minlength=found.count)
    sizes = np.bincount(found.rows, minlength=found.count)
    return np.where(sizes > 0, total / np.maximum(sizes, 1), 0.0)


def concern(signals: dict[str, Any]) -> Column:
    """Return one figure per row: each finding counts by its weight, and less the more rows share it."""
    place = np.arange(len(signals["length"]))
    again = (signals["duplicates"] > 0) & (signals["duplicate_group"] != place)
    close = (signals["near_duplicates"] > 0) & (signals["near_group"] != place)
    findings = [
        (0.95, (signals["length"] == 0).astype(float)),
        (0.8, again.astype(float)),
        (0.7, close.astype(float)),
        (0.7, (signals["pii"] > 0).astype(float)),
        (0.8, signals["refusal"].astype(float)),
        (0.6, _foreign(signals["language"])),
        (0.7, np.clip((signals["repetition"] - 0.35) / 0.4, 0, 1)),
        (0.7, np.clip((signals["outlier"] - 3) / 5, 0, 1)),
    ]
    if "leakage" in signals:
        findings.append((0.6, np.clip((signals["leakage"] - 0.8) / 0.2, 0, 1)))
    calm = np.ones(len(place))
    for weight, strength in findings:
        calm *= 1 - weight * (1 - strength.mean()) ** 2 * strength if len(place) else 1
    return 1 - calm


def _foreign(languages: Column) -> Column:
    """Return which texts are in another language than most."""
    names, counts = np.unique(languages[languages != UNKNOWN].astype(str), return_counts=True)
    if not len(names) or counts.max() < 0.7 * counts.sum():
        return np.zeros(len(languages))
    return ((languages != UNKNOWN) & (languages != names[counts.argmax()])).astype(float)


def _write(context: Any, table: pa.Table, signals: dict[str, Any]) -> None:
    numbers = table["row_index"].to_numpy()
    columns: dict[str, Any] = {"row_index": table["row_index"], "fingerprint": table["fingerprint"]}
    for name, values in signals.items():
        if name.endswith("_group"):
            alone = values < 0
            columns[name] = pa.array(numbers[np.where(alone, 0, values)] if len(numbers) else numbers, pa.int64(), mask=alone)
        else:
            columns[name] = pa.array(values)
    if "leakage" not in columns:
        columns["leakage"] = pa.nulls(len(table), pa.float64())
    part = context.folder / f".{SIGNALS}.part"
    pq.write_table(pa.table(columns), part)
    part.replace(context.folder / SIGNALS)
