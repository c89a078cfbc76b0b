"""What a column of a pair becomes: one rule, as SQL for many pairs and worked out in Python for one.

Asking the database to work it out for one pair costs more than writing the pair.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

Row = Mapping[str, Any]
Rule = Callable[[Row, Row], Any]


class Becomes(str):
    """Hold the SQL of a new value; `of` returns the same value for one pair, given what the change names."""

    __slots__ = ("of",)

    def __new__(cls, sql: str, of: Rule) -> Becomes:
        """Return the rule; both spellings have to mean the same."""
        made = super().__new__(cls, sql)
        made.of = of
        return made


def always(value: str | int | bool | None) -> Becomes:
    """Return the rule for a value that is the same on every pair; text is a word of ours."""
    sql = "null" if value is None else f"'{value}'" if isinstance(value, str) else str(value).lower()
    return Becomes(sql, lambda row, known: value)


def given(name: str, cast: str = "") -> Becomes:
    """Return the rule for a value that comes with the change under a name."""
    return Becomes(f"${name}{cast and '::'}{cast}", lambda row, known: known[name])


def kept_while(status: str, name: str) -> Becomes:
    """Return the rule for a column that stays as long as the pair is in a state."""
    return Becomes(
        f"case when status = '{status}' then {name} end", lambda row, known: row[name] if row["status"] == status else None
    )


def canonical_id(sheet_id: str, item_ref: str, label_type: str) -> str:
    """Return the id of the label of an item, as the database works it out."""
    return "label_" + hashlib.md5(f"{sheet_id}\x1f{item_ref}\x1f{label_type}".encode(), usedforsecurity=False).hexdigest()[:20]


FIRST_RESPONSE = Becomes(
    "coalesce(original_response, response)",
    lambda row, known: row["response"] if row["original_response"] is None else row["original_response"],
)
# What the tags of a sheet prohibit, no decision on a pair allows.
PROHIBITED = Becomes(
    "($prohibited_mask::utinyint | $barred::utinyint)", lambda row, known: known["prohibited_mask"] | known["barred"]
)
LABEL = Becomes(
    "canonical_id($sheet_id, item_ref, $label_type)",
    lambda row, known: canonical_id(known["sheet_id"], row["item_ref"], known["label_type"]),
)
