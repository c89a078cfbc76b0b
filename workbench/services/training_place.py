"""What a training may draw on in this workspace: trainers, providers, folders with language models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.contract import current
from workbench.trainers import Place, Trainer, trainers

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


def surroundings(app: Application) -> Surroundings:
    """Return what the caller's training may draw on."""
    settings, served = app.settings, current().served
    roots = [*settings.allowed_roots, *settings.models] if served else None
    place = Place(
        providers=tuple(app.providers.shown()),
        models=tuple(Path(folder) for folder in settings.models),
        roots=None if roots is None else tuple(Path(root) for root in roots),
    )
    return Surroundings(place, tuple(settings.trainers), may_load=not served)
