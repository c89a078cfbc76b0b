"""What runs in the process of a generation job: ask the provider about each prompt, keep each answer at once.

An answer is one line of a file, written before the next request leaves: whatever ends the process, nothing
that was paid for is lost.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.domain import few_shot
from workbench.domain.wording import grouped
from workbench.errors import ProviderError
from workbench.providers import Access, Answer, Failure, Provider, Request, connect
from workbench.providers.asking import Asker, Reply

if TYPE_CHECKING:
    from workbench.engine.child import JobContext

PROMPTS = "prompts.parquet"
ANSWERS = "answers.jsonl"
CHUNK = 512
LOOK_SECONDS = 0.1
CURVE_SECONDS = 1.0
# What is under way when a stop is asked for may still come in.
LAST_SECONDS = 5.0
# So many failures in a row, and nobody answers there.
HOPELESS = 10


def generate(context: JobContext) -> dict[str, Any]:
    """Answer every prompt of the folder; a stop keeps what was answered so far."""
    inputs = context.inputs
    access = Access(**inputs["access"])
    provider = connect(access)
    if inputs["package"]:
        from workbench.trainers import load_package

        provider.predict = load_package(inputs["package"]).predict  # type: ignore[attr-defined]
    with AnswerFile(context.folder / ANSWERS) as kept:
        work = Generation(context, provider, access, kept)
        asyncio.run(work.run())
    return {"simulated": provider.simulated}


class AnswerFile:
    """Append answers as lines, each in one write."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(self, **line: Any) -> None:
        """Keep one answer."""
        os.write(self._file, (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "replace"))

    def __enter__(self) -> AnswerFile:
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self._file)


class Generation:
    """Ask with several requests under way, count what comes back, give up when nobody answers."""

    def __init__(self, context: JobContext, provider: Provider, access: Access, kept: AnswerFile) -> None:
        inputs = context.inputs
        self.context = context
        self.provider = provider
        self.kept = kept
        self.inputs = inputs
        self.total = inputs["total"]
        self.done = self.failed = self.flagged = self.in_a_row = 0
        # Earlier attempts of the job were paid for as well.
        spent = inputs["spent"]
        self.cost: float | None = spent["cost"]
        self.tokens: int = spent["tokens_in"] + spent["tokens_out"]
        self._asker = Asker(provider, access, per_minute=inputs["requests_per_minute"], shared=Path(inputs["pace"]))
        self._rows = self._prompts()
        self._told = -1
        self._drawn = 0.0
        self._closing = False

    async def run(self) -> None:
        """Answer all prompts, or as many as there is time for."""
        self._tell()
        workers = [asyncio.create_task(self._work()) for _ in range(self.inputs["concurrency"])]
        try:
            await self._watch(workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            self._tell()
            await self.provider.close()

    async def _watch(self, workers: list[asyncio.Task[None]]) -> None:
        until: float | None = None
        while pending := [worker for worker in workers if not worker.done()]:
            await asyncio.wait(pending, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
            self._tell()
            for worker in workers:
                if worker.done() and (error := worker.exception()):
                    raise error
            self.context.check()
            if until is None and self.context.should_stop():
                self._closing, until = True, time.monotonic() + LAST_SECONDS
            if until is not None and time.monotonic() >= until:
                return

    async def _work(self) -> None:
        for row in self._rows:
            await self._answer(row)
            # Providers that never wait would let nobody else look for a cancel.
            await asyncio.sleep(0)
            if self._closing:
                return

    async def _answer(self, row: dict[str, Any]) -> None:
        try:
            reply = await self._asker.ask(self._request(row["item_ref"], row["prompt"]))
        except Failure as failure:
            self._note_failure(row, failure)
        else:
            self._note(row, reply)

    def _note(self, row: dict[str, Any], reply: Reply) -> None:
        self.kept.add(
            row_index=row["row_index"], response=reply.text, fault=reply.fault, confidence=reply.answer.confidence,
            finish_reason=reply.answer.finish_reason, **self._paid(reply.answer), tries=reply.tries, seconds=time.time(),
        )  # fmt: skip
        self.done += 1
        self.flagged += reply.fault is not None
        self.in_a_row = 0

    def _paid(self, answer: Answer) -> dict[str, Any]:
        """Add up what an answer took, whether it can be used or not; return it."""
        cost = self._price(answer.tokens_in, answer.tokens_out)
        self.cost = None if self.cost is None or cost is None else self.cost + cost
        self.tokens += (answer.tokens_in or 0) + (answer.tokens_out or 0)
        return {"tokens_in": answer.tokens_in, "tokens_out": answer.tokens_out, "cost": cost}

    def _note_failure(self, row: dict[str, Any], failure: Failure) -> None:
        if failure.kind == "denied":
            raise ProviderError(f"{failure} {self._kept_words()}")
        paid = self._paid(failure.answer) if failure.answer is not None else {}
        line = {"row_index": row["row_index"], "response": None, "fault": str(failure), "tries": failure.tries}
        self.kept.add(**line, **paid, seconds=time.time())
        self.done += 1
        self.failed += 1
        self.in_a_row += 1
        # A prompt may be at fault by itself; a provider that refuses all of them, or is gone, is another matter.
        if self.in_a_row >= HOPELESS and (failure.passing or self.failed == self.done):
            raise ProviderError(f"The last {self.in_a_row} requests failed. {failure} {self._kept_words()}")

    def _kept_words(self) -> str:
        return f"{grouped(self.done - self.failed)} answers are kept: a retry goes on from there."

    def _price(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        parts = ((tokens_in, self.inputs["price_in"]), (tokens_out, self.inputs["price_out"]))
        if any(price is None or (count is None and price > 0) for count, price in parts):
            return None
        return sum((count or 0) * price / 1000 for count, price in parts)

    def _tell(self) -> None:
        if self.done == self._told:
            return
        self._told = self.done
        words = [f"{grouped(self.done - self.failed)} answered"]
        words += [f"{grouped(self.failed)} failed"] if self.failed else []
        words += [f"{grouped(self.flagged)} flagged"] if self.flagged else []
        words += [f"{grouped(self.inputs['known'])} known before"] if self.inputs["known"] else []
        words += [f"{grouped(self.tokens)} tokens"] if self.tokens else []
        words += [f"{self.cost:.4f} USD so far"] if self.cost else []
        self.context.progress(self.done, self.total, ", ".join(words), step="generating")
        if time.monotonic() - self._drawn >= CURVE_SECONDS or self.done == self.total:
            self._drawn = time.monotonic()
            self.context.metric("tokens", self.tokens, step=self.done)
            if self.cost is not None:
                self.context.metric("cost", self.cost, step=self.done)

    def _request(self, item_ref: str, prompt: str) -> Request:
        asked = self.inputs["request"]
        return Request(
            prompt=prompt,
            system=asked["system"],
            model=asked["model"],
            temperature=asked["temperature"],
            max_tokens=asked["max_tokens"],
            choices=tuple(asked["choices"]),
            examples=few_shot.shown(asked, item_ref, prompt),
            fields=tuple(asked["fields"]),
        )

    def _prompts(self) -> Iterator[dict[str, Any]]:
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.context.folder / PROMPTS) as file:
            for batch in file.iter_batches(CHUNK):
                yield from batch.to_pylist()
