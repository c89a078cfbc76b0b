"""One judgment of one answer, and the way back into review."""

from __future__ import annotations

from typing import Any

import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.cards import stack
from workbench.ui.components.fields import fields_of_operation
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html, show
from workbench.ui.components.record_choice import Sought
from workbench.ui.view import View


class FeedbackView(View):
    """Show one judgment with its actions."""

    feedback_id = param.String("", doc="Id of the judgment.")

    def build(self) -> list[Any]:
        """Return the judgment, its actions and the dialog that asks for the training sheet."""
        self._words = html("")
        self._dialog = FormDialog()
        self._sheets = Sought(self.ws.training_sheets)
        self._actions = ActionBar(toasts=self.toasts, size="small", handlers={"to_pair": self._ask_sheet})
        self._body = stack(self._words, self._actions, gap=1)
        self.watch(self.ws.training_sheets.list, self._take_sheets, page_size=50)
        return [self.live(self.ws.feedback.get, self._draw, feedback_id=self.feedback_id, height=60), self._dialog]

    def _take_sheets(self, page: Any) -> None:
        self._sheets.take(page)

    def _draw(self, found: Any) -> Any:
        show(self._words, _words(found))
        self._actions.update(found.actions, run_on(self.ws, found))
        return self._body

    def _ask_sheet(self) -> None:
        self.form = ParameterForm(
            fields_of_operation(self.ws.feedback.to_pair),
            lambda values: self.ws.feedback.to_pair(self.feedback_id, **values),
            label="Send back to review",
            done=self._sent,
            choices={"training_sheet_id": self._sheets},
        )
        self._dialog.open("Send back to review", self.form)

    def _sent(self, answer: Any) -> None:
        self._dialog.close()
        self.toasts.say(answer.message)


def _words(found: Any) -> Markup:
    head = Markup('<div>{} <span class="faint">{} {}</span>{}</div>').format(
        fmt.chip(found.sentiment), found.author, fmt.moment(found.created_at), fmt.flag(False, "flagged") if found.flagged else ""
    )
    answered = Markup("<div>Answered <b>{}</b>").format(fmt.text(found.prediction, reason="There was no answer."))
    right = Markup(", right is <b>{}</b>").format(found.corrected) if found.corrected else ""
    comment = Markup('<div class="text">{}</div>').format(found.comment) if found.comment else ""
    href = f"./label?pair={found.pair_id}"
    pair = (
        Markup("<div>Waits for review as pair {}</div>").format(fmt.short_id(found.pair_id, href=href)) if found.pair_id else ""
    )
    asked = Markup('<details><summary class="faint">Asked</summary><pre>{}</pre></details>').format(found.prompt or "")
    return Markup("{}{}{}</div>{}{}{}").format(head, answered, right, comment, pair, asked)
