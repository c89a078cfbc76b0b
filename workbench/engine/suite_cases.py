"""The cases of the test suite, each able to fail alone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.engine.suite import MANIFEST, Bench, CannotRun, Case, Outcome, memory_bytes, same, valid

MIN_SLICE = 30
BOOTSTRAPS = 2000
DEFAULT_BOUNDS = {
    "accuracy_slack": 0.005,
    "calibration": 0.15,
    "latency_ms": 50.0,
    "batch_ms_per_row": 10.0,
    "size_bytes": 2_000_000_000,
    "memory_bytes": 2_000_000_000,
    "long_text_seconds": 5.0,
    "whitespace_drop": 0.05,
}
_STRANGE = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. 你好 مرحبا 🙂 \u200b\ufeff\x00"
_UNSEEN = "qxvzj wrtplk zzyzx blorpt fnargle 987654321 quuxbar"


def cases_for(bench: Bench) -> list[Case]:
    """Return every case that makes sense for the model, slices of its held-out rows included."""
    fixed = [
        Case("package.file_hashes", file_hashes, critical=True),
        Case("package.registered_hash", registered_hash, critical=True),
        Case("package.size", package_size),
        Case("signature.one_answer_per_row", one_answer_per_row, critical=True),
        Case("signature.known_answers", known_answers),
        Case("signature.confidence_range", confidence_range),
        Case("load.same_answers_after_reload", same_after_reload),
        Case("load.memory", memory_after_load),
        Case("determinism.repeated_calls", repeated_calls),
        Case("accuracy.recorded_baseline", recorded_baseline),
        Case("accuracy.beats_trivial", beats_trivial, critical=True),
        Case("accuracy.not_below_production", not_below_production),
        Case("calibration.expected_error", expected_calibration_error),
        Case("latency.single_row", single_row_latency),
        Case("latency.batch", batch_latency),
        Case("errors.malformed_input", malformed_input),
        Case("errors.recovers_after_malformed", recovers_after_malformed),
        Case("invariance.row_order", row_order),
        Case("invariance.duplicates", duplicates),
        Case("invariance.batch_size", batch_size),
        Case("robustness.no_rows", no_rows),
        Case("robustness.empty_text", lambda b: answers_all(b, [""])),
        Case("robustness.blank_text", lambda b: answers_all(b, ["   ", "\n\t"])),
        Case("robustness.unseen_words", lambda b: answers_all(b, [_UNSEEN])),
        Case("robustness.strange_characters", lambda b: answers_all(b, [_STRANGE])),
        Case("robustness.missing_words", missing_words),
        Case("robustness.very_long_text", very_long_text),
        Case("robustness.whitespace", whitespace),
    ]
    return fixed + list(slices(bench))


def bound(bench: Bench, name: str) -> float:
    """Return a bound stored with the version, or the default one."""
    return float(bench.baseline.get(name) or DEFAULT_BOUNDS[name])


def file_hashes(bench: Bench) -> Outcome:
    """Compare every file of the package with the manifest."""
    if bench.package is None:
        raise CannotRun("The model has no package.")
    listed = json.loads((bench.package / MANIFEST).read_text()).get("files") or {}
    wrong = [name for name, told in listed.items() if _sha(bench.package / name) != _told(told)]
    told = f"{len(listed) - len(wrong)} of {len(listed)} files are as listed. {' '.join(wrong)}"
    return Outcome(bool(listed) and not wrong, told)


def registered_hash(bench: Bench) -> Outcome:
    """Compare the manifest with the hash in the registry."""
    if bench.package is None or not bench.content_hash:
        raise CannotRun("The registry keeps no hash of the package.")
    found = _sha(bench.package / MANIFEST)
    return Outcome(found == bench.content_hash, f"The manifest's hash is {found[:12]}, registered is {bench.content_hash[:12]}.")


def package_size(bench: Bench) -> Outcome:
    """Hold the bytes on disk to the bound."""
    if bench.package is None:
        raise CannotRun("The model has no package.")
    size = sum(f.stat().st_size for f in bench.package.rglob("*") if f.is_file())
    return _at_most(size, bound(bench, "size_bytes"), "bytes")


def one_answer_per_row(bench: Bench) -> Outcome:
    """Ask for all held-out rows at once and check the form of the answers."""
    if not bench.rows:
        raise CannotRun("There are no held-out rows.")
    found = valid(bench.predictor.predict(bench.prompts), len(bench.rows))
    return Outcome(True, f"{len(found)} rows, {len(found)} answers.", len(found), len(bench.rows))


def known_answers(bench: Bench) -> Outcome:
    """Check that a closed set of answers is kept."""
    if not bench.labels:
        raise CannotRun("The answers are not a closed set.")
    known = set(bench.labels)
    strange = sorted({str(a["value"]) for a in bench.answers} - known)
    told = f"{len(strange)} answers outside the {len(known)} learned ones. {', '.join(strange[:3])}"
    return Outcome(not strange, told, len(strange), 0)


def confidence_range(bench: Bench) -> Outcome:
    """Check that every confidence is a probability and not always the same."""
    given = [a["confidence"] for a in bench.answers if a.get("confidence") is not None]
    if not given:
        raise CannotRun("The model gives no confidence.")
    outside = sum(not 0 <= c <= 1 for c in given)
    told = f"{outside} of {len(given)} confidences outside 0-1."
    return Outcome(outside == 0 and len(given) == len(bench.rows), told, outside, 0)


def same_after_reload(bench: Bench) -> Outcome:
    """Load the package again and compare all answers."""
    return _equal(same(bench.answers, valid(bench.load().predict(bench.prompts), len(bench.rows))), len(bench.rows))


def memory_after_load(bench: Bench) -> Outcome:
    """Hold the peak memory of the process to the bound."""
    _ = bench.answers
    return _at_most(memory_bytes(), bound(bench, "memory_bytes"), "bytes at the peak")


def repeated_calls(bench: Bench) -> Outcome:
    """Ask the same rows twice more and compare."""
    texts = bench.some(100)
    first = valid(bench.predictor.predict(texts), len(texts))
    differing = max(same(first, valid(bench.predictor.predict(texts), len(texts))) for _ in range(2))
    return _equal(differing, len(texts))


def recorded_baseline(bench: Bench) -> Outcome:
    """Hold the held-out accuracy to the one recorded when the version was registered."""
    recorded = bench.baseline.get("accuracy")
    if recorded is None:
        raise CannotRun("No accuracy was recorded with the version.")
    return _at_least(bench.accuracy, float(recorded) - bound(bench, "accuracy_slack"), "accuracy on held-out rows")


def beats_trivial(bench: Bench) -> Outcome:
    """Compare with always giving the commonest answer; the paired bootstrap's lower bound must be above 0."""
    hits, trivial = np.asarray(bench.hits, float), _trivial_hits(bench)
    low, _ = paired_bootstrap(hits - trivial)
    told = f"Accuracy {hits.mean():.3f}, {trivial.mean():.3f} for always the commonest answer; 95 % lower bound {low:+.3f}."
    return Outcome(low > 0, told, low, 0.0)


