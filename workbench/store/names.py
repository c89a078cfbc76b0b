"""The names of columns that come from outside, and those we keep for ourselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.errors import ValidationError

# Nothing that keeps names by their end reads on after it: what is left might be the name of another column.
NUL = "\x00"
HOLDS_NUL = "holds a zero byte, at which names end"


def with_index(names: Sequence[str]) -> list[str]:
    """Return the names of columns; a first one without a name holds the index of a frame that was written as text."""
    first, *rest = names or [""]
    return ["index", *rest] if rest and not first.strip() and "index" not in map(str.lower, rest) else [*names]


def refuse_names(names: Sequence[str], name: str) -> None:
    """Refuse columns without a name, with one that would be cut, or with the name of another, whatever the case."""
    lowered = [title.lower() for title in names]
    faults = []
    for place, title in enumerate(names, start=1):
        if not title.strip():
            faults.append(f"column {place} has no name")
        elif NUL in title:
            faults.append(f"the name of column {place}, {title!r}, {HOLDS_NUL}")
        elif lowered.index(title.lower()) < place - 1:
            faults.append(f"columns {lowered.index(title.lower()) + 1} and {place} are both named {title!r}")
    if faults:
        message = f"{name}, line 1: {'; '.join(faults)}. Give every column a name of its own"
        raise ValidationError.field("source", message, name)


def refuse_columns(names: Iterable[str]) -> None:
    """Refuse columns without a name, with one that would be cut, with the same name, or with a name we keep for ourselves."""
    names = list(names)
    lowered = [name.lower() for name in names]
    faults = [(n, "is there twice; names differ by more than case") for n in names if lowered.count(n.lower()) > 1]
    faults += [(n, "is empty; give every column a name") for n in names if not n.strip()]
    faults += [(n, f"{HOLDS_NUL}; rename the column") for n in names if NUL in n]
    faults += [(n, "is reserved; rename the column") for n in names if n.lower() == "_row" or n.lower().startswith("_wb_")]
    if not names:
        raise ValidationError.field("source", "The source has no columns")
    if faults:
        raise ValidationError.of(
            [{"field": "source", "message": f"The column name {n!r} {why}", "value": n} for n, why in faults]
        )
