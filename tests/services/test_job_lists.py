"""Lists of jobs: narrowed, ordered, paged with a true total."""

import datetime as dt

import pytest

from workbench.domain.jobs import Job
from workbench.domain.train import TrainingDetails
from workbench.errors import ValidationError


@pytest.fixture
def many(local):
    """Twelve jobs, one a minute."""
    ledger, clock = local.transport.app.engine.ledger, local.clock
    begun = clock.now()
    for i in range(12):
        clock.advance(minutes=1)
        started = clock.now()
        ledger.add(
            Job(
                id=f"job_{i:02d}", kind="train" if i % 2 else "export", name=f"Job {chr(97 + 11 - i)}", priority=i % 3, spec={},
                status="failed" if i % 4 == 0 else "succeeded", started_at=started, created_by="ann" if i < 5 else "ben",
                completed_at=started + dt.timedelta(seconds=100 - i), labels={"team": "red" if i % 3 else "blue", f"only{i}": "x"},
                parent_id="job_00" if i in (3, 4) else None,
            )
        )  # fmt: skip
    return local, begun


def ids(page):
    return [job.id for job in page]


def test_every_order_is_total_and_paged(many):
    ws, _ = many
    assert ids(ws.jobs.list(page_size=3)) == ["job_11", "job_10", "job_09"]
    assert ids(ws.jobs.list(sort="name", descending=False, page_size=2)) == ["job_11", "job_10"]
    assert ids(ws.jobs.list(sort="duration_seconds", page_size=2)) == ["job_00", "job_01"]
    assert ids(ws.jobs.list(sort="priority", page_size=4)) == ["job_02", "job_05", "job_08", "job_11"]
    found = [id for page in range(1, 5) for id in ids(ws.jobs.list(sort="status", page=page, page_size=3))]
    assert sorted(found) == [f"job_{i:02d}" for i in range(12)]
    assert ws.jobs.list(sort="priority", page_size=1).total == 12
    beyond = ws.jobs.list(page=9, page_size=3)
    assert (ids(beyond), beyond.total) == ([], 12)


def test_filters_go_together(many):
    ws, begun = many
    assert ws.jobs.list(created_by="ann").total == 5
    assert ws.jobs.list(created_by="ann", status="failed").total == 2
    assert ws.jobs.list(since=begun + dt.timedelta(minutes=3), until=begun + dt.timedelta(minutes=6)).total == 3
    assert ws.jobs.list(label="team=blue").total == 4
    assert ws.jobs.list(label="only7").total == 1
    assert ws.jobs.list(label="team=").total == 0
    assert ids(ws.jobs.list(parent_id="job_00", sort="created_at", descending=False)) == ["job_03", "job_04"]


def test_trainings_are_ordered_by_the_figure_that_is_shown(local):
    """A failed one has the last that was measured; what is no number, as an older trainer may have left it, comes last."""
    app = local.transport.app
    told = [(0.5, None), (None, 0.9), ("high", None), (0.7, 0.1), (None, None)]
    with app.db.write():
        for i, (result, measured) in enumerate(told):
            outcome = {"result": {"metrics": {"val_accuracy": result}}} if result is not None else {}
            app.engine.ledger.add(
                Job(id=f"job_{i}", kind="train", name="x", spec={}, status="succeeded", completed_at=local.clock.now(), **outcome)
            )
            app.training.details.insert(
                TrainingDetails(
                    id=f"job_{i}", training_sheet_id="a", training_sheet_name="a", model_name="m", base_model="b", trainer="t",
                    training_config={}, train_val_split=0.8, metrics={"val_accuracy": measured},
                )
            )  # fmt: skip
    assert ids(local.training.list(sort="val_accuracy"))[:3] == ["job_1", "job_3", "job_0"]
    assert ids(local.training.list(sort="val_accuracy", descending=False))[:3] == ["job_0", "job_3", "job_1"]


def test_an_unknown_order_is_refused(many):
    with pytest.raises(ValidationError, match="sort"):
        many[0].jobs.list(sort="version; drop table jobs")


def test_an_unknown_kind_or_status_is_refused_with_the_known_ones(many):
    ws, _ = many
    with pytest.raises(ValidationError, match=r"'trian'. Did you mean 'train'.* Known are assemble, .*, train") as refused:
        ws.jobs.list(kind="trian")
    assert refused.value.context["fields"][0]["field"] == "kind"
    for lists in (ws.jobs, ws.training, ws.studies):
        with pytest.raises(ValidationError, match="'queued'.*'cancelled'"):
            lists.list(status="bogus")
    ws.transport.app.engine.register("greet", entry="greetings.work:greet")
    assert ws.jobs.list(kind="greet").total == 0
    assert ws.jobs.list(kind="drift").total == 0
