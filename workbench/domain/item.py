"""What a pair is about, as people call it."""

from __future__ import annotations

REQUEST, ADDED = "request:", "added:"
# A sheet may call its own items anything; those that were served have this name alone.
_SERVED = f"{REQUEST}request_"


def item_name(item_ref: str) -> str:
    """Return an item by its own name; one that no row of a sheet is behind by where it came from."""
    return _origin(item_ref) or item_ref


def item_told(item_ref: str) -> str:
    """Return an item as it is told of in a sentence: `item 17`, or `served request 3c5v92jk`."""
    return _origin(item_ref) or f"item {item_ref}"


def _origin(item_ref: str) -> str:
    if item_ref.startswith(_SERVED):
        return f"served request {item_ref.removeprefix(_SERVED)[-8:]}"
    place = item_ref.removeprefix(ADDED)
    return f"added pair {place}" if place != item_ref and place.isdecimal() else ""
