"""R3: 10,000 random steps by four people, undone in reverse."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.services.undo_law import Walk
from workbench.store.doctor import doctor
from workbench.testing import frozen

STEPS = int(os.environ.get("WORKBENCH_STEPS", "10000"))


def test_ten_thousand_steps(benchmark, tmp_path: Path) -> None:
    with frozen(tmp_path / "walk.duckdb") as ws:
        ws.transport.strict = False
        walk = Walk(ws, seed=1)

        def there_and_back() -> None:
            for _ in range(STEPS):
                walk.step()
            walk.undo_all()

        start = time.perf_counter()
        benchmark.pedantic(there_and_back, rounds=1)
        difference = walk.difference()
        print(
            f"\n{STEPS} steps and {len(walk.done)} batches undone in reverse in {time.perf_counter() - start:.0f} s; "
            f"{dict(walk.counts)}; differs from the start: {difference or 'nowhere'}; doctor: {doctor(walk.db) or 'clean'}"
        )
        assert not difference
