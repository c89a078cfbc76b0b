"""What runs in a job's own process: read the task, do the work, leave the result in the folder.

Started as `python -m workbench.engine.child FOLDER`. It opens no database and imports nothing heavy
by itself, so that the first word of a job arrives within a blink.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import workbench
from workbench.engine import checkpoints
from workbench.engine.journal import Journal
from workbench.engine.outcome import keepable
from workbench.engine.process import Identity, write_json
from workbench.errors import WorkbenchError

TASK = "job.json"
RESULT = "result.json"
LOG = "log.txt"
CANCEL = "cancel.flag"
STOP = "stop.flag"
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS",
    "ARROW_NUM_THREADS",
    "TORCH_NUM_THREADS",
)
PR_SET_PDEATHSIG = 1
MOST_COUNTED = 2**63 - 1
EXIT_DISK_FULL = 28
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_NETWORK = frozenset({errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT})
# Known by name: httpx, openai and the resolver are not imported for it.
PASSING = frozenset({"TransportError", "APIConnectionError", "gaierror"})
HEARTBEAT_SECONDS = 20.0
FLUSH_SECONDS = 0.1
PROGRESS_SECONDS = 0.05
FLAG_SECONDS = 0.02


class JobCancelled(Exception):
    """End the work because the job was cancelled."""


class JobContext:
    """Let the work report what it does and learn whether to go on."""

    def __init__(self, folder: Path, task: dict[str, Any], journal: Journal) -> None:
        self.folder = folder
        self.task = task
        self._journal = journal
        self._flags: dict[str, tuple[float, bool]] = {}
        self._progress_at = 0.0
        self._pending: dict[str, Any] | None = None
        self._step = 0
        self._resumed = False
        self._base: int | None = None
        # What went before is either gone on from or dropped; the owner is told before the first point.
        self._placed = int(task.get("attempt") or 1) <= 1
        self.basis: dict[str, Any] = {}

    @property
    def inputs(self) -> dict[str, Any]:
        """Return what the owner prepared for the work."""
        return self.task.get("inputs") or {}

    @property
    def threads(self) -> int:
        """Return how many threads the work may use."""
        return int(self.task.get("threads") or 1)

    def progress(self, done: int, total: int | None = None, message: str = "", *, step: str = "") -> None:
        """Report the units done; words in quick succession are thinned, the last one always arrives."""
        if self._base is None:
            self._base = max(0, int(done) - 1) if self._resumed else 0
        whole = None if total is None else counted(total)
        self._pending = {"done": counted(done), "total": whole, "message": str(message), "step": str(step), "base": self._base}
        if time.monotonic() - self._progress_at >= PROGRESS_SECONDS or (total is not None and done >= total):
            self.flush()

    def log(self, message: str, *, level: str = "info", **data: Any) -> None:
        """Add a line to the job's events."""
        self._journal.append("log", message=str(message), data={"level": level, **data})

    def metric(self, name: str, value: float, step: int, epoch: int | None = None) -> None:
        """Add one point to the curve `name`."""
        if not self._placed:
            self._begin_anew()
        self._step = counted(step)
        self._journal.point(str(name), self._step, float(value), None if epoch is None else counted(epoch))

    def fact(self, name: str, value: str) -> None:
        """Tell what belongs to the job itself, such as its id at a provider; what its kind knows is kept with it."""
        self._journal.append("fact", name=name, value=value)

    def should_cancel(self) -> bool:
        """Return whether the job was cancelled: leave at once, nothing is kept."""
        return self._flag(CANCEL)

    def should_stop(self) -> bool:
        """Return whether to end early: keep the best so far, evaluate, return normally."""
        return self._flag(STOP) or self._flag(CANCEL)

    def check(self) -> None:
        """Raise JobCancelled when the job was cancelled."""
        if self.should_cancel():
            raise JobCancelled

    @contextlib.contextmanager
    def checkpoint(self, name: str, *, step: int | None = None) -> Iterator[Path]:
        """Hand out a path for a file or folder that becomes the newest checkpoint `name` when the block ends well.

        It stands for `step`, by default the last one with a point; points beyond it are dropped when
        another attempt goes on from here. `basis` (what the work is made of) is kept with it.
        """
        at = self._step if step is None else int(step)
        with checkpoints.saving(self.folder, name, step=at, basis=self._basis()) as path:
            yield path
            # Whoever goes on from here takes the points up to here for granted.
            self._journal.flush()
        self._journal.append("checkpoint", name=name, step=at)

    def resumed(self, name: str) -> Path | None:
        """Return the newest whole checkpoint `name` of an earlier attempt or of the job to go on from.

        None means to begin from the start: there is none, or it was made by another release or of
        something else than `basis`; the events say so.
        """
        jobs = self.task.get("resume_from") or []
        for attempt in checkpoints.earlier(self.folder, jobs):
            found = checkpoints.newest(attempt, name)
            if found is None:
                continue
            if differing := found.differences(self._basis()):
                self._begin_anew(f"The checkpoint at step {found.step} differs in {', '.join(differing)}: the work begins anew.")
                return None
            self._placed, self._resumed, self._step, self._base = True, True, found.step, None
            self._journal.append("resumed", name=name, step=found.step, job=attempt.parent.name, attempt=attempt.name)
            return found.path
        if jobs or not self._placed:
            self._begin_anew("There is no checkpoint to go on from: the work begins anew.")
        return None

    def _basis(self) -> dict[str, Any]:
        return {"release": workbench.__version__, **self.basis}

    def _begin_anew(self, message: str = "") -> None:
        self._placed = True
        self._journal.append("anew", message=message)

    def flush(self) -> None:
        """Write what waits to be written."""
        pending, self._pending = self._pending, None
        if pending:
            self._progress_at = time.monotonic()
            self._journal.append("progress", **pending)
        self._journal.flush()

    def _flag(self, name: str) -> bool:
        looked, found = self._flags.get(name, (-1.0, False))
        now = time.monotonic()
        if not found and now - looked >= FLAG_SECONDS:
            found = (self.folder / name).exists()
            self._flags[name] = (now, found)
        return found


