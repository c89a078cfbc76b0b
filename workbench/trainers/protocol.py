"""What a trainer is: settings, base models, an estimate, and the work itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import param

from workbench.domain.providers import ProviderConfig
from workbench.domain.train import BaseModel, Recommendation
from workbench.errors import did_you_mean


class Reporter(Protocol):
    """What the work may say and ask while it runs; the job's context is one."""

    folder: Path
    threads: int

    def progress(self, done: int, total: int | None = None, message: str = "", *, step: str = "") -> None:
        """Report the units done."""

    def metric(self, name: str, value: float, step: int, epoch: int | None = None) -> None:
        """Add one point to a curve."""

    def log(self, message: str, *, level: str = "info", **data: Any) -> None:
        """Add a line to the events."""

    def should_stop(self) -> bool:
        """Return whether to end early and keep the best so far."""

    def check(self) -> None:
        """Raise when the job was cancelled."""

    def fact(self, name: str, value: str) -> None:
        """Tell what belongs to the job itself, such as its id at a provider; it is kept with the job at once."""

    def checkpoint(self, name: str) -> Any:
        """Hand out a path for a file or folder that becomes the newest checkpoint `name` when the block ends well.

        It stands for the last step that has a point: save after measuring, before the next step.
        """

    def resumed(self, name: str) -> Path | None:
        """Return the newest checkpoint `name` to go on from, of these very settings and pairs, or None: begin anew."""


