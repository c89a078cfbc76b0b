"""P10: a single-row request on a really trained model, alone and eight at a time, every one logged."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import workbench as wb
from tests.services import made

PROMPT = "Topic of pixel brush {}?"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path: Path = tmp_path_factory.mktemp("requests") / "w.duckdb"
    with wb.open(path, share=False) as ws:
        made.deployed(ws, made.version(ws))
        ws.endpoints.invocations("topics", inputs=["warm up"])
        yield ws


@pytest.fixture(params=["service", "facade", "http"])
def ask(request: pytest.FixtureRequest, live: Any) -> Iterator[Callable[[str], Any]]:
    app = live.transport.app
    if request.param == "service":
        yield lambda text: app.endpoints.invocations("topics", inputs=[text])
    elif request.param == "facade":
        yield lambda text: live.endpoints.invocations("topics", inputs=[text])
    else:
        from workbench.server.serving import Server

        server = Server(app, host="127.0.0.1", port=0, pages=False).start()
        with httpx.Client(base_url=server.url) as client:
            address = "/api/v1/deployment/endpoints/topics/invocations"
            yield lambda text: client.post(address, json={"inputs": [text]}).raise_for_status()
        server.stop()


def test_one_at_a_time(ask: Callable[[str], Any]) -> None:
    spans = []
    for index in range(500):
        start = time.perf_counter()
        ask(PROMPT.format(index))
        spans.append(1000 * (time.perf_counter() - start))
    print(f"p50 {statistics.median(spans):.2f} ms, p95 {statistics.quantiles(spans, n=20)[-1]:.2f} ms")
    assert statistics.median(spans) <= 3.0


def test_eight_at_a_time_are_all_logged(live: Any) -> None:
    app = live.transport.app
    before, seconds = live.endpoints.logs("topics").total, 3.0
    counts, end = [0] * 8, time.perf_counter() + seconds

    def work(place: int) -> None:
        while time.perf_counter() < end:
            app.endpoints.invocations("topics", inputs=[PROMPT.format(counts[place])])
            counts[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(counts) / seconds:.0f} requests/s")
    assert live.endpoints.logs("topics").total - before == sum(counts)
    assert sum(counts) / seconds >= 800
