"""Divide pairs into those to learn from and those held out: exact, repeatable, without leaks."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

SEED = 42


class CannotSplit(ValueError):
    """Say why there is no way to have pairs on both sides."""


def wanted_train(total: int, ratio: float | str | Decimal) -> int:
    """Return how many of `total` belong to the training side: exact, at least one on each side."""
    exact = (Decimal(total) * Decimal(str(ratio))).to_integral_value(ROUND_FLOOR)
    return max(1, min(total - 1, int(exact)))


def split(prompts: Sequence[str], barred: Sequence[bool], ratio: float | str | Decimal, *, seed: int = SEED) -> list[bool]:
    """Return for each pair whether it is on the training side.

    Pairs with the same prompt stay together. Those barred from validation fill the training side
    first and take their duplicates along. A group that does not fit may shift the counts.
    """
    free, bound = _groups(prompts, barred)
    if not free:
        why = "every pair is barred from validation, or shares its prompt with one that is" if bound else "there is no pair"
        raise CannotSplit(why)
    if not bound and len(free) == 1:
        raise CannotSplit("all pairs have the same prompt")
    room = wanted_train(len(prompts), ratio) - sum(len(group) for group in bound)
    random.Random(seed).shuffle(free)  # noqa: S311 - repeatable, not secret
    chosen = set(_filled(free, room))
    train = {i for group in bound for i in group} | {i for number in chosen for i in free[number]}
    if not train:
        train = set(free[0])
    elif len(train) == len(prompts):
        train -= set(min(free, key=len))
    return [i in train for i in range(len(prompts))]


def _groups(prompts: Sequence[str], barred: Sequence[bool]) -> tuple[list[list[int]], list[list[int]]]:
    found: dict[str, list[int]] = defaultdict(list)
    for i, prompt in enumerate(prompts):
        found[" ".join(prompt.split())].append(i)
    free, bound = [], []
    for group in found.values():
        (bound if any(barred[i] for i in group) else free).append(group)
    return free, bound


def _filled(groups: Sequence[Sequence[int]], room: int) -> list[int]:
    """Return the numbers of the groups taken in order as long as each still fits."""
    taken = []
    for number, group in enumerate(groups):
        if len(group) <= room:
            taken.append(number)
            room -= len(group)
    return taken
