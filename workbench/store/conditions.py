"""What goes wrong when a user's condition meets the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from workbench.errors import ValidationError

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
