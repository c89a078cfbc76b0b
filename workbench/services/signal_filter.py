"""Conditions on signals, written as `name:value` or `name:low..high`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import param

from workbench.domain.quality import SIGNALS, PairSignals
from workbench.errors import ValidationError, did_you_mean

LOSS = "training_loss"
ORDERS = ("concern", "duplicates", "near_duplicates", "words", "pii", "leakage", "repetition", "outlier", LOSS)
MISSING = "none"
_RANGE = re.compile(r"(?P<low>-?[\d.e+]*?)\.\.(?P<high>-?[\d.e+]*)", re.IGNORECASE)
_HELP = "write name:value, name:low..high (either end may be left out) or name:none"


def pair_column(name: str) -> str:
    """Return the SQL under which a pair keeps a signal."""
    return name if name == LOSS else f"signals.{name}"


def conditions(texts: Iterable[str], *, column: Callable[[str], str] = pair_column) -> tuple[list[str], dict[str, Any]]:
    """Return SQL conditions with their values, or name every text that cannot be read; `column` gives a signal's SQL."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    faults = []
    for number, text in enumerate(texts):
        try:
            part, more = _condition(text, f"signal{number}", column)
            parts.append(part)
            values |= more
        except ValueError as error:
            faults.append({"field": "signals", "message": str(error), "value": text})
    if faults:
        raise ValidationError.of(faults)
    return parts, values


def _condition(text: str, key: str, column_of: Callable[[str], str]) -> tuple[str, dict[str, Any]]:
    name, colon, wanted = (part.strip() for part in text.partition(":"))
    known = (*SIGNALS, LOSS)
    if name not in known:
        raise ValueError(f"No signal {name!r}.{did_you_mean(name, known)} Available: {', '.join(known)}")
    if not colon or not wanted:
        raise ValueError(f"{text!r} says nothing of the value; {_HELP}")
    column = column_of(name)
    if wanted == MISSING:
        return f"{column} is null", {}
    kind = PairSignals.param[name]
    if isinstance(kind, param.Boolean):
        if wanted not in ("true", "false"):
            raise ValueError(f"{name} is true, false or none, not {wanted!r}")
        return (column if wanted == "true" else f"not {column}"), {}
    if isinstance(kind, param.Number):
        return _range(name, column, wanted, key)
    if name == "pii_kinds":
        return f"list_contains(string_split({column}, ','), ${key})", {key: wanted}
    return f"{column} = ${key}", {key: wanted}


def _range(name: str, column: str, wanted: str, key: str) -> tuple[str, dict[str, Any]]:
    found = _RANGE.fullmatch(wanted)
    low, high = (found["low"], found["high"]) if found else (wanted, wanted)
    try:
        bounds = {f"{key}_low": float(low) if low else None, f"{key}_high": float(high) if high else None}
    except ValueError:
        raise ValueError(f"{name} is a number, not {wanted!r}; {_HELP}") from None
    given = {one: value for one, value in bounds.items() if value is not None}
    if not all(math.isfinite(value) for value in given.values()):
        raise ValueError(f"{name} is a number, not {wanted!r}; {_HELP}")
    if not given:
        raise ValueError(f"{wanted!r} has no end; {_HELP}")
    signs = {f"{key}_low": ">=", f"{key}_high": "<="}
    return " and ".join(f"{column} {signs[one]} ${one}" for one in given), given
