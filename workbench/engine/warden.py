"""What ends an attempt on a worker that died before it could do so itself: the child may have left processes behind."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from workbench.engine.local import environment
from workbench.engine.process import kill_all, mark_of

# The shell waits for a line, small as it is; the end of the pipe without one is the death of who holds it.
WAIT = 'read _ || exec "$@"'


@contextlib.contextmanager
def warded(folder: Path) -> Iterator[None]:
    """End all that carries the mark of an attempt should this process die within the block."""
    command = [sys.executable, "-P", "-m", "workbench.engine.warden", str(folder)]
    warden = subprocess.Popen(
        ["sh", "-c", WAIT, "warden", *command], stdin=subprocess.PIPE, start_new_session=True, env=environment()
    )
    try:
        yield
    finally:
        warden.communicate(b"\n")


if __name__ == "__main__":
    kill_all(None, mark_of(Path(sys.argv[1])))
