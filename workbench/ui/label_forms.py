"""Forms over the review: what the pair on the desk may be used for, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from markupsafe import Markup

from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html
from workbench.ui.components.toasts import Toasts
from workbench.ui.gold import answer_form, answer_of
from workbench.ui.label_desk import Desk
from workbench.ui.label_rights import RightsForm

UNMARKED = "Reviewers meet the pair like any other. How they do on it stands under Agreement, for stewards only."
Task = Callable[[], Any]


class PairForms:
    """Ask for more about the pair on the desk.

    `put` runs a task on the desk's lane, `later` one in the session; `saved` hears what a form has changed of the pair.
    """

    def __init__(
        self,
        desk: Desk,
        dialog: FormDialog,
        toasts: Toasts,
        *,
        put: Callable[[Task], None],
        later: Callable[[Task], None],
        saved: Callable[[Any], None],
    ) -> None:
        self._desk, self._dialog, self._toasts = desk, dialog, toasts
        self._put, self._later, self._saved = put, later, saved
        self.form: ParameterForm | None = None

    def rights(self) -> None:
        """Ask what the pair may be used for."""
        if self._desk.card is None:
            return
        pair = self._desk.card.pair

        def save(values: dict[str, Any]) -> None:
            self._dialog.close()
            if values:
                self._put(lambda: self._saved(self._desk.save(**values)))

        given = {"allowed_uses": pair.allowed_uses, "prohibited_uses": pair.prohibited_uses}
        notes = {action.name: action.reason for action in pair.actions}
        self._dialog.open("Usage rights", RightsForm(save, given, note=notes.get("rights")))

    def keep_known(self) -> None:
        """Ask for the right answer to the pair."""
        known = self._desk.card.known_answer if self._desk.card is not None else None
        if known is not None:
            note = html(Markup('<div class="faint small text">{}</div>').format(UNMARKED))
            self.form = answer_form(known, self._desk.keep_known, self._kept)
            self._dialog.open("Known answer", note, self.form)

    def forget_known(self) -> None:
        """Forget the right answer to the pair, on the lane."""
        known = self._desk.card.known_answer if self._desk.card is not None else None
        if known is not None:
            outcome = self._desk.forget_known(known.row_index)
            self._later(partial(self._toasts.say, outcome.summary, undo=partial(self._keep_again, known)))
            self._desk.reload()

    def _keep_again(self, known: Any) -> None:
        self._kept(self._desk.keep_known(answer_of(known)))

    def _kept(self, outcome: Any) -> None:
        self._dialog.close()
        self._toasts.say(outcome.summary)
        self._put(self._desk.reload)
