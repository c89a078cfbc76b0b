"""A table over an answer that is cut by limit and offset, such as a preview of a sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.grid import Grid
from workbench.ui.components.markup import html, show
from workbench.ui.theme import MIDDLE
from workbench.ui.view import View

SIZES = 10
NUMBER, PLACE = "#", "Place of the row, from 0."
NUMERIC = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE",
     "DECIMAL"}
)  # fmt: skip
# What a scan says of a row stands behind the sheet's own columns.
SIGNAL, SIGNALS = "SIGNAL", "signal_"


class PreviewTable(pn.viewable.Viewer):
    """Show the rows of `call(..., limit=, offset=)`, an operation that answers a Preview; a click opens a row.

    A sheet's columns are somebody's own, so they bear their names; `titled(name)` gives ours words instead,
    and `worded` says how the values of some are shown.
    """

    def __init__(
        self,
        view: View,
        call: Callable[..., Any],
        *,
        size: int = SIZES,
        on_open: Callable[[dict[str, Any]], None] | None = None,
        titled: Callable[[str], str] = str,
        worded: Mapping[str, Callable[[Any], Any]] | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__()
        self._size, self._titled, self._worded = size, titled, worded or {}
        self._sought = ""
        self._rows: dict[str, dict[str, Any]] = {}
        opened = None if on_open is None else lambda place: on_open(self._rows[place])
        self.grid = Grid(on_sort=lambda name: None, on_open=opened)
        self.pager = pmui.Pagination(count=1, value=0, size="small", margin=0, visible=False)
        self._count = html("")
        foot = pmui.Row(self._count, self.pager, margin=0, sizing_mode="stretch_width", sx=MIDDLE)
        self._table = pmui.Column(self.grid, foot, margin=0, sizing_mode="stretch_width", sx={"gap": 1})
        self.part = view.live(call, self._draw, height=240, limit=size, offset=0, **arguments)
        self.pager.param.watch(lambda event: self.part.ask(offset=fmt.offset_of(event.new, size)), "value")

    def search(self, text: str) -> None:
        """Show the rows with a cell that contains a text."""
        self._sought = text
        self.pager.value = 0
        self.part.ask(search=text, offset=0)

    def _draw(self, preview: Any) -> Any:
        names = [column.name for column in preview.columns]
        shown = [name for row in preview.rows[:1] for name in row] or names
        heads = {column.name: column for column in preview.columns}
        self._rows = {str(number): row for number, row in enumerate(preview.rows)}
        rows = [
            {"id": str(number), "cells": [str(fmt.escape(self._shown(name, heads)(row.get(name)))) for name in shown]}
            for number, row in enumerate(preview.rows)
        ]
        # Rows do not name themselves where there are none: the heads stay. Both go at once, for a cell needs its head.
        drawn = [_head(name, heads.get(name), self._titled) for name in shown] if rows or not self.grid.columns else self.grid.columns
        self.grid.param.update(columns=drawn, rows=rows)
        pages = fmt.page_count(preview.total, self._size)
        self.pager.param.update(count=pages, visible=pages > 1)
        show(self._count, self._counted(preview))
        return self._table

    def _shown(self, name: str, heads: Mapping[str, Any]) -> Callable[[Any], Any]:
        column = heads.get(name)
        return self._worded.get(name, fmt.value if column is not None and column.dtype == SIGNAL else fmt.cell)

    def _counted(self, preview: Any) -> Markup:
        if self._sought and not preview.total:
            return Markup('<span class="faint">No row contains “{}”. Empty the search to see all of them.</span>').format(self._sought)
        return Markup('<span class="faint small">{}</span>').format(fmt.plural(preview.total, "row"))

    def __panel__(self) -> pn.viewable.Viewable:
        return self.part.box


def _head(name: str, column: Any | None, titled: Callable[[str], str]) -> dict[str, Any]:
    if column is None:
        title, doc, numeric = NUMBER, PLACE, True
    elif column.dtype == SIGNAL:
        title, doc, numeric = fmt.words(name.removeprefix(SIGNALS)), "What the scan says of the row.", False
    else:
        title, doc, numeric = fmt.marked(titled(name)), f"{column.dtype}, {column.role}", column.dtype.partition("(")[0] in NUMERIC
    align = "right" if numeric else "left"
    return {"name": name, "title": title, "align": align, "doc": doc, "width": "", "sortable": False}
