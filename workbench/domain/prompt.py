"""Prompt texts with `{{column}}` placeholders: parsed once, filled once, never expanded again."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


@dataclass(frozen=True)
class Segment:
    """A piece of a prompt: plain text, or the placeholder that stands for a column."""

    text: str
    placeholder: str | None = None


def parse(template: str) -> tuple[Segment, ...]:
    """Return the pieces of a template in their order; blanks inside the braces do not count."""
    pieces: list[Segment] = []
    end = 0
    for match in _PLACEHOLDER.finditer(template):
        if match.start() > end:
            pieces.append(Segment(template[end : match.start()]))
        pieces.append(Segment(match.group(0), match.group(1)))
        end = match.end()
    if end < len(template):
        pieces.append(Segment(template[end:]))
    return tuple(pieces)


def placeholders(template: str) -> tuple[str, ...]:
    """Return the names between braces, each once, in the order of their first use."""
    return tuple(dict.fromkeys(s.placeholder for s in parse(template) if s.placeholder is not None))


def columns_used(template: str, mapping: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the column that each placeholder stands for."""
    return {name: (mapping or {}).get(name, name) for name in placeholders(template)}


def missing_columns(template: str, mapping: Mapping[str, str] | None, available: Iterable[str]) -> tuple[str, ...]:
    """Return the placeholders that stand for no available column."""
    known = set(available)
    return tuple(name for name, column in columns_used(template, mapping).items() if column not in known)


def render(template: str, row: Mapping[str, Any], mapping: Mapping[str, str] | None = None) -> str:
    """Fill a template from one row; a missing value becomes nothing."""
    return "".join(s.text for s in filled(template, row, mapping))


def filled(template: str, row: Mapping[str, Any], mapping: Mapping[str, str] | None = None) -> tuple[Segment, ...]:
    """Return the pieces with values in place; `placeholder` names the column a value came from."""
    columns = columns_used(template, mapping)
    return tuple(
        s if s.placeholder is None else Segment(as_text(row.get(columns[s.placeholder])), columns[s.placeholder])
        for s in parse(template)
    )


def as_text(value: Any) -> str:
    """Return a cell as it stands in a prompt, the same text as SQL makes of it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    if isinstance(value, (dt.datetime, dt.date, dt.time, Decimal)):
        return str(value)
    return str(value)
