"""Deleting jobs: everything of them goes, the space is free again, and what is in use is refused by name."""

from pathlib import Path

import pytest

from tests.services import made
from tests.services.approved import ended, sample, sheet_of
from tests.services.test_jobs import running, submit
from workbench.errors import GateNotPassed, InUse, InvalidTransition, NotFound
from workbench.services.job_deletion import TABLES

# What a child process does is the same whoever asked for it.
TRANSPORTS = ("http",)


@pytest.fixture
def runner(ws):
    for name in ("count", "raises"):
        ws.app.engine.register(name, entry=f"tests.engine.work:{name}", prepare=lambda job, folder: job.spec)
    return ws


def left_of(ws, id):
    """Return the tables, and files, that still know a job."""
    tables = [t for t, c in TABLES.items() if ws.app.db.value(f"select count(*) from {t} where {c} = ?", [id])]
    return tables + [str(p) for p in (ws.app.engine.artifacts / "jobs").glob(f"{id}*")]


def test_a_deleted_job_leaves_nothing_and_is_audited(runner):
    job = ended(runner, submit(runner, "count", steps=5))
    again = submit(runner, "raises")
    ended(runner, again)
    assert left_of(runner, job.id)
    gone = runner.jobs.delete(job.id)
    assert (gone.status, gone.id) == ("deleted", job.id)
    assert left_of(runner, job.id) == []
    with pytest.raises(NotFound):
        runner.jobs.get(job.id)
    assert [j.id for j in runner.jobs.list()] == [again.id]
    noted = runner.app.db.tuples("select operation, target_id from audit_log where operation = 'jobs.delete'")
    assert noted == [("jobs.delete", job.id)]
    assert ("jobs", job.id, "deleted") in [(e.topic, e.id, e.change) for e in runner.system.changes(limit=1000)]
    with pytest.raises(NotFound):
        runner.jobs.delete(job.id)


def test_of_several_each_goes_or_says_why_it_stays(runner):
    ids = [ended(runner, submit(runner, "count", steps=1)).id for _ in range(3)]
    active = submit(runner, "count", steps=100_000)
    running(runner, active)
    with pytest.raises(InvalidTransition):
        runner.jobs.delete(active.id)
    assert not next(a for a in runner.jobs.get(active.id).actions if a.name == "delete").enabled
    found = runner.jobs.bulk_delete([*ids, active.id, "job_nothing", ids[0]])
    assert (found.action, found.done, found.refused) == ("delete", 3, 2)
    assert [(o.job_id, o.done, o.status, o.error_code) for o in found.outcomes] == [
        *((id, True, None, None) for id in ids), (active.id, False, "running", "INVALID_TRANSITION"),
        ("job_nothing", False, None, "NOT_FOUND"),
    ]  # fmt: skip
    assert [j.id for j in runner.jobs.list()] == [active.id]
    runner.jobs.cancel(active.id)
    ended(runner, active)
    assert runner.jobs.bulk_delete([active.id]).done == 1
    assert not list((runner.app.engine.artifacts / "jobs").iterdir())


def test_a_parent_of_a_job_under_way_stays(runner):
    parent = ended(runner, submit(runner, "raises"))
    child = runner.app.engine.submit("count", name="child", spec={"steps": 100_000}, parent_id=parent.id, created_by="local")
    with pytest.raises(InUse) as refused:
        runner.jobs.delete(parent.id)
    assert refused.value.context["used_by"][0].startswith("count child (")
    runner.jobs.cancel(child.id)
    ended(runner, child)
    runner.jobs.delete(parent.id)
    assert runner.jobs.get(child.id).parent_id is None


def test_a_job_whose_version_may_still_be_used_stays_and_says_what_holds_it(local):
    model = made.version(local)
    for stage in ("development", "staging", "production"):
        with local.app.db.write():
            local.app.db.execute("update models set status = ? where id = ?", [stage, model.id])
        for remove in (local.training.delete, local.jobs.delete):
            with pytest.raises(InUse) as refused:
                remove(model.job_id)
            assert refused.value.context["used_by"] == [f"{model.name} 1.0.0 ({stage})"]
        offered = next(a for a in local.training.get(model.job_id).actions if a.name == "delete")
        assert (offered.enabled, offered.reason) == (False, f"In use: {model.name} 1.0.0 ({stage}).")


