"""Real processes of the workbench for the span of a test."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
STARTUP_S = 90


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which every Python process imports this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1,localhost", **more}


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command_line(*arguments: str | Path, check: bool = False, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `workbench <arguments>` to its end."""
    command = [sys.executable, "-m", "workbench.cli", *map(str, arguments)]
    done = subprocess.run(command, env=environment(**more), cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    if check:
        assert done.returncode == 0, done.stderr
    return done


@dataclass
class Served:
    """A server process, its address and where its words go."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def words(self) -> str:
        """Return what the process has said so far."""
        return self.log.read_text()

    def kill(self) -> None:
        """End the process without any chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)


def start(command: list[str], url: str, log: Path, **more: str) -> Served:
    """Start a server and return once it answers, or say what it said instead."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=environment(**more), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    served = Served(process, url, log)
    until = time.monotonic() + STARTUP_S
    # A client of its own for each look would take longer to make than the look.
    with httpx.Client(timeout=10, trust_env=False) as client:
        while not _answers(client, url):
            if process.poll() is not None or time.monotonic() > until:
                stop(process)
                raise AssertionError(f"The server did not start:\n{served.words}")
            time.sleep(0.1)
    return served


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code < 500
    except httpx.HTTPError:
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, politely first."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
    if process.poll() is None:
        process.kill()
        process.wait(60)


@contextlib.contextmanager
def serving(database: Path, *, port: int | None = None, **more: str) -> Iterator[Served]:
    """Run `workbench serve` on a database."""
    port = port or free_port()
    command = [sys.executable, "-m", "workbench.cli", "serve", "--database", str(database), "--port", str(port), "--no-browser"]
    served = start(command, f"http://127.0.0.1:{port}/api/health", database.with_suffix(".log"), **more)
    served.url = f"http://127.0.0.1:{port}"
    try:
        yield served
    finally:
        stop(served.process)
