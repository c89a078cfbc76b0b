"""Queues: which pairs, in which order, page after page at any depth."""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from workbench.domain.data import Sheet
from workbench.domain.generate import TrainingSheet
from workbench.domain.label import USES, PairFilter
from workbench.domain.quality import SIGNALS
from workbench.errors import ValidationError
from workbench.services.external import refuse_changed
from workbench.services.profiling import kind_of
from workbench.services.review_arguments import LONGEST
from workbench.services.sheet_rows import rows_table
from workbench.services.signal_filter import LOSS, ORDERS, conditions, pair_column
from workbench.store import Database
from workbench.store.sql_check import regex_fault, where_predicate
from workbench.store.transaction import quoted

WHERE_COLUMNS = (
    "row_index",
    "item_ref",
    "prompt",
    "response",
    "original_response",
    "response_source",
    "status",
    "flag_reason",
    "stale",
    "confidence",
    "simulated",
    "notes",
    "labeled_by",
    "labeled_at",
    "verified_by",
    "verified_at",
    "canonical_label_id",
    "request_id",
    "model_version_id",
    "updated_at",
    "version",
    LOSS,
)
SIGNAL_COLUMNS = {f"signal_{name}": f"p.{pair_column(name)}" for name in SIGNALS}
# What a pair tells besides, where the source row has no column of that name.
YIELDING_COLUMNS = {
    "id": "p.training_sheet_id || '.' || p.row_index",
    "created_at": "p.created_at",
    "allowed_uses": "case when p.allowed_mask is null then null else uses_of(p.allowed_mask) end",
    "prohibited_uses": "uses_of(p.prohibited_mask)",
}
SINCE = ("labeled_since", "updated_since")
UNTIL = ("labeled_until", "updated_until")


VOTED_BY_READER = (
    "select row_index from votes where training_sheet_id = $training_sheet_id and voter = $reader and ended_by is null"
)


@dataclass(frozen=True)
class Condition:
    """Hold an SQL condition over `pair_rows` with the values of its `$names`; a `costly` one is worth one scan only."""

    sql: str
    values: dict[str, Any]
    costly: bool = False


@dataclass(frozen=True)
class Order:
    """Name what a queue is sorted by; ties fall back to the row index."""

    name: str = "row_index"
    descending: bool = False
    seed: int = 42

    @property
    def mark(self) -> str:
        """Return what tells this order from others, for cursors to carry."""
        return f"{self.name}{'-' if self.descending else '+'}{self.seed if self.name == 'random' else ''}"

    @property
    def sql(self) -> str:
        """Return the sort key; it is never null, so that a page can begin after it."""
        if self.name == "confidence":
            return "coalesce(confidence, -1)"
        if self.name == "length":
            return "coalesce(signals.length, length(response))"
        if self.name in ORDERS:
            return f"coalesce({pair_column(self.name)}, -1)"
        if self.name == "updated":
            return "epoch_us(updated_at)"
        if self.name == "disagreement":
            # Votes outside the largest camp, the most first; before a pair is settled they are nobody's business.
            return "(case when disputed or not (status = 'unlabeled' or stale) then -dissent::integer else 0 end)"
        if self.name == "random":
            return f"(hash(row_index, {int(self.seed)}) >> 1)::bigint"
        return "row_index"

    @property
    def direction(self) -> str:
        """Return the SQL word for the direction."""
        return "desc" if self.descending else "asc"

    def key(self, db: Database, training_sheet_id: str, row_index: int) -> Any:
        """Return the sort key of one pair, or None where there is no such pair."""
        sql = f"select {self.sql} from pair_rows where training_sheet_id = ? and row_index = ?"
        return db.value(sql, [training_sheet_id, row_index])


