"""The dashboards from the first visit on: a server that only answers programs never pays for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send


class LatePages:
    """Answer what no route of the API answers with the pages, which `make` makes when one is first asked for."""

    def __init__(self, api: FastAPI, make: Callable[[], FastAPI], *, api_paths: str = "/api/") -> None:
        self._make = make
        self._api_paths = api_paths
        self._unknown = api.router.default
        self._pages: FastAPI | None = None
        self._making = asyncio.Lock()
        self._running = contextlib.AsyncExitStack()
        self._lifespan_of_api = api.router.lifespan_context
        api.router.default = self
        api.router.lifespan_context = self._lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the pages, unless its path is one of the API's."""
        if scope["path"].startswith(self._api_paths):
            await self._unknown(scope, receive, send)
            return
        pages = self._pages or await self._made()
        await pages(scope, receive, send)

    async def _made(self) -> FastAPI:
        async with self._making:
            if self._pages is None:
                # On a thread: the libraries behind the pages take seconds to load, and the API answers meanwhile.
                pages = await asyncio.to_thread(self._make)
                await self._running.enter_async_context(pages.router.lifespan_context(pages))
                self._pages = pages
            return self._pages

    @contextlib.asynccontextmanager
    async def _lifespan(self, api: FastAPI) -> AsyncIterator[Any]:
        """End the pages together with the API."""
        async with self._running, self._lifespan_of_api(api) as state:
            yield state
