"""Points of curves as callers send them: checked by column, the faulty ones named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from workbench.domain.record import utc
from workbench.errors import ValidationError

SHOWN_FAULTS = 100
MOST_NAME_CHARS = 200
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


def point_rows(points: Sequence[dict[str, Any]], now: dt.datetime) -> list[tuple[Any, ...]]:
    """Return points as (name, step, value, epoch, seconds), or raise with every fault.

    Many points come at once, so the types of a whole column are compared before single points are looked at.
    """
    columns = {name: [point.get(name) for point in points] for name in FIELDS}
    if str in set(map(type, columns["value"])):
        columns["value"] = [NOT_FINITE.get(value, value) if isinstance(value, str) else value for value in columns["value"]]
    known = set().union(*points) <= set(FIELDS)
    sound = known and all(set(map(type, values)) <= FIELDS[name] for name, values in columns.items())
    if not sound or any(not 0 < len(name) <= MOST_NAME_CHARS for name in set(columns["name"])):
        raise ValidationError.of(_faults(points))
    arrived = utc(now).replace(tzinfo=dt.UTC).timestamp()
    times = [arrived if at is None else at for at in columns["at"]]
    return list(zip(columns["name"], columns["step"], columns["value"], columns["epoch"], times, strict=True))


def _faults(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    faults = []
    for i, point in enumerate(points):
        wrong = [name for name, kinds in FIELDS.items() if type(point.get(name)) not in kinds]
        if "value" in wrong and str(point.get("value")) in NOT_FINITE:
            wrong.remove("value")
        name = point.get("name")
        if isinstance(name, str) and not 0 < len(name) <= MOST_NAME_CHARS:
            wrong.append("name")
        faults += [{"field": f"points.{i}.{name}", "message": "is missing or of a wrong type", "value": None} for name in wrong]
        faults += [
            {"field": f"points.{i}.{name}", "message": "Unknown field", "value": None} for name in set(point) - set(FIELDS)
        ]
        if len(faults) >= SHOWN_FAULTS:
            break
    return faults[:SHOWN_FAULTS]
