"""A provider that invents answers: the same for the same request, without a network, never for real use."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from workbench.providers import Access, Answer, Request
from workbench.providers.conversation import instruction

SHOWN_WORDS = 12


class Simulated:
    """Choose or compose an answer from a hash of the request."""

    simulated = True
    needs = None

    def __init__(self, access: Access) -> None:
        self.access = access

    async def answer(self, request: Request) -> Answer:
        """Return one invented answer; with a temperature of 0 or any other it is the same."""
        examples = [text for pair in request.examples for text in pair]
        text = "\x1f".join((request.model or "", instruction(request) or "", *examples, request.prompt))
        number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")
        said = _said(request, number)
        return Answer(
            text=said,
            confidence=round(0.5 + (number % 1000) / 2000, 4),
            tokens_in=len(text.split()),
            tokens_out=len(said.split()),
            finish_reason="stop",
        )

    async def close(self) -> None:
        """Do nothing: there is no connection."""


def _said(request: Request, number: int) -> str:
    if request.fields:
        return json.dumps({field["name"]: _invented(field, number) for field in request.fields}, ensure_ascii=False)
    if request.choices:
        return request.choices[number % len(request.choices)]
    return f"Simulated answer to: {' '.join(request.prompt.split()[:SHOWN_WORDS])}"


def _invented(field: dict[str, Any], number: int) -> Any:
    options = field.get("options") or ()
    if options:
        return options[number % len(options)]
    kinds = {"number": number % 100, "boolean": bool(number % 2), "list": [], "object": {}}
    return kinds.get(field["type"], f"Simulated {field['name']}")
