"""A model of this workspace that writes answers itself, without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.providers import Access, Answer, Failure, Request

Predict = Callable[[list[str]], list[dict[str, Any]]]


class Local:
    """Answer with a loaded model; whoever makes it sets `predict`.

    The model got finished prompts when it was trained, so it gets the prompt alone: no instruction, no examples.
    """

    simulated = False
    needs = None

    def __init__(self, access: Access) -> None:
        self.access = access
        self.predict: Predict | None = None

    async def answer(self, request: Request) -> Answer:
        """Return the model's prediction."""
        if self.predict is None:
            raise Failure("No model was loaded.", kind="denied")
        try:
            found = self.predict([request.prompt])[0]
        except Exception as error:
            raise Failure(f"The model cannot answer this: {error}", kind="refused") from error
        return Answer(text=str(found["value"]), confidence=found.get("confidence"), finish_reason="stop")

    async def close(self) -> None:
        """Let the model go."""
        self.predict = None
