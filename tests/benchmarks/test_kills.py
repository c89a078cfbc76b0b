"""R1: the owner is killed 200 times while decisions, bulk actions, undo, re-assembly and jobs run."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.e2e.kills import kill_again_and_again

KILLS = int(os.environ.get("WORKBENCH_KILLS", "200"))


def test_kills(benchmark, tmp_path: Path) -> None:
    start = time.perf_counter()
    tally = benchmark.pedantic(kill_again_and_again, args=(tmp_path, KILLS), rounds=1)
    opened = sorted(tally.opened_ms)
    print(
        f"\n{tally.kills} kills in {time.perf_counter() - start:.0f} s; acknowledged {dict(tally.acknowledged)}; "
        f"file opened in {opened[len(opened) // 2]:.0f} ms (median), {opened[-1]:.0f} ms (worst); faults: {tally.faults or 'none'}"
    )
    assert not tally.faults
