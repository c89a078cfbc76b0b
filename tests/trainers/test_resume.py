"""A training that was broken off and goes on ends exactly like one that was not."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.services.approved import sample
from workbench.engine import journal
from workbench.engine.child import JobContext
from workbench.engine.journal import Journal
from workbench.trainers.run import PAIRS, train

CONFIG = {"epochs": 6, "learning_rate": 0.5, "batch_size": 8, "word_ngrams": 1, "char_ngrams": 3, "seed": 5}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    rows = sample(300)
    table = {
        "id": [r["id"] for r in rows],
        "prompt": [r["text"] for r in rows],
        "response": [r["label"] for r in rows],
        "split": ["val" if i % 5 == 0 else "train" for i in range(len(rows))],
    }
    path = tmp_path_factory.mktemp("pairs") / PAIRS
    pq.write_table(pa.table(table), path)
    return path


class Broken(Exception):
    """End the work somewhere."""


def attempt(job, number, pairs, *, break_at=None, trainer="text-classifier", base_model="ngrams-tfidf", **config):
    """Train in a folder of an attempt, in this process; return metrics, or None where it broke off."""
    folder = job / f"attempt-{number}"
    folder.mkdir(parents=True)
    (folder / PAIRS).hardlink_to(pairs)
    inputs = {"trainer": trainer, "base_model": base_model, "training_config": {**CONFIG, **config}}
    context = JobContext(folder, {"attempt": number, "inputs": inputs, "threads": 1}, Journal(folder))
    if break_at:
        told = context.metric

        def metric(name, value, step, epoch=None):
            if step >= break_at:
                context.flush()
                raise Broken
            told(name, value, step, epoch)

        context.metric = metric
    try:
        return train(context)["metrics"]
    except Broken:
        return None
    finally:
        context.flush()


def kept(job):
    """Return the points that count: those of the last attempt, and before them what it went on from."""
    found = {}
    for folder in sorted(job.glob("attempt-*")):
        for record in journal.read(folder, limit=1 << 30).records:
            if record["t"] == "resumed":
                found = {key: value for key, value in found.items() if key[1] <= record["step"]}
            if record["t"] == "anew":
                found = {}
            for name, step, value, epoch, _ in record.get("rows", ()):
                assert (name, step) not in found
                found[name, step] = (value, epoch)
    return found


def weights(folder):
    with np.load(folder / "package" / "weights.npz") as arrays:
        return {name: arrays[name] for name in arrays}


@pytest.mark.parametrize("base_model", ["ngrams-tfidf", "ngrams-hashed"])
def test_going_on_makes_the_same_model_and_the_same_curves(tmp_path, pairs, base_model):
    whole = attempt(tmp_path / "whole", 1, pairs, base_model=base_model)
    broken = tmp_path / "broken"
    assert attempt(broken, 1, pairs, break_at=97, base_model=base_model) is None
    assert attempt(broken, 2, pairs, break_at=160, base_model=base_model) is None
    again = attempt(broken, 3, pairs, base_model=base_model)
    changing = {"training_duration_seconds"}
    assert {k: v for k, v in again.items() if k not in changing} == {k: v for k, v in whole.items() if k not in changing}
    for name, array in weights(tmp_path / "whole" / "attempt-1").items():
        assert np.array_equal(weights(broken / "attempt-3")[name], array)
    assert kept(broken) == kept(tmp_path / "whole")
    said = [r["step"] for r in journal.read(broken / "attempt-3", limit=1 << 30).records if r["t"] == "resumed"]
    assert said == [150]


def test_other_settings_or_pairs_begin_anew(tmp_path, pairs):
    job = tmp_path / "job"
    assert attempt(job, 1, pairs, break_at=97) is None
    attempt(job, 2, pairs, learning_rate=0.25, epochs=1)
    anew = [r for r in journal.read(job / "attempt-2", limit=1 << 30).records if r["t"] == "anew"]
    assert [r["message"] for r in anew] == ["The checkpoint at step 90 differs in epochs, learning_rate: the work begins anew."]
    other = tmp_path / "other.parquet"
    table = pq.read_table(pairs).to_pylist()
    table[3]["response"] = "changed"
    pq.write_table(pa.Table.from_pylist(table), other)
    (tmp_path / "second").mkdir()
    assert attempt(tmp_path / "second", 1, pairs, break_at=97) is None
    attempt(tmp_path / "second", 2, other)
    assert "differs in pairs" in (tmp_path / "second" / "attempt-2" / "journal.log").read_text()


def test_a_retriever_has_nothing_to_go_on_from_and_begins_anew(tmp_path, pairs):
    settings = {"word_ngrams": 1, "char_ngrams": 3, "seed": 1}
    from workbench.trainers import trainer

    worker = trainer("answer-retriever")
    config, faults = worker.Config.complete(settings)
    assert not faults
    found = []
    for number in (1, 2):
        folder = tmp_path / "job" / f"attempt-{number}"
        folder.mkdir(parents=True)
        (folder / PAIRS).hardlink_to(pairs)
        inputs = {"trainer": "answer-retriever", "base_model": worker.base_models()[0].name, "training_config": config}
        context = JobContext(folder, {"attempt": number, "inputs": inputs}, Journal(folder))
        found.append(json.dumps({k: v for k, v in train(context)["metrics"].items() if "seconds" not in k}))
        context.flush()
    assert found[0] == found[1]
