"""Jobs: lists, events, curves, logs, cancel, stop, retry, external runs."""

import time

import pytest

from tests.services.approved import ended
from workbench.errors import InvalidTransition, NotFound, ValidationError

WORK = "tests.engine.work"


@pytest.fixture
def runner(ws):
    """A workspace whose engine knows the small pieces of work."""
    for name in ("count", "hangs", "raises", "binary"):
        ws.app.engine.register(name, entry=f"{WORK}:{name}", prepare=lambda job, folder: job.spec)
    return ws


def submit(ws, kind, **spec):
    return ws.app.engine.submit(kind, name=f"{kind} it", spec=spec, created_by="local")


def running(ws, job):
    deadline = time.monotonic() + 60
    while ws.jobs.get(job.id).status != "running" or not ws.jobs.metrics(job.id).metrics:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_job_is_followed_to_its_end(runner):
    job = ended(runner, submit(runner, "count", steps=5))
    assert (job.status, job.kind, job.progress_percent, job.result) == ("succeeded", "count", 100, {"best": 5})
    assert job.duration_seconds == 0
    assert {a.name: a.enabled for a in job.actions} == {"cancel": False, "stop": False, "retry": False, "delete": True}
    events = runner.jobs.events(job.id)
    assert [e.seq for e in events] == list(range(1, events.total + 1))
    assert [e.new_status for e in events if e.type == "status_change"] == ["queued", "running", "succeeded"]
    assert [e.seq for e in runner.jobs.events(job.id, after=2)] == list(range(3, events.total + 1))
    curve = runner.jobs.metrics(job.id).metrics[0]
    assert (curve.name, [p["step"] for p in curve.points], curve.total) == ("loss", [1, 2, 3, 4, 5], 5)
    assert set(curve.points[0]) == {"step", "value", "epoch", "at"}
    listed = runner.jobs.list(kind="count", status="succeeded")
    assert [j.id for j in listed] == [job.id]
    assert runner.jobs.list(kind="hangs").total == 0


def test_the_log_keeps_what_was_printed(runner):
    job = ended(runner, submit(runner, "binary"))
    log = runner.jobs.log(job.id)
    assert "not text" in log.text
    assert log.size > 0
    short = runner.jobs.log(job.id, max_bytes=3)
    assert short.truncated
    assert short.offset == short.size - 3


def test_cancel_then_retry(runner):
    job = submit(runner, "count", steps=10_000)
    running(runner, job)
    asked = runner.jobs.cancel(job.id, reason="wrong data")
    assert asked.cancel_requested
    done = ended(runner, job)
    assert (done.status, done.cancel_reason, done.result) == ("cancelled", "wrong data", None)
    with pytest.raises(InvalidTransition) as refused:
        runner.jobs.cancel(job.id)
    assert refused.value.context["current"] == "cancelled"
    assert refused.value.context["allowed"] == ["retry", "delete"]
    again = runner.jobs.retry(job.id)
    assert (again.parent_id, again.spec, again.status) == (job.id, {"steps": 10_000}, "queued")
    running(runner, again)
    assert {a.name: a.label for a in runner.jobs.get(again.id).actions}["stop"] == "Stop and keep what is done"
    assert runner.jobs.stop(again.id).stop_requested
    assert ended(runner, again).status == "succeeded"
    with pytest.raises(InvalidTransition, match="Cannot stop a job that is succeeded"):
        runner.jobs.stop(again.id)


def test_a_failure_tells_why_and_may_be_retried(runner):
    job = ended(runner, submit(runner, "raises"))
    assert (job.status, job.error_code) == ("failed", "JOB_FAILED")
    assert "the loss is not a number" in job.error_message
    assert "Traceback" in job.error_details
    assert {a.name for a in job.actions if a.enabled} == {"retry", "delete"}
    again = ended(runner, runner.jobs.retry(job.id, timeout_seconds=300))
    assert (again.parent_id, again.timeout_seconds) == (job.id, 300)
    assert runner.jobs.retry(again.id).timeout_seconds == 300


def test_waiting_jobs_know_their_place(runner):
    runner.app.engine.limits = type(runner.app.engine.limits)(total=0)
    jobs = [submit(runner, "count", steps=1) for _ in range(3)]
    assert sorted(runner.jobs.get(j.id).queue_position for j in jobs) == [1, 2, 3]
    assert runner.jobs.cancel(jobs[0].id).status == "cancelled"
    assert {j.queue_position for j in runner.jobs.list(status="queued")} == {1, 2}


def test_a_waiting_job_is_moved_forward_and_back(runner):
    runner.app.engine.limits = type(runner.app.engine.limits)(total=0)
    first, second = (submit(runner, "count", steps=1) for _ in range(2))
    moved = runner.jobs.prioritize(second.id, 5)
    assert (moved.priority, moved.queue_position, runner.jobs.get(first.id).queue_position) == (5, 1, 2)
    assert runner.jobs.prioritize(second.id, -5).queue_position == 2
    assert "Priority -5, it was 5." in [e.message for e in runner.jobs.events(second.id)]
    with pytest.raises(ValidationError):
        runner.jobs.prioritize(second.id, 101)
    for job in (first, second):
        runner.jobs.cancel(job.id)
    with pytest.raises(InvalidTransition):
        runner.jobs.prioritize(first.id, 1)


def test_unknown_jobs_are_not_found(ws):
    for ask in (ws.jobs.get, ws.jobs.cancel, ws.jobs.stop, ws.jobs.retry, ws.jobs.events, ws.jobs.metrics, ws.jobs.log):
        with pytest.raises(NotFound):
            ask("job_nothing")


