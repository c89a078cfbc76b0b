"""A provider that invents answers: the same for the same prompt, without a network, never for real use."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from workbench.providers import Answer, Request

SHOWN_WORDS = 12


class Simulated:
    """Choose or compose an answer from a hash of the request."""

    simulated = True

    def answer(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        """Return one invented answer per request."""
        return [_answer(request) for request in requests]


def _answer(request: Request) -> Answer:
    text = "\x1f".join((request.model or "", request.system or "", request.prompt))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    words = request.prompt.split()
    opening = " ".join(words[:SHOWN_WORDS])
    said = request.choices[number % len(request.choices)] if request.choices else f"Simulated answer to: {opening}"
    return Answer(
        text=said,
        confidence=round(0.5 + (number % 1000) / 2000, 4),
        tokens_in=len(words) + len((request.system or "").split()),
        tokens_out=len(said.split()),
    )
