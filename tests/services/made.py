"""Versions for tests: really trained, on rows that really are in the workspace."""

from __future__ import annotations

import contextlib
import functools
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.domain.jobs import Job
from workbench.domain.models import ModelVersion
from workbench.trainers import Inputs, Pair, trainer

WORDS = {
    "math": ["matrix", "cosine", "integral", "vector"],
    "net": ["socket", "packet", "router", "address"],
    "draw": ["canvas", "pixel", "brush", "colour"],
}
TEMPLATE = {"prompt_template": "Topic of {{ text }}?", "response_source_mode": "existing_column", "response_column": "topic"}


def rows(count: int = 300) -> list[dict[str, Any]]:
    """Return rows whose topic is told by their words."""
    rng = random.Random(5)
    found = []
    for index in range(count):
        topic = rng.choice([*WORDS, "net"])
        text = " ".join(rng.choice(WORDS[topic]) for _ in range(rng.randrange(2, 7))) + f" number {index}"
        found.append({"id": f"r{index}", "text": text, "topic": topic})
    return found


class Quiet:
    """A job context that only has a folder."""

    threads = 1

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def progress(self, *told: Any, **more: Any) -> None:
        pass

    metric = log = check = progress

    def should_stop(self) -> bool:
        return False

    def resumed(self, name: str) -> None:
        return None

    @contextlib.contextmanager
    def checkpoint(self, name: str) -> Iterator[Path]:
        yield self.folder / name


@functools.cache
def package(seed: int = 42) -> tuple[Path, dict[str, Any]]:
    """Train once per session and seed; return the package and its metrics."""
    folder = Path(tempfile.mkdtemp(prefix="workbench-package-"))
    pairs = [Pair(f"p{i}", f"Topic of {row['text']}?", row["topic"]) for i, row in enumerate(rows())]
    config = {"epochs": 8, "learning_rate": 0.5, "batch_size": 16, "word_ngrams": 1, "char_ngrams": 3, "seed": seed}
    inputs = Inputs(pairs[:200], pairs[200:], config, "ngrams-tfidf")
    metrics = trainer("text-classifier").train(Quiet(folder), inputs)
    return folder / "package", metrics


def training_sheet(ws: Any) -> Any:
    """Return the training sheet of the rows, made where there is none, every pair approved."""
    for known in ws.training_sheets.list():
        return known
    sheet = ws.sheets.create("Topics", rows=rows(), item_id_column="id", sample=True)
    return ws.training_sheets.assemble(sheet.id, template=TEMPLATE)


def job_of(app: Any, pairs: Any, name: str) -> str:
    """Record a finished training job over 200 train and 100 held-out pairs."""
    job_id = app.clock.new_id("job")
    details = {"id": job_id, "training_sheet_id": pairs.id, "training_sheet_name": pairs.name, "model_name": name}
    details |= {"base_model": "ngrams-tfidf", "trainer": "text-classifier", "training_config": "{}", "train_val_split": 0.7}
    details |= {"total_pairs": 300, "train_pairs": 200, "val_pairs": 100, "register_to_uc": False}
    with app.db.write():
        app.db.execute(
            "update pair_rows set status = 'labeled', labeled_at = updated_at where status = 'unlabeled' and request_id is null"
        )
        app.engine.ledger.add(
            Job(id=job_id, kind="train", name=f"Train {name}", status="succeeded", spec={}, sample=True, completed_at=app.clock.now())
        )
        names, marks = ", ".join(details), ", ".join("?" * len(details))
        app.db.execute(f"insert into training_details ({names}) values ({marks})", list(details.values()))
        app.db.execute(
            "insert into job_pairs select ?, id, version, case when row_index < 200 then 'train' else 'val' end from pairs "
            "where training_sheet_id = ?",
            [job_id, pairs.id],
        )
    return job_id


def version(ws: Any, name: str = "Topics", *, seed: int = 42, folder: Path | None = None, **facts: Any) -> ModelVersion:
    """Register a trained version of `name` and return it as the facade shows it."""
    app = ws.transport.app
    pairs = training_sheet(ws)
    made, metrics = package(seed)
    with app.db.write():
        found = app.models.register_trained(
            name=name,
            job_id=job_of(app, pairs, name),
            training_sheet_id=pairs.id,
            package=folder or made,
            metrics=facts.pop("metrics", metrics),
            base_model="ngrams-tfidf",
            sample=True,
            **facts,
        )
    return ws.models.get(found.id)


def passing(ws: Any, model: ModelVersion, **changes: Any) -> None:
    """Store a test run that passed, without the wait for a process."""
    app = ws.transport.app
    facts = {"id": app.clock.new_id("testrun"), "model_version_id": model.id, "status": "success", "passed_count": 20}
    facts |= {"total_count": 20, "success_rate": 1.0, "failed": [], "cases": "[]", "sample": True, "created_by": "local"}
    facts |= {"figures": json.dumps({"latency_ms": 1.5, "throughput": 600.0, "error_rate": 0.0}), "started_at": app.clock.now()}
    facts |= {"completed_at": app.clock.now(), **changes}
    with app.db.write():
        names, marks = ", ".join(facts), ", ".join("?" * len(facts))
        app.db.execute(f"insert into test_runs ({names}) values ({marks})", list(facts.values()))


def deployed(ws: Any, model: ModelVersion) -> Any:
    """Test, promote and deploy a version; return what the facade answers."""
    passing(ws, model)
    ws.models.promote(model.id)
    return ws.models.deploy(model.id)
