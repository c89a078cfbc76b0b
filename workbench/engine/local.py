"""Run each job in a process and process group of its own on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

import workbench
from workbench.engine import child, gpus
from workbench.engine.process import ATTEMPT, Identity, group_memory, kill_all, mark_of, signal_all

_children: dict[int, subprocess.Popen[bytes]] = {}
_children_lock = threading.Lock()


class Handle(Protocol):
    """One started attempt; `word` is what to say until its child speaks."""

    word: str

    @property
    def pid(self) -> int:
        """Return the process id of the child, 0 while it is not known."""

    def poll(self) -> Ended | None:
        """Return how the child ended, or None while it runs."""

    def signal(self, number: int) -> None:
        """Send a signal to the child and everything it started."""

    def kill(self) -> bool:
        """Kill the child and everything it started; return whether all of it is gone."""

    def memory(self) -> int:
        """Return the bytes of memory of the child and everything it started."""


class Executor(Protocol):
    """A place where attempts run; `cards` are the GPUs to hand out there, None where the place does that itself."""

    name: str

    @property
    def cards(self) -> tuple[str, ...] | None:
        """Return the GPUs to hand out."""

    def offers(self, resource: str) -> bool:
        """Return whether an attempt may ask for a resource, such as `GPU`."""

    def start(self, folder: Path) -> Handle:
        """Start the child for the task in `folder`."""

    def reattach(self, folder: Path) -> Handle | None:
        """Return the still living child of `folder`, or None."""

    def away(self) -> str | None:
        """Return why no attempt can be started now, or None."""

    def told(self) -> str:
        """Return in words where attempts run."""

    def close(self) -> None:
        """Let go of what it holds; started attempts go on."""


class Ended:
    """How a process ended: `code` as Popen tells it, None when nobody could see it.

    `lost` says that the worker it ran on is gone, `fault` why a worker could not start it.
    """

    def __init__(self, code: int | None, *, lost: bool = False, fault: str | None = None) -> None:
        self.code = code
        self.lost = lost
        self.fault = fault

    def describe(self) -> str:
        """Return the end in words."""
        if self.code is None:
            return "The process ended unseen."
        if self.code < 0:
            name = signal.Signals(-self.code).name if -self.code in set(signal.Signals) else f"signal {-self.code}"
            why = " The system may have run out of memory." if name == "SIGKILL" else ""
            return f"The process was killed by {name}.{why}"
        return f"The process ended with exit code {self.code} and left no result."


class LocalHandle:
    """A child on this machine, our own or one that an earlier owner started."""

    word = ""

    def __init__(self, folder: Path, identity: Identity, popen: subprocess.Popen[bytes] | None) -> None:
        self.identity = identity
        self._mark = mark_of(folder)
        self._popen = popen

    @property
    def pid(self) -> int:
        """Return the process id of the child."""
        return self.identity.pid

    def poll(self) -> Ended | None:
        """Return how the child ended, after what it left behind was killed, or None while it runs."""
        if self.identity.alive():
            return None
        # Before the child is reaped its pid cannot be given to somebody else's group.
        kill_all(self.pid, self._mark, seconds=1.0)
        if self._popen is None:
            return Ended(None)
        code = self._popen.poll()
        if code is None:
            return None
        with _children_lock:
            _children.pop(self.pid, None)
        return Ended(code)

    def signal(self, number: int) -> None:
        """Send a signal to the child and everything it started."""
        signal_all(self.pid, self._mark, number)

    def kill(self) -> bool:
        """Kill the child and everything it started, reap it and return whether nothing is left."""
        gone = kill_all(self.pid, self._mark)
        if self._popen is not None and gone:
            self._popen.wait(timeout=5)
        return gone

    def memory(self) -> int:
        """Return the bytes of memory of the whole group."""
        return group_memory(self.pid)


class LocalExecutor:
    """Start children with `Popen` in sessions of their own; they outlive the owner."""

    name = "local"

    def __init__(self, gpus: int | None = None) -> None:
        self._gpus = gpus

    @cached_property
    def cards(self) -> tuple[str, ...]:
        """Return the GPUs of this machine that jobs may use."""
        return gpus.cards(self._gpus)

    def offers(self, resource: str) -> bool:
        """Return whether this machine has a GPU for jobs; it knows of nothing else."""
        return resource == gpus.RESOURCE and bool(self.cards)

    def away(self) -> str | None:
        """Return None: this machine is always there."""
        return None

    def told(self) -> str:
        """Return in words where attempts run."""
        return "On this machine."

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def start(self, folder: Path, *, told: Mapping[str, str] | None = None) -> LocalHandle:
        """Start the child for the task in `folder`, with more in its environment if told, and remember who it is."""
        with (folder / child.LOG).open("ab") as log:
            popen = subprocess.Popen(
                [sys.executable, "-u", "-P", "-m", "workbench.engine.child", str(folder)],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                close_fds=True,
                cwd=folder,
                env={
                    **environment(),
                    **gpus.environment(folder / child.TASK, self._gpus),
                    **(told or {}),
                    ATTEMPT: mark_of(folder),
                },
            )
        with _children_lock:
            _children[popen.pid] = popen
        identity = Identity.of(popen.pid) or Identity(popen.pid, "ended", "")
        identity.save(folder)
        return LocalHandle(folder, identity, popen)

    def reattach(self, folder: Path, *, wait: float = 0.0) -> LocalHandle | None:
        """Return the living child of `folder`; give a child that is just starting `wait` seconds."""
        deadline = time.monotonic() + wait
        while (identity := Identity.load(folder)) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if identity is None or not identity.alive():
            return None
        with _children_lock:
            return LocalHandle(folder, identity, _children.get(identity.pid))


def environment() -> dict[str, str]:
    """Return the environment of a child: ours, and the same places to import from."""
    own = Path(workbench.__file__).resolve().parent.parent
    inside = (sys.prefix, sys.base_prefix)
    paths = [str(own)]
    paths += [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    paths += [p for p in sys.path if p and not p.startswith(inside)]
    absolute = dict.fromkeys(str(Path(p).absolute()) for p in paths)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(absolute), "PYTHONIOENCODING": "utf-8"}
