"""Pairs as they were at a moment, read backwards from the log.

What a pair was then is what the first decision after that moment found; without one it is as it is now.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from workbench.domain.generate import TrainingSheet
from workbench.errors import ValidationError
from workbench.services.decisions import DETAILS, MEASURED, STATE
from workbench.services.pairs import COLUMNS
from workbench.store import Database


@dataclass(frozen=True)
class Moment:
    """Name a moment in the life of a training sheet: the time, and the first decision after it."""

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
    cut = db.value("select min(id) from decision_log where training_sheet_id = ? and logged_at > ?", [made.id, time])
    return Moment(made.id, time, cut)


def relation(*, rows: str = "true") -> str:
    """Return SQL for the pairs of a moment with the columns of `pair_rows`; `rows` is a condition on row_index."""
    taken = {name: f"case when s.id is null then p.{name} else s.before.{name} end" for name in STATE}
    for kind, names in DETAILS.items():
        was = f"{kind}.{kind}_before"
        taken |= {name: f"case when {was} is null then p.{name} else {was}.{name} end" for name in names}
    # What was measured holds for the present texts.
    taken |= {name: f"case when texts.id is null then p.{name} end" for name in MEASURED}
    # A vote is logged too, and leaves the pair as it was.
    taken["version"] = "case when s.id is null then p.version else s.pair_version - "
    taken["version"] += "(s.before.last_batch is distinct from s.after.last_batch)::integer end"
    taken["updated_at"] = "case when s.id is null then p.updated_at else coalesce(f.last_at, p.created_at) end"
    taken["training_sheet_id"] = "$sheet"
    taken["row_index"] = "coalesce(p.row_index, f.row_index)"
    taken["sample"] = "coalesce(p.sample, false)"
    taken["created_at"] = "coalesce(p.created_at, f.born_at)"
    listed = ", ".join(f"{taken.get(name, 'p.' + name)} as {name}" for name in COLUMNS)
    mine = f"training_sheet_id = $sheet and {rows}"
    firsts = [f"min(id) filter (where id >= $cut and {kind}_before is not null) as {kind}_id" for kind in DETAILS]
    later = f"select * from decisions where {mine} and id >= $cut"
    found = [f"left join ({later} and {kind}_before is not null) {kind} on {kind}.id = f.{kind}_id " for kind in DETAILS]
    return (
        f"(with f as (select row_index, min(id) filter (where id >= $cut) as state_id, {', '.join(firsts)}, "
        "max(logged_at) filter (where id < $cut and before.status is null and action = 'reassemble') as born_at, "
        "max(logged_at) filter (where id < $cut) as last_at "
        f"from decisions where {mine} group by 1), "
        f"p as (select * from pair_rows where {mine} and created_at <= $moment) "
        f"select {listed} from p full join f on f.row_index = p.row_index "
        f"left join (select * from decision_log where {mine} and id >= $cut) s on s.id = f.state_id {''.join(found)}"
        "where case when s.id is null then p.row_index is not null else s.before.status is not null end)"
    )


def count(db: Database, when: Moment) -> int:
    """Return how many pairs there were at a moment."""
    # Only pairs that came or went later need a look at the log.
    return db.value(
        "with moved as (select row_index, min_by(before.status is not null, id) as was from decision_log "
        "where training_sheet_id = $sheet and id >= $cut and row_index in (select row_index from decision_log "
        "where training_sheet_id = $sheet and id >= $cut and (before.status is null or after.status is null)) group by 1) "
        "select (select count(*) from pair_rows where training_sheet_id = $sheet and created_at <= $moment "
        "and row_index not in (select row_index from moved)) + (select count(*) from moved where was)",
        when.values,
    )
