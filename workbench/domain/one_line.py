"""Values in few words: what a record looks like in a terminal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from reprlib import Repr
from typing import Any

MOST_CHARS = 160
EMPTY: tuple[Any, ...] = (None, "", (), [], {})

_short = Repr()
_short.maxtuple, _short.maxlist, _short.maxlevel, _short.maxstring, _short.maxother = 2, 3, 2, 80, 80


def short(value: Any) -> str:
    """Return a value in few words: numbers rounded, long texts and lists cut."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return _short.repr(value)


def one_line(name: str, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Return `Name(field=value, ...)` with what differs from the defaults, or the first fields when nothing does."""
    told = {k: v for k, v in values.items() if v not in EMPTY and v != defaults.get(k)}
    told = told or {k: v for k, v in values.items() if v not in EMPTY} or dict(list(values.items())[:1])
    return f"{name}({_fitting(f'{k}={short(v)}' for k, v in told.items())})"


def _fitting(parts: Iterable[str]) -> str:
    kept: list[str] = []
    for part in parts:
        if kept and sum(map(len, kept)) + 2 * len(kept) + len(part) > MOST_CHARS:
            return ", ".join([*kept, "…"])
        kept.append(part)
    return ", ".join(kept)
