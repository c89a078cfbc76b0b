"""Lists of jobs: what narrows them and how they are ordered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from workbench.contract import Field

By = Annotated[str | None, Field(max_length=200, description="Only jobs that this person asked for.")]
Since = Annotated[dt.datetime | None, Field(description="Only jobs created at this time (UTC) or later.")]
Until = Annotated[dt.datetime | None, Field(description="Only jobs created before this time (UTC).")]
Label = Annotated[str | None, Field(max_length=200, description="Only jobs with this label: `name`, or `name=value`.")]
Trials = Annotated[bool, Field(description="List the trials of studies as well; they also come when asked for by their parent.")]
Descending = Annotated[bool, Field(description="Largest or newest first.")]
Sort = Annotated[
    Literal["created_at", "started_at", "completed_at", "duration_seconds", "name", "status", "progress_percent", "priority"],
    Field(description="Property to sort by."),
]
TrainingSort = Annotated[
    Literal[
        "created_at", "started_at", "completed_at", "duration_seconds", "model_name", "status", "progress_percent",
        "base_model", "total_pairs", "val_accuracy", "val_loss",
    ],
    Field(description="Property to sort by; a job without it comes last."),
]  # fmt: skip
NO_TRIALS = "id not in (select id from trial_details)"
# As shown: what came out, else the last that was measured before the end.
_FIGURE = "try_cast(coalesce(result ->> '$.metrics.{name}', metrics ->> '$.{name}') as double)"
_SORTED_BY = {
    "duration_seconds": "epoch(coalesce(completed_at, get_current_timestamp()::timestamp)) - epoch(started_at)",
    "name": "lower(name)",
    "model_name": "lower(model_name)",
    **{name: _FIGURE.format(name=name) for name in ("val_accuracy", "val_loss")},
}


@dataclass(frozen=True)
class Narrowed:
    """Hold an SQL condition over jobs with its values, and the order."""

    where: str
    params: list[Any]
    order: str


def narrowed(
    equals: Mapping[str, Any],
    *,
    search: tuple[str, str],
    since: Any,
    until: Any,
    label: str | None,
    sort: str,
    descending: bool,
    trials: bool = True,
) -> Narrowed:
    """Return the condition and the order that arguments of a list stand for; `search` is a column and a part of it."""
    found = [(f"{column} = ?", [value]) for column, value in equals.items() if value is not None]
    if not trials:
        found.append((NO_TRIALS, []))
    if search[1]:
        found.append((f"contains(lower({search[0]}), lower(?))", [search[1]]))
    found += [(f"created_at {sign} ?", [at]) for sign, at in ((">=", since), ("<", until)) if at is not None]
    if label:
        name, given, value = label.partition("=")
        found.append(("list_contains(json_keys(labels), ?)", [name]))
        if given:
            found.append(("labels ->> ? = ?", [name, value]))
    way = "desc" if descending else "asc"
    return Narrowed(
        " and ".join(["true", *(sql for sql, _ in found)]),
        [value for _, values in found for value in values],
        f"{_SORTED_BY.get(sort, sort)} {way} nulls last, id",
    )
