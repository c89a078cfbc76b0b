"""G5, P8: curves of one long job, and of a hundred jobs side by side."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.services import curves
from workbench.testing import frozen

JOBS = 100
_JOBS = f"""
insert into jobs by name
select 'job_' || i as id, 'train' as kind, 'Train ' || i as name, 'succeeded' as status, 100.0 as progress_percent, 0 as done,
    '' as step, '' as message, '{{}}'::json as spec, timestamp '2026-01-01' as created_at, 'ann' as created_by,
    timestamp '2026-01-01' as started_at, timestamp '2026-01-02' as completed_at, timestamp '2026-01-02' as updated_at, 1 as attempt,
    0 as priority, false as cancel_requested, false as stop_requested, '{{}}'::json as labels, false as sample, 0 as journal_offset,
    0 as journal_seq, 0 as event_seq, 1 as version
from range({JOBS}) t(i)
"""
_DETAILS = f"""
insert into training_details by name
select 'job_' || i as id, 'assembly_1' as training_sheet_id, 'Cases' as training_sheet_name, 'model' as model_name,
    'ngrams-tfidf' as base_model, 'text-classifier' as trainer, ('{{"epochs": 10, "seed": ' || i || '}}')::json as training_config,
    0.8 as train_val_split, 100 as total_pairs, 80 as train_pairs, 20 as val_pairs, 10 as total_epochs, false as register_to_uc
from range({JOBS}) t(i)
"""
# Ten spikes in each curve, a thousand in all.
_POINTS = f"""
insert into metrics by name
select 'job_' || i as job_id, 'train_loss' as name, step, step // 1000 as epoch,
    case when (step + i * 37) % 1000 = 500 then 50 else 1 / (1 + step / 1000) + random() / 10 end as value,
    timestamp '2026-01-01' + to_seconds(step) as logged_at
from range({JOBS}) t(i), range(10000) s(step)
"""
_LONG = """
insert into metrics by name
select 'job_long' as job_id, 'train_loss' as name, step, 1 as epoch, random() as value, timestamp '2026-01-01' as logged_at
from range(100000) s(step)
"""


@pytest.fixture(scope="module")
def ws() -> Any:
    with frozen() as workspace:
        workspace.transport.strict = False
        db = workspace.transport.app.db
        with db.write():
            for sql in (_JOBS, _DETAILS, _POINTS, _LONG):
                db.execute(sql)
        yield workspace


def test_curves_of_a_hundred_jobs(benchmark: Any, ws: Any) -> None:
    """The query alone: a million points become some twenty thousand."""
    ids = [f"job_{i}" for i in range(JOBS)]
    found = benchmark(lambda: curves.points(ws.transport.app.db, ids, ["train_loss"], 200))
    assert found.num_rows < 100 * 200


def test_a_hundred_jobs_compared(benchmark: Any, ws: Any) -> None:
    """The whole call: settings, figures, winners, seeds and curves; every one of a thousand spikes is there."""
    ids = ",".join(f"job_{i}" for i in range(JOBS))
    told = benchmark(lambda: ws.training.compare(ids, metrics=["train_loss"]))
    spikes = {(id, point["step"]) for id, points in told.curves["train_loss"].items() for point in points if point["value"] == 50}
    assert len(spikes) == 10 * JOBS


def test_a_long_curve_for_a_plot(benchmark: Any, ws: Any) -> None:
    """100,000 points among 1.1 million, thinned to 1,200."""
    found = benchmark(lambda: curves.series(ws.transport.app.db, "job_long", ["train_loss"], 1200))
    assert found[0].total == 100_000
