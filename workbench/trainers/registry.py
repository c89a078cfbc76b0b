"""Which trainers there are: built in, installed as plugins, or named as `module:Class`.

One that cannot be used stands in the list with the reason, and never in the way of the others.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from importlib import import_module, invalidate_caches, reload
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from workbench.domain.train import BaseModel
from workbench.errors import ValidationError, WorkbenchError
from workbench.trainers.protocol import Config, Inputs, Place, Predictor, Reporter, Requirements, Trainer

BUILT_IN = {
    "text-classifier": "workbench.trainers.text_classifier:TextClassifier",
    "answer-retriever": "workbench.trainers.answer_retriever:AnswerRetriever",
    "openai-fine-tuning": "workbench.trainers.openai_fine_tuning:OpenAIFineTuning",
    "causal-lm-lora": "workbench.trainers.causal_lm_lora:CausalLMLora",
}
GROUP = "workbench.trainers"
NOTEBOOK = "__main__"
NOWHERE = Place()
# When the files of named trainers were written, as far as they were read.
_written: dict[str, int] = {}


@functools.cache
def trainers(named: tuple[str, ...] = ()) -> dict[str, Trainer]:
    """Return every trainer by what finds it: built-in ones, plugins, and those `named` as `module:Class`."""
    found = {name: _made(_load(target)) for name, target in BUILT_IN.items()}
    for entry in entry_points(group=GROUP):
        if entry.name not in found:
            found[entry.name] = _usable(entry.name, entry.load)
    for target in named:
        found[target] = _usable(target, functools.partial(_load, target))
    return found


def trainer(name: str) -> Trainer:
    """Return a trainer by name, or by `module:Class` for one that is not installed as a plugin."""
    if name in (known := trainers()):
        return known[name]
    if ":" not in name:
        raise ValidationError.field("trainer", f"unknown trainer; known are {', '.join(sorted(known))}", name)
    found = named_trainer(name)
    if isinstance(found, Unusable):
        raise ValidationError.field("trainer", found.reason, name)
    return found


def named_trainer(target: str) -> Trainer:
    """Return the trainer that `module:Class` names as its file is now; one that cannot be used says why."""
    return _usable(target, functools.partial(_newest, target))


def trainer_of(base_model: str, place: Place = NOWHERE, named: tuple[str, ...] = ()) -> Trainer | None:
    """Return the trainer that works with a base model, or None."""
    return next((one for one in trainers(named).values() if base_of(one, base_model, place) is not None), None)


def base_of(worker: Trainer, name: str, place: Place) -> BaseModel | None:
    """Return a base model of a trainer by name, with whether it is available here, or None."""
    try:
        found = worker.found(name, place)
        return None if found is None else _told(worker, found)
    except Exception as error:  # noqa: BLE001  whatever a plugin does wrong is its own matter
        return _fallen(worker, error) if name == worker.reference else None


def offers(worker: Trainer, place: Place) -> list[BaseModel]:
    """Return what a trainer may start from here, each with whether it is available and the trainer's settings."""
    try:
        return [_told(worker, one) for one in worker.offered(place)]
    except Exception as error:  # noqa: BLE001  a plugin that fails leaves the others in the list
        return [_fallen(worker, error)]


def load_package(folder: Path | str) -> Predictor:
    """Load a model package and return what answers texts; nothing in the package is executed."""
    folder = Path(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return trainer(str(manifest["trainer"])).load(folder)


class Unusable(Trainer):
    """Stand for a trainer that could not be made, and say why."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name  # type: ignore[misc]
        self.reason = reason

    def base_models(self) -> list[BaseModel]:
        """Return one that is not available."""
        words = "A trainer that cannot be used."
        return [BaseModel(name=self.name, trainer=self.name, label=self.name, description=words)]

    def requirements(self) -> Requirements:
        """Return what is wrong."""
        return Requirements(available=False, reason=self.reason)

    def train(self, context: Reporter, inputs: Inputs) -> dict[str, Any]:
        """Refuse to."""
        raise WorkbenchError(self.reason)

    def load(self, folder: Path) -> Predictor:
        """Refuse to."""
        raise WorkbenchError(f"The model cannot be loaded without its trainer. {self.reason}")


def _usable(name: str, load: Callable[[], Any]) -> Trainer:
    try:
        made = _made(load())
        made._asked_as = name
        made.requirements()
        made.base_models()
        made.Config.fields()
    except (Exception, SystemExit) as error:  # noqa: BLE001  importing somebody's module may raise anything
        return Unusable(name, _why(name, error))
    return made


def _made(cls: Any) -> Trainer:
    if not (isinstance(cls, type) and issubclass(cls, Trainer)):
        raise TypeError(f"it names {cls!r}, which is no subclass of workbench.trainers.Trainer")
    if not isinstance(getattr(cls, "name", None), str):
        raise TypeError("its class has no name")
    if not (isinstance(cls.Config, type) and issubclass(cls.Config, Config)):
        raise TypeError("its Config is no subclass of workbench.trainers.Config")
    return cls()


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    if module == NOTEBOOK:
        raise ImportError(
            "a class of the notebook itself cannot be imported by the process of a job. "
            "Begin its cell with %%writefile my_trainer.py and name it my_trainer:Class"
        )
    invalidate_caches()
    return getattr(import_module(module), name)


def _newest(target: str) -> Any:
    """Load what a name stands for, from a file that was written anew too: the process of a job reads it as it is."""
    name = target.partition(":")[0]
    module = sys.modules.get(name)
    path = Path(getattr(module, "__file__", None) or "")
    if module is not None and path.is_file() and _written.get(name, path.stat().st_mtime_ns) != path.stat().st_mtime_ns:
        reload(module)
    found = _load(target)
    path = Path(getattr(sys.modules.get(name), "__file__", None) or "")
    if path.is_file():
        _written[name] = path.stat().st_mtime_ns
    return found


def _told(worker: Trainer, found: BaseModel) -> BaseModel:
    needs = worker.requirements()
    told: dict[str, Any] = {"trainer": worker.reference, "config": worker.Config.fields()}
    if not needs.available:
        told |= {"available": False, "reason": needs.reason}
    if found.hardware == BaseModel.default_of("hardware"):
        told["hardware"] = needs.hardware
    return found.with_(**told)


def _fallen(worker: Trainer, error: Exception) -> BaseModel:
    return BaseModel(
        name=worker.reference,
        trainer=worker.reference,
        label=worker.reference,
        available=False,
        reason=_why(worker.reference, error),
    )


def _why(name: str, error: BaseException) -> str:
    return (
        f"The trainer {name} cannot be used: {type(error).__name__}: {error}. Mend or remove it, then open the workspace again."
    )
