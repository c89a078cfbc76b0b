"""SQL conditions that users write: checked before they come near the data."""

from __future__ import annotations

from workbench.errors import ValidationError
from workbench.store import Database, sandbox


def checked_predicate(db: Database, text: str, relation: str, *, field: str = "where") -> str:
    """Return a condition over `relation` that only reads its columns, or say what is wrong with it."""
    try:
        return sandbox.where_predicate(db, text, relation)
    except ValidationError as error:
        message = "; ".join(str(fault["message"]) for fault in error.context.get("fields", ())) or error.message
        raise ValidationError.field(field, message, text) from None
