"""Any record or page of records, for those that have no view of their own."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.client.workspace import record_namespaces
from workbench.contract import Page
from workbench.domain.record import Items, Json, Nested, Record
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.columns import columns
from workbench.ui.components.grid import Grid
from workbench.ui.components.markup import html, show
from workbench.ui.theme import CARD_SX
from workbench.ui.view import View

_HIDDEN = frozenset({"actions", "version", "idempotency_key", "journal_offset", "journal_seq", "event_seq", "logprobs"})
_WIDE = (Json, Nested, Items)
MOST_COLUMNS = 8


class RecordView(View):
    """Show the values of one record; one that can be fetched is followed."""

    record = param.Parameter(doc="The record shown.")

    def build(self) -> list[Any]:
        """Return the values as label and value."""
        self._head, self._values = html(""), html("")
        self._bar = ActionBar(toasts=self.toasts, size="small")
        area = {**CARD_SX, "bgcolor": "background.paper", "gap": 1}
        self._area = pmui.Column(self._head, self._values, self._bar, margin=0, sizing_mode="stretch_width", sx=area)
        call = _get_of(self.ws, self.record)
        if call is None:
            return [self._card(self.record)]
        first = call.operation.arguments[0].name
        return [self.live(call, self._card, height=160, **{first: self.record.id})]

    def _card(self, record: Record) -> Any:
        names = [name for name in record.own_fields() if name not in _HIDDEN]
        show(self._head, Markup('<div class="title">{}</div>').format(fmt.words(record.kind)))
        show(self._values, fmt.facts((title, value) for title, value in _shown(record, names)))
        actions = getattr(record, "actions", ()) or () if self.ws else ()
        self._bar.update(actions, run_on(self.ws, record))
        self._bar.layout.visible = bool(actions)
        return self._area


class PageView(View):
    """Show a page of records as a table, as it was when it was asked for."""

    page = param.ClassSelector(class_=Page, doc="The page shown.")

    def build(self) -> list[Any]:
        """Return the table with the true total."""
        record_type = self.page.record_type
        names = [name for name in record_type.own_fields() if _plain(record_type, name)]
        found = columns(record_type, *names[:MOST_COLUMNS])
        rows = [{"id": str(n), "cells": [column.cell(row) for column in found]} for n, row in enumerate(self.page.rows)]
        grid = Grid(on_sort=lambda name: None, columns=[column.head(frozenset()) for column in found], rows=rows)
        note = Markup('<span class="faint small">{} of {}</span>')
        return [grid, html(note.format(fmt.integer(len(self.page)), fmt.plural(self.page.total, record_type.kind)))]


def _plain(record_type: type[Record], name: str) -> bool:
    return name not in _HIDDEN and not isinstance(record_type.param[name], _WIDE)


def _shown(record: Record, names: list[str]) -> list[tuple[str, Any]]:
    plain = [name for name in names if _plain(type(record), name)]
    row = {name: getattr(record, name) for name in plain}
    made = [(column.title, Markup(column.cell(row))) for column in columns(type(record), *plain)]
    wide = [(fmt.words(name), fmt.value(getattr(record, name))) for name in names if name not in plain]
    return [*made, *wide]


def _get_of(ws: Any, record: Record) -> Any | None:
    """Return the operation that answers the record as it is now, or None."""
    namespace = record_namespaces().get(type(record))
    return getattr(getattr(ws, namespace), "get", None) if ws is not None and namespace else None
