"""Rows as people hold them, frames of some library or objects, as Arrow tables: what every transport carries."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from workbench.contract.codec import encode
from workbench.errors import ValidationError

if TYPE_CHECKING:
    import pyarrow as pa

_PLAIN = (str, bool, int, type(None))


def is_frame(value: Any) -> bool:
    """Return True for pandas and polars frames, lazy ones too, and for whatever else hands out Arrow tables, but no column."""
    if hasattr(value, "collect_schema") or hasattr(value, "schema"):
        return True
    return hasattr(value, "__arrow_c_stream__") and not hasattr(value, "dtype") and not hasattr(value, "chunks")


def refuse_rows(source: Any) -> Any:
    """Return what says where rows are, or raise ValueError where it is the rows themselves."""
    if is_frame(source) or isinstance(source, (list, tuple, dict)):
        raise ValueError("is a path, an address or a query. Give rows themselves as rows=, without a source")
    return source


def table_of(frame: Any) -> pa.Table:
    """Return a frame as a table, or say which column of it cannot be kept."""
    import pyarrow as pa

    if hasattr(frame, "iloc"):
        return kept(_of_pandas(frame))
    if hasattr(frame, "collect_schema"):
        frame = frame.lazy().collect()
        _refuse_objects(name for name, kind in frame.schema.items() if str(kind) == "Object")
        frame = frame.to_arrow()
    if isinstance(frame, pa.RecordBatchReader):
        frame = frame.read_all()
    return kept(frame if isinstance(frame, pa.Table) else pa.table(frame))


def kept(table: pa.Table) -> pa.Table:
    """Return a table in types that mean the same wherever it travels."""
    import pyarrow as pa

    _refuse_doubles(table.column_names)
    wanted = [(field.name, kept_type(field.type)) for field in table.schema]
    columns = [_cast(column, kind) for column, (_, kind) in zip(table.columns, wanted, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(wanted))


def kept_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that values of a type are kept in; a column that only has nulls is one of texts."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return pa.string() if kind.extension_name == "arrow.uuid" else kept_type(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return kept_type(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(kept_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, kept_type(field.type)) for field in kind])
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us" if kind.unit in ("s", "ms") else kind.unit, kind.tz)
    if pa.types.is_float16(kind):
        return pa.float32()
    return pa.string() if pa.types.is_null(kind) else kind


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa

    if getattr(column.type, "extension_name", "") == "arrow.uuid":
        return pa.chunked_array([pa.array([None if v is None else str(v) for v in column.to_pylist()], kind)])
    return column if column.type == kind else column.cast(kind)


def objects_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return objects as a table with every name that occurs in one of them."""
    import pyarrow as pa

    if not all(isinstance(name, str) for row in rows for name in row):
        rows = [{str(name): value for name, value in row.items()} for row in rows]
    names = dict.fromkeys(name for row in rows for name in row)
    return kept(pa.table({name: column_of(name, [row.get(name) for row in rows]) for name in names}))


def are_plain(rows: list[Any]) -> bool:
    """Return True when objects say the same as JSON."""
    return not all(isinstance(row, dict) for row in rows) or all(_is_plain(value) for row in rows for value in row.values())


def _is_plain(value: Any) -> bool:
    if isinstance(value, _PLAIN):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(inner) for name, inner in value.items())
    return isinstance(value, list) and all(map(_is_plain, value))


def column_of(name: str, values: list[Any]) -> pa.Array:
    """Return values as a column, or raise ValidationError with the reason why they are none."""
    import pyarrow as pa

    if any(isinstance(value, dict) or (isinstance(value, list) and _nested(value)) for value in values):
        # Objects rarely have the same keys in every row: as text nothing is added and nothing lost.
        values = _as_text(values)
    for lenient in (False, True):
        try:
            return pa.array(values, from_pandas=lenient)
        except (pa.ArrowException, ArithmeticError, TypeError, ValueError, AttributeError):
            continue
    if any(isinstance(value, list) for value in values):
        return pa.array(_as_text(values))
    raise ValidationError.field("rows", _why_no_column(name, values), name)


def _nested(values: list[Any]) -> bool:
    return any(isinstance(value, dict) or (isinstance(value, list) and _nested(value)) for value in values)


def _as_text(values: list[Any]) -> list[str | None]:
    return [None if v is None else v if isinstance(v, str) else json.dumps(encode(v), ensure_ascii=False) for v in values]


def _why_no_column(name: str, values: list[Any]) -> str:
    there = [(i, value) for i, value in enumerate(values) if value is not None]
    for i, value in there:
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            return f"Column {name!r} holds half of a character in row {i}. Send whole characters"
    first = there[0][1]
    odd = next((i for i, value in there if type(value) is not type(first)), None)
    if odd is not None:
        kinds = f"row {odd} has {type(values[odd]).__name__}, earlier rows {type(first).__name__} (counted from 0)"
        return f"Column {name!r} mixes kinds of values: {kinds}. Make them one kind, for example text in every row"
    if isinstance(first, int):
        return f"Column {name!r} holds numbers that are too large. Send them as text"
    return f"Column {name!r} holds values of type {type(first).__name__}, which no table keeps. Send them as text"


def _refuse_doubles(names: Iterable[str]) -> None:
    names = list(names)
    double = dict.fromkeys(name for name in names if names.count(name) > 1)
    if double:
        words = "is there twice; names differ by more than case"
        faults = [{"field": "rows", "message": f"The column name {name!r} {words}", "value": name} for name in double]
        raise ValidationError.of(faults)


def _refuse_objects(names: Iterable[str]) -> None:
    faults = [
        {"field": "rows", "message": f"Column {name!r} holds Python objects, which no table keeps", "value": name}
        for name in names
    ]
    if faults:
        raise ValidationError.of(faults)


def _of_pandas(frame: Any) -> pa.Table:
    import pyarrow as pa

    columns = [(str(name), frame.iloc[:, place]) for place, name in enumerate(frame.columns)]
    known = dict(columns)
    levels = [
        (str(name), frame.index.get_level_values(place).to_series(index=frame.index))
        for place, name in enumerate(frame.index.names)
        if name is not None
    ]
    # An index that was kept as a column as well is not there twice.
    columns = [(name, level) for name, level in levels if name not in known or not known[name].equals(level)] + columns
    _refuse_doubles(name for name, _ in columns)
    arrays = [_pandas_column(name, series) for name, series in columns]
    return pa.Table.from_arrays(arrays, names=[name for name, _ in columns])


def _pandas_column(name: str, series: Any) -> pa.Array:
    import pyarrow as pa

    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowException, ArithmeticError, TypeError, ValueError, AttributeError):
        return column_of(name, series.astype(object).where(series.notna(), None).tolist())
    inner = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if str(getattr(inner, "extension_name", "")).startswith("pandas."):
        # Spans of time and numbers: their words say more than what they are stored as.
        return pa.array(
            [None if missing else str(value) for value, missing in zip(series, series.isna(), strict=True)], pa.string()
        )
    return array


__all__ = ["are_plain", "column_of", "is_frame", "kept", "kept_type", "objects_table", "refuse_rows", "table_of"]
