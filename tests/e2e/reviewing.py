"""Many reviewers at once, each with a connection of their own to one running server."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

import workbench as wb

PLAN = {"prompt_template": "Q: {{q}}?", "response_column": "a", "label_type": "answer"}
CLAIMED_AT_ONCE = 5
LEASE_S = 600


@dataclass
class Work:
    """What the reviewers of one training sheet were handed and did, and how long the server took."""

    sheet: str
    overlap: int
    handed: list[tuple[int, str]] = field(default_factory=list)
    decided: list[tuple[int, str]] = field(default_factory=list)
    claims_ms: list[float] = field(default_factory=list)
    decisions_ms: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def training_sheet(ws: Any, pairs: int, overlap: int) -> str:
    """Make a training sheet that so many people review."""
    rows = [{"id": f"i{n}", "q": f"what {n}", "a": f"answer {n % 7}"} for n in range(pairs)]
    sheet = ws.sheets.create(f"rows for {overlap}", rows=rows, item_id_column="id")
    return ws.training_sheets.assemble(sheet.id, template=PLAN, overlap=overlap).id


def review(url: str, sheet: str, overlap: int, people: int) -> Work:
    """Let so many people claim and decide until nobody is handed anything any more."""
    work = Work(sheet, overlap)
    threads = [threading.Thread(target=_reviewer, args=(url, work, f"reviewer {n}", n)) for n in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return work


def _reviewer(url: str, work: Work, name: str, seed: int) -> None:
    dice = random.Random(seed)
    headers = {"X-Workbench-User": name, "X-Workbench-Client": f"tab of {name}"}
    place = f"/api/v1/assemblies/{work.sheet}"
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        while True:
            answer = _timed(client, work, work.claims_ms, "POST", f"{place}/claim", {"count": CLAIMED_AT_ONCE, "lease_seconds": LEASE_S})
            if not answer or not answer["items"]:
                return
            with work.lock:
                work.handed += [(pair["row_index"], name) for pair in answer["items"]]
            for pair in answer["items"]:
                body = {"action": "reject" if dice.random() < 0.05 else "approve", "version": pair["version"]}
                if _timed(client, work, work.decisions_ms, "PUT", f"{place}/rows/{pair['row_index']}", body):
                    with work.lock:
                        work.decided.append((pair["row_index"], name))


def _timed(client: httpx.Client, work: Work, spans: list[float], method: str, path: str, body: dict[str, Any]) -> Any:
    start = time.perf_counter()
    answer = client.request(method, path, json=body)
    span = 1000 * (time.perf_counter() - start)
    with work.lock:
        spans.append(span)
        if answer.status_code != 200:
            work.faults.append(answer.text)
            return None
    return answer.json()


def exact(url: str, work: Work, pairs: int) -> None:
    """Assert that nobody was handed a pair twice or too many, and that each pair has exactly its decisions."""
    assert work.faults == []
    assert len(set(work.handed)) == len(work.handed), "somebody was handed a pair twice"
    expected = dict.fromkeys(range(pairs), work.overlap)
    assert dict(Counter(row for row, _ in work.handed)) == expected
    assert dict(Counter(row for row, _ in work.decided)) == expected
    with wb.open(url) as ws:
        log = ws.sql("select row_index, actor from decisions where training_sheet_id = ?", [work.sheet])
        assert sorted(log.itertuples(index=False, name=None)) == sorted(work.decided)
        progress = ws.review.progress(work.sheet)
        assert progress.labeled + progress.rejected + progress.disputed == pairs
        assert progress.disputed == ws.review.queue(work.sheet, status="disputed", limit=1).total
