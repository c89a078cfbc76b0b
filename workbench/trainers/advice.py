"""What is worth saying before any training: too few pairs, one response that outweighs the others, an odd rate."""

from __future__ import annotations

from workbench.domain.train import Recommendation
from workbench.domain.wording import grouped
from workbench.trainers.protocol import Size

RATE = "training_config.learning_rate"


def few_pairs(size: Size, enough: int, reason: str) -> list[Recommendation]:
    """Say that there are few pairs, with the reason why `enough` of them would be better."""
    if size.pairs >= enough:
        return []
    return [Recommendation(level="info", message="Label more pairs.", reason=f"There are {grouped(size.pairs)} pairs. {reason}")]


def one_sided(size: Size) -> list[Recommendation]:
    """Say that one response outweighs all others, where the responses are a set of a few."""
    if size.classes < 2 or size.largest_class <= 0.5 * size.pairs:
        return []
    share = round(100 * size.largest_class / size.pairs)
    words = f"One response makes up {share} % of the pairs: answering it always would be right that often."
    return [Recommendation(level="warning", message="Label more pairs of the rarer responses.", reason=words)]


def unusual_rate(rate: float, low: float, high: float, what: str, *, best: float) -> list[Recommendation]:
    """Say that a learning rate lies outside the usual range."""
    if low <= rate <= high:
        return []
    message, effect = ("Raise", "learns little in its few epochs") if rate < low else ("Lower", "tends to forget what it knew")
    reason = f"With {rate:g} {what} {effect}; usual are {low:g} to {high:g}, and {best:g} suits most data."
    return [Recommendation(level="warning", message=f"{message} the learning rate.", reason=reason, field=RATE)]