def test_an_archived_version_keeps_its_package_and_without_held_out_rows_no_gate_opens(ws):
    sheet = sheet_of(ws, sample(120))
    job = ended(ws, ws.training.create(sheet.id, "m", "ngrams-tfidf", training_config={"epochs": 1, "char_ngrams": 0}))
    version = ws.models.get(job.model_version_id)
    ws.models.archive(version.id)
    offered = next(a for a in ws.training.get(job.id).actions if a.name == "delete")
    assert (offered.enabled, "An archived model version it made stays" in offered.confirm) == (True, True)
    ws.training.delete(job.id)
    assert left_of(ws, job.id) == []
    kept = ws.models.get(version.id)
    assert kept.job_id is None
    assert (ws.app.artifacts / ws.app.models.versions.get(version.id).artifact_path / "manifest.json").exists()
    assert ws.lineage.get("model", version.id).nodes
    assert ws.system.doctor().total == 0
    ws.training_sheets.delete(sheet.id)
    ws.models.restore(version.id)
    assert ws.models.test(version.id).status == "success"
    ws.models.promote(version.id)
    with pytest.raises(GateNotPassed, match="no held-out rows"):
        ws.models.deploy(version.id)
    assert not ws.models.get(version.id).gate.open


def test_the_space_is_free_again(local):
    db, path = local.app.db, Path(local.app.db.path)
    ids = [f"job_{n}" for n in range(20)]
    with db.write():
        for id in ids:
            db.execute(
                "insert into jobs by name select ? as id, 'external' as kind, 'x' as name, 'succeeded' as status, 100 as progress_percent, "
                "0 as done, '' as step, '' as message, '{}'::json as spec, now()::timestamp as created_at, 'a' as created_by, "
                "now()::timestamp as completed_at, now()::timestamp as updated_at, 1 as attempt, 0 as priority, "
                "false as cancel_requested, false as stop_requested, '{}'::json as labels, false as sample, 0 as journal_offset, "
                "0 as journal_seq, 0 as event_seq, 1 as version",
                [id],
            )
    db.checkpoint()
    before = path.stat().st_size
    with db.write():
        db.execute(
            "insert into metrics by name select id as job_id, 'loss' as name, s as step, random() as value, now()::timestamp as logged_at "
            "from (select unnest(?) as id), range(20000) r(s)",
            [ids],
        )
    db.checkpoint()
    full = path.stat().st_size
    for id in ids:
        folder = local.app.engine.artifacts / "jobs" / id / "attempt-1"
        folder.mkdir(parents=True)
        (folder / "journal.log").write_bytes(bytes(100_000))
    assert full > before + 1_000_000
    local.jobs.bulk_delete(ids)
    assert not list((local.app.engine.artifacts / "jobs").iterdir())
    free = db.value("select free_blocks * block_size from pragma_database_size()")
    assert path.stat().st_size - free < before + (full - before) / 4


def test_what_a_deletion_that_was_cut_off_left_is_swept_with_the_next_start(runner, monkeypatch):
    job = ended(runner, submit(runner, "count", steps=5))
    engine = runner.app.engine
    with monkeypatch.context() as killed:
        killed.setattr(engine, "remove", lambda ids: None)
        runner.jobs.delete(job.id)
    assert left_of(runner, job.id)

    engine.close()
    engine.start()

    assert left_of(runner, job.id) == []
    assert list((engine.artifacts / "jobs").iterdir()) == []


def test_what_nobody_deleted_stays_on_the_disk_also_when_the_database_does_not_know_it(runner):
    job, engine = ended(runner, submit(runner, "count", steps=5)), runner.app.engine
    foreign = engine.artifacts / "jobs" / "job_of_a_newer_database" / "attempt-1"
    foreign.mkdir(parents=True)
    engine.doom([job.id])  # a deletion that was rolled back

    engine.close()
    engine.start()

    assert foreign.exists()
    assert (engine.artifacts / "jobs" / job.id).exists()
