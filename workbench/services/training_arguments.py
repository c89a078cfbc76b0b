"""The arguments that trainings and studies share, and who may start them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator

from workbench.contract import Field
from workbench.domain.plain import plain

TRAINERS = frozenset({"admin", "trainer"})

TrainingSheetId = Annotated[str, Field(min_length=1, description="Training sheet to learn from.")]
ModelName = Annotated[
    str, Field(max_length=200, description="Name the model version is registered under."), AfterValidator(plain)
]
BaseModelName = Annotated[str, Field(description="What the training starts from.")]
TrainerName = Annotated[str | None, Field(description="Trainer; the one of the base model when left out.")]
Ratio = Annotated[float, Field(description="Share of the pairs to learn from, between 0 and 1.")]
Config = Annotated[dict[str, Any], Field(description="Settings of the trainer; what is left out has its default.")]
Words = Annotated[str | None, Field(max_length=200, description="Name kept with the registered version."), AfterValidator(plain)]
Labels = Annotated[dict[str, str], Field(description="Names and values for people.")]