def main(arguments: list[str] | None = None) -> int:
    """Run the task of the given folder and return the exit code; one of its own says that the disk is full."""
    try:
        return _work(Path((arguments or sys.argv[1:])[0]))
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        return EXIT_DISK_FULL


def _work(folder: Path) -> int:
    task = json.loads((folder / TASK).read_text())
    # Said to this process alone: jobs of a workspace that the work opens run under nobody's guard.
    said = {name: os.environ.pop(name, "") for name in ("WORKBENCH_GUARDIAN", "WORKBENCH_JOB_THREADS", "WORKBENCH_WORKER")}
    owner, guardian = os.getpid(), int(said["WORKBENCH_GUARDIAN"] or 0)
    if guardian:
        end_with(guardian)
    task["threads"] = int(said["WORKBENCH_JOB_THREADS"] or task.get("threads") or 1)
    limit_threads(task["threads"])
    if identity := Identity.of(os.getpid()):
        identity.save(folder)
    journal = Journal(folder)
    where = {"pid": os.getpid(), "worker": said["WORKBENCH_WORKER"] or None}
    journal.append("started", **where, attempt=task.get("attempt"), threads=task["threads"])
    context = JobContext(folder, task, journal)
    ended = threading.Event()
    threading.Thread(target=_beat, args=(context, journal, ended, guardian), daemon=True, name="heartbeat").start()
    outcome = _run(context, task)
    ended.set()
    if os.getpid() != owner:
        # A fork made by the work came back here; only the job's own process may speak for it.
        os._exit(0)
    _leave(context, journal, outcome)
    return 0 if outcome["status"] == "succeeded" else 1


def limit_threads(count: int) -> None:
    """Set the thread budget of every numeric library, before any of them is imported."""
    for name in THREAD_VARIABLES:
        os.environ[name] = str(count)


def counted(number: float) -> int:
    """Return a count as it can be kept, or raise ValueError in the work itself."""
    whole = int(number)
    if abs(whole) > MOST_COUNTED:
        raise ValueError(f"{whole} is too large for a count.")
    return whole


def resolve(entry: str) -> Callable[[JobContext], dict[str, Any] | None]:
    """Return the callable that `module:function` names."""
    module, _, name = entry.partition(":")
    return getattr(importlib.import_module(module), name)


def _run(context: JobContext, task: dict[str, Any]) -> dict[str, Any]:
    try:
        context.check()
        result, odd = keepable(resolve(task["entry"])(context))
        context.check()
        if odd:
            context.log(f"No number, kept as unknown: {', '.join(odd)}.", level="warning")
        return {"status": "succeeded", "result": result}
    except JobCancelled:
        return {"status": "cancelled"}
    except BaseException as error:
        with contextlib.suppress(OSError):
            traceback.print_exc()
        return {"status": "failed", "error": describe(error)}


def describe(error: BaseException) -> dict[str, Any]:
    """Return code, message and traceback of what ended the work; an error made for people needs no traceback."""
    code = getattr(error, "code", None)
    if isinstance(error, WorkbenchError):
        facts = {"details": error.details, "context": error.context, "transient": passes(error)}
        return {"code": code, "message": error.message, **facts}
    message = f"{type(error).__name__}: {error}".strip().removesuffix(":")
    if isinstance(error, MemoryError):
        code = "OUT_OF_MEMORY"
    elif isinstance(error, OSError) and error.errno in NO_SPACE:
        code, message = "DISK_FULL", f"The disk is full: {error}. Free some space, then retry."
    elif isinstance(error, SystemExit):
        code, message = "PROCESS_EXITED", f"The work ended its process with exit code {error.code}."
    return {
        "code": code if isinstance(code, str) else "JOB_FAILED",
        "message": message,
        "details": traceback.format_exc(),
        "transient": passes(error),
    }


def passes(error: BaseException) -> bool:
    """Return whether a fault is likely to pass by itself: the network, a busy provider, or what says so of itself."""
    said = getattr(error, "transient", None)
    if isinstance(said, bool):
        return said
    if isinstance(error, WorkbenchError):
        return error.code in ("RATE_LIMITED", "CONNECTION_LOST")
    if isinstance(error, (ConnectionError, TimeoutError)) or not PASSING.isdisjoint(c.__name__ for c in type(error).__mro__):
        return True
    return isinstance(error, OSError) and error.errno in NO_NETWORK


def end_with(guardian: int) -> None:
    """Let this process end with the one that supervises it, also where the work never comes back to Python."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guardian:
        os._exit(1)


def _beat(context: JobContext, journal: Journal, ended: threading.Event, guardian: int = 0) -> None:
    beat = time.monotonic()
    while not ended.wait(FLUSH_SECONDS):
        if guardian and os.getppid() != guardian:
            os.killpg(0, signal.SIGKILL)
        with contextlib.suppress(OSError, ValueError):
            context.flush()
            if time.monotonic() - beat >= HEARTBEAT_SECONDS:
                beat = time.monotonic()
                journal.append("heartbeat")


def _leave(context: JobContext, journal: Journal, outcome: dict[str, Any]) -> None:
    try:
        context.flush()
        journal.append("ended", status=outcome["status"])
    except OSError:
        if outcome["status"] == "succeeded":
            raise
    write_json(context.folder / RESULT, {**outcome, "seq": journal.seq, "attempt": context.task.get("attempt")})
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    code = main()
    os._exit(code)