def condition(wanted: PairFilter, made: TrainingSheet, sheet: Sheet, *, reader: str) -> Condition:
    """Return the condition that a filter stands for, or say which field of it is wrong.

    What is unlabeled waits for the reader: not what they voted on already, nor what waits for adjudication. What is to
    be reviewed is that and what is stale.
    """
    _refuse_long(wanted)
    parts = ["training_sheet_id = $training_sheet_id"]
    values: dict[str, Any] = {"training_sheet_id": made.id}
    _add_status(wanted.status, reader, parts, values, shared=made.overlap > 1)
    for name in ("response_source", "item_ref"):
        if getattr(wanted, name) is not None:
            parts.append(f"{name} = ${name}")
            values[name] = getattr(wanted, name)
    _add_times(wanted, parts, values)
    if wanted.search:
        sql, values["search"] = _search(wanted.search)
        parts.append(sql)
    if wanted.regex:
        _refuse_broken(wanted.regex)
        parts.append("(regexp_matches(prompt, $regex) or regexp_matches(response, $regex))")
        values["regex"] = wanted.regex
    if wanted.reviewer:
        parts.append("decided_batch in (select number from batches where actor = $reviewer)")
        values["reviewer"] = wanted.reviewer
    if wanted.use:
        bit = 1 << USES.index(wanted.use)
        parts.append(f"prohibited_mask & {bit} = 0 and (allowed_mask is null or allowed_mask & {bit} <> 0)")
    if wanted.signals:
        more, given = conditions(wanted.signals)
        parts += more
        values |= given
    if wanted.where:
        parts.append(_where(wanted.where, sheet))
    return Condition(" and ".join(parts), values, costly=bool(wanted.search or wanted.regex or wanted.where))


def _refuse_long(wanted: PairFilter) -> None:
    faults = [
        {
            "field": name,
            "message": f"List should have at most {most} items"
            if name == "signals"
            else f"String should have at most {most} characters",
            "value": None,
        }
        for name, most in LONGEST.items()
        if len(getattr(wanted, name) or ()) > most
    ]
    if faults:
        raise ValidationError.of(faults)


def _add_status(status: str, reader: str, parts: list[str], values: dict[str, Any], *, shared: bool) -> None:
    if status in ("stale", "disputed"):
        parts.append(status)
    elif status == "to_review":
        parts.append("(status = 'unlabeled' or stale) and not disputed")
    elif status != "all":
        parts.append("status = $status")
        values["status"] = status
    # Where one person decides, nothing that is to be reviewed has a vote.
    if status == "unlabeled" or (status == "to_review" and shared):
        parts.append(f"not disputed and row_index not in ({VOTED_BY_READER})")
        values["reader"] = reader


def _add_times(wanted: PairFilter, parts: list[str], values: dict[str, Any]) -> None:
    for names, sign in ((SINCE, ">="), (UNTIL, "<")):
        for name in names:
            if getattr(wanted, name) is not None:
                parts.append(f"{name.partition('_')[0]}_at {sign} ${name}")
                values[name] = getattr(wanted, name)


def _search(text: str) -> tuple[str, str]:
    """Return the condition that a text occurs in prompt or response in whatever case, and what it compares with."""
    if text.isascii():
        # Takes half as long as a case-blind pattern. The long s is no s here, and the Turkish capital I has an i in it.
        return "(contains(lower(prompt), $search) or contains(lower(response), $search))", text.lower()
    # A pattern knows the letters that have more than two cases.
    return "(regexp_matches(prompt, $search) or regexp_matches(response, $search))", f"(?is){re.escape(text)}"


def _refuse_broken(regex: str) -> None:
    if complaint := regex_fault(regex):
        raise ValidationError.field("regex", complaint, regex)


