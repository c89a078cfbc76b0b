"""Answers that have rows, as the Arrow tables they travel in when the caller asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from workbench.contract import Page, codec
from workbench.contract.operation import Operation
from workbench.domain.data import Preview
from workbench.domain.jobs import JobMetrics
from workbench.domain.record import Record

_POINT = pa.schema(
    {"name": pa.string(), "step": pa.int64(), "value": pa.float64(), "epoch": pa.int64(), "at": pa.timestamp("us")}
)


def gives_rows(operation: Operation) -> bool:
    """Return True for lists, tables, previews and curves: they can travel as Arrow."""
    return operation.is_page or operation.is_table or operation.record_type in _ROWS


def table_of(answer: Any) -> tuple[pa.Table, int]:
    """Return the rows of an answer as a table, and how many there are in all."""
    if isinstance(answer, pa.Table):
        return answer, codec.total_of(answer)
    if isinstance(answer, Page):
        return codec.page_to_table(answer), answer.total
    return _ROWS[type(answer)](answer)


def _previewed(preview: Preview) -> tuple[pa.Table, int]:
    names = preview.rows[0] if preview.rows else [column.name for column in preview.columns]
    return codec.rows_to_table(preview.rows or (), names), preview.total


def _measured(curves: JobMetrics) -> tuple[pa.Table, int]:
    points = [{"name": curve.name, **point, "value": _number(point)} for curve in curves.metrics for point in curve.points]
    return pa.Table.from_pylist(points, schema=_POINT), sum(curve.total for curve in curves.metrics)


def _number(point: dict[str, Any]) -> float | None:
    """Return the value of a point; Arrow has a number for what JSON only has a word for."""
    return float(point["word"]) if "word" in point else point["value"]


_ROWS: dict[type[Record], Callable[[Any], tuple[pa.Table, int]]] = {Preview: _previewed, JobMetrics: _measured}
