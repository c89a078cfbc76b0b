"""Ask a provider until it answers: in its pace, with a limit in time, again after trouble that passes."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import importlib
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tenacity

from workbench.providers import Access, Answer, Failure, Provider, Request
from workbench.providers.pace import Pace
from workbench.providers.verdict import judge

TRIES = 6
LONGEST_WAIT = 30.0
# A provider that wants to be left alone for longer is as good as gone.
PATIENCE = 300.0


@dataclass(frozen=True)
class Reply:
    """An answer as it is kept, its fault if it has one, and how often was asked."""

    text: str
    fault: str | None
    answer: Answer
    tries: int


class Asker:
    """Ask one provider; many requests at a time share its pace, also those of other processes that name the same file."""

    def __init__(
        self,
        provider: Provider,
        access: Access,
        *,
        per_minute: int | None = None,
        shared: Path | None = None,
        tries: int = TRIES,
    ) -> None:
        self._provider = provider
        self._access = access
        self._pace = Pace(per_minute, shared=shared)
        self._tries = tries
        self._backoff = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT)
        if provider.needs:
            with contextlib.suppress(ImportError):  # to load it takes seconds, which the first answer must not pay for
                importlib.import_module(provider.needs)

    async def ask(self, request: Request) -> Reply:
        """Return the judged answer, or raise the last Failure; an empty answer is one."""
        tries = 0
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_passing),
            wait=self._wait,
            stop=tenacity.stop_after_attempt(self._tries),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    tries += 1
                    answer = await self._once(request)
        except Failure as failure:
            failure.tries = tries
            raise
        text, fault = judge(request, answer)
        if not text:
            failure = Failure(f"{self._access.name} gave an empty answer{f': {fault}' if fault else '.'}", kind="refused")
            failure.tries, failure.answer = tries, answer
            raise failure
        return Reply(text, fault, answer, tries)

    async def _once(self, request: Request) -> Answer:
        await self._pace.turn()
        try:
            # The limits of the SDKs count from byte to byte: a trickle would never end.
            async with asyncio.timeout(self._access.timeout):
                answer = await self._provider.answer(request)
        except TimeoutError:
            raise Failure(f"{self._access.name} did not answer within {self._access.timeout:g} s.") from None
        except Failure as failure:
            raise self._considered(failure) from None
        if answer.pause:
            self._pace.hold(min(answer.pause, PATIENCE))
        return answer

    def _considered(self, failure: Failure) -> Failure:
        if failure.retry_after is None:
            return failure
        if failure.retry_after > PATIENCE:
            return Failure(f"{failure} It wants no request for {failure.retry_after:.0f} s.", kind="denied")
        self._pace.hold(failure.retry_after)
        return failure

    def _wait(self, state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        told = getattr(failure, "retry_after", None)
        # What the provider told is waited for in the pace, together with everybody else.
        return 0.0 if told is not None else self._backoff(state)


def _passing(error: BaseException) -> bool:
    return isinstance(error, Failure) and error.passing


def finished(work: Coroutine[Any, Any, Any]) -> Any:
    """Run asynchronous work to its end in a thread of its own, also where a loop runs already."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
