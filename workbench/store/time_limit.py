"""Interrupt what runs on a cursor for too long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from workbench.errors import ValidationError

AGAIN_SECONDS = 0.05


def _query_late(seconds: float) -> Exception:
    return ValidationError.field("query", f"it ran longer than {seconds:g} s and was stopped. Narrow it with where or limit")


@contextmanager
def limited(
    cursor: duckdb.DuckDBPyConnection, seconds: float | None, late: Callable[[float], Exception] = _query_late
) -> Iterator[None]:
    """Interrupt what runs on `cursor` after `seconds`, and raise what `late` makes of it."""
    if seconds is None:
        yield
        return
    over, ended = threading.Event(), threading.Event()

    def interrupt() -> None:
        if not ended.wait(seconds):
            over.set()
        # Again and again: between two queries nobody hears it.
        while not ended.wait(AGAIN_SECONDS):
            cursor.interrupt()

    watch = threading.Thread(target=interrupt, name="query-limit", daemon=True)
    watch.start()
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        if not over.is_set():
            raise
        raise late(seconds) from error
    finally:
        ended.set()
        # What comes next on the cursor, its rollback say, must not be met.
        watch.join()
