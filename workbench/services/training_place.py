"""What a training may draw on in this workspace: trainers, providers, folders with language models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.contract import current
from workbench.engine.gpus import RESOURCE as GPU
from workbench.errors import WorkbenchError
from workbench.trainers import Place, Trainer, trainer, trainers

if TYPE_CHECKING:
    from workbench.services.application import Application


@dataclass(frozen=True)
class Surroundings:
    """The place of a training, the trainers named in the settings, and whether the caller may name others.

    Naming a trainer as `module:Class` imports a module: only the owner of the process may do that.
    """

    place: Place
    named: tuple[str, ...] = ()
    may_load: bool = True
    refusal: str = "A server loads the trainers that its setting WORKBENCH_TRAINERS names."

    def trainers(self) -> dict[str, Trainer]:
        """Return every trainer by what finds it."""
        return trainers(self.named)


def needs(app: Application, made_by: str, config: Mapping[str, Any] | None = None) -> dict[str, float]:
    """Return what a worker must offer for a trainer to learn with `config`, or for what it made to answer."""
    try:
        found = trainer(made_by)
    except WorkbenchError:
        return {}
    told = {} if config is None else dict(found.resources(config))
    return {GPU: 1.0, **told} if found.uses_gpu and app.engine.executor.offers(GPU) else told


def surroundings(app: Application) -> Surroundings:
    """Return what the caller's training may draw on."""
    settings, served = app.settings, current().served
    roots = [*settings.allowed_roots, *settings.models] if served else None
    place = Place(
        providers=tuple(app.providers.shown()),
        models=tuple(Path(folder) for folder in settings.models),
        gpu=app.engine.executor.offers(GPU),
        roots=None if roots is None else tuple(Path(root) for root in roots),
    )
    return Surroundings(place, tuple(settings.trainers), may_load=not served)
