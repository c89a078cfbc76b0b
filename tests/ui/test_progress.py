"""How far a job is, said of one that waits, one that was cancelled and one that failed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from workbench.ui.components.actions import ActionBar
from workbench.ui.components.progress import ProgressPanel
from workbench.ui.train import job_columns
from workbench.ui.training_job import _failure


def job(**facts: Any) -> Any:
    """Return what a panel asks of a job."""
    known = {"status": "queued", "message": "", "step": "", "eta_seconds": None, "progress_percent": 0.0, "queue_position": None}
    ends = {"error_message": None, "error_details": None, "cancel_reason": None}
    return SimpleNamespace(**known | ends | facts)


def test_a_job_in_a_queue_says_its_place() -> None:
    panel = ProgressPanel(job(queue_position=2))
    assert "place 2 in the queue" in panel._line.object
    panel.update(job(status="running", message="Epoch 1 of 3"))
    assert "queue" not in panel._line.object and "Epoch 1 of 3" in panel._line.object

    progress = next(column for column in job_columns() if column.name == "progress_percent")
    assert "place 3 in the queue" in progress.cell(vars(job(queue_position=3)))
    assert "41" in progress.cell(vars(job(progress_percent=70.0, eta_seconds=41.0)))


def test_why_a_job_ended_is_told_apart_from_what_failed() -> None:
    cancelled = _failure(job(cancel_reason="The learning rate was wrong"))
    assert "Cancelled because" in cancelled and "ink-error" not in cancelled
    failed = _failure(job(error_message="The worker is gone.", error_details="Traceback"))
    assert "ink-error" in failed and "Details" in failed and "Cancelled" not in failed
    assert _failure(job()) == ""


def test_an_action_that_is_not_offered_is_not_the_first_thing_to_see() -> None:
    def shown(enabled: bool) -> str:
        action = SimpleNamespace(name="retry", label="Retry", enabled=enabled, reason=None, confirm=None)
        return ActionBar([action], first="retry")._buttons.objects[0].variant

    assert (shown(True), shown(False)) == ("contained", "outlined")
