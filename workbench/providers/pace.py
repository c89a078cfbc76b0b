"""When the next request may leave: so many a minute, and none while the provider wants a pause."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """Give out turns evenly; a pause holds back everybody who asks the same provider."""

    def __init__(self, per_minute: int | None = None) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._held = 0.0

    async def turn(self) -> None:
        """Wait until a request may leave; after a pause they leave in the same pace, not all at once."""
        start = max(time.monotonic(), self._next, self._held)
        self._next = start + self._gap
        await asyncio.sleep(max(0.0, start - time.monotonic()))
        if self._held > start:
            await self.turn()

    def hold(self, seconds: float) -> None:
        """Let nobody leave for so long."""
        self._held = max(self._held, time.monotonic() + seconds)
