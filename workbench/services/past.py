"""Pairs as they were at a moment, read backwards from the log.

What a pair was then is what the first decision after that moment found; without one it is as it is now.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from workbench.domain.generate import TrainingSheet
from workbench.errors import ValidationError
from workbench.services.decisions import DETAILS, MEASURED, REWORDED, STATE
from workbench.services.pairs import COLUMNS
from workbench.store import Database


@dataclass(frozen=True)
class Moment:
    """Name a moment in the life of a training sheet: the time, and the number of the first batch after it."""

    training_sheet_id: str
    time: dt.datetime
    first_later: int | None

    @property
    def values(self) -> dict[str, Any]:
        """Return what `relation` names."""
        return {"sheet": self.training_sheet_id, "moment": self.time, "cut": self.first_later}


def moment(db: Database, made: TrainingSheet, time: dt.datetime) -> Moment:
    """Return a moment, or say that the training sheet was not there yet."""
    if made.created_at is not None and time < made.created_at:
        raise ValidationError.field(
            "as_of",
            f"{made.name} was made at {made.created_at:%Y-%m-%d %H:%M:%S} UTC; choose that time or a later one",
            time.isoformat() + "Z",
        )
    cut = db.value("select min(batch) from decision_log where training_sheet_id = ? and logged_at > ?", [made.id, time])
    return Moment(made.id, time, cut)


def relation(*, rows: str = "true") -> str:
    """Return SQL for the pairs of a moment with the columns of `pair_rows`; `rows` is a condition on row_index."""
    taken = {name: f"case when f.later is null then p.{name} else f.later.before.{name} end" for name in STATE}
    for kind, names in DETAILS.items():
        taken |= {name: f"case when {kind}.was is null then p.{name} else {kind}.was.{name} end" for name in names}
    # What was measured went with the text it was measured on.
    taken |= {name: f"case when measured.was is null then p.{name} else measured.was.kept.{name} end" for name in MEASURED}
    taken["decided_batch"] = "case when f.later is null then p.decided_batch else f.later.decided end"
    taken["version"] = "case when f.later is null then p.version else f.later.version end"
    taken["updated_at"] = "case when f.later is null then p.updated_at else coalesce(f.last_at, p.created_at) end"
    taken["training_sheet_id"] = "$sheet"
    taken["row_index"] = "coalesce(p.row_index, f.row_index)"
    taken["sample"] = "coalesce(p.sample, false)"
    taken["created_at"] = "coalesce(p.created_at, f.born_at)"
    listed = ", ".join(f"{taken.get(name, 'p.' + name)} as {name}" for name in COLUMNS)
    mine = f"training_sheet_id = $sheet and {rows}"
    of_sheet = "batch >= $cut and batch in (select number from batches where training_sheet_id = $sheet)"
    details = [
        f"{kind} as (select row_index, min_by({kind}_before, batch) as was from decision_details "
        f"where {rows} and {of_sheet} and {kind}_before is not null group by 1), "
        for kind in DETAILS
    ]
    details.append(
        "measured as (select row_index, min_by({'kept': measured_before}, batch) as was from decision_details "
        f"where {rows} and {of_sheet} and {REWORDED} group by 1), "
    )
    return (
        # A vote is logged too, and leaves the pair as it was.
        "(with f as (select row_index, min_by({'before': before, 'decided': decided_before, 'version': pair_version "
        "- (before.last_batch is distinct from after.last_batch)::integer}, batch) filter (batch >= $cut) as later, "
        "max(logged_at) filter (batch < $cut and before.status is null and action = 'reassemble') as born_at, "
        f"max(logged_at) filter (batch < $cut) as last_at from decision_log where {mine} group by 1), {''.join(details)}"
        f"p as (select * from pair_rows where {mine} and created_at <= $moment) "
        f"select {listed} from p full join f on f.row_index = p.row_index "
        + "".join(f"left join {kind} on {kind}.row_index = f.row_index " for kind in (*DETAILS, "measured"))
        + "where case when f.later is null then p.row_index is not null else f.later.before.status is not null end)"
    )


def count(db: Database, when: Moment) -> int:
    """Return how many pairs there were at a moment."""
    # Only pairs that came or went later need a look at the log.
    return db.value(
        "with moved as (select row_index, min_by(before.status is not null, batch) as was from decision_log "
        "where training_sheet_id = $sheet and batch >= $cut and row_index in (select row_index from decision_log "
        "where training_sheet_id = $sheet and batch >= $cut and (before.status is null or after.status is null)) group by 1) "
        "select (select count(*) from pair_rows where training_sheet_id = $sheet and created_at <= $moment "
        "and row_index not in (select row_index from moved)) + (select count(*) from moved where was)",
        when.values,
    )
