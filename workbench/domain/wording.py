"""Which words of a text changed, and numbers within sentences."""

from __future__ import annotations

import difflib
import re

import param

from workbench.domain.record import Choice, Record

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_TOO_LONG = 6_000


class TextPiece(Record):
    """A run of words that was kept, added or taken away."""

    kind = "text piece"

    op = Choice(default="same", objects=["same", "added", "removed"], doc="What happened to it.")
    text = param.String("", doc="The words.")


def grouped(number: float, digits: int = 0) -> str:
    """Return `12 430` with thin spaces between thousands, and as many decimals as wished."""
    return f"{number:,.{digits}f}".replace(",", "\u202f")


def word_diff(before: str | None, after: str | None) -> tuple[TextPiece, ...]:
    """Return the runs of words that were kept, removed and added, in reading order.

    What lies between the first and the last change is compared word by word up to 6,000 words; more
    is shown as one removal and one addition.
    """
    old, new = _WORD.findall(before or ""), _WORD.findall(after or "")
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    start, end = old[:head], old[len(old) - tail :]
    middle = _changed(old[head : len(old) - tail], new[head : len(new) - tail])
    return (*_pieces(("same", start)), *middle, *_pieces(("same", end)))


def _shared(old: list[str], new: list[str]) -> int:
    """Return how many words two texts begin with in common."""
    return next((place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _changed(old: list[str], new: list[str]) -> tuple[TextPiece, ...]:
    if len(old) + len(new) > _TOO_LONG:
        return _pieces(("removed", old), ("added", new))
    pieces: list[TextPiece] = []
    for op, a0, a1, b0, b1 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op == "equal":
            pieces += _pieces(("same", old[a0:a1]))
        else:
            pieces += _pieces(("removed", old[a0:a1]), ("added", new[b0:b1]))
    return tuple(pieces)


def _pieces(*runs: tuple[str, list[str]]) -> tuple[TextPiece, ...]:
    return tuple(TextPiece(op=op, text="".join(words)) for op, words in runs if words)
