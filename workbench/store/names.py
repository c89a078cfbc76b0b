"""The names of columns that come from outside."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import ValidationError


def refuse_names(names: Sequence[str], name: str) -> None:
    """Refuse columns without a name or with the name of another, whatever the case."""
    lowered = [title.lower() for title in names]
    faults = []
    for place, title in enumerate(names, start=1):
        if not title.strip():
            faults.append(f"column {place} has no name")
        elif lowered.index(title.lower()) < place - 1:
            faults.append(f"columns {lowered.index(title.lower()) + 1} and {place} are both named {title!r}")
    if faults:
        message = f"{name}, line 1: {'; '.join(faults)}. Give every column a name of its own"
        raise ValidationError.field("source", message, name)
