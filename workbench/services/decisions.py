"""Changes to pairs: written with their log in one stroke, taken back as exactly.

A change is a set of SQL expressions over the row as it is. The log keeps the state before and
after; each pair points at the batch that made its present state, so a batch can be taken back
exactly where nothing came after it.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from workbench.store import Database

STATE = (
    "status",
    "flag_reason",
    "stale",
    "response_source",
    "confidence",
    "simulated",
    "notes",
    "labeled_by",
    "labeled_at",
    "verified_by",
    "verified_at",
    "allowed_mask",
    "prohibited_mask",
    "canonical_label_id",
    "last_batch",
)
TEXTS = ("prompt", "response", "original_response")
# What alone makes no difference: who and when only matter beside a change.
BESIDES = {"labeled_by", "labeled_at", "verified_by", "verified_at", "canonical_label_id", "last_batch", "original_response"}
STEPS_BACK = "('undo', 'redo')"


@dataclass(frozen=True)
class Scope:
    """Name the training sheet, who acts on it and when."""

    training_sheet_id: str
    sheet_id: str
    label_type: str
    actor: str
    now: dt.datetime


@dataclass(frozen=True)
class Change:
    """Hold the new value of each column as SQL, with the values of its `$names`."""

    action: str
    columns: dict[str, str]
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def differs(self) -> str:
        """Return SQL that is true where the change would change something."""
        parts = [f"{name} is distinct from ({sql})" for name, sql in self.columns.items() if name not in BESIDES]
        return f"({' or '.join(parts) or 'false'})"

    @property
    def approves(self) -> bool:
        """Return True when the change makes pairs labeled."""
        return self.columns.get("status") == "'labeled'"


def named(sql: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return those values that a statement names."""
    used = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in values.items() if name in used}


