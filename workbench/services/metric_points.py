"""Points of curves as callers send them: checked by column, the faulty ones named."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from typing import Any

from workbench.domain.jobs import MOST_NAME_CHARS
from workbench.domain.record import utc
from workbench.errors import ValidationError

SHOWN_FAULTS = 100
# JSON has no word for these numbers; they travel as text.
NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
# What each field may be, by exact type: True is no number here.
FIELDS: dict[str, frozenset[type]] = {
    "name": frozenset({str}),
    "step": frozenset({int}),
    "value": frozenset({int, float}),
    "epoch": frozenset({int, type(None)}),
    "at": frozenset({int, float, type(None)}),
}

# What a column of the database holds, and times a calendar knows.
BOUNDS = {"step": (-(2**63), 2**63 - 1), "epoch": (-(2**63), 2**63 - 1), "at": (0, 253_402_300_799)}
MOST_VALUE = sys.float_info.max


def point_rows(points: Sequence[dict[str, Any]], now: dt.datetime) -> list[tuple[Any, ...]]:
    """Return points as (name, step, value, epoch, seconds), or raise with every fault.

    Many points come at once, so the types of a whole column are compared before single points are looked at.
    """
    columns = {name: [point.get(name) for point in points] for name in FIELDS}
    if str in set(map(type, columns["value"])):
        columns["value"] = [NOT_FINITE.get(value, value) if isinstance(value, str) else value for value in columns["value"]]
    known = set().union(*points) <= set(FIELDS)
    sound = known and all(set(map(type, values)) <= FIELDS[name] for name, values in columns.items())
    sound = sound and not any(type(value) is int and abs(value) > MOST_VALUE for value in columns["value"])
    sound = sound and all(_within(name, value) for name in BOUNDS for value in set(columns[name]))
    if not sound or any(not 0 < len(name) <= MOST_NAME_CHARS for name in set(columns["name"])):
        raise ValidationError.of(_faults(points))
    arrived = utc(now).replace(tzinfo=dt.UTC).timestamp()
    times = [arrived if at is None else at for at in columns["at"]]
    values = [float(value) for value in columns["value"]]
    return list(zip(columns["name"], columns["step"], values, columns["epoch"], times, strict=True))


def _within(name: str, value: float | None) -> bool:
    low, high = BOUNDS[name]
    return value is None or low <= value <= high


def _faults(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    faults = []
    for i, point in enumerate(points):
        wrong = [name for name, kinds in FIELDS.items() if type(point.get(name)) not in kinds]
        if "value" in wrong and str(point.get("value")) in NOT_FINITE:
            wrong.remove("value")
        if type(value := point.get("value")) is int and abs(value) > MOST_VALUE:
            wrong.append("value")
        name = point.get("name")
        if isinstance(name, str) and not 0 < len(name) <= MOST_NAME_CHARS:
            wrong.append("name")
        faults += [
            {"field": f"metrics.{i}.{name}", "message": f"must be between {low} and {high}", "value": None}
            for name, (low, high) in BOUNDS.items()
            if name not in wrong and not _within(name, point.get(name))
        ]
        faults += [{"field": f"metrics.{i}.{name}", "message": "is missing or of a wrong type", "value": None} for name in wrong]
        faults += [
            {"field": f"metrics.{i}.{name}", "message": "Unknown field", "value": None} for name in set(point) - set(FIELDS)
        ]
        if len(faults) >= SHOWN_FAULTS:
            break
    return faults[:SHOWN_FAULTS]
