"""Rows as a table of plain text, for terminals and pipes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import category, east_asian_width

GAP = "  "
LONGEST = 40
_COMBINING = frozenset({"Mn", "Me", "Cf"})


def text_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Return a header and one line a row: text to the left, numbers to the right, long texts cut off."""
    columns = [_column(name, [row.get(name) for row in rows]) for name in names]
    return "\n".join(GAP.join(line).rstrip() for line in zip(*columns, strict=True))


def _column(name: str, values: Sequence[Any]) -> list[str]:
    cells = [name, *map(_cell, values)]
    given = [value for value in values if value is not None]
    right = bool(given) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in given)
    wide = max(map(_width, cells))
    return [" " * (wide - _width(cell)) + cell if right else cell + " " * (wide - _width(cell)) for cell in cells]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    line = "".join(" " if category(character) == "Cc" else character for character in str(value))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _width(text: str) -> int:
    """Return how many places a text takes: two for what East Asian scripts write broad, none for marks on a letter."""
    return sum(0 if category(c) in _COMBINING else 2 if east_asian_width(c) in "WF" else 1 for c in text)
