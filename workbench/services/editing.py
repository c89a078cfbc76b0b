"""Change single cells of a sheet; what pairs were made from stays with them.

A pair shows its source row as it was. The row is kept once, in the sheet, until it changes: then the old row
is first copied to `source_snapshot` of the pairs made from it. So a pair with a source row and a snapshot is one
whose source has changed since (`pairs.SOURCE_CHANGED`), and a pair without a snapshot is up to date.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from workbench.contract.codec import encode
from workbench.domain.data import Sheet, SheetColumn, SheetRow
from workbench.errors import Conflict, NotFound, ValidationError, did_you_mean
from workbench.services.importing import row_hash
from workbench.services.profiling import kind_of
from workbench.services.rendering import item_ref_sql
from workbench.services.sheet_rows import rows_table
from workbench.store import Database
from workbench.store.transaction import quoted

_WHOLE = re.compile(r"\s*[+-]?\d+\s*$")


def change_row(db: Database, sheet: Sheet, index: int, values: Mapping[str, Any], seen: Mapping[str, Any]) -> SheetRow:
    """Set cells of one row, log it, and return the row; cells that are so already do not count.

    The sheet's `content_hash` is the caller's to store: `hash_after` tells it.
    """
    table = rows_table(sheet.id)
    _refuse_strangers(sheet, values, seen)
    before = _row(db, sheet, index)
    _refuse_outdated(before, seen)
    typed = _typed(db, sheet, values)
    after = before | typed
    changed = [name for name in typed if encode(after[name]) != encode(before[name])]
    made = SheetRow(sheet_id=sheet.id, row_index=index, cells=encode(after), before={}, version=sheet.version)
    if not changed:
        return made.with_(item_ref=_item_ref(db, sheet, index))
    _refuse_item_id(db, sheet, index, changed, after)
    affected = keep_sources(db, sheet, f"select {int(index)}")
    reference = _item_ref(db, sheet, index)
    settings = ", ".join(f"{quoted(name)} = ?" for name in changed)
    db.execute(f"update {table} set {settings} where _row = ?", [*(after[name] for name in changed), index])
    told = {name: encode(before[name]) for name in changed}
    db.execute(
        "insert into row_changes values (?, ?, ?, ?, 'changed', ?, ?, ?)",
        [sheet.id, sheet.version + 1, index, reference, json.dumps(told, ensure_ascii=False), db.actor_of(), db.clock.now()],
    )
    return made.with_(item_ref=_item_ref(db, sheet, index), before=told, pairs_affected=affected, version=sheet.version + 1)


def hash_of_row(db: Database, sheet: Sheet, index: int) -> int:
    """Return what one row contributes to the content hash of its sheet."""
    return int(db.value(f"select {row_hash(sheet.columns)} from {rows_table(sheet.id)} where _row = ?", [index]) or 0)


def keep_sources(db: Database, sheet: Sheet, rows_sql: str) -> int:
    """Copy rows that are about to change to the pairs made from them; return how many pairs that concerns."""
    pairs = (
        "training_sheet_id in (select id from training_sheets where sheet_id = ?) "
        f"and source_index in (select _row from ({rows_sql}) _changing(_row))"
    )
    db.execute(
        f"update pair_rows set source_snapshot = s.was from (select _row, {snapshot_sql(sheet)} as was from {rows_table(sheet.id)}) s "
        f"where {pairs} and source_snapshot is null and source_index = s._row",
        [sheet.id],
    )
    return int(db.value(f"select count(*) from pair_rows where {pairs}", [sheet.id]))


def snapshot_sql(sheet: Sheet, alias: str = "") -> str:
    """Return SQL for a row as JSON, its values written as on the wire."""
    cells = ", ".join(f"{_literal(c.name)}, {_wire_sql(c, alias)}" for c in sheet.columns)
    return f"json_object({cells})"


def _literal(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _wire_sql(column: SheetColumn, alias: str) -> str:
    name = f"{alias}{quoted(column.name)}"
    if column.dtype.startswith("TIMESTAMP"):
        return f"regexp_replace(strftime({name}, '%Y-%m-%dT%H:%M:%S.%f'), '\\.000000$', '') || 'Z'"
    if column.dtype.startswith("DECIMAL"):
        return f"cast({name} as double)"
    if column.dtype in ("DOUBLE", "FLOAT"):
        return f"case when isfinite({name}) then {name} end"
    return f"cast({name} as varchar)" if column.dtype == "BLOB" else name


def _row(db: Database, sheet: Sheet, index: int) -> dict[str, Any]:
    listed = ", ".join(quoted(column.name) for column in sheet.columns)
    found = db.row(f"select {listed} from {rows_table(sheet.id)} where _row = ?", [index])
    if found is None:
        raise NotFound(f"{sheet.name} has no row {index}. Rows are counted from 0.", kind="row", id=str(index))
    return found


def _item_ref(db: Database, sheet: Sheet, index: int) -> str:
    return str(db.value(f"select {item_ref_sql(sheet)} from {rows_table(sheet.id)} where _row = ?", [index]))


def _refuse_strangers(sheet: Sheet, *given: Mapping[str, Any]) -> None:
    names = [column.name for column in sheet.columns]
    strangers = [name for one in given for name in one if name not in names]
    if strangers:
        told = [f"is no column.{did_you_mean(name, names)} Available: {', '.join(names)}" for name in strangers]
        raise ValidationError.of(
            [{"field": f"values.{n}", "message": m, "value": n} for n, m in zip(strangers, told, strict=True)]
        )
    if not given[0]:
        raise ValidationError.field("values", "is empty; give at least one cell by its column name")


def _refuse_outdated(row: dict[str, Any], seen: Mapping[str, Any]) -> None:
    other = {name: encode(row[name]) for name, value in seen.items() if encode(row[name]) != value}
    if other:
        raise Conflict(
            f"Somebody changed {', '.join(other)} meanwhile. Look at the row again and decide anew.",
            yours={name: seen[name] for name in other},
            current=other,
        )


def _refuse_item_id(db: Database, sheet: Sheet, index: int, changed: list[str], after: dict[str, Any]) -> None:
    column = sheet.item_id_column
    if column is None or column not in changed:
        return
    if after[column] is None:
        raise ValidationError.field(f"values.{column}", "names the item and cannot be empty", None)
    taken = f"select _row from {rows_table(sheet.id)} where {quoted(column)} = ? and _row <> ? limit 1"
    if (other := db.value(taken, [after[column], index])) is not None:
        raise ValidationError.field(
            f"values.{column}", f"names row {other} already; item names are unique", encode(after[column])
        )


def _typed(db: Database, sheet: Sheet, values: Mapping[str, Any]) -> dict[str, Any]:
    columns = {column.name: column for column in sheet.columns}
    faults, found = [], {}
    for name, value in values.items():
        try:
            found[name] = typed(db, columns[name].dtype, value)
        except ValueError as error:
            shown = value if isinstance(value, (str, int, float, bool)) else None
            faults.append({"field": f"values.{name}", "message": str(error), "value": shown})
    if faults:
        raise ValidationError.of(faults)
    return found


def typed(db: Database, dtype: str, value: Any) -> Any:
    """Return a value as a column of a type keeps it, or raise ValueError; numbers and dates may come as text."""
    kind = kind_of(dtype)
    if value is None or (kind != "text" and isinstance(value, str) and not value.strip()):
        return None
    if kind == "text":
        if not isinstance(value, str):
            raise ValueError(f"takes text, not {_named(value)}")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds half of a character; send whole characters") from None
        return value
    if dtype == "BLOB":
        raise ValueError("holds bytes, which cannot be changed here")
    if kind == "nested":
        return _composite(db, dtype, value)
    if not _fits(kind, dtype, value):
        raise ValueError(f"takes {_WORDS.get(kind, dtype)}, not {_named(value)}")
    kept = db.value(f"select try_cast(? as {dtype})", [value if isinstance(value, str) else json.dumps(value)])
    if kept is None or (kind == "number" and not _kept_whole(kept, value)):
        raise ValueError(f"takes {dtype}; {value!r} is none")
    return kept


def _kept_whole(kept: Any, value: Any) -> bool:
    """Return True for a number with an end that a column keeps as it was given."""
    try:
        return math.isfinite(kept) and float(kept) == float(value)
    except OverflowError:
        return False


_WORDS = {"number": "a number", "boolean": "true or false", "time": "a date or time such as 2026-01-31"}


def _fits(kind: str, dtype: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in ("true", "false"))
    if kind == "time":
        return isinstance(value, str)
    if isinstance(value, str) and "INT" in dtype:
        return bool(_WHOLE.match(value))
    return isinstance(value, (int, float, str)) and not isinstance(value, bool)


def _composite(db: Database, dtype: str, value: Any) -> Any:
    try:
        given = json.loads(value) if isinstance(value, str) else value
        plain = json.dumps(given, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"takes {dtype} as JSON: {error}") from None
    text = db.value(f"select to_json(try_cast(cast(? as json) as {dtype}))", [plain])
    if text is None or json.loads(text) != given:
        raise ValueError(f"takes {dtype}; the value has another shape")
    return db.value(f"select try_cast(cast(? as json) as {dtype})", [plain])


def _named(value: Any) -> str:
    words = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return words.get(type(value), type(value).__name__)