def test_a_job_that_is_no_training_and_no_study_is_told_with_its_page(ws):
    run = ws.jobs.start_external("sweep").job
    for look, wanted in ((ws.training.get, "training job"), (ws.studies.get, "study")):
        with pytest.raises(NotFound, match=f"No {wanted} '{run.id}': that is an external run, 'sweep'.") as told:
            look(run.id)
        assert (told.value.context["href"], told.value.context["kind"]) == (f"/jobs?job={run.id}", wanted)
    with pytest.raises(NotFound) as told:
        ws.training.get("job_9")
    assert (told.value.message, "href" in told.value.context) == ("No training job 'job_9'.", False)


def test_a_run_that_goes_on_elsewhere_cannot_be_stopped_from_here(ws):
    run = ws.jobs.start_external("my loop")
    assert not next(action for action in run.job.actions if action.name == "stop").enabled
    with pytest.raises(InvalidTransition, match=r"goes on elsewhere.*cancel"):
        ws.jobs.stop(run.id)
    assert not ws.jobs.get(run.id).stop_requested


def test_an_external_run_has_curves_and_an_end(ws):
    run = ws.jobs.start_external("my loop", config={"lr": 0.1})
    assert (run.job.kind, run.job.status, run.job.spec) == ("external", "running", {"lr": 0.1})
    points = [{"name": "loss", "step": i, "value": 1 / (i + 1), "epoch": i // 10} for i in range(100)]
    ws.jobs.log_metrics(run.id, points)
    assert ws.jobs.metrics(run.id).metrics[0].total == 100
    done = ws.jobs.finish(run.id, result={"best": 0.01})
    assert (done.status, done.result) == ("succeeded", {"best": 0.01})
    with pytest.raises(InvalidTransition):
        ws.jobs.log_metrics(run.id, points[:1])


def test_refusals_name_what_an_external_run_really_offers(ws):
    run = ws.jobs.start_external("my loop")
    ws.jobs.finish(run.id, status="failed")
    offered = [action.name for action in ws.jobs.get(run.id).actions if action.enabled]
    assert offered == ["delete"]
    calls = (
        lambda: ws.jobs.cancel(run.id),
        lambda: ws.jobs.stop(run.id),
        lambda: ws.jobs.retry(run.id),
        lambda: ws.jobs.prioritize(run.id, 3),
        lambda: ws.jobs.log_metrics(run.id, []),
    )
    for call in calls:
        with pytest.raises(InvalidTransition) as refused:
            call()
        assert refused.value.context["allowed"] == offered
        assert "retry" not in refused.value.message


def test_faulty_points_are_all_named(ws):
    run = ws.jobs.start_external("my loop")
    with pytest.raises(ValidationError) as refused:
        ws.jobs.log_metrics(run.id, [{"name": "loss", "step": "x", "value": 1}, {"name": "", "step": 1, "value": None}])
    assert {f["field"] for f in refused.value.context["fields"]} == {"metrics.0.step", "metrics.1.name", "metrics.1.value"}


def test_points_beyond_what_a_column_holds_are_named(ws):
    run = ws.jobs.start_external("my loop")
    wrong = [{"step": 2**63}, {"epoch": -(2**70)}, {"at": -1}, {"at": 1e300}, {"value": 10**400}]
    with pytest.raises(ValidationError) as refused:
        ws.jobs.log_metrics(run.id, [{"name": "loss", "step": 1, "value": 1} | one for one in wrong])
    assert [f["field"] for f in refused.value.context["fields"]] == [
        f"metrics.{i}.{next(iter(one))}" for i, one in enumerate(wrong)
    ]
    ws.jobs.log_metrics(run.id, [{"name": "loss", "step": 2**63 - 1, "value": 2**60 + 1}])
    assert ws.jobs.metrics(run.id).metrics[0].points[0]["value"] == float(2**60)


def test_curves_keep_their_extremes(ws):
    run = ws.jobs.start_external("spiky")
    values = [{"name": "loss", "step": i, "value": float(i % 7)} for i in range(20_000)]
    values[12_345] |= {"value": 1e6}
    values[777] |= {"value": -1e6}
    ws.jobs.log_metrics(run.id, values)
    curve = ws.jobs.metrics(run.id, max_points=100).metrics[0]
    found = {p["value"] for p in curve.points}
    assert {1e6, -1e6} <= found
    assert len(curve.points) <= 100
    assert (curve.points[0]["step"], curve.points[-1]["step"], curve.total) == (0, 19_999, 20_000)
    zoomed = ws.jobs.metric_curve(run.id, "loss", first_step=12_340, last_step=12_350)
    assert list(zoomed["step"]) == list(range(12_340, 12_351))


def test_events_come_in_either_order_and_without_progress(ws):
    run = ws.jobs.start_external("told")
    ws.jobs.finish(run.id)
    oldest = [event.seq for event in ws.jobs.events(run.id)]
    assert [event.seq for event in ws.jobs.events(run.id, latest_first=True)] == oldest[::-1]
    assert {event.type for event in ws.jobs.events(run.id, progress=False)} == {"status_change"}


def test_the_log_of_an_attempt_that_never_was_is_refused(ws):
    run = ws.jobs.start_external("silent")
    told = ws.jobs.log(run.id)
    assert (told.text, told.attempts, told.href) == ("", (1,), f"/api/v1/jobs/{run.id}/log.txt?attempt=1")
    assert ws.jobs.log_text(run.id) == ""
    with pytest.raises(ValidationError, match="has had 1 attempts"):
        ws.jobs.log(run.id, attempt=2)
