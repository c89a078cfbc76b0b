"""Worked examples before a prompt: never the asked item's own answer, nor one to the same prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Of examples about items and with prompts of their own, at most one is about the asked item and one has its prompt.
SPARE = 2


def all_of(ask: Mapping[str, Any]) -> list[Sequence[str]]:
    """Return the examples and the spare ones, each with prompt, response and item."""
    return [*ask["examples"], *ask.get("spare", ())]


def shown(ask: Mapping[str, Any], item_ref: str | None, prompt: str) -> tuple[tuple[str, str], ...]:
    """Return the examples that one item is asked with: spare ones stand in for what would tell it the answer."""
    # What an older version put aside has no item with it.
    kept = [one for one in all_of(ask) if one[0] != prompt and item_ref not in one[2:]]
    return tuple((one[0], one[1]) for one in kept[: len(ask["examples"])])