class Predictor(Protocol):
    """A loaded model."""

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return `{value, confidence}` per text."""


@dataclass(frozen=True)
class Pair:
    """A prompt and its true response."""

    id: str
    prompt: str
    response: str


@dataclass(frozen=True)
class Inputs:
    """What a training gets: both sides of the split, its settings, and facts to keep in the package."""

    train: Sequence[Pair]
    val: Sequence[Pair]
    config: Mapping[str, Any]
    base_model: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """What this installation has that a base model may come from.

    `models` are folders with language models, `roots` the folders a path may lead to; None: anywhere;
    `gpu` says whether jobs may use one.
    """

    providers: tuple[ProviderConfig, ...] = ()
    models: tuple[Path, ...] = ()
    roots: tuple[Path, ...] | None = None
    gpu: bool = False


@dataclass(frozen=True)
class Requirements:
    """Whether this installation can run a trainer, and what it needs."""

    available: bool = True
    reason: str | None = None
    hardware: str = "cpu"


@dataclass(frozen=True)
class Size:
    """What an estimate is made from."""

    pairs: int
    characters: int
    classes: int
    largest_class: int
    response_characters: int = 0


class Config(param.Parameterized):
    """Settings every trainer has; a trainer adds its own with bounds, defaults and docs."""

    seed = param.Integer(42, bounds=(0, 2**32 - 1), doc="Number that makes the training repeatable.")

    @classmethod
    def fields(cls) -> list[dict[str, Any]]:
        """Return every setting as name, type, default, bounds, choices and doc."""
        return [_described(cls.param[name]) for name in cls.names()]

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the settings."""
        return [name for name in cls.param if name != "name"]

    @classmethod
    def complete(cls, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return all settings with defaults filled in, and every fault as {field, message, value}."""
        values = {name: cls.param[name].default for name in cls.names()}
        faults = []
        for name, value in given.items():
            message = cls.fault(name, value)
            if message:
                faults.append({"field": f"training_config.{name}", "message": message, "value": value})
            else:
                values[name] = value
        return values, faults

    @classmethod
    def fault(cls, name: str, value: Any) -> str | None:
        """Return what is wrong with one value of one setting, or None."""
        if name not in cls.names():
            return f"unknown setting.{did_you_mean(name, cls.names())} Known are {', '.join(cls.names())}"
        found = cls.param[name]
        if value is None and found.allow_None:
            return None
        if mistyped := _mistyped(found, value):
            return mistyped
        if isinstance(found, param.Number):
            return None if _inside(value, found.bounds) else f"must be {_range(found.bounds)}"
        if isinstance(found, param.Selector) and value not in list(found.objects):
            return f"must be one of {', '.join(map(str, found.objects))}, not {value!r}"
        try:
            cls(**{name: value})
        except (ValueError, TypeError) as error:
            return str(error)
        return None


class Trainer(ABC):
    """Learn from pairs and leave a package; `load` makes a predictor of a package again.

    Only `name`, `train` and `load` are needed; `FittedTrainer` and `EstimatorTrainer` write those two as well.
    """

    name: ClassVar[str]
    label: ClassVar[str] = ""
    Config: ClassVar[type[Config]] = Config
    # Settings to lower when the memory does not suffice, the most telling first.
    lowers_memory: ClassVar[tuple[str, ...]] = ()
    # The figures on the held-out pairs that a search for settings may go by, the usual one first.
    measures: ClassVar[tuple[str, ...]] = ("val_accuracy", "val_loss")
    # Whether its work runs on a GPU where there is one: no two such jobs then share a card.
    uses_gpu: ClassVar[bool] = False
    _asked_as: str = ""

    @property
    def reference(self) -> str:
        """Return what finds this trainer again: its name, or `module:Class` when it was asked for by that."""
        return self._asked_as or self.name

    def base_models(self) -> list[BaseModel]:
        """Return what a training may start from; by default one, named like the trainer."""
        words = (type(self).__doc__ or "").strip().split("\n")[0]
        return [BaseModel(name=self.name, trainer=self.name, label=self.label or self.name, description=words)]

    def offered(self, place: Place) -> list[BaseModel]:
        """Return what a training may start from in this installation, what is not available with the reason."""
        return self.base_models()

    def found(self, base_model: str, place: Place) -> BaseModel | None:
        """Return a base model by the name somebody asked for, or None."""
        return next((one for one in self.offered(place) if one.name == base_model), None)

    def given(self, config: Mapping[str, Any], base_model: str, place: Place) -> dict[str, Any]:
        """Return what the work needs to know of this installation; it becomes `inputs.given`. Never a secret."""
        return {}

    def faults(self, config: Mapping[str, Any], base_model: str, place: Place) -> list[dict[str, Any]]:
        """Return what is wrong with settings that go together, as {field, message, value}."""
        return []

    @abstractmethod
    def train(self, context: Reporter, inputs: Inputs) -> dict[str, Any]:
        """Learn, write files into `context.folder / "package"`, which is sealed then, and return the figures by name."""

    @abstractmethod
    def load(self, folder: Path) -> Predictor:
        """Return the predictor of a package."""

    def requirements(self) -> Requirements:
        """Return whether this installation can run the trainer."""
        return Requirements()

    def resources(self, config: Mapping[str, Any]) -> dict[str, float]:
        """Return what a worker of a cluster must declare to run a training, such as `{"GPU": 1}`; see `uses_gpu`."""
        return {}

    def search_space(self) -> dict[str, dict[str, Any]]:
        """Return the settings worth searching: type (int, float, choice), low, high and log, or choices.

        The defaults should lie inside: a search then begins with them and ends no worse.
        """
        return {}

    def estimate(
        self, config: Mapping[str, Any], size: Size, *, base_model: str, threads: int, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return tokens, seconds, cost and memory_bytes a training would use; None where nobody knows."""
        return {"tokens": size.characters // 5, "seconds": None, "cost": 0.0, "memory_bytes": size.characters * 4}

    def advise(self, config: Mapping[str, Any], size: Size) -> list[Recommendation]:
        """Return what to consider before the training; a blocking one prevents it."""
        return []


# The narrower first: a whole number is a number, too.
_TAKES: tuple[tuple[type[param.Parameter], tuple[type, ...], str], ...] = (
    (param.Integer, (int,), "takes a whole number"),
    (param.Number, (int, float), "takes a number"),
    (param.Boolean, (bool,), "takes true or false"),
    (param.String, (str,), "takes text"),
)


def _mistyped(found: param.Parameter, value: Any) -> str | None:
    for kind, types, words in _TAKES:
        if isinstance(found, kind):
            fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
            return None if fits else words
    return None


def _described(found: param.Parameter) -> dict[str, Any]:
    told = {"name": found.name, "type": type(found).__name__.lower(), "default": found.default, "doc": found.doc}
    if isinstance(found, param.Number):
        told["bounds"] = list(found.bounds) if found.bounds else None
    if isinstance(found, param.Selector):
        told["choices"] = list(found.objects)
    return told


def _inside(value: float, bounds: tuple[Any, Any] | None) -> bool:
    low, high = bounds or (None, None)
    return value == value and (low is None or value >= low) and (high is None or value <= high)


def _range(bounds: tuple[Any, Any] | None) -> str:
    low, high = bounds or (None, None)
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"between {low} and {high}"
