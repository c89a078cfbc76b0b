"""The entry of a training job: read the pairs from the folder and hand them to the trainer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.domain.train import SUMMARY_METRICS
from workbench.trainers import load_package, trainer
from workbench.trainers.package import MANIFEST, manifest, seal
from workbench.trainers.protocol import Inputs, Pair, Trainer

PAIRS = "pairs.parquet"
PACKAGE = "package"
FIGURES = frozenset({*SUMMARY_METRICS, "tokens_processed", "cost_dbu"})
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
    worker = trainer(wanted["trainer"])
    metrics = figures(worker, worker.train(context, inputs))
    if wanted.get("registers", True):
        close(worker, inputs, metrics, context.folder / PACKAGE)
    return {"package": PACKAGE, "metrics": metrics}


def figures(worker: Trainer, returned: Any) -> Mapping[str, Any]:
    """Return what a trainer measured, or raise TypeError for what nobody could take for figures."""
    if not isinstance(returned, Mapping):
        told = f"returned a {type(returned).__name__}; train() returns its figures as a dict, such as {{'val_accuracy': 0.9}}"
        raise TypeError(f"The trainer {worker.name} {told}.")
    for name in FIGURES & returned.keys():
        value = returned[name]
        if isinstance(value, (bool, str)):
            raise TypeError(f"The trainer {worker.name} returned {value!r} as {name}; a figure is a number, None if not measured.")
    return returned


def close(worker: Trainer, inputs: Inputs, metrics: Mapping[str, Any], folder: Path) -> None:
    """Seal the files a trainer left, unless it did so itself."""
    if (folder / MANIFEST).is_file():
        return
    if not folder.is_dir() or not any(folder.iterdir()):
        told = "left no model: train() writes its files into context.folder / 'package'"
        raise FileNotFoundError(f"The trainer {worker.name} {told}.")
    if within := [path.name for path in folder.iterdir() if path.is_dir()]:
        raise IsADirectoryError(f"The trainer {worker.name} left the folder {within[0]} in its package; it takes files alone.")
    part = folder.rename(folder.with_name(f"{folder.name}.open"))
    seal(part, folder, manifest(worker.reference, inputs, dict(metrics), framework=worker.name), libraries=())


def read_pairs(path: Path) -> dict[str, list[Pair]]:
    """Return the pairs of a Parquet file by side of the split."""
    found: dict[str, list[Pair]] = {"train": [], "val": []}
    columns = _columns(path).to_pydict()
    for id, prompt, response, split in zip(*(columns[name] for name in COLUMNS), strict=True):
        found[split].append(Pair(id, prompt, response))
    return found


def _columns(path: Path) -> Any:
    """Return the columns of the pairs as a table; `read_table` would import all of pandas for it."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        return file.read(columns=list(COLUMNS))


def _print(path: Path) -> str:
    """Return what changes with the pairs, their order and their sides."""
    digest = hashlib.sha256()
    for column in _columns(path).combine_chunks().columns:
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