def not_below_production(bench: Bench) -> Outcome:
    """Compare with the version in production; the paired bootstrap's upper bound must not be below 0."""
    if bench.production is None:
        raise CannotRun("No other version is in production.")
    theirs = valid(bench.production.predict(bench.prompts), len(bench.rows))
    hits = np.asarray([str(a["value"]) == t for a, t in zip(theirs, bench.truths, strict=True)], float)
    low, high = paired_bootstrap(np.asarray(bench.hits, float) - hits)
    told = f"Accuracy {bench.accuracy:.3f} against {hits.mean():.3f} in production; difference {low:+.3f} to {high:+.3f}."
    return Outcome(high >= 0, told, high, 0.0)


def expected_calibration_error(bench: Bench) -> Outcome:
    """Compare confidence with accuracy in ten bins of equal width."""
    pairs = [(a["confidence"], hit) for a, hit in zip(bench.answers, bench.hits, strict=True) if a.get("confidence") is not None]
    if len(pairs) < MIN_SLICE:
        raise CannotRun("Too few answers with a confidence.")
    return _at_most(calibration_error(*zip(*pairs, strict=True)), bound(bench, "calibration"), "expected calibration error")


def single_row_latency(bench: Bench) -> Outcome:
    """Hold the 95th percentile of single-row calls to the bound."""
    return _at_most(float(np.percentile(bench.single_latencies, 95)), bound(bench, "latency_ms"), "ms for one row (p95)")


