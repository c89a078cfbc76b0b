"""The test suite of a model version, run in a job's own process.

Every case is named, runs alone and leaves a figure; a case whose ground is missing is skipped and
does not count.
"""

from __future__ import annotations

import hashlib
import json
import math
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from workbench.engine.child import JobContext

MANIFEST = "manifest.json"


class Predictor(Protocol):
    """Answer texts: one dict with `value` and, where known, `confidence` per text."""

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return one answer per text."""


class CannotRun(Exception):
    """Skip a case whose ground is missing."""


@dataclass
class Outcome:
    """What a case saw: whether it holds, in words, and the figure beside its bound."""

    ok: bool
    message: str
    observed: float | None = None
    bound: float | None = None


@dataclass(frozen=True)
class Case:
    """One named check; a critical one shuts the gate by itself."""

    name: str
    check: Callable[[Bench], Outcome]
    critical: bool = False

    @property
    def group(self) -> str:
        """Return the part of the name before the first dot."""
        return self.name.split(".")[0]


@dataclass
class Bench:
    """What the cases work on: the loaded model, held-out rows, bounds, and answers already had.

    `rows` are dicts with prompt, response and, where known, source (the row's other columns).
    `load` reads the package again; `baseline` holds the bounds stored with the version.
    """

    predictor: Predictor
    load: Callable[[], Predictor]
    rows: Sequence[dict[str, Any]]
    baseline: dict[str, Any] = field(default_factory=dict)
    labels: Sequence[str] | None = None
    majority: str | None = None
    production: Predictor | None = None
    package: Path | None = None
    content_hash: str | None = None
    memory_before: int = 0

    @property
    def prompts(self) -> list[str]:
        """Return the held-out prompts."""
        return [row["prompt"] for row in self.rows]

    @property
    def truths(self) -> list[str]:
        """Return the held-out answers."""
        return [row["response"] for row in self.rows]

    @cached_property
    def answers(self) -> list[dict[str, Any]]:
        """Return the model's answers to the held-out prompts, asked for once."""
        if not self.rows:
            raise CannotRun("There are no held-out rows.")
        try:
            return valid(self.predictor.predict(self.prompts), len(self.rows))
        except Exception as error:
            raise CannotRun(f"The model does not answer the held-out rows: {error}") from error

    @cached_property
    def hits(self) -> list[bool]:
        """Return, per held-out row, whether the answer is the true one."""
        return [str(a["value"]) == t for a, t in zip(self.answers, self.truths, strict=True)]

    @property
    def accuracy(self) -> float:
        """Return the share of held-out rows answered rightly."""
        return sum(self.hits) / len(self.hits)

    def some(self, count: int) -> list[str]:
        """Return up to `count` prompts spread evenly over the held-out rows."""
        if not self.rows:
            raise CannotRun("There are no held-out rows.")
        step = max(1, len(self.rows) // count)
        return self.prompts[::step][:count]

    @cached_property
    def single_latencies(self) -> list[float]:
        """Return the ms of single-row calls, after two to warm up, for at most five seconds."""
        texts, found, end = self.some(60), [], time.monotonic() + 5
        for text in [*texts[:2], *texts]:
            start = time.perf_counter()
            self.predictor.predict([text])
            found.append((time.perf_counter() - start) * 1000)
            if time.monotonic() > end and len(found) > 2:
                break
        return found[2:] or found


def valid(answers: Any, count: int) -> list[dict[str, Any]]:
    """Return the answers when there is one well-formed answer per input, or raise ValueError."""
    if not isinstance(answers, list) or len(answers) != count:
        raise ValueError(f"{count} inputs, {len(answers) if isinstance(answers, list) else type(answers).__name__} answers")
    for answer in answers:
        if not isinstance(answer, dict) or "value" not in answer:
            raise ValueError(f"an answer without `value`: {answer!r}")
        confidence = answer.get("confidence")
        if confidence is not None and not (math.isfinite(confidence) and -1e-9 <= confidence <= 1 + 1e-9):
            raise ValueError(f"a confidence outside 0-1: {confidence!r}")
    return answers


def same(left: Sequence[dict[str, Any]], right: Sequence[dict[str, Any]]) -> int:
    """Return how many answers differ: another value, or a confidence more than 1e-6 away."""
    return sum(
        a["value"] != b["value"] or abs((a.get("confidence") or 0.0) - (b.get("confidence") or 0.0)) > 1e-6
        for a, b in zip(left, right, strict=True)
    )


def run_cases(bench: Bench, cases: Sequence[Case], told: Callable[[int, str], None] = lambda done, name: None) -> dict[str, Any]:
    """Run every case and return the counts, the failed names and all cases with their figures."""
    results = []
    for done, case in enumerate(cases):
        told(done, case.name)
        results.append(_run(bench, case))
    ran = [r for r in results if r["outcome"] != "skipped"]
    passed = sum(r["outcome"] == "passed" for r in ran)
    return {
        "passed_count": passed,
        "total_count": len(ran),
        "success_rate": round(passed / len(ran), 3) if ran else None,
        "failed": [r["name"] for r in ran if r["outcome"] == "failed"],
        "cases": results,
    }


def _run(bench: Bench, case: Case) -> dict[str, Any]:
    told = {"name": case.name, "group": case.group, "critical": case.critical}
    try:
        seen = case.check(bench)
    except CannotRun as reason:
        return {**told, "outcome": "skipped", "message": str(reason), "observed": None, "bound": None}
    except Exception as error:
        return {
            **told,
            "outcome": "failed",
            "message": f"{type(error).__name__}: {error}"[:500],
            "observed": None,
            "bound": None,
        }
    return {
        **told,
        "outcome": "passed" if seen.ok else "failed",
        "message": seen.message,
        "observed": None if seen.observed is None else float(seen.observed),
        "bound": None if seen.bound is None else float(seen.bound),
    }


def figures(bench: Bench) -> dict[str, float | None]:
    """Return what the run measured: latency, throughput, error rate and accuracy."""
    found: dict[str, float | None] = {"latency_ms": None, "throughput": None, "error_rate": None, "accuracy": None}
    try:
        ordered = sorted(bench.single_latencies)
        found["latency_ms"] = round(ordered[len(ordered) // 2], 3)
        found["throughput"] = round(1000 * len(ordered) / sum(ordered), 1)
        found["accuracy"] = round(bench.accuracy, 4)
        found["error_rate"] = 0.0
    except Exception:
        found["error_rate"] = 1.0
    return found


def memory_bytes() -> int:
    """Return the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def read_rows(path: Path) -> tuple[list[dict[str, Any]], str]:
    """Return the held-out rows of a JSON-lines file and the SHA-256 of the file."""
    raw = path.read_bytes()
    return [json.loads(line) for line in raw.split(b"\n") if line], hashlib.sha256(raw).hexdigest()


def run(context: JobContext) -> dict[str, Any]:
    """Test the package named in the job's inputs and return the report."""
    from workbench.engine.suite_cases import cases_for
    from workbench.trainers import load_package

    wanted = context.inputs
    rows, data_hash = read_rows(context.folder / wanted["rows"])
    package = Path(wanted["package"])
    context.progress(0, 1, "Loading the model", step="load")
    predictor = load_package(package)
    before = memory_bytes()
    bench = Bench(
        predictor=predictor,
        load=lambda: load_package(package),
        rows=rows,
        baseline=wanted.get("baseline") or {},
        labels=wanted.get("labels"),
        majority=wanted.get("majority"),
        production=load_package(Path(wanted["production"])) if wanted.get("production") else None,
        package=package,
        content_hash=wanted.get("content_hash"),
        memory_before=before,
    )
    cases = cases_for(bench)
    report = run_cases(bench, cases, lambda done, name: context.progress(done, len(cases), name, step="test"))
    context.progress(len(cases), len(cases), "Done", step="test")
    return {**report, "figures": figures(bench), "data_hash": data_hash}
