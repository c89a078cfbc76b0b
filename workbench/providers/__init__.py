"""Providers: what writes answers to prompts. One file each; they see neither store nor services."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

BUILT_IN = {"simulated": "workbench.providers.simulated:Simulated"}


@dataclass(frozen=True)
class Request:
    """One prompt with what a model needs to answer it."""

    prompt: str
    system: str | None = None
    model: str | None = None
    temperature: float = 0.7
    max_tokens: int = 1024
    choices: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a model wrote, how sure it was and what it took."""

    text: str
    confidence: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0


class Provider(Protocol):
    """Answer prompts. `simulated` providers invent their answers, and whatever they write says so."""

    simulated: bool

    def answer(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        """Return one answer per request, or what went wrong with it."""
        ...


def provider(name: str) -> Provider:
    """Return a provider by its name; an unknown one is a KeyError."""
    module, _, cls = BUILT_IN[name].partition(":")
    return getattr(importlib.import_module(module), cls)()
