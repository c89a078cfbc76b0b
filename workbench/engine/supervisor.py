"""What runs on a worker of a cluster for one attempt: it starts the child, passes on what the owner asks, tells that it lives.

All words travel through the attempt's folder, which owner and workers share. The child is started once
and never again: whoever makes the claim first starts it, however often the scheduler runs the task.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from pathlib import Path

from workbench.engine.local import LocalExecutor, LocalHandle
from workbench.engine.process import write_json
from workbench.engine.warden import warded

CLAIM = "claim.json"
LEASE = "lease.json"
ENDED = "ended.json"
RENEW_SECONDS = 20.0
# With a limit on memory the owner has to hear of it in time.
WEIGH_SECONDS = 2.0
LOOK_SECONDS = 0.2
SIGNALS = {f"signal-{number.value}": number for number in (signal.SIGTERM, signal.SIGKILL)}


def supervise(folder: str, slots: int = 1, weigh: bool = False) -> str:
    """Run the child of an attempt to its end; return at once when somebody else has claimed it."""
    path, worker = Path(folder), f"{socket.gethostname()}:{os.getpid()}"
    if not claim(path, worker):
        return "claimed by another"
    threads = max(1, (os.cpu_count() or 1) // max(1, slots))
    told = {"WORKBENCH_GUARDIAN": str(os.getpid()), "WORKBENCH_WORKER": worker, "WORKBENCH_JOB_THREADS": str(threads)}
    with warded(path):
        handle = LocalExecutor().start(path, told=told)
        try:
            code = _watch(path, handle, worker, WEIGH_SECONDS if weigh else RENEW_SECONDS)
        finally:
            handle.kill()
    write_json(path / ENDED, {"code": code})
    return "ended"


def claim(folder: Path, by: str) -> bool:
    """Return whether this call is the first to claim the attempt; there is exactly one."""
    try:
        file = os.open(folder / CLAIM, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(file, "w", encoding="utf-8") as claimed:
        json.dump({"by": by}, claimed)
    return True


def _watch(folder: Path, handle: LocalHandle, worker: str, every: float) -> int | None:
    beat, renewed, passed = 0, float("-inf"), set()
    while (ended := handle.poll()) is None:
        if time.monotonic() - renewed >= every:
            beat, renewed = beat + 1, time.monotonic()
            with contextlib.suppress(OSError):
                write_json(folder / LEASE, {"beat": beat, "by": worker, "memory": handle.memory()})
        for name in SIGNALS.keys() - passed:
            if (folder / name).exists():
                passed.add(name)
                handle.kill() if SIGNALS[name] == signal.SIGKILL else handle.signal(SIGNALS[name])
        time.sleep(LOOK_SECONDS)
    return ended.code
