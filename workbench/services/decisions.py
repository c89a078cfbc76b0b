"""Changes to pairs: written with their log in one stroke, taken back as exactly.

A change is a set of SQL expressions over the row as it is. The log keeps the state before and
after, and beside it the facts, texts and source of a pair where a decision was about them, and
what was measured on a text that became another. Each pair points at the batch that made its
present state, so a batch can be taken back exactly where nothing came after it, and at the one
whose verdict it stands under. A state without a status stands for a pair that was not there: so a
re-assembly logs the pairs it added, and taking it back removes them again.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.store import Database

# What every decision may change.
STATE = ("status", "flag_reason", "stale", "labeled_by", "labeled_at", "canonical_label_id", "last_batch")
# What few decisions change: logged where they do.
FACTS = (
    "response_source",
    "confidence",
    "simulated",
    "notes",
    "verified_by",
    "verified_at",
    "allowed_mask",
    "prohibited_mask",
)
TEXTS = ("prompt", "response", "original_response")
WORDED = TEXTS[:2]
# Where a logged decision made a text another.
REWORDED = "(" + " or ".join(f"texts_before.{name} is distinct from texts_after.{name}" for name in WORDED) + ")"
# What was measured on the texts, and holds only as long as they stay.
MEASURED = ("signals", "training_loss")
SOURCE = ("source_index", "item_ref", "source_snapshot")
DETAILS = {"facts": FACTS, "texts": TEXTS, "source": SOURCE}
LOG = (
    "insert into decision_log (id, batch, training_sheet_id, row_index, action, actor, logged_at, pair_version, before, after, "
    "decided_before, decided_after) select nextval('decision_numbers'), "
)
LOG_DETAILS = (
    "insert into decision_details "
    "(batch, row_index, facts_before, facts_after, texts_before, texts_after, source_before, source_after, "
    "measured_before, measured_after) "
)
# What alone makes no difference: who and when only matter beside a change.
BESIDES = {
    "labeled_by", "labeled_at", "verified_by", "verified_at", "canonical_label_id", "last_batch", "decided_batch", "original_response",
}  # fmt: skip
STEPS_BACK = "('undo', 'redo', 'settle')"
# What somebody who reviews does to one pair after the other; notes, rights and other texts take their time beside it.
VERDICTS = "('approve', 'reject', 'flag', 'vote', 'adjudicate')"


@dataclass(frozen=True)
class Scope:
    """Name the training sheet, who acts on it and when, and the uses that the tags of its sheet bar."""

    training_sheet_id: str
    sheet_id: str
    label_type: str
    actor: str
    now: dt.datetime
    barred: int = 0


@dataclass(frozen=True)
class Change:
    """Hold the new value of each column as SQL, with the values of its `$names`; for one pair it has to be a rule."""

    action: str
    columns: Mapping[str, Any]
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def differs(self) -> str:
        """Return SQL that is true where the change would change something."""
        parts = [f"{name} is distinct from ({sql})" for name, sql in self.columns.items() if name not in BESIDES]
        return f"({' or '.join(parts) or 'false'})"

    def on_one(self, row: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the new values of one pair, or None when the change would change nothing."""
        fresh = {name: rule.of(row, {**known, **self.values}) for name, rule in self.columns.items()}
        if all(row[name] == value for name, value in fresh.items() if name not in BESIDES):
            return None
        if reworded(row, fresh):
            fresh |= dict.fromkeys(MEASURED)
        return fresh

    @property
    def judges(self) -> bool:
        """Return True when the change is a verdict, or takes one away; other changes leave it to whom it belongs."""
        return "status" in self.columns

    @property
    def verdict(self) -> dict[str, str]:
        """Return what becomes of the batch that judged the pairs, where the change does not say so itself."""
        return {"decided_batch": f"case when ({self.columns['status']}) <> 'unlabeled' then $batch end"} if self.judges else {}

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
    fresh = change.on_one(row, scope.__dict__)
    if fresh is None:
        return None
    number = db.execute(
        "insert into batches (number, id, training_sheet_id, action, actor, row_count, logged_at) "
        "values (nextval('batch_numbers'), ?, ?, ?, ?, 1, ?) returning number",
        [batch_id, scope.training_sheet_id, change.action, scope.actor, scope.now],
    )[0][0]
    if change.judges:
        fresh["decided_batch"] = number if fresh["status"] != "unlabeled" else None
    fresh |= {"last_batch": number, "version": row["version"] + 1, "updated_at": scope.now}
    after = row | fresh
    written = [name for name, value in fresh.items() if value != row[name]]
    db.execute(
        f"update pair_rows set {', '.join(f'{name} = ?' for name in written)} where training_sheet_id = ? and row_index = ?",
        [*(fresh[name] for name in written), scope.training_sheet_id, row["row_index"]],
    )
    log_one(db, scope, change.action, row, after, [kind for kind, names in DETAILS.items() if set(names) & set(change.columns)])
    return after


