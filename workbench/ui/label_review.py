"""The review of one training sheet: progress, queue, and one pair or many at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.label import PAIR_STATUSES
from workbench.ui import format as fmt
from workbench.ui.agreement import AgreementView
from workbench.ui.components import pair_markup as parts
from workbench.ui.components.chips import FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.fields import fields_of_operation
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.keys import KeyCatcher
from workbench.ui.components.lane import Lane
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import ErrorState, empty_state, skeleton
from workbench.ui.components.tie import tie
from workbench.ui.label_card import PairCard
from workbench.ui.label_desk import Desk
from workbench.ui.label_grid import PairGrid
from workbench.ui.view import View

MODES = {"Card": "card", "Grid": "grid", "Agreement": "agreement"}
QUEUES = (*PAIR_STATUSES, "stale", "disputed")
COMMANDS = {
    "a": "approve",
    "r": "reject",
    "f": "flag",
    "e": "edit",
    "u": "undo",
    "j": "next",
    "k": "previous",
    "/": "search",
    "?": "help",
}
REASONED = ("reject", "flag")
HELP = (
    ("A", "Approve, with what was typed"),
    ("R", "Reject"),
    ("F", "Flag"),
    ("E", "Edit the response"),
    ("Ctrl+Enter", "Save the response and approve"),
    ("Esc", "Leave the response; what was typed is kept"),
    ("U", "Undo my last decision"),
    ("J", "Next pair"),
    ("K", "Previous pair"),
    ("/", "Search"),
    ("?", "These keys"),
)


class ReviewView(View):
    """Review the pairs of one training sheet, by keyboard or in bulk."""

    sheet = param.String("", doc="Training sheet under review.")
    status = param.String("unlabeled", doc="Queue by state of the review; empty: all pairs.")
    response_source = param.String("", doc="Where the responses came from; empty: anywhere.")
    search = param.String("", doc="Words the prompt or the response has to contain.")
    order = param.String("row_index", doc="What the queue is sorted by.")
    mode = param.Selector(default="card", objects=list(MODES.values()), doc="One pair at a time, many, or how far reviewers agree.")
    row = param.Integer(None, allow_None=True, bounds=(0, None), doc="Pair on the desk.")

    def build(self) -> list[Any]:
        """Return progress line, filters and the desk."""
        self.lane = Lane(self._failed)
        self.desk = Desk(self.ws, show=self._shown, ended=self._ended)
        self.line = html("", css=LINE)
        self.bar = pmui.LinearProgress(
            value=0, variant="determinate", margin=0, sizing_mode="stretch_width", sx={"height": 6, "borderRadius": 3}
        )
        self.trouble = pmui.Column(margin=0, sizing_mode="stretch_width")
        self.dialog = FormDialog()
        self.card = PairCard(act=self.act, typed=self._typed, submit=self._submitted)
        self.grid = PairGrid(self, self._queue, self._open, self.dialog)
        self.agreement = AgreementView(self.ws, frame=self)
        words = "Nothing is left in this queue."
        nothing = empty_state(words, action="Look at all pairs", on_click=lambda event: self.param.update(status="", search=""))
        # All of it is there from the start: what is added later reaches a browser piece by piece.
        faces = {"wait": skeleton(320), "card": self.card, "grid": self.grid, "agreement": self.agreement, "end": nothing}
        self.faces = {
            name: pmui.Column(face, margin=0, sizing_mode="stretch_width", visible=False) for name, face in faces.items()
        }
        self._put("wait")
        self.drawn = False
        self.following = False
        self.late = [self.watch(self.ws.review.progress, self._progressed), self.watch(self.ws.review.facets, self._faceted)]
        self.param.watch(self._choose, ["status", "response_source", "search", "order", "mode"])
        self.param.watch(self._jump, "row")
        self.param.watch(self._turn, "sheet")
        head = pmui.Column(self.line, self.bar, margin=0, sizing_mode="stretch_width", sx={"gap": 1})
        body = pmui.Column(
            head,
            self._filters(),
            self.trouble,
            *self.faces.values(),
            self.dialog,
            margin=0,
            sizing_mode="stretch_width",
            sx={"gap": 2},
        )
        self.catcher = KeyCatcher(body, lambda key, number: self.act(COMMANDS[key]), keys=list(COMMANDS))
        return [self.catcher]

    def _filters(self) -> Any:
        self.chips = bind_chips(FilterChips(groups=[chip_group("status", "Queue", QUEUES)]), self, ["status", "response_source"])
        self.searching = search_field(self, label="Search prompts and answers")
        orders = {str(fmt.choice(word)): word for word in _orders(self.ws.review.queue)}
        ordering = pmui.Select(options=orders, label="Order", size="small", width=140, margin=0)
        tie(ordering, self, value="order")
        modes = pmui.RadioButtonGroup(options=MODES, size="small", margin=0)
        tie(modes, self, value="mode")
        guide = pmui.Button(label="Guidelines", icon="menu_book", variant="text", size="small", margin=0, on_click=self._guide)
        tools = pmui.Row(
            self.searching, ordering, modes, guide, margin=0, sx={"gap": 1, "flexWrap": "wrap", "alignItems": "center"}
        )
        return pmui.Column(self.chips, tools, margin=0, sizing_mode="stretch_width", sx={"gap": 1})

    def start(self) -> None:
        """Start what is live and put the first pair on the desk."""
        for part in self.parts:
            if part not in self.late:
                part.start()
        self._turn()

    def _turn(self, *events: Any) -> None:
        """Follow another training sheet."""
        if self.sheet and self.ready.attached:
            self.drawn = False
            self.lane.put(partial(self._follow, self.sheet))
            self._choose()

    def _follow(self, sheet: str) -> None:
        self.desk.turn(sheet)
        for part in self.late:
            part.query.ask(training_sheet_id=sheet)
            part.query.start()

    def close(self) -> None:
        """Release the live queries and end the lane."""
        super().close()
        if self._layout is not None:
            self.lane.close()
            self.desk.close()
            self.catcher.close()

    def act(self, name: str) -> None:
        """Do what a key or a button stands for, after everything asked for before."""
        self.lane.put(partial(self._act, name))

    def _act(self, name: str) -> None:
        if self.mode != "card" and name not in ("search", "help"):
            return
        command = self._commands().get(name)
        if command is not None:
            command()
        else:
            reason = self.card.take_reason() if name in REASONED else {}
            self._decided(self.desk.decide(name, **reason))

    def _commands(self) -> dict[str, Callable[[], Any]]:
        return {
            "edit": lambda: self._later(self.card.answer.focus),
            "undo": lambda: self._undone(self.desk.undo()),
            "next": lambda: self.desk.step(forward=True),
            "previous": lambda: self.desk.step(forward=False),
            "search": lambda: self._later(self.searching.focus),
            "help": lambda: self._later(self._help),
            "rights": lambda: self._later(self._rights),
        }

    def _queue(self) -> dict[str, Any]:
        given = {
            "status": self.status or "all",
            "response_source": self.response_source,
            "search": self.search,
            "order": self.order,
        }
        return {name: value for name, value in given.items() if value}

    def _choose(self, *events: Any) -> None:
        """Work through the queue that the filters name."""
        if not self.ready.attached or not self.sheet:
            return
        if self.mode == "grid":
            self._put("grid")
            self.grid.choose(self.sheet)
        elif self.mode == "agreement":
            self._put("agreement")
            self.agreement.sheet = self.sheet
        else:
            start = None if {"status", "response_source", "search", "order"} & {event.name for event in events} else self.row
            self.lane.put(partial(self.desk.choose, self._queue(), start))

    def _jump(self, event: Any) -> None:
        if not self.following and event.new is not None:
            self.lane.put(partial(self.desk.choose, self._queue(), event.new))

    def _open(self, row_index: str) -> None:
        self.following = True
        self.row = int(row_index)
        self.following = False
        self.mode = "card"

    def _shown(self, card: Any) -> None:
        self._later(partial(self._show, card))

    def _show(self, card: Any) -> None:
        self.card.show(card)
        self._put(self.mode)
        self.guidelines = card.guidelines
        self.following = True
        self.row = card.pair.row_index
        self.following = False

    def _put(self, chosen: str) -> None:
        for name, face in self.faces.items():
            face.visible = name == chosen

    def _ended(self) -> None:
        self._later(self._end)

    def _end(self) -> None:
        self.row = None
        self._put("end")

    def _typed(self, row_index: int, text: str) -> None:
        self.lane.put(partial(self._keep, row_index, text))

    def _keep(self, row_index: int, text: str) -> None:
        draft = self.desk.type(row_index, text)
        if self.desk.card is not None and self.desk.card.pair.row_index == row_index:
            self._later(partial(self.card.show_diff, draft.diff, draft))

    def _submitted(self, row_index: int, text: str) -> None:
        self.lane.put(partial(self._submit, row_index, text))

    def _submit(self, row_index: int, text: str) -> None:
        if self.desk.card is not None and self.desk.card.pair.row_index == row_index:
            self.desk.typed = text
            self._decided(self.desk.decide("approve"))

    def _decided(self, pair: Any) -> None:
        self._later(partial(self._settled, pair))

    def _settled(self, pair: Any) -> None:
        self.trouble.objects = []
        if pair is not None:
            self.card.show_saved(pair)

    def _undone(self, outcome: Any) -> None:
        self._later(partial(self.toasts.say, outcome.summary))

    def _failed(self, error: Exception) -> None:
        """Say what was refused and show the pair as it is now; nothing typed is lost."""
        self._later(lambda: setattr(self.trouble, "objects", [ErrorState(error)]))
        if self.desk.card is not None:
            self.lane.put(self.desk.reload)

    def _later(self, task: Callable[[], Any]) -> None:
        if self.document is None:
            task()
        else:
            self.run(task)

    def _progressed(self, progress: Any) -> None:
        show(self.line, progress_markup(progress))
        self.bar.value = fmt.bar(progress.percent_complete)
        self.sentence = str(fmt.escape(progress.summary))
        if self.drawn and self.mode == "card":
            self.lane.put(self.desk.refresh)
        elif self.drawn and self.mode == "grid":
            self.grid.refresh()
        self.drawn = True

    def _faceted(self, found: Any) -> None:
        facets = {facet.name: {v.value: v.count for v in facet.values} for facet in found.facets}
        sources = facets.get("response_source", {})
        self.chips.groups = [
            chip_group("status", "Queue", QUEUES, counts=facets.get("status", {})),
            chip_group("response_source", "Source", list(sources), counts=sources),
        ]

    def _help(self) -> None:
        keys = Markup("").join(Markup("<dt><kbd>{}</kbd></dt><dd>{}</dd>").format(key, words) for key, words in HELP)
        self.dialog.open("Keys", html(Markup('<dl class="facts">{}</dl>').format(keys), css=parts.CSS))

    def _guide(self, event: Any = None) -> None:
        words = getattr(self, "guidelines", "") or "No guidelines were written for this training sheet."
        self.dialog.open("Guidelines", pn.pane.Markdown(words, margin=0, sizing_mode="stretch_width"))

    def _rights(self) -> None:
        pair = self.desk.card.pair
        names = ("allowed_uses", "prohibited_uses")
        form = ParameterForm(
            fields_of_operation(self.ws.review.decide, only=names),
            lambda values: self.lane.put(partial(self.desk.save, **values)),
            values={name: getattr(pair, name) for name in names},
            done=lambda result: self.dialog.close(),
        )
        self.dialog.open("Usage rights", form)


LINE = """
.line { display: flex; gap: 8px 20px; align-items: baseline; flex-wrap: wrap; }
.line b { font-size: 15px; }
.line .end { margin-left: auto; display: flex; gap: 20px; }
"""


def progress_markup(progress: Any) -> Markup:
    """Return how far the review has come in one line."""
    counts = (
        ("unlabeled", progress.unlabeled), ("labeled", progress.labeled), ("flagged", progress.flagged),
        ("rejected", progress.rejected), ("stale", progress.stale),
    )  # fmt: skip
    left = Markup("").join(
        Markup('<span><b class="num">{}</b> <span class="faint">{}</span></span>').format(fmt.integer(count), word)
        for word, count in counts
    )
    no_pace = "Nobody decided on single pairs yet."
    right = Markup(
        '<span class="end"><b>{}</b><span class="faint">{} / h</span><span class="faint">{} left</span></span>'
    ).format(
        fmt.percentage(progress.percent_complete),
        fmt.integer(progress.pace_per_hour, reason=no_pace),
        fmt.duration(progress.eta_seconds, reason=no_pace),
    )
    return Markup('<div class="line">{}{}</div>').format(left, right)


def _orders(call: Any) -> tuple[str, ...]:
    return next((fmt.choices_of(a.annotation) for a in call.operation.arguments if a.name == "order"), ())
