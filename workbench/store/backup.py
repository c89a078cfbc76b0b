"""Copy a database file without ever opening it in the process that owns it.

Closing any descriptor of the file drops the POSIX lock that DuckDB holds on it, and another process
could then open it for writing beside us. A child process copies instead.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from workbench.errors import ValidationError, WorkbenchError

_COPY = """
import os, shutil, sys
source, target = sys.argv[1:3]
part = target + '.part'
with open(source, 'rb') as reader, open(part, 'wb') as writer:
    shutil.copyfileobj(reader, writer, 1 << 20)
    writer.flush()
    os.fsync(writer.fileno())
os.replace(part, target)
if os.path.isdir(source + '.artifacts') and len(sys.argv) > 3:
    shutil.copytree(source + '.artifacts', target + '.artifacts', dirs_exist_ok=True)
"""


def copy_by_child(source: Path, target: Path, *, artifacts: bool) -> None:
    """Copy the bytes of `source` to `target` in a child process, with its artifact folder on request."""
    refuse_target(source, target)
    command = [sys.executable, "-I", "-S", "-c", _COPY, str(source), str(target), *(["artifacts"] if artifacts else [])]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["the copying process failed"])[-1]
        raise WorkbenchError(f"The backup {target} could not be written: {reason}", path=str(target))


def refuse_target(source: Path, target: Path) -> None:
    """Refuse a backup onto the database itself or over an existing file."""
    if source.resolve() == target.resolve():
        raise _refused(target, "the backup cannot replace the database itself. Name another file")
    if target.exists():
        raise _refused(target, f"{target} exists already. Name another file, or remove it first")
    if not target.parent.is_dir():
        raise _refused(target, f"the folder {target.parent} does not exist. Create it first")


def _refused(target: Path, message: str) -> ValidationError:
    return ValidationError.field("target", message, str(target))
