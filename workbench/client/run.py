"""A run of somebody's own loop: its points are collected here and sent in the background."""

from __future__ import annotations

import atexit
import datetime as dt
import importlib
import logging
import math
import threading
import time
import weakref
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar

from workbench.client import callbacks
from workbench.domain.jobs import MOST_NAME_CHARS, TERMINAL, Job
from workbench.errors import InvalidTransition, NotFound, ValidationError, WorkbenchError

FLUSH_SECONDS = 1.0
BEAT_SECONDS = 15.0
LEASE_SECONDS = 60.0
MOST_POINTS_SENT = 50_000
MOST_POINTS_KEPT = 5_000_000

_log = logging.getLogger(__name__)
_open: weakref.WeakSet[Run] = weakref.WeakSet()


class Run:
    """Log the metrics of a loop that runs in this process; the job it belongs to is `run.job`.

    Use as a context manager, or call `finish()`. `log` only collects: a thread sends what came
    together each second. Once somebody cancels the run, the next `log` raises InvalidTransition.
    """

    defaults: ClassVar[dict[str, Any]] = {"lease_seconds": LEASE_SECONDS}

    def __init__(self, workspace: Any, job: Job) -> None:
        self._workspace = workspace
        self.id = job.id
        self.name = job.name
        self._points: list[dict[str, Any]] = []
        self._guard = threading.Lock()
        self._sending = threading.Lock()
        self._step = -1
        self._ended: str | None = None
        self._wake = threading.Event()
        self._heard = time.monotonic()
        _open.add(self)
        # Arrow wants pandas for the first points, and nothing can be imported any more when a process ends.
        importlib.import_module("pandas")
        # Registered after the workspace's own farewell, so it comes before it.
        atexit.register(self._abandon)
        self._thread = threading.Thread(target=self._flush_each_second, name=f"run-{job.id}", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<Run {self.name!r} {self.id}: {self.status}>"

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._ended is not None:
            return
        if error is None:
            self.finish()
        elif isinstance(error, KeyboardInterrupt):
            self.finish("cancelled", message="Interrupted from the keyboard.")
        else:
            self.finish("failed", message=f"{type(error).__name__}: {error}")

    @property
    def job(self) -> Job:
        """Return the job as it is now."""
        return self._workspace.jobs.get(self.id)

    @property
    def status(self) -> str:
        """Return how the run ended, as far as this process knows, or `running`."""
        return self._ended or "running"

    def log(self, values: Mapping[str, float], *, step: int | None = None, epoch: int | None = None) -> None:
        """Add one point per named value; without a step, each call is the next one.

        Raises InvalidTransition when the run has ended, for example because somebody cancelled it.
        """
        if self._ended is not None:
            raise InvalidTransition(
                f"The run {self.name!r} has {self._ended}; nothing more can be logged.", current=self._ended, allowed=[]
            )
        at = time.time()
        # Looked at before any is kept: what is refused later would hold up all that follows.
        sound = [(named(name), portable(float(value))) for name, value in values.items()]
        with self._guard:
            self._step = self._step + 1 if step is None else int(step)
            for name, value in sound:
                point = {"name": name, "step": self._step, "value": value, "at": at}
                self._points.append(point if epoch is None else point | {"epoch": int(epoch)})
            crowded = len(self._points) >= MOST_POINTS_SENT
        if crowded:
            self._wake.set()

    def flush(self) -> None:
        """Send what was logged so far and return once it is kept."""
        with self._sending:
            while self._points and self._ended is None:
                with self._guard:
                    batch = self._points[:MOST_POINTS_SENT]
                try:
                    self._workspace.jobs.log_metrics(self.id, batch)
                except (InvalidTransition, NotFound) as error:
                    self._end(error)
                    return
                with self._guard:
                    del self._points[: len(batch)]
                self._heard = time.monotonic()

    def finish(
        self,
        status: str = "succeeded",
        *,
        message: str = "",
        result: Mapping[str, Any] | None = None,
        completed_at: dt.datetime | None = None,
    ) -> Job:
        """Send the rest and end the run as succeeded, failed or cancelled; return the job."""
        self.flush()
        if self._ended is None:
            more: dict[str, Any] = {"result": dict(result)} if result else {}
            more |= {"completed_at": completed_at} if completed_at else {}
            job = self._workspace.jobs.finish(self.id, status=status, message=message, **more)
            self._close(job.status)
            return job
        return self.job

    def lightgbm(self) -> Any:
        """Return a callback for `lightgbm.train(callbacks=[...])` that logs every round."""
        return callbacks.lightgbm(self)

    def transformers(self) -> Any:
        """Return a callback for a Hugging Face `Trainer(callbacks=[...])` that logs what the trainer logs."""
        return callbacks.transformers(self)

    def sklearn(self, X: Any = None, y: Any = None, *, name: str = "val_score") -> Any:
        """Return a callback for `estimator.set_callbacks(...)` that logs the score on `X` and `y` after each iteration."""
        return callbacks.sklearn(self, X, y, name=name)

    def interrupt(self, why: str) -> None:
        """End a run that its own process leaves unfinished; its points are kept."""
        if self._ended is None:
            try:
                self.finish("failed", message=f"The run was interrupted: {why}")
            except WorkbenchError as error:
                _log.warning("The run %s could not be ended: %s", self.id, error)
                self._close("failed")

    @property
    def workspace(self) -> Any:
        """Return the workspace the run logs into."""
        return self._workspace

    def _flush_each_second(self) -> None:
        while self._ended is None:
            self._wake.wait(FLUSH_SECONDS)
            self._wake.clear()
            try:
                self.flush()
                self._beat()
            except Exception as error:
                self._keep(error)

    def _beat(self) -> None:
        """Tell that the loop lives, even when it has nothing to log."""
        if self._ended is None and time.monotonic() - self._heard >= BEAT_SECONDS:
            try:
                self._workspace.jobs.log_metrics(self.id, [])
                self._heard = time.monotonic()
            except (InvalidTransition, NotFound) as error:
                self._end(error)

    def _keep(self, error: Exception) -> None:
        """Keep points while the workspace cannot be reached, up to a bound."""
        _log.warning("Points of the run %s wait: %s", self.id, error)
        with self._guard:
            lost = len(self._points) - MOST_POINTS_KEPT
            if lost > 0:
                del self._points[:lost]
                _log.error("The run %s dropped its %s oldest points.", self.id, lost)

    def _end(self, error: WorkbenchError) -> None:
        current = (error.context or {}).get("current")
        self._close(current if current in TERMINAL else "failed")

    def _close(self, status: str) -> None:
        self._ended = status
        self._wake.set()
        _open.discard(self)
        atexit.unregister(self._abandon)

    def _abandon(self) -> None:
        self.interrupt("the process ended before the run was finished.")


def portable(value: float) -> float | str:
    """Return a number as JSON can carry it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def named(name: str) -> str:
    """Return the name of a curve, or raise ValidationError where no curve can have it."""
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME_CHARS:
        raise ValidationError.field("name", f"of a curve is a text of 1 to {MOST_NAME_CHARS} characters", name)
    return name


def interrupt_runs(workspace: Any, *, why: str) -> None:
    """End the unfinished runs of a workspace."""
    for run in [run for run in _open if run.workspace is workspace]:
        run.interrupt(why)
