"""Columns of a table, taken from the parameters of a record class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import param

from workbench.domain.record import Choice, Record, Time
from workbench.ui import format as fmt

STATE_FIELDS = frozenset({"status", "stage", "health", "state", "severity", "result", "gate", "verdict"})


@dataclass(frozen=True)
class Column:
    """One column: which value, under which title, and how it turns into text.

    `show` takes the value; with `whole=True` it takes the row as a dict.
    """

    name: str
    title: str
    show: Callable[[Any], Any]
    align: str = "left"
    sortable: bool = False
    width: str = ""
    doc: str = ""
    whole: bool = False

    def cell(self, row: Mapping[str, Any]) -> str:
        """Return the markup of this column for one row."""
        return str(fmt.escape(self.show(row if self.whole else row.get(self.name))))

    def head(self, sortable: frozenset[str]) -> dict[str, Any]:
        """Return what the browser needs to draw the head."""
        return {
            "name": self.name,
            "title": self.title,
            "align": self.align,
            "doc": self.doc,
            "width": self.width,
            "sortable": self.sortable and self.name in sortable,
        }


def columns(record_type: type[Record], *names: str | Column, titles: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """Return the columns of a record class by parameter name; ready columns pass through."""
    return tuple(n if isinstance(n, Column) else column(record_type, n, title=(titles or {}).get(n)) for n in names)


def column(record_type: type[Record], name: str, *, title: str | None = None, show: Callable[[Any], Any] | None = None) -> Column:
    """Return one column with the format that fits its parameter's type."""
    parameter = record_type.param[name]
    default, align = _format_of(parameter)
    return Column(name, title or title_of(name), show or default, align=align, sortable=True, doc=parameter.doc or "")


def title_of(name: str) -> str:
    """Return a parameter name as a column title; what the format says anyway is left out."""
    for suffix in ("_percent", "_seconds", "_ms", "_at", "_id"):
        name = name.removesuffix(suffix)
    return fmt.words(name)


def _format_of(parameter: param.Parameter) -> tuple[Callable[[Any], Any], str]:
    name = parameter.name
    if isinstance(parameter, Time):
        return fmt.moment, "left"
    if name == "id" or name.endswith("_id"):
        return fmt.short_id, "left"
    if name in STATE_FIELDS:
        return fmt.chip, "left"
    if isinstance(parameter, Choice):
        return fmt.choice, "left"
    if isinstance(parameter, param.Boolean):
        return fmt.value, "left"
    if name.endswith("_percent"):
        return fmt.percentage, "right"
    if name.endswith("_seconds"):
        return fmt.duration, "right"
    if name.endswith("_ms"):
        return fmt.milliseconds, "right"
    if isinstance(parameter, param.Integer):
        return fmt.integer, "right"
    if isinstance(parameter, param.Number):
        return fmt.number, "right"
    return fmt.value, "left"
