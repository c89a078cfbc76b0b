"""Waiting for a job with a progress bar; Ctrl-C detaches and never cancels."""

from __future__ import annotations

import threading
import time
import warnings
from typing import Any

with warnings.catch_warnings():
    # Without ipywidgets a notebook shows the bar as text, which is all we want.
    warnings.simplefilter("ignore")
    from tqdm.auto import tqdm

ENDED = frozenset({"succeeded", "failed", "cancelled"})


def wait_for_job(workspace: Any, job: Any, *, timeout: float | None = None, progress: bool = True) -> Any:
    """Return the job once it has ended, or as it is after `timeout` seconds or Ctrl-C."""
    changed = threading.Event()

    def heard(changes: Any) -> None:
        if any(change.id == job.id for change in changes):
            changed.set()

    stop = workspace.subscribe(heard)
    bar = tqdm(total=100, desc=job.name or job.kind, disable=not progress, bar_format="{desc} {percentage:3.0f}%|{bar}|{postfix}")
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        job = workspace.fetch(job)
        while job.status not in ENDED and (deadline is None or time.monotonic() < deadline):
            _show(bar, job)
            changed.wait(0.5)
            changed.clear()
            job = workspace.fetch(job)
        _show(bar, job)
        bar.refresh()
        return job
    except KeyboardInterrupt:
        return job
    finally:
        bar.close()
        stop()


def _show(bar: Any, job: Any) -> None:
    # Points may arrive by the hundred: `update` draws ten times a second at most.
    bar.set_postfix_str(f"{job.status} {job.message or ''}".strip(), refresh=False)
    bar.update(min(100, job.progress_percent or 0) - bar.n)