def log_one(
    db: Database, scope: Scope, action: str, row: Mapping[str, Any], after: Mapping[str, Any], kinds: Collection[str]
) -> None:
    """Log what became of one pair: its state, and those details that the decision was about."""
    place = [after["last_batch"], row["row_index"]]
    told = [{name: one[name] for name in STATE} for one in (row, after)] + [one["decided_batch"] for one in (row, after)]
    db.execute(
        f"{LOG} ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?",
        [place[0], scope.training_sheet_id, place[1], action, scope.actor, scope.now, after["version"], *told],
    )
    if kinds:
        sides = [{n: one[n] for n in names} if kind in kinds else None for kind, names in DETAILS.items() for one in (row, after)]
        measured = [_measured(one) for one in (row, after)] if reworded(row, after) else [None, None]
        db.execute(f"{LOG_DETAILS} values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [*place, *sides, *measured])


def reworded(row: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return True when a text is another, on which nothing that was measured holds."""
    return any(row[name] != after.get(name, row[name]) for name in WORDED)


def _measured(row: Mapping[str, Any]) -> dict[str, Any] | None:
    known = {name: row[name] for name in MEASURED}
    return known if any(value is not None for value in known.values()) else None


def apply(
    db: Database,
    scope: Scope,
    change: Change,
    target: str,
    values: dict[str, Any],
    *,
    batch_id: str,
    rows: int,
    beside: str | None = None,
) -> int:
    """Change the rows that match `target`, log it, and return the number of the batch.

    `beside` is a table that `target` joins; its columns have names that pairs do not have.
    """
    number = db.execute("select nextval('batch_numbers')")[0][0]
    known = (
        scope.__dict__ | change.values | values | {"batch": number, "action": change.action, "batch_id": batch_id, "rows": rows}
    )
    columns = {**change.verdict, **change.columns, "last_batch": "$batch"}
    run(db, LOG_BATCH, known | {"of_batch": None})
    joined = f"pair_rows, {beside} where {target}" if beside else f"pair_rows where {target}"
    verdicts = f"decided_batch, {columns.get('decided_batch', 'decided_batch')}"
    run(db, f"{_LOG_CHANGE} {struct(STATE)}, {struct(STATE, columns)}, {verdicts} from {joined}", known)
    if details := _details(columns):
        run(db, f"{LOG_DETAILS} select $batch, row_index, {details} from {joined}", known)
    settings = ", ".join(f"{name} = {sql}" for name, sql in (_differing(db, columns, joined, known) | outdated(columns)).items())
    where = f"from {beside} where {target}" if beside else f"where {target}"
    run(db, f"update pair_rows set {settings}, version = version + 1, updated_at = $now {where}", known)
    return number


def _differing(db: Database, columns: dict[str, Any], joined: str, known: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that become another on some pair; to write the others too takes as long again."""
    tests = ", ".join(f"coalesce(bool_or({name} is distinct from ({sql})), false)" for name, sql in columns.items())
    found = run(db, f"select {tests} from {joined}", known)[0]
    return {name: columns[name] for name, differs in zip(columns, found, strict=True) if differs}


def outdated(columns: dict[str, str], row: str = "") -> dict[str, str]:
    """Return the settings that forget what was measured on a text where the text becomes another."""
    changed = _rewords(columns, row)
    return {name: f"case when {changed} then null else {row}{name} end" for name in MEASURED} if changed else {}


def _rewords(columns: Mapping[str, str], row: str = "") -> str:
    """Return SQL that is true where a text becomes another; nothing where none can."""
    return " or ".join(f"{row}{name} is distinct from ({columns[name]})" for name in WORDED if name in columns)


def held(row: str = "") -> str:
    """Return SQL for what is measured on a pair as one value; null where nothing is."""
    some = " or ".join(f"{row}{name} is not null" for name in MEASURED)
    return f"case when {some} then {struct(MEASURED, {name: row + name for name in MEASURED})} end"


LOG_BATCH = (
    "insert into batches (number, id, training_sheet_id, action, actor, row_count, of_batch, logged_at) "
    "values ($batch, $batch_id, $training_sheet_id, $action, $actor, $rows, $of_batch, $now)"
)


def struct(columns: tuple[str, ...], new: dict[str, str] | None = None) -> str:
    """Return SQL for the named columns as one value, some of them with another expression."""
    new = new or {}
    return "{" + ", ".join(f"'{name}': {new.get(name, name)}" for name in columns) + "}"


_LOG_CHANGE = f"{LOG} $batch, training_sheet_id, row_index, $action, $actor, $now, version + 1,"


def _details(columns: dict[str, str]) -> str:
    """Return SQL for the details that a change is about, before and after; nothing where it is about none."""
    sides = [f"{struct(n)}, {struct(n, columns)}" if set(n) & set(columns) else "null, null" for n in DETAILS.values()]
    if changed := _rewords(columns):
        sides.append(f"case when {changed} then {held()} end, null")
    else:
        sides.append("null, null")
    return ", ".join(sides) if any(side != "null, null" for side in sides) else ""
