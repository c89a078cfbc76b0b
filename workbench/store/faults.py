"""Turn what DuckDB complains about into errors a caller can act on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from workbench.errors import Conflict, DatabaseInUse, DatabaseTooNew, ValidationError, WorkbenchError

_HOLDER = re.compile(r"lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
_DUPLICATE = re.compile(r'duplicate key "(?:\w+: )?(?P<key>.+?)"', re.IGNORECASE)


@contextmanager
def explained() -> Iterator[None]:
    """Raise `Conflict` where two writers met or a key is taken."""
    try:
        yield
    except duckdb.TransactionException as error:
        raise Conflict("Somebody else changed the same thing at the same moment. Try again.", details=str(error)) from error
    except duckdb.ConstraintException as error:
        if found := _DUPLICATE.search(str(error)):
            raise Conflict(f"There is already an entry {found['key']!r}.", key=found["key"]) from error
        raise


def cannot_open(path: str, error: Exception) -> WorkbenchError:
    """Say why the file at `path` cannot be opened and what to do."""
    text = str(error)
    if "Could not set lock" in text or "lock is held" in text:
        return _in_use(path, text)
    if "not a valid DuckDB database file" in text or "Is a directory" in text:
        return ValidationError.field("path", _not_a_database(path), path)
    if "newer version" in text or "version number" in text:
        return DatabaseTooNew(
            f"{path} was written by a newer version of DuckDB. Upgrade the workbench, or restore an older backup.", details=text
        )
    return ValidationError.field("path", f"{path} cannot be opened for writing: {_reason(text)}. {_ADVICE}", path)


def refuse_unusable_folder(path: str) -> None:
    """Refuse a path whose folder is missing or cannot be written."""
    folder = Path(path).parent
    if not folder.is_dir():
        raise ValidationError.field("path", f"the folder {folder} does not exist. Create it first, or choose another path", path)
    if Path(path).is_dir():
        raise ValidationError.field("path", _not_a_database(path), path)
    if not os.access(folder, os.W_OK | os.X_OK) or (Path(path).exists() and not os.access(path, os.W_OK)):
        raise ValidationError.field("path", f"{path} cannot be opened for writing: permission denied. {_ADVICE}", path)


_ADVICE = "Choose a folder you may write to, or ask for write permission"


def _in_use(path: str, text: str) -> DatabaseInUse:
    holder = _HOLDER.search(text)
    pid = int(holder["pid"]) if holder else None
    who = f"process {pid} ({holder['program']})" if holder else "another process"
    return DatabaseInUse(
        f"{path} is open in {who}, and only one process may own a database file. "
        f"Connect to that process over HTTP, or end it and try again.",
        pid=pid,
        path=path,
    )


def _not_a_database(path: str) -> str:
    file = Path(path)
    if file.is_dir():
        return f"{path} is a folder, not a database file. Name a file inside it"
    empty = file.exists() and file.stat().st_size == 0
    what = "an empty file" if empty else "not a DuckDB database"
    return f"{path} is {what}. Name another file, or move this one away and a new database is created"


def _reason(text: str) -> str:
    return text.removeprefix("IO Error: ").rsplit(": ", 1)[-1].strip().rstrip(".").lower()