def run(db: Database, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Execute a statement with the values it names."""
    return db.execute(sql, named(sql, values))


def apply_one(db: Database, scope: Scope, change: Change, row: dict[str, Any], *, batch_id: str) -> dict[str, Any] | None:
    """Change one pair and log it; return the pair as it became, or None when nothing would change."""
    columns = change.columns | {"last_batch": "nextval('batch_numbers')", "version": "version + 1", "updated_at": "$now"}
    settings = ", ".join(f"{name} = {sql}" for name, sql in columns.items())
    sql = (
        f"update pair_rows set {settings} where training_sheet_id = $training_sheet_id and row_index = $row_index "
        f"and {change.differs} returning {', '.join(columns)}"
    )
    found = run(db, sql, scope.__dict__ | change.values | {"row_index": row["row_index"]})
    if not found:
        return None
    after = row | dict(zip(columns, found[0], strict=True))
    number = after["last_batch"]
    db.execute(
        "insert into batches (number, id, training_sheet_id, action, actor, row_count, logged_at) values (?, ?, ?, ?, ?, 1, ?)",
        [number, batch_id, scope.training_sheet_id, change.action, scope.actor, scope.now],
    )
    edited = bool(set(TEXTS) & set(columns))
    states = [{name: one[name] for name in STATE} for one in (row, after)]
    texts = [{name: one[name] for name in TEXTS} if edited else None for one in (row, after)]
    db.execute(
        "insert into decisions values (nextval('decision_numbers'), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            number,
            scope.training_sheet_id,
            row["row_index"],
            change.action,
            scope.actor,
            scope.now,
            after["version"],
            *states,
            *texts,
        ],
    )
    return after


def apply(db: Database, scope: Scope, change: Change, target: str, values: dict[str, Any], *, batch_id: str, rows: int) -> int:
    """Change the rows that match `target`, log it, and return the number of the batch."""
    number = db.execute("select nextval('batch_numbers')")[0][0]
    known = (
        scope.__dict__ | change.values | values | {"batch": number, "action": change.action, "batch_id": batch_id, "rows": rows}
    )
    columns = change.columns | {"last_batch": "$batch"}
    run(db, _LOG_BATCH, known | {"of_batch": None})
    run(db, _log_sql(columns, target), known)
    settings = ", ".join(f"{name} = {sql}" for name, sql in columns.items())
    run(db, f"update pair_rows set {settings}, version = version + 1, updated_at = $now where {target}", known)
    return number


_LOG_BATCH = (
    "insert into batches (number, id, training_sheet_id, action, actor, row_count, of_batch, logged_at) "
    "values ($batch, $batch_id, $training_sheet_id, $action, $actor, $rows, $of_batch, $now)"
)


def _struct(columns: tuple[str, ...], new: dict[str, str]) -> str:
    return "{" + ", ".join(f"'{name}': {new.get(name, name)}" for name in columns) + "}"


def _log_sql(columns: dict[str, str], target: str) -> str:
    texts = f"{_struct(TEXTS, {})}, {_struct(TEXTS, columns)}" if set(TEXTS) & set(columns) else "null, null"
    return (
        "insert into decisions select nextval('decision_numbers'), $batch, training_sheet_id, row_index, $action, $actor, $now, "
        f"version + 1, {_struct(STATE, {})}, {_struct(STATE, columns)}, {texts} from pair_rows where {target} order by row_index"
    )


def latest(db: Database, training_sheet_id: str, actor: str | None) -> int | None:
    """Return the latest batch that still shapes some pair, of one person or of anybody."""
    who = "and actor = $actor" if actor else ""
    sql = (
        f"select max(number) from batches where training_sheet_id = $sheet and undone_at is null {who} "
        f"and action not in {STEPS_BACK} "
        "and number in (select last_batch from pair_rows where training_sheet_id = $sheet and last_batch > 0)"
    )
    return db.value(sql, named(sql, {"sheet": training_sheet_id, "actor": actor}))


def latest_undone(db: Database, training_sheet_id: str, actor: str | None) -> int | None:
    """Return the batch taken back last whose pairs are as it found them."""
    who = "and b.actor = $actor" if actor else ""
    sql = (
        "select b.number from batches b join decisions d on d.batch = b.number join pair_rows p on "
        "p.training_sheet_id = d.training_sheet_id and p.row_index = d.row_index and p.last_batch = d.before.last_batch "
        f"where b.training_sheet_id = $sheet and b.undone_at is not null {who} order by b.undone_number desc limit 1"
    )
    return db.value(sql, named(sql, {"sheet": training_sheet_id, "actor": actor}))


def step(db: Database, scope: Scope, batch: int, *, back: bool, batch_id: str) -> list[int]:
    """Take a batch back, or make it again, where nothing came after it; return the rows touched."""
    state, texts = ("before", "texts_before") if back else ("after", "texts_after")
    stands = "p.last_batch = d.batch" if back else "p.last_batch = d.before.last_batch"
    db.execute(
        "create or replace temp table _steps as select p.row_index, d.before, d.after, d.texts_before, d.texts_after, "
        "p.version from decisions d join pair_rows p on p.training_sheet_id = d.training_sheet_id "
        f"and p.row_index = d.row_index and {stands} where d.batch = ?",
        [batch],
    )
    touched = [row[0] for row in db.execute("select row_index from _steps order by row_index")]
    if touched:
        _log_step(db, scope, batch, len(touched), back=back, batch_id=batch_id)
        settings = [f"{name} = s.{state}.{name}" for name in STATE]
        settings += [f"{name} = case when s.{texts} is null then pair_rows.{name} else s.{texts}.{name} end" for name in TEXTS]
        db.execute(
            f"update pair_rows set {', '.join(settings)}, version = pair_rows.version + 1, updated_at = ? from _steps s "
            "where pair_rows.training_sheet_id = ? and pair_rows.row_index = s.row_index",
            [scope.now, scope.training_sheet_id],
        )
    return touched


def _log_step(db: Database, scope: Scope, batch: int, rows: int, *, back: bool, batch_id: str) -> None:
    number = db.execute("select nextval('batch_numbers')")[0][0]
    known = scope.__dict__ | {"batch": number, "batch_id": batch_id, "action": "undo" if back else "redo", "rows": rows}
    run(db, _LOG_BATCH, known | {"of_batch": batch})
    first, second = ("after", "before") if back else ("before", "after")
    sql = (
        "insert into decisions select nextval('decision_numbers'), $batch, $training_sheet_id, row_index, $action, $actor, $now, "
        f"version + 1, {first}, {second}, texts_{first}, texts_{second} from _steps order by row_index"
    )
    run(db, sql, known)
    if back:
        db.execute(
            "update batches set undone_at = ?, undone_by = ?, undone_number = ? where number = ?",
            [scope.now, scope.actor, number, batch],
        )
    else:
        db.execute("update batches set undone_at = null, undone_by = null, undone_number = null where number = ?", [batch])
