"""What a work returned, as it can be kept: numbers of any library, and none that are no numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any


def keepable(returned: Any) -> tuple[dict[str, Any], list[str]]:
    """Return a result that can be kept, and the places that held NaN or infinity; they are None in it."""
    if not isinstance(returned, Mapping | None):
        raise TypeError(f"The work returned a {type(returned).__name__}; what it returns is a dict, or nothing.")
    odd: list[str] = []
    return _plain(returned or {}, "", odd), odd


def _plain(value: Any, place: str, odd: list[str]) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(each, f"{place}.{name}".lstrip("."), odd) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, f"{place}[{index}]", odd) for index, each in enumerate(value)]
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        if math.isfinite(value):
            return float(value)
        odd.append(place)
        return None
    # A number of numpy or torch that is none of Python's, such as a tensor with one value.
    single = getattr(value, "item", None) if getattr(value, "shape", None) == () else None
    return str(value) if single is None else _plain(single(), place, odd)