def batch_latency(bench: Bench) -> Outcome:
    """Hold the time per row of one large call to the bound."""
    texts = (bench.some(200) * 200)[:200]
    start = time.perf_counter()
    bench.predictor.predict(texts)
    return _at_most((time.perf_counter() - start) * 1000 / len(texts), bound(bench, "batch_ms_per_row"), "ms per row of 200")


def malformed_input(bench: Bench) -> Outcome:
    """Send what is no text: each must be refused with an error or answered in good form."""
    wrong = []
    for value in (None, 5, {"a": 1}, ["x"], b"x"):
        with contextlib.suppress(Exception):
            answers = bench.predictor.predict([value])  # type: ignore[list-item]
            wrong += _malformed(value, answers)
    return Outcome(not wrong, "; ".join(wrong) or "Everything that is no text is refused or answered.", len(wrong), 0)


def _malformed(value: Any, answers: Any) -> list[str]:
    try:
        valid(answers, 1)
    except ValueError as error:
        return [f"{value!r}: {error}"]
    return []


def recovers_after_malformed(bench: Bench) -> Outcome:
    """Ask the good rows again after a bad one; the answers before are those of the first call."""
    before = bench.answers
    with contextlib.suppress(Exception):
        bench.predictor.predict([None])  # type: ignore[list-item]
    return _equal(same(before, valid(bench.predictor.predict(bench.prompts), len(before))), len(before))


def row_order(bench: Bench) -> Outcome:
    """Shuffle the rows: every row keeps its answer."""
    texts = bench.some(200)
    order = np.random.default_rng(42).permutation(len(texts)).tolist()
    straight = valid(bench.predictor.predict(texts), len(texts))
    shuffled = valid(bench.predictor.predict([texts[i] for i in order]), len(texts))
    return _equal(same([straight[i] for i in order], shuffled), len(texts))


def duplicates(bench: Bench) -> Outcome:
    """Send every row twice in one call: both get one answer."""
    texts = bench.some(100)
    found = valid(bench.predictor.predict([t for t in texts for _ in range(2)]), 2 * len(texts))
    return _equal(same(found[::2], found[1::2]), len(texts))


def batch_size(bench: Bench) -> Outcome:
    """Ask rows alone and together."""
    texts = bench.some(8)
    together = valid(bench.predictor.predict(texts), len(texts))
    return _equal(same(together, [valid(bench.predictor.predict([t]), 1)[0] for t in texts]), len(texts))


def no_rows(bench: Bench) -> Outcome:
    """Send an empty list: the answer is an empty list."""
    return Outcome(bench.predictor.predict([]) == [], "No rows, no answers.")


def answers_all(bench: Bench, texts: list[str]) -> Outcome:
    """Ask texts that occur nowhere in training: each gets an answer in good form."""
    found = valid(bench.predictor.predict(texts), len(texts))
    return Outcome(True, f"Answered {found[0]['value']!r}."[:200])


