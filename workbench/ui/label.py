"""Label: choose a training sheet and review its pairs."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param

from workbench.ui.components.states import empty_state
from workbench.ui.components.tie import tie
from workbench.ui.label_review import MODES, ReviewView
from workbench.ui.view import View

SHARED = ("status", "response_source", "search", "order", "mode", "row")


class LabelView(View):
    """Review the pairs of a training sheet; which one and where is part of the address."""

    url = ("sheet", *SHARED)

    sheet = param.String("", doc="Training sheet under review; empty: the newest.")
    status = param.String("unlabeled", doc="Queue by state of the review; empty: all pairs.")
    response_source = param.String("", doc="Where the responses came from; empty: anywhere.")
    search = param.String("", doc="Words the prompt or the response has to contain.")
    order = param.String("row_index", doc="What the queue is sorted by.")
    mode = param.Selector(default="card", objects=list(MODES.values()), doc="One pair at a time, or many.")
    row = param.Integer(None, allow_None=True, bounds=(0, None), doc="Pair on the desk.")

    def build(self) -> list[Any]:
        """Return the choice of training sheet and its review."""
        self.select = pmui.Select(options={}, label="Training sheet", size="small", margin=0, width=320)
        self.select.param.watch(self._selected, "value")
        self.place = pmui.Column(margin=0, sizing_mode="stretch_width")
        self.review: ReviewView | None = None
        self.watch(self.ws.training_sheets.list, self._listed, status="ready", page_size=200)
        self.param.watch(self._turn, "sheet")
        return [self.place]

    def primary(self) -> Any:
        """Return the choice of the training sheet."""
        return self.select

    def close(self) -> None:
        """Release the review as well."""
        super().close()
        if self.review is not None:
            self.review.close()

    def _listed(self, page: Any) -> None:
        found = {made.name: made.id for made in page}
        self.select.visible = bool(found)
        if not found:
            self.place.objects = [
                empty_state("No training sheet is ready yet. Make one from a sheet and a template.", action="Go to Generate", href="./generate")
            ]
            return
        if found != self.select.options:
            first = next(iter(found.values()))
            self.select.param.update(options=found, value=self.sheet if self.sheet in found.values() else first)
        self._turn()

    def _selected(self, event: Any) -> None:
        if event.new and event.old and event.new != self.sheet:
            self.param.update(sheet=event.new, row=None)

    def _turn(self, *events: Any) -> None:
        chosen = self.sheet or self.select.value
        if not chosen or (self.review is not None and self.review.training_sheet_id == chosen):
            return
        if self.review is not None:
            self.review.close()
        self.review = ReviewView(self.ws, training_sheet_id=chosen)
        tie(self.review, self, *SHARED)
        self.review.param.watch(lambda event: self.param.update(sentence=event.new), "sentence")
        self.place.objects = [self.review]
