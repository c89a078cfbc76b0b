"""A good model passes the suite; each bad one fails the case named for its fault."""

from __future__ import annotations

import hashlib
import json
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.engine.suite import Bench, CannotRun, run_cases, same, valid
from workbench.engine.suite_cases import calibration_error, cases_for, paired_bootstrap

WORDS = {"tensor": "math", "matrix": "math", "socket": "net", "packet": "net", "canvas": "draw", "pixel": "draw"}


class Good:
    """Knows the answer by its word and says so with the right confidence."""

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        return [self.one(text) for text in texts]

    def one(self, text: str) -> dict[str, Any]:
        if not isinstance(text, str):
            raise TypeError("only text")
        found = next((label for word, label in WORDS.items() if word in text.lower()), None)
        return {"value": found or "math", "confidence": 0.97 if found else 0.4}


class Shuffled(Good):
    def one(self, text: str) -> dict[str, Any]:
        digest = hashlib.sha256(" ".join(text.split()).encode()).digest()[0]
        return {"value": ("math", "net", "draw")[digest % 3], "confidence": 0.97}


class Sleeping(Good):
    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        time.sleep(0.025)
        return super().predict(texts)


class Moody(Good):
    def one(self, text: str) -> dict[str, Any]:
        return {**super().one(text), "confidence": 0.9 + random.random() / 10}


class AfraidOfNothing(Good):
    def one(self, text: str) -> dict[str, Any]:
        if not text:
            raise IndexError("string index out of range")
        return super().one(text)


class OrderBound(Good):
    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        found = super().predict(texts)
        return found if len(found) < 2 else [{**found[0], "confidence": 0.5}, *found[1:]]


class Boastful(Good):
    def one(self, text: str) -> dict[str, Any]:
        right = super().one(text)
        wrong = hashlib.sha256(text.encode()).digest()[0] < 77
        return {"value": "draw" if wrong and right["value"] != "draw" else right["value"], "confidence": 1.0}


class Inventive(Good):
    def one(self, text: str) -> dict[str, Any]:
        found = super().one(text)
        return {**found, "value": "poetry"} if "pixel" in text else found


class Grudging(Good):
    def __init__(self) -> None:
        self.hurt = False

    def one(self, text: str) -> dict[str, Any]:
        if not isinstance(text, str):
            self.hurt = True
        found = super().one(text)
        return {**found, "value": "net"} if self.hurt else found


class Overconfident(Good):
    def one(self, text: str) -> dict[str, Any]:
        return {**super().one(text), "confidence": 1.7}


def rows(count: int = 240) -> list[dict[str, Any]]:
    rng = random.Random(1)
    made = []
    for index in range(count):
        word = rng.choice(list(WORDS))
        prompt = f"Where do I find the {word} number {index}{' please' * rng.randrange(9)}?"
        made.append({"prompt": prompt, "response": WORDS[word], "source": {"area": rng.choice(["a", "b"]), "truth": WORDS[word]}})
    return made


def bench(model: Any, **options: Any) -> Bench:
    facts = {"rows": rows(), "labels": ["math", "net", "draw"], "baseline": {"accuracy": 1.0, "latency_ms": 20.0}}
    return Bench(predictor=model, load=type(model), **{**facts, **options})


def report(model: Any, **options: Any) -> dict[str, Any]:
    made = bench(model, **options)
    return run_cases(made, cases_for(made))


def test_good_model_passes_everything() -> None:
    found = report(Good())
    assert found["failed"] == []
    assert found["passed_count"] == found["total_count"] >= 25
    assert found["success_rate"] == 1.0
    skipped = {c["name"] for c in found["cases"] if c["outcome"] == "skipped"}
    assert skipped == {"package.file_hashes", "package.registered_hash", "package.size", "accuracy.not_below_production"}


@pytest.mark.parametrize(
    ("model", "case"),
    [
        (Shuffled, "accuracy.beats_trivial"),
        (Shuffled, "calibration.expected_error"),
        (Sleeping, "latency.single_row"),
        (Moody, "determinism.repeated_calls"),
        (AfraidOfNothing, "robustness.empty_text"),
        (OrderBound, "invariance.row_order"),
        (Boastful, "calibration.expected_error"),
        (Inventive, "signature.known_answers"),
        (Grudging, "errors.recovers_after_malformed"),
        (Overconfident, "signature.one_answer_per_row"),
    ],
)
def test_bad_model_fails_the_case_named_for_it(model: type, case: str) -> None:
    assert case in report(model())["failed"]


@pytest.mark.parametrize(
    ("model", "case"),
    [(Sleeping, "latency.single_row"), (AfraidOfNothing, "robustness.empty_text"), (OrderBound, None)],
)
def test_a_single_fault_fails_nothing_else_of_accuracy(model: type, case: str | None) -> None:
    failed = report(model())["failed"]
    assert not [name for name in failed if name.startswith(("accuracy", "slices", "calibration"))]
    if case:
        assert failed == [case]


def test_worse_than_production_fails() -> None:
    found = report(Boastful(), production=Good(), baseline={"accuracy": 0.7})
    assert "accuracy.not_below_production" in found["failed"]
    assert "accuracy.recorded_baseline" not in found["failed"]


def test_changed_package_fails_its_hash(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"1234")
    listed = {"weights.bin": hashlib.sha256(b"1234").hexdigest()}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": listed}))
    registered = hashlib.sha256((tmp_path / "manifest.json").read_bytes()).hexdigest()
    options = {"package": tmp_path, "content_hash": registered}
    assert report(Good(), **options)["failed"] == []
    (tmp_path / "weights.bin").write_bytes(b"1235")
    assert report(Good(), **options)["failed"] == ["package.file_hashes"]


def test_slices_leave_out_the_column_that_is_the_answer() -> None:
    names = [c.name for c in cases_for(bench(Good())) if c.group == "slices"]
    assert {"slices.area=a", "slices.area=b", "slices.short_prompts"} <= set(names)
    assert not [n for n in names if "truth" in n]


def test_without_rows_the_cases_that_need_them_do_not_count() -> None:
    found = report(Good(), rows=[])
    assert found["failed"] == []
    assert 0 < found["total_count"] < 12
    with pytest.raises(CannotRun):
        _ = bench(Good(), rows=[]).answers


def test_paired_bootstrap_covers_the_mean_and_tells_a_real_gain() -> None:
    rng = np.random.default_rng(7)
    none = rng.choice([-1, 0, 1], 400, p=[0.1, 0.8, 0.1]).astype(float)
    low, high = paired_bootstrap(none)
    assert low < none.mean() < high
    gain = rng.choice([-1, 0, 1], 400, p=[0.05, 0.65, 0.3]).astype(float)
    assert paired_bootstrap(gain)[0] > 0


def test_calibration_error_of_known_cases() -> None:
    assert calibration_error([1.0] * 10, [True] * 10) == 0
    assert calibration_error([0.8] * 10, [True] * 8 + [False] * 2) == pytest.approx(0)
    assert calibration_error([0.9] * 10, [True] * 4 + [False] * 6) == pytest.approx(0.5)


def test_answers_must_be_well_formed() -> None:
    assert valid([{"value": "a"}], 1)
    for wrong in ([], [{}], [{"value": 1, "confidence": float("nan")}], "a"):
        with pytest.raises(ValueError):
            valid(wrong, 1)
    assert same([{"value": "a", "confidence": 0.5}], [{"value": "a", "confidence": 0.5000001}]) == 0
    assert same([{"value": "a", "confidence": 0.5}], [{"value": "a", "confidence": 0.6}]) == 1
