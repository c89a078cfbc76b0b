"""A live table over a list operation: paging, order and filters are the service's work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.columns import Column
from workbench.ui.components.grid import Grid
from workbench.ui.components.markup import html, show
from workbench.ui.theme import MIDDLE
from workbench.ui.view import View


class DataTable(pn.viewable.Viewer):
    """Show one page of `call(page=, page_size=, ...)` and follow it.

    `call` is a facade method that answers a Page. Its own arguments decide what can be done: columns
    can be sorted when it takes `sort` (and `descending`), and only the fields it names.
    """

    page = param.Integer(1, bounds=(1, None), doc="Page shown, from 1.")
    page_size = param.Integer(50, bounds=(1, 1000), doc="Rows of a page.")
    sort = param.String("", doc="Column the rows are ordered by; empty for the service's own order.")
    descending = param.Boolean(False, doc="True when the order is reversed.")
    of = param.Dict({}, doc="What the rows belong to, as arguments of the call: without any of them there is nothing yet.")
    filters = param.Dict({}, doc="Further arguments of the call; None and empty ones are left out.")
    selected = param.List([], doc="Ids of the chosen rows.")
    open_id = param.String("", doc="Id of the row that is open.")
    total = param.Integer(0, doc="Rows that match, as the service counts them.")

    def __init__(
        self,
        view: View,
        call: Callable[..., Any],
        columns: Sequence[Column],
        *,
        key: str = "id",
        on_open: Callable[[str], None] | None = None,
        empty: Callable[[], Any] | None = None,
        selectable: bool = False,
        about: str | None = None,
        **params: Any,
    ) -> None:
        super().__init__(**params)
        self._columns = tuple(columns)
        self._key = key
        self._empty = empty
        self._nothing: Any = None  # made once for the same question, so that it is not placed anew
        self._sortable = sortable_fields(call)
        self._paged = "page" in argument_names(call)
        self.grid = Grid(
            on_sort=self._order_by, on_open=on_open, selectable=selectable, columns=self._heads(), open_id=self.open_id
        )
        self.pager = pmui.Pagination(count=1, value=0, size="small", margin=0, visible=False)
        self._count = html("", sizing_mode="stretch_width")
        foot = pmui.Row(self._count, self.pager, margin=0, sizing_mode="stretch_width", sx={**MIDDLE, "minHeight": "32px"})
        self._table = pmui.Column(self.grid, foot, margin=0, sizing_mode="stretch_width", sx={"gap": 1})
        self.part = view.live(call, self._draw, height=240, about=about, **self._arguments())
        self.pager.param.watch(lambda event: self.param.update(page=fmt.page_of(event.new)), "value")
        self.param.watch(self._ask, ["page", "sort", "descending", "of", "filters", "page_size"])
        self.grid.param.watch(lambda event: self.param.update(selected=event.new), "selected")
        self.param.watch(lambda event: self.grid.param.update(selected=event.new), "selected")
        self.param.watch(lambda event: self.grid.param.update(open_id=event.new), "open_id")

    def _heads(self) -> list[dict[str, Any]]:
        return [column.head(self._sortable) for column in self._columns]

    def _arguments(self) -> dict[str, Any]:
        given: dict[str, Any] = {"page": self.page, "page_size": self.page_size} if self._paged else {}
        if self.sort:
            given |= {"sort": self.sort, "descending": self.descending}
        return given | self.of | {name: value for name, value in self.filters.items() if value not in (None, "", [])}

    def _ask(self, *events: Any) -> None:
        self._nothing = None
        if self.page != 1 and all(event.name != "page" for event in events):
            self.page = 1  # another order or filter starts over; this comes back here as a change of page
        else:
            self.part.replace(**self._arguments())

    def _order_by(self, name: str) -> None:
        if name in self._sortable:
            self.param.update(sort=name, descending=not self.descending if self.sort == name else False)

    def _draw(self, page: Any) -> Any:
        rows = [{"id": str(row.get(self._key)), "cells": [column.cell(row) for column in self._columns]} for row in page.rows]
        self.total = page.total
        self.grid.param.update(rows=rows, sort=self.sort, descending=self.descending)
        pages = fmt.page_count(page.total, self.page_size) if self._paged else 1
        self.pager.param.update(count=pages, visible=pages > 1)
        self.pager.value = fmt.pager_value(self.page, pages)
        show(self._count, Markup('<span class="faint small">{}</span>').format(fmt.plural(page.total, "row")))
        narrowed = any(value not in (None, "", []) for value in self.filters.values())
        if page.total or self._empty is None or narrowed:
            return self._table
        if self._nothing is None:
            self._nothing = self._empty()
        return self._nothing

    def __panel__(self) -> pn.viewable.Viewable:
        return self.part.box


def argument_names(call: Callable[..., Any]) -> frozenset[str]:
    """Return the names of the operation's arguments."""
    return frozenset(argument.name for argument in call.operation.arguments)  # type: ignore[attr-defined]


def sortable_fields(call: Callable[..., Any]) -> frozenset[str]:
    """Return the fields that the operation's own `sort` argument accepts."""
    operation = getattr(call, "operation", None)
    for argument in getattr(operation, "arguments", ()):
        if argument.name == "sort":
            return frozenset(fmt.choices_of(argument.annotation))
    return frozenset()
