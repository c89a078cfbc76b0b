"""The entry of a training job: read the pairs from the folder and hand them to the trainer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from workbench.trainers import load_package, trainer
from workbench.trainers.protocol import Inputs, Pair

PAIRS = "pairs.parquet"
COLUMNS = ("id", "prompt", "response", "split")


def train(context: Any) -> dict[str, Any]:
    """Train as `context.inputs` says and return the name of the package folder and its metrics."""
    wanted = context.inputs
    sides = read_pairs(context.folder / PAIRS)
    inputs = Inputs(
        train=sides["train"],
        val=sides["val"],
        config=wanted["training_config"],
        base_model=wanted["base_model"],
        facts=wanted.get("facts") or {},
        given=wanted.get("given") or {},
    )
    context.basis = {
        **{name: wanted[name] for name in ("trainer", "base_model")},
        **inputs.config,
        "pairs": _print(context.folder / PAIRS),
    }
    metrics = trainer(wanted["trainer"]).train(context, inputs)
    return {"package": "package", "metrics": metrics}


def read_pairs(path: Path) -> dict[str, list[Pair]]:
    """Return the pairs of a Parquet file by side of the split."""
    import pyarrow.parquet as pq

    found: dict[str, list[Pair]] = {"train": [], "val": []}
    columns = pq.read_table(path, columns=list(COLUMNS)).to_pydict()
    for id, prompt, response, split in zip(*(columns[name] for name in COLUMNS), strict=True):
        found[split].append(Pair(id, prompt, response))
    return found


def _print(path: Path) -> str:
    """Return what changes with the pairs, their order and their sides."""
    import pyarrow.parquet as pq

    digest = hashlib.sha256()
    for column in pq.read_table(path, columns=list(COLUMNS)).combine_chunks().columns:
        for buffer in (buffer for chunk in column.chunks for buffer in chunk.buffers() if buffer is not None):
            digest.update(buffer)
    return digest.hexdigest()


def evaluate(context: Any) -> dict[str, Any]:
    """Ask the package named in the inputs about the pairs and return the figures."""
    from workbench.trainers.held_out import evaluated

    sides = read_pairs(context.folder / PAIRS)
    pairs = [*sides["val"], *sides["train"]]
    context.progress(0, len(pairs), "Loading the model", step="load")
    model = load_package(context.inputs["package"])
    metrics, rows = evaluated(context, model, pairs, majority=context.inputs.get("majority"))
    (context.folder / "predictions.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return {"metrics": metrics}
