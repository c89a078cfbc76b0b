"""What the values of a sheet look like, computed where the rows are."""

from __future__ import annotations

import math
import re
from typing import Any

from workbench.domain.data import Bucket, ColumnProfile, Sheet, SheetColumn, SheetProfile, ValueCount
from workbench.services.sheet_rows import rows_table
from workbench.store import Database
from workbench.store.transaction import quoted

BUCKETS = 20
TOP_VALUES = 10
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_NUMBER = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*)$")


def kind_of(dtype: str) -> str:
    """Return `number`, `text`, `time`, `boolean` or `nested` for an SQL type."""
    if _NUMBER.match(dtype):
        return "number"
    if dtype == "VARCHAR":
        return "text"
    if dtype == "BOOLEAN":
        return "boolean"
    return "time" if dtype.startswith(("DATE", "TIME")) else "nested"


def profile(db: Database, sheet: Sheet) -> SheetProfile:
    """Describe every column of a sheet."""
    with db.read():
        columns = tuple(_column(db, sheet, column) for column in sheet.columns)
        return SheetProfile(
            sheet_id=sheet.id, item_count=sheet.item_count, columns=columns, duplicate_rows=_duplicates(db, sheet)
        )


def gaps(db: Database, sheet: Sheet) -> dict[str, int]:
    """Return the number of rows without a value, by column."""
    counts = ", ".join(f"count(*) - count({quoted(c.name)})" for c in sheet.columns)
    found = db.tuples(f"select {counts} from {rows_table(sheet.id)}")[0]
    return {column.name: count for column, count in zip(sheet.columns, found, strict=True)}


def _duplicates(db: Database, sheet: Sheet) -> int:
    table, listed = rows_table(sheet.id), ", ".join(quoted(c.name) for c in sheet.columns)
    return db.value(f"select count(*) - (select count(*) from (select distinct {listed} from {table})) from {table}")


def _column(db: Database, sheet: Sheet, column: SheetColumn) -> ColumnProfile:
    table, name, kind = rows_table(sheet.id), quoted(column.name), kind_of(column.dtype)
    facts = _facts(db, table, name, kind)
    total = sheet.item_count
    extra: dict[str, Any] = {}
    if kind == "number" and facts["low"] is not None:
        counted = _histogram(db, table, f"cast({name} as double)", whole="INT" in column.dtype)
        extra = {"histogram": counted, "quantiles": _quantiles(facts["quantiles"])}
    elif kind == "text":
        counted = _histogram(db, table, f"cast(length({name}) as double)", whole=True)
        extra = {"histogram": counted, "histogram_of": "length"}
    return ColumnProfile(
        name=column.name,
        dtype=column.dtype,
        role=column.role,
        count=facts["filled"],
        nulls=total - facts["filled"],
        null_share=(total - facts["filled"]) / total if total else 0.0,
        distinct=facts["different"],
        minimum=facts["low"],
        maximum=facts["high"],
        top_values=_top_values(db, table, name, total),
        **{key: facts[key] for key in ("mean", "empty", "length_min", "length_mean", "length_max")},
        **extra,
    )


def _facts(db: Database, table: str, name: str, kind: str) -> dict[str, Any]:
    ordered = kind != "nested"
    number, text = kind == "number", kind == "text"
    parts = {
        "filled": f"count({name})",
        "different": f"count(distinct {name})" if ordered else f"count(distinct cast({name} as varchar))",
        "low": f"min({name})" if ordered else "null",
        "high": f"max({name})" if ordered else "null",
        "mean": f"avg(cast({name} as double))" if number else "null::double",
        "quantiles": f"quantile_cont(cast({name} as double), {list(QUANTILES)})" if number else "null",
        "empty": f"count(*) filter (where is_blank({name}))" if text else "null",
        "length_min": f"min(length({name}))" if text else "null",
        "length_mean": f"avg(length({name}))" if text else "null::double",
        "length_max": f"max(length({name}))" if text else "null",
    }
    found = db.row(f"select {', '.join(f'{sql} as {key}' for key, sql in parts.items())} from {table}")
    assert found is not None
    return found


def _quantiles(values: list[float] | None) -> list[dict[str, float]] | None:
    return None if values is None else [{"at": at, "value": value} for at, value in zip(QUANTILES, values, strict=True)]


def _histogram(db: Database, table: str, expression: str, *, whole: bool) -> tuple[Bucket, ...]:
    """Return how many values lie where, in at most 20 buckets of one width.

    Buckets of whole numbers hold equally many of them: others would stand empty between two.
    """
    finite = f"{expression} is not null and isfinite({expression})"
    low, high = db.tuples(f"select min({expression}), max({expression}) from {table} where {finite}")[0]
    if low is None:
        return ()
    if low == high:
        return (Bucket(low=low, high=high, count=db.value(f"select count(*) from {table} where {finite}"), height=1.0),)
    buckets = min(BUCKETS, int(high - low) + 1) if whole else BUCKETS
    width = math.ceil((high - low + 1) / buckets) if whole else (high - low) / buckets
    buckets = math.ceil((high - low + 1) / width) if whole else buckets
    counts = dict(
        db.tuples(
            f"select least(floor(({expression} - ?) / ?), {buckets - 1})::int, count(*) from {table} where {finite} group by 1",
            [low, width],
        )
    )
    highest = max(counts.values())
    return tuple(
        Bucket(low=start, high=min(high, start + width - whole), count=counts.get(i, 0), height=counts.get(i, 0) / highest)
        for i, start in ((i, low + i * width) for i in range(buckets))
    )


def _top_values(db: Database, table: str, name: str, total: int) -> tuple[ValueCount, ...]:
    found = db.tuples(
        f"select left(cast({name} as varchar), 200), count(*) as times from {table} where {name} is not null "
        f"group by {name} order by times desc, 1 limit {TOP_VALUES}"
    )
    return tuple(ValueCount(value=value, count=count, share=count / total) for value, count in found)
