"""Give classes of a saved data set, which are kept as numbers, their names."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

# How `datasets` writes that a row has no class.
_NO_CLASS = -1


def with_class_names(table: pa.Table, folder: Path) -> pa.Table:
    """Return a table of a saved data set with the names of classes in place of their numbers."""
    for column, names in _classes(folder / "dataset_info.json").items():
        place = table.schema.get_field_index(column)
        if place >= 0 and (named := _named(table.column(place), names)) is not None:
            table = table.set_column(place, column, named)
    return table


def _classes(info: Path) -> dict[str, list[str]]:
    """Return the names of the classes by column; none where the description is missing or damaged."""
    try:
        features = json.loads(info.read_text("utf-8"))["features"].items()
        return {name: list(map(str, one["names"])) for name, one in features if isinstance(one, dict) and one.get("names")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _named(column: pa.ChunkedArray, names: list[str]) -> pa.ChunkedArray | None:
    """Return the names of classes, or None where a number has none."""
    if not pa.types.is_integer(column.type):
        return None
    span = pc.min_max(column).as_py()
    if span["min"] is not None and not _NO_CLASS <= span["min"] <= span["max"] < len(names):
        return None
    known = pc.if_else(pc.equal(column, _NO_CLASS), pa.scalar(None, column.type), column)
    return pc.take(pa.array(names, pa.string()), known)
