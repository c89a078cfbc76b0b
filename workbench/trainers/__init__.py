"""Trainers: plugins that learn from pairs. One file each; found by the entry point group `workbench.trainers`.

A trainer is a subclass of `Trainer` with a `Config`; it sees pairs and a folder, never a database.
"""

from __future__ import annotations

import functools
import json
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from workbench.errors import ValidationError
from workbench.trainers.protocol import Config, Inputs, Pair, Predictor, Requirements, Trainer

BUILT_IN = {
    "text-classifier": "workbench.trainers.text_classifier:TextClassifier",
    "answer-retriever": "workbench.trainers.answer_retriever:AnswerRetriever",
}
GROUP = "workbench.trainers"


@functools.cache
def trainers() -> dict[str, Trainer]:
    """Return every trainer by name; one that cannot be imported is left out."""
    found = {name: _load(target)() for name, target in BUILT_IN.items()}
    for entry in entry_points(group=GROUP):
        if entry.name not in found:
            found[entry.name] = entry.load()()
    return found


def trainer(name: str) -> Trainer:
    """Return a trainer by name, or by `module:Class` for one that is not installed as a plugin."""
    if name in (known := trainers()):
        return known[name]
    if ":" in name:
        return _load(name)()
    raise ValidationError.field("trainer", f"unknown trainer; known are {', '.join(sorted(known))}", name)


def trainer_of(base_model: str) -> Trainer | None:
    """Return the trainer that works with a base model, or None."""
    for found in trainers().values():
        if any(model.name == base_model for model in found.base_models()):
            return found
    return None


def load_package(folder: Path | str) -> Predictor:
    """Load a model package and return what answers texts; nothing in the package is executed."""
    folder = Path(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return trainer(str(manifest["trainer"])).load(folder)


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


__all__ = [
    "Config",
    "Inputs",
    "Pair",
    "Predictor",
    "Requirements",
    "Trainer",
    "load_package",
    "trainer",
    "trainer_of",
    "trainers",
]
