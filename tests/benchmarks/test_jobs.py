"""P9: the list of 10,000 jobs, narrowed and ordered; what one call of `run.log` costs."""

from __future__ import annotations

import threading

import pytest

from workbench.testing import frozen

JOBS = 10_000
_JOBS = f"""
insert into jobs by name
select 'job_' || i as id, ['train', 'export', 'import'][1 + i % 3] as kind, 'Job number ' || i as name,
    ['succeeded', 'failed', 'cancelled', 'succeeded'][1 + i % 4] as status, 100.0 as progress_percent, 0 as done, '' as step,
    '' as message, '{{}}'::json as spec, timestamp '2026-01-01' + to_seconds(i) as created_at, 'ann' as created_by,
    timestamp '2026-01-01' + to_seconds(i) as started_at, timestamp '2026-01-01' + to_seconds(i + i % 977) as completed_at,
    timestamp '2026-01-01' as updated_at, 1 as attempt, 0 as priority, false as cancel_requested, false as stop_requested,
    '{{"team": "red"}}'::json as labels, false as sample, 0 as journal_offset, 0 as journal_seq, 0 as event_seq, 1 as version,
    case when i % 3 = 0 then json_object('metrics', json_object('val_accuracy', (i % 1000) / 1000)) end as result
from range({JOBS}) t(i)
"""
_DETAILS = f"""
insert into training_details by name
select 'job_' || i as id, 'assembly_' || i % 10 as training_sheet_id, 'Cases' as training_sheet_name, 'model ' || i % 50 as model_name,
    'ngrams-tfidf' as base_model, 'text-classifier' as trainer, '{{"epochs": 10}}'::json as training_config, 0.8 as train_val_split,
    100 as total_pairs, 80 as train_pairs, 20 as val_pairs, 10 as total_epochs, false as register_to_uc,
    json_object('train_loss', 29 / 7, 'val_loss', 29 / 7, 'val_accuracy', 29 / 7) as metrics
from range(0, {JOBS}, 3) t(i)
"""
_POINTS = f"""
insert into metrics by name
select 'job_' || i as job_id, name, step, 1 as epoch, step / 7 as value, timestamp '2026-01-01' as logged_at
from range(0, {JOBS}, 3) t(i), (values ('train_loss'), ('val_loss'), ('val_accuracy')) n(name), range(30) s(step)
"""


@pytest.fixture(scope="module")
def ws():
    with frozen() as workspace:
        workspace.transport.strict = False
        db = workspace.transport.app.db
        with db.write():
            for sql in (_JOBS, _DETAILS, _POINTS):
                db.execute(sql)
        yield workspace


@pytest.mark.parametrize("page", [1, 60])
def test_jobs_narrowed_and_ordered(benchmark, ws, page):
    """One page of 50 of 10,000 jobs."""
    found = benchmark(lambda: ws.jobs.list(status="succeeded", label="team=red", sort="duration_seconds", page=page))
    assert found.total == JOBS // 2


@pytest.mark.parametrize("sort", ["created_at", "val_accuracy", "duration_seconds"])
def test_training_jobs_ordered(benchmark, ws, sort):
    """One page of 50 of 3,334 training jobs with their latest figures out of 300,000 points."""
    found = benchmark(lambda: ws.training.list(status="succeeded", sort=sort))
    assert found.total > 1000


def test_one_call_of_log(benchmark, ws):
    """A loop's own cost per step; the points travel in the background."""
    with ws.jobs.start_external("bench") as run:
        benchmark(run.log, {"loss": 0.5})


def test_eight_runs_at_once(benchmark, ws):
    """400,000 points of eight runs, from the first call to the last point kept."""

    def work() -> None:
        with ws.jobs.start_external("sustained") as run:
            for step in range(50_000):
                run.log({"loss": 0.5}, step=step)

    def all_of_them() -> None:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    benchmark.pedantic(all_of_them, rounds=2)
