"""Providers: what writes answers to prompts. One file each, found by the entry point group `workbench.providers`.

A provider is a class made from an `Access`; it has `simulated`, `answer` and `close`, says where it can be
missing an extra, and sees neither store nor services. Retries, pace and judgement are the caller's: see `asking`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, ClassVar, Protocol

BUILT_IN = {
    "openai": "workbench.providers.openai_compatible:OpenAICompatible",
    "anthropic": "workbench.providers.anthropic_messages:AnthropicMessages",
    "simulated": "workbench.providers.simulated:Simulated",
    "local": "workbench.providers.local:Local",
}
GROUP = "workbench.providers"


@dataclass(frozen=True)
class Access:
    """How a provider is reached. The key itself is read from the environment when it is needed, and kept nowhere."""

    protocol: str
    name: str = ""
    base_url: str | None = None
    key_variable: str | None = None
    timeout: float = 30.0

    def key(self) -> str | None:
        """Return the key, or None where none is named or set."""
        return os.environ.get(self.key_variable, "").strip() or None if self.key_variable else None


@dataclass(frozen=True)
class Request:
    """One prompt with what a model needs to answer it.

    `choices` is a closed set of answers; `fields` are those of a JSON answer, each {name, type, required, options}.
    """

    prompt: str
    system: str | None = None
    model: str | None = None
    temperature: float = 0.7
    max_tokens: int = 1024
    choices: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    fields: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a model wrote, how sure it was and what it took.

    Tokens are None where the provider did not count; `pause` is how many seconds it wants no further request.
    """

    text: str
    confidence: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    finish_reason: str | None = None
    pause: float | None = None


class Failure(Exception):
    """Say why there is no answer, and what kind of trouble it is.

    refused: this request is at fault; denied: every request would fail (key, address, model, quota);
    busy: too many requests; broken: the provider or the way to it. The last two are worth another try. `answer` is
    what came and cannot be used: it was paid for.
    """

    def __init__(self, message: str, *, kind: str = "broken", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.tries = 1
        self.answer: Answer | None = None

    @property
    def passing(self) -> bool:
        """Return True when another try may succeed."""
        return self.kind in ("busy", "broken")


class Provider(Protocol):
    """Answer prompts. `simulated` providers invent their answers, and whatever they write says so."""

    simulated: bool
    needs: ClassVar[str | None]

    def __init__(self, access: Access) -> None:
        """Remember how to reach it; connect nowhere yet."""

    async def answer(self, request: Request) -> Answer:
        """Return the answer, or raise Failure."""
        ...

    async def close(self) -> None:
        """Let go of connections."""


def protocols() -> dict[str, str]:
    """Return `module:Class` by name of every way to talk to a provider, plugins included."""
    return _plugins() | BUILT_IN


@functools.cache
def _plugins() -> dict[str, str]:
    """Look through what is installed, which takes long enough to be seen in a list of providers, once a process."""
    return {entry.name: entry.value for entry in entry_points(group=GROUP)}


def protocol(name: str) -> type[Provider]:
    """Return a provider class by name; an unknown one is a KeyError."""
    module, _, cls = protocols()[name].partition(":")
    return getattr(importlib.import_module(module), cls)


def lacking(name: str) -> str | None:
    """Return the package that a protocol needs and this installation does not have, or None."""
    needed = protocol(name).needs
    return needed if needed and importlib.util.find_spec(needed) is None else None


def connect(access: Access) -> Provider:
    """Return a provider, ready to be asked."""
    return protocol(access.protocol)(access)
