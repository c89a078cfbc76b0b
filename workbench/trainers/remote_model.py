"""A model that a provider keeps: the package says where it is, its answers are asked for there."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import ProviderError
from workbench.providers import Access, Failure, Request, connect
from workbench.providers.asking import Asker

FILE = "remote.json"
TRIES = 4


@dataclass(frozen=True)
class Whereabouts:
    """Where a model is and how it is asked; the key is named by its environment variable."""

    access: Mapping[str, Any]
    model: str
    system: str | None = None
    max_tokens: int = 256
    concurrency: int = 4
    requests_per_minute: int | None = None

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        (folder / FILE).write_text(json.dumps(self.__dict__, indent=1, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Whereabouts:
        """Read it from a folder."""
        return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))


@dataclass
class RemoteModel:
    """Ask a provider's model for answers, several at a time, over connections that stay open."""

    at: Whereabouts
    _asker: Asker | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return the model's answer to each text; raise ProviderError when one cannot be had."""
        try:
            return asyncio.run_coroutine_threadsafe(self._all(texts), self._running()).result()
        except Failure as failure:
            raise ProviderError(str(failure)) from None

    async def _all(self, texts: list[str]) -> list[dict[str, Any]]:
        turns = asyncio.Semaphore(self.at.concurrency)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._kept(text, turns)) for text in texts]
        found = [task.result() for task in tasks]
        for one in found:
            if isinstance(one, Failure):
                raise one
        return [one for one in found if isinstance(one, dict)]

    async def _kept(self, text: str, turns: asyncio.Semaphore) -> dict[str, Any] | Failure:
        async with turns:
            try:
                return await self._one(text)
            except Failure as failure:
                return failure

    async def _one(self, text: str) -> dict[str, Any]:
        at = self.at
        if self._asker is None:
            access = Access(**at.access)
            self._asker = Asker(connect(access), access, per_minute=at.requests_per_minute, tries=TRIES)
        request = Request(text, system=at.system, model=at.model, temperature=0.0, max_tokens=at.max_tokens)
        reply = await self._asker.ask(request)
        counts = {"tokens_in": reply.answer.tokens_in, "tokens_out": reply.answer.tokens_out}
        return {"value": reply.text, "confidence": reply.answer.confidence, **counts}

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, daemon=True, name=f"asking {self.at.model}").start()
            return self._loop
