"""Pairs whose right answer is known: how people do on them, and the way to keep or forget one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from markupsafe import Markup

from workbench.domain.agreement import KnownAnswer
from workbench.domain.label import VOTES
from workbench.ui import format as fmt
from workbench.ui.components import pair_markup as parts
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.cards import card
from workbench.ui.components.columns import Column, columns
from workbench.ui.components.fields import Field
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.label_grid import EXCERPT, excerpt
from workbench.ui.url import page_href
from workbench.ui.view import View

PAGE = 10
ANSWER = ("row_index", "action", "response")
TITLES = {"marked_by": "By", "marked_at": "Since"}
HOW = "Keep one with the card of a pair whose answer you are sure of: reviewers meet it like any other."
FIELDS = (
    Field("action", "choice", title="It should become", choices=tuple(VOTES), required=True),
    Field("response", "long", title="Response", doc="What an approval should be of. Empty: of any."),
)
CSS = f"{parts.CSS}.said {{ white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }}"


class KnownAnswers:
    """List the known answers of a training sheet inside a view of it; `card` is for those alone who may see them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._words, self._dialog = html(""), FormDialog()
        self.table = DataTable(
            view, view.ws.review.gold, _columns(self._link), key="row_index", page_size=PAGE, on_open=self._open, empty=self._nothing,
        )  # fmt: skip
        self.card = card("Known answers", self._words, self.table, self._dialog, name="gold")
        self.card.visible = False
        self._following = False

    def follow(self, training_sheet_id: str, summary: str | None) -> None:
        """Show the known answers of a training sheet; where there is no word on them, they are not for the caller to see."""
        self.card.visible = summary is not None
        if summary is None:
            return
        show(self._words, Markup('<span class="faint">{}</span>').format(summary))
        self.table.of = {"training_sheet_id": training_sheet_id}
        if not self._following:
            self._following = True
            self.table.part.start()

    @property
    def _sheet(self) -> str:
        return self.table.of["training_sheet_id"]

    def _link(self, row_index: int) -> Markup:
        pair = f"{self._sheet}.{row_index}"
        return fmt.link(str(fmt.integer(row_index)), page_href("label", {"pair": pair}))

    def _nothing(self) -> Any:
        return empty_state(HOW, action="Look at the pairs", href=page_href("label", {"sheet": self._sheet, "status": ""}))

    def _open(self, row_index: str) -> None:
        """Show a pair and its known answer in full."""
        known = next((one for one in self.table.part.query.value or () if str(one.row_index) == row_index), None)
        if known is None:
            return
        prompt = Markup('{}<div class="prompt">{}</div>').format(parts.over("Prompt"), fmt.clipped(known.prompt, parts.SHOWN_CHARS))
        said = Markup('{}<div>{}</div><div class="said">{}</div>').format(
            parts.over("Known answer"), _wanted(known.action, known.label), fmt.text(known.response, reason="Any response will do.")
        )
        since = Markup("{} by {}").format(fmt.moment(known.marked_at), known.marked_by)
        facts = fmt.facts([("Right", _right(known.values())), ("Known since", since)])
        bar = ActionBar(known.actions, partial(self._forget, known), toasts=self._view.toasts, undo=partial(self._keep_again, known))
        link = Markup('Pair {} <span class="faint">· {}</span>').format(self._link(known.row_index), known.about)
        self._dialog.open("Known answer", html(link), html(prompt, css=CSS), html(said, css=CSS), html(facts), bar)

    def _forget(self, known: Any, name: str) -> Any:
        outcome = self._view.ws.review.unmark_gold(self._sheet, [known.row_index])
        self._dialog.close()
        return outcome

    def _keep_again(self, known: Any, name: str, result: Any) -> Callable[[], Any]:
        return lambda: self._view.ws.review.mark_gold(self._sheet, [answer_of(known)])


def answer_of(known: Any) -> dict[str, Any]:
    """Return a known answer as it is kept."""
    return {name: getattr(known, name) for name in ANSWER}


def answer_form(known: Any, keep: Callable[[dict[str, Any]], Any], done: Callable[[Any], None]) -> ParameterForm:
    """Return the form that asks for the right answer to a pair, beginning with what is `known` of it."""
    given = answer_of(known)
    label = "Keep as known answer"
    return ParameterForm(FIELDS, lambda values: keep({"row_index": known.row_index, **values}), label=label, done=done, values=given)


def _columns(link: Callable[[int], Markup]) -> tuple[Column, ...]:
    return columns(
        KnownAnswer,
        Column("row_index", "Pair", link, align="right", doc=KnownAnswer.param.row_index.doc),
        Column("prompt", "Prompt", _beginning, whole=True, doc=KnownAnswer.param.prompt.doc),
        Column("action", "Known answer", _answer, whole=True, doc=KnownAnswer.param.action.doc),
        Column("correct", "Right", _right, align="right", whole=True, doc=KnownAnswer.param.correct.doc),
        "marked_by",
        "marked_at",
        titles=TITLES,
    )


def _beginning(row: Any) -> Markup:
    return excerpt(fmt.after(row["prompt"], row["opening"]))


def _wanted(action: str, label: str) -> Markup:
    return fmt.chip(fmt.voted(action), label)


def _answer(row: Any) -> Markup:
    """Return what a pair should become, and of which response."""
    said = Markup('<span class="cut" style="max-width:max(12vw, 112px);display:inline-block;vertical-align:middle">{}</span>')
    response = said.format(fmt.clipped(row["response"], EXCERPT)) if row["response"] else ""
    return Markup("{} {}").format(_wanted(row["action"], row["label"]), response)


def _right(row: Any) -> Markup:
    if not row["votes"]:
        return fmt.unknown("Nobody has decided on it yet.")
    return Markup('<span title="{}">{}</span>').format(fmt.percentage(row["percent_correct"]), fmt.of(row["correct"], row["votes"]))
