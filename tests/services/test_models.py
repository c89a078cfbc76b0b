"""The registry: stages, gate, version stack, tests in a process of their own."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.services import made
from workbench.errors import DeploymentFailed, GateNotPassed, InUse, InvalidTransition, NotFound, ValidationError

MEASURED = {"latency", "throughput", "uptime", "errorRate"}


def test_a_trained_version_starts_in_development_with_its_origin(local: Any) -> None:
    model = made.version(local)
    assert (model.version, model.status, model.framework, model.trainer) == ("1.0.0", "development", "scikit-learn", "text-classifier")
    assert model.accuracy == pytest.approx(made.package()[1]["accuracy"])
    assert 0 < model.ai_confidence <= 1
    assert model.sample and model.job_id and model.training_sheet_id
    assert model.signature["labels"] == ["draw", "math", "net"]
    assert model.signature["columns"] == ["text"]
    assert isinstance(model.input_example, str)
    assert [model.latency, model.throughput, model.uptime, model.error_rate] == [None] * 4
    assert model.inference_count == 0
    assert len(model.content_hash) == 64 and model.size.endswith("KB")
    assert made.version(local).version == "1.1.0"
    assert made.version(local, "Other").version == "1.0.0"


def test_wire_names_are_mixed_as_given(local: Any) -> None:
    from workbench.contract.codec import encode

    wire = encode(made.version(local))
    given = {"id", "name", "version", "status", "accuracy", "latency", "throughput", "uptime", "framework", "size", "aiConfidence"}
    given |= {"errorRate", "deployedAt", "lastTestedAt", "lastUpdated", "inferenceCount", "previousVersion"}
    assert given <= set(wire)
    assert all(wire[name] is None for name in MEASURED)


def test_gate_refuses_untested_old_and_failing_versions(local: Any) -> None:
    model = made.version(local)
    local.models.promote(model.id)
    with pytest.raises(GateNotPassed, match="have not run"):
        local.models.deploy(model.id)
    made.passing(local, model, success_rate=0.9, passed_count=18, failed=["latency.single_row", "load.memory"])
    with pytest.raises(GateNotPassed, match="18/20 tests passed; at least 95% must pass. Failed: latency.single_row") as caught:
        local.models.deploy(model.id)
    assert caught.value.context["failed"] == ["latency.single_row", "load.memory"]
    local.clock.advance(minutes=1)
    critical = [{"name": "accuracy.beats_trivial", "outcome": "failed", "critical": True}]
    made.passing(local, model, success_rate=0.96, cases=json.dumps(critical), failed=["accuracy.beats_trivial"])
    with pytest.raises(GateNotPassed, match="beats_trivial must pass"):
        local.models.deploy(model.id)
    local.clock.advance(minutes=1)
    made.passing(local, model)
    assert local.models.get(model.id).gate.open
    local.clock.advance(days=31)
    with pytest.raises(GateNotPassed, match="older than 30 days"):
        local.models.deploy(model.id)
    made.passing(local, model)
    assert local.models.deploy(model.id).model.status == "production"


def test_force_needs_a_reason_and_is_kept(local: Any) -> None:
    model = made.version(local)
    with pytest.raises(ValidationError, match="reason"):
        local.models.deploy(model.id, force=True)
    with pytest.raises(InvalidTransition) as caught:
        local.models.deploy(model.id)
    assert caught.value.context == {"current": "development", "allowed": ["promote", "test", "archive"]}
    answer = local.models.deploy(model.id, force=True, reason="demo for the board")
    assert (answer.status, answer.model.status) == ("success", "production")
    last = local.models.history(model.id)[0]
    assert (last.action, last.forced, last.reason, last.from_stage) == ("deploy", True, "demo for the board", "development")


def test_promote_and_deploy_are_idempotent_and_refuse_the_wrong_stage(local: Any) -> None:
    model = made.version(local)
    made.passing(local, model)
    assert local.models.promote(model.id).model.status == "staging"
    assert "already" in local.models.promote(model.id).message
    assert local.models.deploy(model.id).model.deployed_at == local.clock.now()
    seen = len(local.models.history(model.id))
    assert "already" in local.models.deploy(model.id).message
    assert len(local.models.history(model.id)) == seen
    for wrong in (local.models.promote, local.models.archive, local.models.restore):
        with pytest.raises(InvalidTransition):
            wrong(model.id)


def test_rollback_is_a_stack_never_a_swap(local: Any) -> None:
    versions = [made.version(local) for _ in range(3)]
    for model in versions:
        made.deployed(local, model)
        local.clock.advance(minutes=5)
    first, second, third = versions
    assert local.models.get(third.id).previous_version == "1.1.0"
    assert local.models.get(second.id).status == "staging"
    back = local.models.rollback(first.id)
    assert (back.previous_version, back.rolled_back_to, back.status) == ("1.1.0", "1.1.0", "success")
    assert local.models.rollback(first.id).rolled_back_to == "1.0.0"
    assert local.models.get(first.id).previous_version is None
    with pytest.raises(InvalidTransition, match="first version in production"):
        local.models.rollback(first.id)
    assert [m.status for m in (local.models.get(v.id) for v in versions)] == ["production", "staging", "staging"]
    local.models.deploy(third.id)
    assert local.models.rollback(third.id).rolled_back_to == "1.0.0"


def test_rollback_passes_over_archived_versions(local: Any) -> None:
    first, second, third = (made.version(local) for _ in range(3))
    for model in (first, second, third):
        made.deployed(local, model)
    local.models.archive(second.id)
    assert local.models.rollback(third.id).rolled_back_to == "1.0.0"


def test_rollback_without_production_says_so(local: Any) -> None:
    with pytest.raises(InvalidTransition, match="nothing to roll back"):
        local.models.rollback(made.version(local).id)


def test_what_was_in_production_at_a_time_is_one_query(local: Any) -> None:
    first, second = made.version(local), made.version(local)
    moments = [local.clock.now()]
    for step in (lambda: made.deployed(local, first), lambda: made.deployed(local, second), lambda: local.models.rollback(first.id)):
        local.clock.advance(hours=1)
        step()
        moments.append(local.clock.now())
    log = local.transport.app.models.log
    assert [[v["version"] for v in log.in_production(m)] for m in moments] == [[], ["1.0.0"], ["1.1.0"], ["1.0.0"]]
    assert log.in_production(moments[1] + dt.timedelta(minutes=59))[0]["id"] == first.id


def test_timeline_tells_from_when_to_when(local: Any) -> None:
    first, second = made.version(local), made.version(local)
    start = local.clock.now()
    for model in (first, second):
        made.deployed(local, model)
        local.clock.advance(hours=1)
    local.models.rollback(first.id)
    hour = dt.timedelta(hours=1)
    spans = [(s.model_version, s.action, s.began_at - start, s.ended_at and s.ended_at - start) for s in local.models.timeline()]
    assert spans == [
        ("1.0.0", "rollback", 2 * hour, None),
        ("1.1.0", "deploy", 1 * hour, 2 * hour),
        ("1.0.0", "deploy", 0 * hour, 1 * hour),
    ]
    assert local.models.timeline(name="Other").total == 0


def test_archive_restore_and_what_is_served(local: Any) -> None:
    model = made.version(local)
    made.deployed(local, model)
    with pytest.raises(ValidationError, match="reason"):
        local.models.archive(model.id, force=True)
    assert local.models.archive(model.id, force=True, reason="wrong data").model.status == "archived"
    assert local.endpoints.get("topics").status == "stopped"
    with pytest.raises(DeploymentFailed, match="archived"):
        local.endpoints.deploy(model_version_id=model.id)
    with pytest.raises(InvalidTransition):
        local.models.test(model.id)
    assert local.models.restore(model.id).model.status == "development"
    other = made.version(local)
    local.endpoints.deploy(model_version_id=other.id)
    with pytest.raises(InUse) as caught:
        local.models.archive(other.id)
    assert caught.value.context["used_by"] == ["topics-v1-1-0"]


def test_a_changed_package_is_not_deployed(local: Any) -> None:
    model = made.version(local)
    made.passing(local, model)
    local.models.promote(model.id)
    app = local.transport.app
    folder = app.models.package(model)
    weights = folder / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(DeploymentFailed, match="could not be loaded"):
        local.models.deploy(model.id)
    (folder / "manifest.json").write_text((folder / "manifest.json").read_text() + " ")
    with pytest.raises(DeploymentFailed, match="was changed since it was registered"):
        local.models.deploy(model.id)
    shutil.rmtree(folder)
    with pytest.raises(DeploymentFailed, match="missing"):
        local.models.deploy(model.id)
    assert local.models.get(model.id).status == "staging"


def test_list_searches_filters_sorts_and_counts(local: Any) -> None:
    for name in ("Topics", "Topics", "Answers"):
        made.version(local, name)
        local.clock.advance(minutes=1)
    assert local.models.list(page_size=2).total == 3
    assert [m.name for m in local.models.list(search="answ")] == ["Answers"]
    assert [m.version for m in local.models.list(search="1.1")] == ["1.1.0"]
    assert [m.version for m in local.models.list(name="Topics", sort="version", descending=False)] == ["1.0.0", "1.1.0"]
    assert local.models.list(status="production").total == 0
    assert local.models.list(framework="scikit-learn").total == 3
    summary = local.models.summary()
    assert (summary.total, summary.active, summary.deployments, summary.mean_latency) == (3, 3, 0, None)
    assert summary.mean_accuracy == pytest.approx(made.package()[1]["accuracy"], abs=1e-4)


def test_csv_is_readable_and_safe(local: Any) -> None:
    made.version(local, '=cmd|"x"')
    found = list(csv.reader(io.StringIO(local.models.export())))
    assert found[0] == ["Model Name", "Version", "Status", "Accuracy", "Latency (ms)", "Framework", "Uptime (%)"]
    assert found[1][:3] == ["'=cmd|\"x\"", "1.0.0", "development"]
    assert found[1][4] == found[1][6] == ""


def test_unknown_ids(local: Any) -> None:
    for call in (local.models.get, local.models.history, local.models.test, local.models.deploy, local.models.rollback):
        with pytest.raises(NotFound) as caught:
            call("model_none")
        assert caught.value.context["kind"] == "model"


def test_actions_say_what_is_allowed_and_why_not(local: Any) -> None:
    model = made.version(local)
    actions = {a.name: a for a in model.actions}
    assert [n for n, a in actions.items() if a.enabled] == ["promote", "test", "archive"]
    local.models.promote(model.id)
    assert {a.name: a.reason for a in local.models.get(model.id).actions}["deploy"] == "The tests have not run. Run them first."
    made.passing(local, model)
    local.models.deploy(model.id)
    reasons = {a.name: a.reason for a in local.models.get(model.id).actions}
    assert "first version" in reasons["rollback"]


def test_suite_runs_in_a_process_of_its_own_and_opens_the_gate(tmp_path: Path) -> None:
    import workbench as wb

    with wb.open(tmp_path / "w.duckdb", share=False) as ws:
        model = made.version(ws)
        run = ws.models.test(model.id)
        assert run.status == "success", run.message
        assert run.passed == f"{run.passed_count}/{run.total_count} tests passed"
        assert run.failed == () and run.success_rate == 1.0, run.failed
        assert run.total_count >= 22
        assert ws.transport.app.db.value("select pid from jobs where id = ?", [run.job_id]) != os.getpid()
        assert {c.name for c in run.cases} >= {"accuracy.beats_trivial", "determinism.repeated_calls", "latency.single_row"}
        assert len(run.data_hash) == 64
        shown = ws.models.get(model.id)
        assert shown.last_tested_at and shown.gate.open and shown.status == "development"
        assert shown.latency == run.figures["latency_ms"] and shown.error_rate == 0
        assert ws.models.test_runs(model.id)[0].passed == run.passed
        ws.models.promote(model.id)
        assert ws.models.deploy(model.id).model.status == "production"


def test_broken_package_ends_the_test_with_the_reason(tmp_path: Path) -> None:
    import workbench as wb

    with wb.open(tmp_path / "w.duckdb", share=False) as ws:
        broken = tmp_path / "package"
        shutil.copytree(made.package()[0], broken)
        (broken / "weights.npz").write_bytes(b"nothing")
        model = made.version(ws, folder=broken)
        run = ws.models.test(model.id)
        assert run.status == "error" and "weights.npz" in run.message
        gate = ws.models.get(model.id).gate
        assert not gate.open and "did not end well" in gate.reason


def test_a_cancelled_test_ends_the_run(tmp_path: Path) -> None:
    import workbench as wb

    with wb.open(tmp_path / "w.duckdb", share=False) as ws:
        engine = ws.transport.app.engine
        engine.limits = dataclasses.replace(engine.limits, total=0)
        model = made.version(ws)
        job = ws.models.test(model.id, wait=False)
        again = ws.models.test(model.id, wait=False)
        assert again.id == job.id
        ws.jobs.cancel(job.id, reason="not now")
        run = ws.models.test_runs(model.id)[0]
        assert run.status == "error" and "not now" in run.message
        assert not ws.models.get(model.id).gate.open


def test_a_long_test_answers_with_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import workbench as wb

    monkeypatch.setattr("workbench.services.models.TEST_SECONDS", 0.0)
    with wb.open(tmp_path / "w.duckdb", share=False) as ws:
        model = made.version(ws)
        job = ws.models.test(model.id, wait=False)
        assert (job.kind, job.status) == ("model_test", "queued")
        run = ws.models.test(model.id)
        assert (run.status, run.job_id, run.failed) == ("success", job.id, ())
        assert run.cases[0].name == "package.file_hashes"
