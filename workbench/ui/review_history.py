"""The steps of a review: who did what to how many pairs, each with the way back."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.review_log import Batch
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.columns import Column, columns
from workbench.ui.components.figures import word_diff
from workbench.ui.components.markup import html, show
from workbench.ui.components.pair_markup import CSS, over
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.view import View

PAGE = 10
SHOWN = 20


class ReviewHistory(View):
    """List the steps of a training sheet's review; an open one shows its decisions and can be taken back."""

    training_sheet_id = param.String("", doc="Training sheet whose steps are listed.")
    batch = param.String("", doc="Step that is open; empty for none.")

    def build(self) -> list[Any]:
        """Return the steps and the place for the open one."""
        shown = columns(
            Batch,
            "logged_at",
            "actor",
            Column("label", "What", _what, whole=True),
            "row_count",
            Column("standing", "Still stand", fmt.integer, align="right", doc=Batch.param.standing.doc),
            titles={"logged_at": "When", "actor": "Who", "row_count": "Pairs"},
        )
        self.table = DataTable(
            self,
            self.ws.review.batches,
            shown,
            page_size=PAGE,
            of={"training_sheet_id": self.training_sheet_id},
            on_open=lambda chosen: self.param.update(batch=chosen),
            empty=lambda: empty_state("Nobody has decided on anything yet."),
        )
        self.head = html("", css=CSS)
        self.log = html("", css=CSS)
        self.actions = ActionBar(toasts=self.toasts, size="small")
        self.detail = pmui.Column(
            self.head, self.actions, self.log, margin=0, sizing_mode="stretch_width", sx={"gap": 1}, visible=False
        )
        self.entries = self.watch(
            self.ws.review.history, self._entered, training_sheet_id=self.training_sheet_id, page_size=SHOWN
        )
        # The list and the decisions answer in either order; the buttons follow the list.
        self.table.part.query.param.watch(lambda *_: self.run(self._stand), "revision")
        self.param.watch(self._open, "batch")
        return [self.table, self.detail, self.entries.box]

    def _open(self, event: Any) -> None:
        self.table.open_id = self.batch
        self.entries.ask(batch_id=self.batch or None)

    def _entered(self, page: Any) -> None:
        if not self.batch:
            self.detail.visible = False
            return
        self._stand()
        show(self.log, log_markup(page))
        self.detail.visible = True

    def _stand(self) -> None:
        step = next((one for one in self.table.part.query.value or () if one.id == self.batch), None)
        if step is not None:
            show(self.head, over(fmt.words(step.label), Markup("{} {}").format(step.actor, fmt.moment(step.logged_at))))
            self.actions.update(step.actions, self._take)

    def _take(self, name: str) -> Any:
        step = {"undo": self.ws.review.undo, "redo": self.ws.review.redo}[name]
        return step(self.training_sheet_id, batch_id=self.batch)


def _what(row: Any) -> Markup:
    words = Markup("{}").format(fmt.words(row["label"]))
    return Markup("<s>{}</s> {}").format(words, fmt.chip("archived", "taken back")) if row["undone"] else words


def log_markup(page: Any) -> Markup:
    """Return the first decisions of a step, with the words that changed."""
    rows = Markup("").join(
        Markup('<li><span class="mono faint">{}</span> {}<div class="diff">{}</div></li>').format(
            fmt.integer(entry.row_index), entry.label, word_diff(entry.prompt_diff) or word_diff(entry.response_diff)
        )
        for entry in page
    )
    rest = Markup('<div class="faint small">{}</div>').format(fmt.plural(page.total, "pair"))
    return Markup('<ul class="log">{}</ul>{}').format(rows, rest)
