"""Runs of people's own loops: collected, sent, ended; dead ones are noticed."""

import math
import subprocess
import sys
import time

import pytest

from workbench.client.run import interrupt_runs
from workbench.engine.silence import Silence
from workbench.errors import InvalidTransition, ValidationError, WorkbenchError


def test_a_run_logs_and_succeeds_with_its_block(ws):
    with ws.jobs.start_external("lr sweep", config={"lr": 0.1}) as run:
        for step in range(50):
            run.log({"loss": 1 / (step + 1), "accuracy": step / 50}, epoch=step // 10)
    assert run.status == run.job.status == "succeeded"
    curves = {one.name: one for one in ws.jobs.metrics(run.id).metrics}
    assert {name: one.total for name, one in curves.items()} == {"accuracy": 50, "loss": 50}
    assert [p["step"] for p in curves["loss"].points] == list(range(50))
    assert curves["loss"].points[-1]["epoch"] == 4


def test_points_keep_their_own_moment_and_odd_values(ws):
    with ws.jobs.start_external("odd") as run:
        run.log({"loss": math.nan}, step=3)
        run.log({"loss": math.inf}, step=4)
        run.log({"loss": 2}, step=9)
    frame = ws.jobs.metric_curve(run.id, "loss")
    assert list(frame["step"]) == [3, 4, 9]
    assert frame["value"].iloc[2] == 2.0


def test_without_a_block_it_runs_until_it_is_finished(ws):
    run = ws.jobs.start_external("by hand")
    run.log({"loss": 1.0})
    run.flush()
    assert ws.jobs.metrics(run.id).metrics[0].total == 1
    assert run.job.status == "running"
    assert run.finish("failed", message="It diverged.").error_message == "It diverged."
    with pytest.raises(InvalidTransition):
        run.log({"loss": 1.0})


def test_points_arrive_by_themselves(ws):
    run = ws.jobs.start_external("in the background")
    run.log({"loss": 1.0})
    deadline = time.monotonic() + 60
    while not ws.jobs.metrics(run.id).metrics and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ws.jobs.metrics(run.id).metrics[0].total == 1
    run.finish()


@pytest.mark.parametrize("wrong", [{"": 1.0}, {"x" * 201: 1.0}, {7: 1.0}, {"loss": None}, {"loss": "high"}])
def test_what_cannot_be_kept_is_refused_at_once_and_holds_up_nothing(ws, wrong):
    with ws.jobs.start_external("careless") as run:
        with pytest.raises((ValidationError, TypeError, ValueError)):
            run.log({"sound": 1.0, **wrong})
        run.log({"loss": 2.0})
    assert run.status == "succeeded"
    assert [(one.name, one.total) for one in ws.jobs.metrics(run.id).metrics] == [("loss", 1)]


def test_an_error_in_the_block_fails_the_run_and_goes_on(ws):
    run = ws.jobs.start_external("broken")

    def loop():
        with run:
            run.log({"loss": 1.0})
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        loop()
    job = run.job
    assert (job.status, job.error_message) == ("failed", "ZeroDivisionError: division by zero")
    assert ws.jobs.metrics(run.id).metrics[0].total == 1


def test_a_cancelled_run_stops_the_loop(ws):
    run = ws.jobs.start_external("cancelled from elsewhere")
    ws.jobs.cancel(run.id, reason="enough")

    def loop():
        for _ in range(10_000):
            run.log({"loss": 1.0})
            time.sleep(0.005)

    with pytest.raises(InvalidTransition):
        loop()
    assert run.status == "cancelled"


def test_closing_the_workspace_ends_the_run(ws):
    run = ws.jobs.start_external("left open")
    run.log({"loss": 1.0})
    interrupt_runs(ws, why="its workspace was closed.")
    job = ws.jobs.get(run.id)
    assert (job.status, "interrupted" in job.error_message) == ("failed", True)
    assert ws.jobs.metrics(run.id).metrics[0].total == 1


def test_points_wait_while_the_workspace_is_away(ws, monkeypatch):
    run = ws.jobs.start_external("patient")
    send = type(ws.jobs).log_metrics

    def away(*args, **kwargs):
        raise WorkbenchError("The server is away.")

    monkeypatch.setattr(type(ws.jobs), "log_metrics", away)
    run.log({"loss": 1.0})
    with pytest.raises(WorkbenchError):
        run.flush()
    monkeypatch.setattr(type(ws.jobs), "log_metrics", send)
    run.finish()
    assert ws.jobs.metrics(run.id).metrics[0].total == 1


def test_a_silent_run_fails_after_its_lease_and_keeps_its_points(local):
    app = local.transport.app
    silence = Silence(app.engine)
    run = local.jobs.start_external("silent", lease_seconds=30)
    forever = local.jobs.start_external("no lease", lease_seconds=None)
    local.jobs.log_metrics(run.id, [{"name": "loss", "step": 0, "value": 1.0}])
    for seconds, expected in ((3, "running"), (20, "running"), (20, "failed")):
        app.clock.advance(seconds=seconds)
        silence.look()
        assert local.jobs.get(run.id).status == expected
    assert local.jobs.get(run.id).error_code == "INTERRUPTED"
    assert local.jobs.metrics(run.id).metrics[0].total == 1
    assert local.jobs.get(forever.id).status == "running"


def test_a_beat_renews_the_lease(local):
    silence = Silence(local.transport.app.engine)
    run = local.jobs.start_external("beating", lease_seconds=30)
    for _ in range(5):
        silence.look()
        local.transport.app.clock.advance(seconds=20)
        local.jobs.log_metrics(run.id, [])
    silence.look()
    assert local.jobs.get(run.id).status == "running"


def test_a_process_that_forgets_its_run_leaves_it_interrupted(tmp_path):
    program = (
        "import sys, workbench as wb\n"
        "ws = wb.open(sys.argv[1], share=False)\n"
        "run = ws.jobs.start_external('forgotten')\n"
        "run.log({'loss': 1.0})\n"
    )
    path = str(tmp_path / "w.duckdb")
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=120)
    import workbench as wb

    with wb.open(path, share=False) as ws:
        job = ws.jobs.list(kind="external")[0]
        assert (job.status, "interrupted" in (job.error_message or "")) == ("failed", True)
        assert ws.jobs.metrics(job.id).metrics[0].total == 1
