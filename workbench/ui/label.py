"""Label: choose a training sheet and review its pairs."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param

from workbench.ui.components.record_choice import RecordChoice, Sought
from workbench.ui.components.states import empty_state
from workbench.ui.label_filters import NAMES
from workbench.ui.label_review import ReviewView
from workbench.ui.review_import import REVIEWS, way_in
from workbench.ui.url import page_href


class LabelView(ReviewView):
    """Review the pairs of a training sheet; which one and where is part of the address."""

    url = ("sheet", *NAMES, "shared", "mode", "row", "pair")
    titled = True

    pair = param.String("", doc="One pair by its id, to be looked at whatever its state.")

    def __init__(self, ws: Any, **arguments: Any) -> None:
        super().__init__(ws, **arguments)
        self.param.watch(self._named, "pair")

    def _named(self, event: Any) -> None:
        """Go to a pair that was named by its id; from there on its place in the queue is the address."""
        sheet, _, row = event.new.rpartition(".")
        if sheet and row.isdecimal():
            self.param.update(sheet=sheet, row=int(row), status="", mode="card", pair="")

    def build(self) -> list[Any]:
        """Return the review, and what to do without any training sheet."""
        built = super().build()
        self._sheets = Sought(self.ws.training_sheets, status="ready")
        self.select = RecordChoice(
            self._sheets, label="Training sheet", size="small", margin=0, sizing_mode="stretch_width", min_width=200, max_width=320
        )
        self.select.param.watch(self._selected, "value")
        self.watch(self.ws.training_sheets.list, self._listed, status="ready", page_size=50)
        words = "No training sheet is ready yet. Make one from a sheet and a template, or bring in what was reviewed elsewhere."
        self.nothing = pmui.Column(
            empty_state(
                words, action="Go to Generate", href="./generate", beside=[way_in(self.ws, href=page_href("data", {"dialog": REVIEWS}))]
            ),
            margin=0,
            sizing_mode="stretch_width",
            visible=False,
        )
        return [self.nothing, *built]

    def primary(self) -> Any:
        """Return the choice of the training sheet."""
        return self.select

    def _listed(self, page: Any) -> None:
        found = self._sheets.take(page)
        self.nothing.visible = not found
        self.catcher.visible = bool(found)
        if found:
            chosen = self.sheet if found.know(self.sheet) else next(iter(found.values()))
            self.select.offer()
            self.select.value = chosen

    def _selected(self, event: Any) -> None:
        if event.new and event.new != self.sheet:
            self.param.update(sheet=event.new, **({"row": None} if self.sheet else {}))
