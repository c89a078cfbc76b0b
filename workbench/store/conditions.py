"""What goes wrong when a user's condition meets the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from workbench.errors import ValidationError
from workbench.store.reads import Reads
from workbench.store.transaction import Transaction

_FAULTS = (
    duckdb.BinderException,
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
    duckdb.DataError,
    duckdb.NotSupportedError,
)


@contextmanager
def explained_condition(text: str | None, *, field: str = "where") -> Iterator[None]:
    """Raise `ValidationError` when the condition `text` cannot be applied to the rows."""
    try:
        yield
    except _FAULTS as error:
        if not text:
            raise
        message = str(error).split("\n\nLINE ", 1)[0].strip().replace("\n", " ").rstrip(".")
        raise ValidationError.field(field, message, text) from error


@contextmanager
def typed_condition(
    db: Reads | Transaction, text: str | None, *, seconds: float, field: str = "where", setting: str = "WORKBENCH_FILTER_SECONDS"
) -> Iterator[None]:
    """Apply a condition that somebody typed and waits for: its faults are explained, its time is limited.

    For the transaction of a `load()`, or for the database inside a `read()` or `write()`.
    """

    def late(limit: float) -> Exception:
        words = f"took longer than {limit:g} s and was stopped. Make it simpler, or raise the limit ({setting})"
        return ValidationError.field(field, words, text)

    with explained_condition(text, field=field), db.within(seconds if text else None, late):
        yield