def _where(text: str, sheet: Sheet) -> str:
    """Let a predicate see the pair and its source row; a source column with a pair's name is `source_<name>`."""
    with suppress(ValidationError):
        # What the pair itself tells needs no other table, and no second look at all pairs.
        return where_predicate(text, WHERE_COLUMNS, field="where")
    refuse_changed(sheet)
    sources = {column.name.lower() for column in sheet.columns}
    derived = SIGNAL_COLUMNS | {name: sql for name, sql in YIELDING_COLUMNS.items() if name not in sources}
    own = {name.lower() for name in (*WHERE_COLUMNS, *derived)}
    shown = {c.name if c.name.lower() not in own else f"source_{c.name}": c.name for c in sheet.columns}
    types = {c.name: c.dtype for c in sheet.columns}
    predicate = where_predicate(text, [*WHERE_COLUMNS, *derived, *shown], field="where")
    columns = [f"p.{name}" for name in WHERE_COLUMNS] + [f"{sql} as {name}" for name, sql in derived.items()]
    columns += [f"{_as_it_was(real, types[real])} as {quoted(name)}" for name, real in shown.items()]
    return (
        f"row_index in (select row_index from (select {', '.join(columns)} from pair_rows p "
        f"left join {rows_table(sheet.id)} s on s._row = p.source_index where p.training_sheet_id = $training_sheet_id) "
        f"where {predicate})"
    )


def _as_it_was(column: str, dtype: str) -> str:
    """Return SQL for a cell of the source row, from the pair's own copy where the row has changed since."""
    place = "/" + column.replace("~", "~0").replace("/", "~1").replace("'", "''")
    arrow = "->" if kind_of(dtype) == "nested" else "->>"
    kept = f"try_cast(p.source_snapshot {arrow} '{place}' as {dtype})"
    return f"case when p.source_snapshot is null then s.{quoted(column)} else {kept} end"


def after(order: Order, cursor: str | None) -> Condition:
    """Return the condition for what comes behind a cursor."""
    if cursor is None:
        return Condition("true", {})
    key, row_index = decode_cursor(order, cursor)
    return beyond(order, key, row_index, forward=True)


def beyond(order: Order, key: Any, row_index: int, *, forward: bool) -> Condition:
    """Return the condition for what comes behind, or before, one place in the order."""
    sign = ">" if forward != order.descending else "<"
    if order.name == "row_index":
        return Condition(f"row_index {sign} $at_row", {"at_row": row_index})
    tie = ">" if forward else "<"
    sql = f"({order.sql} {sign} $at_key or ({order.sql} = $at_key and row_index {tie} $at_row))"
    return Condition(sql, {"at_key": key, "at_row": row_index})


def places(db: Database, found: Condition, order: Order, behind: Condition, limit: int) -> tuple[int, list[tuple[int, Any]]]:
    """Return how many pairs there are in all, and row index and key of the first ones of a page.

    Sorting narrow keys first and fetching the few wide rows afterwards is ten times faster.
    """
    values = found.values | behind.values
    tail = f"order by _key {order.direction}, row_index limit {limit}"
    if not found.costly:
        total = db.value(f"select count(*) from pair_rows where {found.sql}", found.values)
        page = f"select row_index, {order.sql} as _key from pair_rows where {found.sql} and {behind.sql} {tail}"
        return total, db.tuples(page, values)
    matched = f"select row_index, {order.sql} as _key, {behind.sql} as _behind from pair_rows where {found.sql}"
    rows = db.tuples(
        f"with matched as materialized ({matched}) select null, null, count(*) from matched union all "
        f"(select row_index, _key, null from matched where _behind {tail})",
        values,
    )
    return next(count for *_, count in rows if count is not None), [(index, key) for index, key, _ in rows if index is not None]


def encode_cursor(order: Order, key: Any, row_index: int) -> str:
    """Return a place in the order as text for a caller to hand back."""
    return base64.urlsafe_b64encode(json.dumps([key, row_index, order.mark]).encode()).decode().rstrip("=")


def decode_cursor(order: Order, cursor: str) -> tuple[Any, int]:
    """Return the place a cursor stands for; a place in another order means nothing in this one."""
    try:
        key, row_index, mark = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        row_index = int(row_index)
    except (ValueError, TypeError) as error:
        raise ValidationError.field("cursor", "is not one that this queue handed out", cursor) from error
    if mark != order.mark:
        raise ValidationError.field("cursor", "belongs to another order; begin again without it", cursor)
    return key, row_index
