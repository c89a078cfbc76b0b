"""Agreement of two reviewers on 100,000 pairs: the figures alone, and with their intervals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from workbench.testing import frozen

PAIRS = 100_000
PLAN = {"prompt_template": "Q: {{q}}?", "response_column": "a"}


@pytest.fixture(scope="module")
def voted() -> Iterator[tuple[Any, str]]:
    """Yield a training sheet on which two people have voted, mostly alike."""
    with frozen(transport="local") as ws:
        rows = [{"q": f"what {n}", "a": f"answer {n % 7}"} for n in range(PAIRS)]
        made = ws.training_sheets.assemble(ws.sheets.create("rows", rows=rows).id, template=PLAN, overlap=2)
        db = ws.transport.app.db
        with db.write():
            for batch, voter in enumerate(("ann", "bob"), start=1):
                db.execute(
                    "insert into votes select ?, training_sheet_id, row_index, ?, case when hash(row_index, ?) % 10 < 7 then 'approve' "
                    "when hash(row_index, ?) % 10 < 9 then 'reject' else 'flag' end, response, null, null, null, null, null, "
                    "updated_at, 0, null from pair_rows where training_sheet_id = ?",
                    [batch, voter, batch, batch, made.id],
                )
            db.execute("update pair_rows set votes = 2, status = 'labeled' where training_sheet_id = ?", [made.id])
        yield ws, made.id


@pytest.mark.parametrize("samples", [0, 1000])
@pytest.mark.parametrize("over", ["action", "response"])
def test_agreement_of_two_on_many_pairs(benchmark: Any, voted: tuple[Any, str], over: str, samples: int) -> None:
    ws, sheet = voted
    found = benchmark(lambda: ws.review.agreement(sheet, over=over, samples=samples))

    assert found.pairs > PAIRS / 3
    assert found.cohen_kappa is not None
    print(f"\n{over}, {samples} resamplings: p50 {1000 * benchmark.stats.stats.median:.0f} ms")
