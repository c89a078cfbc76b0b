"""Many pairs at a time: choose rows or all that match, see what would happen, commit, undo."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.domain.label import Pair
from workbench.ui import format as fmt
from workbench.ui.components.columns import Column, column, columns
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.grid import Grid
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import ErrorState
from workbench.ui.label_claims import asked
from workbench.ui.label_filters import QueueFilters, choices_of
from workbench.ui.label_rights import RightsForm
from workbench.ui.theme import CARD_SX, MIDDLE
from workbench.ui.view import View

PAGE_SIZE = 25
BULK = ("bulk_approve", "bulk_reject", "bulk_flag", "bulk_reset", "bulk_rights")
REASONED = ("bulk_reject", "bulk_flag")
SHOWN = ("row_index", "prompt", "response", "response_source", "status", "confidence", "labeled_by", "updated_at")
# A cell is one line: what nobody can see there need not travel.
EXCERPT = 300
IN_SAMPLE = ("row_index", "prompt", "response", "status")
# Column -> the order of the queue that sorts by it.
ORDERS = {"response": "length", "updated_at": "updated"}
TITLES = {"row_index": "#", "response_source": "Source", "labeled_by": "By", "updated_at": "Changed"}


class PairGrid(pn.viewable.Viewer):
    """Page through a queue and act on chosen pairs; `queue()` returns the filters that hold now."""

    def __init__(
        self,
        view: View,
        queue: Callable[[], dict[str, Any]],
        on_open: Callable[[str], None],
        dialog: FormDialog,
        filters: QueueFilters,
    ) -> None:
        super().__init__()
        self._refuse, self._accept = filters.refuse, filters.accept
        self._view, self._review, self._dialog = view, view.ws.review, dialog
        self._id, self._queue = "", queue
        self._columns = pair_columns(*SHOWN)
        self._before: list[str] = []
        self._cursor: str | None = None
        self._next: str | None = None
        self._whole = False
        sortable = {one.name for one in self._columns if order_of(one.name) in choices_of(self._review.queue, "order")}
        self.grid = Grid(
            on_sort=self._order_by, on_open=on_open, selectable=True, columns=heads(self._columns, frozenset(sortable))
        )
        self.grid.param.watch(self._picked, "selected")
        self._words = html("", styles={"flex": "1 1 220px", "align-self": "center"})
        self._all = pmui.Button(
            label="", variant="text", size="small", margin=0, on_click=self._choose_all, css_classes=["select-all"]
        )
        self._trouble = pmui.Column(margin=0, sizing_mode="stretch_width")
        self._back = pmui.IconButton(
            icon="chevron_left", margin=0, on_click=self._page_back, disabled=True, description="Page before"
        )
        self._ahead = pmui.IconButton(
            icon="chevron_right", margin=0, on_click=self._page_on, disabled=True, description="Next page"
        )
        self._layout = pmui.Column(
            self._bar(), self._trouble, self.grid, self._foot(), margin=0, sizing_mode="stretch_width", sx={"gap": 1}
        )

    def _bar(self) -> Any:
        self._buttons = [self._button(name) for name in BULK if hasattr(self._review, name)]
        return pmui.Row(
            self._words, self._all, *self._buttons, margin=0, sizing_mode="stretch_width",
            sx={**CARD_SX, "bgcolor": "background.paper", "p": 1, "gap": 1, "flexWrap": "wrap", **MIDDLE},
        )  # fmt: skip

    def _foot(self) -> Any:
        self._count = html("")
        return pmui.Row(self._count, self._back, self._ahead, margin=0, sizing_mode="stretch_width", sx=MIDDLE)

    def _button(self, name: str) -> Any:
        button = pmui.Button(
            label=getattr(self._review, name).operation.label,
            variant="outlined",
            size="small",
            margin=0,
            disabled=True,
            css_classes=[name],
        )
        ask = self._ask_rights if name == "bulk_rights" else lambda: self._preview(name)
        button.on_click(lambda event: ask())
        return button

    def _order_by(self, name: str) -> None:
        order = order_of(name)
        self._view.param.update(order=order, descending=not self._view.descending if self._view.order == order else False)

    def choose(self, training_sheet_id: str) -> None:
        """Begin the queue of a training sheet, with nothing chosen."""
        self._id = training_sheet_id
        self._before, self._cursor, self._whole = [], None, False
        self._columns = pair_columns(*SHOWN, opening=self._opening())
        self.grid.selected = []
        self.refresh()

    def _opening(self) -> str:
        template = self._view.ws.training_sheets.get(self._id).template
        return template.opening if template is not None else ""

    def refresh(self) -> None:
        """Show the page as it is now."""
        cursor = {"cursor": self._cursor} if self._cursor else {}
        try:
            page = self._review.queue(self._id, limit=PAGE_SIZE, **self._queue(), **cursor)
        except Exception as error:  # a filter the service refuses belongs at its field, the rest above the table
            self._trouble.objects = [] if self._refuse(error) else [ErrorState(error, retry=self.refresh)]
            return
        self._accept()
        self._trouble.objects = []
        sort = next((one.name for one in self._columns if order_of(one.name) == self._view.order), "")
        self.grid.param.update(rows=rows(page.rows, self._columns), sort=sort, descending=self._view.descending)
        self._next = page.next_cursor
        self._total = page.total
        self._back.disabled, self._ahead.disabled = not self._before, not self._next
        show(self._count, count_markup(page.total))
        self._tell()

    def _page_on(self, event: Any = None) -> None:
        self._before.append(self._cursor or "")
        self._cursor = self._next
        self.refresh()

    def _page_back(self, event: Any = None) -> None:
        self._cursor = self._before.pop() or None
        self.refresh()

    def _picked(self, event: Any) -> None:
        self._whole = False
        self._tell()

    def _choose_all(self, event: Any = None) -> None:
        self._whole = True
        self._tell()

    def _tell(self) -> None:
        # Clicks come on threads of their own: what is said last has to be of what is chosen by then.
        with self._view.guard:
            self._say()

    def _say(self) -> None:
        chosen = self._total if self._whole else len(self.grid.selected)
        some = bool(chosen)
        words = (
            Markup("{} chosen").format(fmt.plural(chosen, "pair"))
            if some
            else Markup('<span class="faint">Choose pairs to act on many at once.</span>')
        )
        show(self._words, words)
        self._all.label = f"Select all {fmt.integer(self._total)} matching"
        self._all.visible = not self._whole and bool(self._total)
        for button in self._buttons:
            button.disabled = not some

    def _meant(self) -> dict[str, Any]:
        if self._whole:
            return {"filter": asked(self._queue())["filter"]}
        return {"row_indices": [int(one) for one in self.grid.selected]}

    def _ask_rights(self) -> None:
        form = RightsForm(lambda values: self._preview("bulk_rights", **values), label="See what would change")
        self._dialog.open(self._review.bulk_rights.operation.label, form)

    def _preview(self, name: str, **given: Any) -> None:
        call = getattr(self._review, name)
        try:
            outcome = call(self._id, preview=True, **self._meant(), **given)
        except Exception as error:  # why it cannot be done belongs above the table
            self._dialog.close()
            self._trouble.objects = [ErrorState(error)]
            return
        shown = pair_columns(*IN_SAMPLE, opening=self._opening())
        sample = Grid(
            on_sort=lambda field: None, columns=heads(shown), rows=rows([pair.values() for pair in outcome.sample], shown)
        )
        commit = pmui.Button(
            label=call.operation.label, variant="contained", margin=0, css_classes=["commit"], disabled=not outcome.done
        )
        reason = pmui.TextInput(
            label="Reason (need not be given)", size="small", margin=0, sizing_mode="stretch_width", css_classes=["bulk-reason"],
            visible=name in REASONED,
        )  # fmt: skip
        commit.on_click(lambda event: self._commit(name, outcome.preview_id, reason.value_input.strip()))
        note = html(Markup('<div class="faint small">A random sample of what would change</div>'))
        self._dialog.open(call.operation.label, html(outcome_markup(outcome)), note, sample, reason, commit)

    def _commit(self, name: str, preview_id: str, reason: str) -> None:
        given = {"flag_reason": reason} if reason else {}
        try:
            outcome = getattr(self._review, name)(self._id, preview_id=preview_id, **given)
        except Exception as error:  # the dialog stays, so that nothing chosen is lost
            self._dialog.open("Not done", ErrorState(error))
            return
        self._dialog.close()
        undo = partial(self._undo, outcome.batch_id) if outcome.batch_id else None
        self._view.toasts.say(outcome.summary, undo=undo, seconds=12)
        self.choose(self._id)

    def _undo(self, batch_id: str) -> None:
        outcome = self._review.undo(self._id, batch_id=batch_id)
        self._view.toasts.say(outcome.summary)
        self.refresh()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def pair_columns(*names: str, opening: str = "") -> tuple[Column, ...]:
    """Return columns of pairs, long texts cut to what a line can show, prompts without the opening they share."""
    cut = {"response": column(Pair, "response", show=excerpt)}
    cut["prompt"] = column(Pair, "prompt", show=lambda text: excerpt(fmt.after(text or "", opening)))
    cut["response_source"] = Column(
        "response_source", TITLES["response_source"], _source, whole=True, doc=Pair.param.response_source.doc
    )
    return columns(Pair, *(cut.get(name, name) for name in names), titles=TITLES)


def _source(row: dict[str, Any]) -> Markup:
    made_up = fmt.simulated() if row.get("simulated") else ""
    return Markup("{} {}").format(fmt.choice(row["response_source"]), made_up)


def excerpt(text: str | None) -> Markup:
    """Return the beginning of a text in a cell that leaves room for the others."""
    return Markup('<div class="cut" style="max-width:19vw;min-width:120px">{}</div>').format(fmt.clipped(text or "", EXCERPT))


def order_of(column: str) -> str:
    """Return the order of the queue that sorts by a column."""
    return ORDERS.get(column, column)


def heads(shown: tuple[Column, ...], sortable: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Return the heads of columns, of which some can be sorted by."""
    return [column.head(sortable) for column in shown]


def rows(found: list[dict[str, Any]], shown: tuple[Column, ...]) -> list[dict[str, Any]]:
    """Return pairs as rows of a grid, by their place in the training sheet."""
    return [{"id": str(row["row_index"]), "cells": [column.cell(row) for column in shown]} for row in found]


def count_markup(total: int) -> Markup:
    """Return how many pairs the queue has, and where to look when it has none."""
    if not total:
        return Markup('<span class="faint">No pair is in this queue. Choose another one above, or take back a filter.</span>')
    return Markup('<span class="faint small">{}</span>').format(Markup("{} match").format(fmt.plural(total, "pair")))


def outcome_markup(outcome: Any) -> Markup:
    """Return what a bulk action would do."""
    skipped = fmt.facts((fmt.words(reason), fmt.integer(count)) for reason, count in (outcome.skipped or {}).items())
    left = Markup('<div class="faint small" style="margin-top:8px">Left as they are</div>{}').format(skipped)
    return Markup('<div class="title">{}</div>{}').format(outcome.summary, left if outcome.skipped else "")