def missing_words(bench: Bench) -> Outcome:
    """Take away all but a few characters of each prompt, as missing values would."""
    return answers_all(bench, [text[: max(1, cut)] for text in bench.some(10) for cut in (1, len(text) // 2)])


def very_long_text(bench: Bench) -> Outcome:
    """Send a text of a hundred thousand characters."""
    text = (" ".join(bench.some(20)) * 100_000)[:100_000]
    start = time.perf_counter()
    answers_all(bench, [text])
    return _at_most(time.perf_counter() - start, bound(bench, "long_text_seconds"), "s for 100,000 characters")


def whitespace(bench: Bench) -> Outcome:
    """Double the blanks: the accuracy hardly changes."""
    normal = bench.accuracy
    spaced = valid(bench.predictor.predict(["  " + p.replace(" ", "  ") + "\n" for p in bench.prompts]), len(bench.rows))
    accuracy = float(np.mean([str(a["value"]) == t for a, t in zip(spaced, bench.truths, strict=True)]))
    return _at_most(normal - accuracy, bound(bench, "whitespace_drop"), "loss of accuracy with doubled blanks")


def slices(bench: Bench) -> Iterator[Case]:
    """Yield a case per slice of at least 30 held-out rows: by length and by source column."""
    lengths = np.asarray([len(p) for p in bench.prompts])
    if len(lengths) >= 3 * MIN_SLICE:
        edges = np.quantile(lengths, [1 / 3, 2 / 3])
        group = np.digitize(lengths, edges, right=True)
        for index, name in enumerate(("short", "medium", "long")):
            yield _slice(f"slices.{name}_prompts", np.flatnonzero(group == index))
    for column, values in _columns(bench.rows).items():
        counts = Counter(values)
        if 2 <= len(counts) <= 12:
            for value, count in counts.most_common(6):
                if count >= MIN_SLICE:
                    rows = np.flatnonzero([v == value for v in values])
                    yield _slice(f"slices.{column}={value}"[:80], rows)


def _slice(name: str, rows: np.ndarray) -> Case:
    def check(bench: Bench) -> Outcome:
        if len(rows) < MIN_SLICE:
            raise CannotRun(f"Only {len(rows)} rows.")
        mine = np.asarray(bench.hits, float)[rows].mean()
        trivial = _trivial_hits(bench)[rows].mean()
        told = f"Accuracy {mine:.3f} on {len(rows)} rows, {trivial:.3f} for always the commonest answer."
        return Outcome(mine >= trivial, told, mine, trivial)

    return Case(name, check)


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the source columns that do not give the answer away, as texts."""
    names = {name for row in rows for name in (row.get("source") or {})}
    columns = {name: [str((row.get("source") or {}).get(name)) for row in rows] for name in sorted(names)}
    truths = [row["response"] for row in rows]
    return {name: values for name, values in columns.items() if values != truths}


def _trivial_hits(bench: Bench) -> np.ndarray:
    majority = bench.majority or Counter(bench.truths).most_common(1)[0][0]
    return np.asarray([t == majority for t in bench.truths], float)


def paired_bootstrap(differences: np.ndarray, *, seed: int = 42) -> tuple[float, float]:
    """Return the 95 % interval of the mean of paired differences."""
    rng = np.random.default_rng(seed)
    n = len(differences)
    means = np.concatenate([differences[rng.integers(0, n, (200, n))].mean(axis=1) for _ in range(BOOTSTRAPS // 200)])
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def calibration_error(confidences: Sequence[float], hits: Sequence[bool], *, bins: int = 10) -> float:
    """Return the mean gap between confidence and accuracy over equal-width bins, weighted by rows."""
    confidence, hit = np.asarray(confidences, float), np.asarray(hits, float)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(confidence[place == b].mean() - hit[place == b].mean()) * (place == b).mean() for b in set(place.tolist())]
    return float(sum(gaps))


def _equal(differing: int, of: int) -> Outcome:
    return Outcome(differing == 0, f"{differing} of {of} answers differ.", differing, 0)


def _at_most(value: float, limit: float, unit: str) -> Outcome:
    return Outcome(value <= limit, f"{value:.4g} {unit}, at most {limit:.4g}.", value, limit)


def _at_least(value: float, limit: float, unit: str) -> Outcome:
    return Outcome(value >= limit, f"{value:.4g} {unit}, at least {limit:.4g}.", value, limit)


def _told(entry: Any) -> str:
    return entry.get("sha256", "") if isinstance(entry, dict) else str(entry)


def _sha(path: Any) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
