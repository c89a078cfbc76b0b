"""The review of one training sheet: progress, queue, and one pair or many at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from workbench.errors import ValidationError
from workbench.ui import format as fmt
from workbench.ui.agreement import AgreementView
from workbench.ui.components.foldable import Foldable
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.heartbeat import Heartbeat
from workbench.ui.components.keys import KeyCatcher
from workbench.ui.components.lane import Lane
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import ErrorState, empty_state, skeleton
from workbench.ui.components.tie import tie
from workbench.ui.label_card import PairCard, conflict_markup, guidelines_pane, keyed
from workbench.ui.label_claims import BEAT_S
from workbench.ui.label_desk import Desk
from workbench.ui.label_filters import NAMES, QueueFilters, arguments_of, chosen_in
from workbench.ui.label_forms import PairForms
from workbench.ui.label_grid import PairGrid
from workbench.ui.label_keys import COMMANDS, HELP, help_markup
from workbench.ui.label_progress import LINE, people_markup, progress_markup
from workbench.ui.theme import MIDDLE
from workbench.ui.url import page_href
from workbench.ui.view import View

MODES = {"Card": "card", "Grid": "grid", "Agreement": "agreement"}
REASONED = ("reject", "flag")
UNWRITTEN = "No guidelines were written yet. [Edit the training sheet]({}) to write them."
ENDED = "Nothing is left in this queue."
REFUSED = "No queue can be shown with these filters. What is wrong with them stands above."
# What may be asked for while many pairs are on the screen.
ANYWHERE = ("search", "help", "grid", "progress", "guidelines")


class ReviewView(View):
    """Review the pairs of one training sheet, by keyboard or in bulk."""

    keys = HELP

    sheet = param.String("", doc="Training sheet under review.")
    status = param.String("to_review", doc="Queue by state of the review; empty: all pairs.")
    response_source = param.String("", doc="Where the responses came from; empty: anywhere.")
    reviewer = param.String("", doc="Who decided last; empty: anybody.")
    search = param.String("", doc="Words the prompt or the response has to contain.")
    pattern = param.Boolean(False, doc="True when the search is a regular expression.")
    item_ref = param.String("", doc="Item the pairs are about.")
    use = param.String("", doc="Use that has to be allowed.")
    updated_since = param.String("", doc="Changed at this day or time (UTC) or later.")
    updated_until = param.String("", doc="Changed before this day or time (UTC).")
    signals = param.String("", doc="Conditions on signals, such as `concern:0.5..`.")
    where = param.String("", doc="SQL condition over the pair and its source row.")
    order = param.String("row_index", doc="What the queue is sorted by.")
    descending = param.Boolean(False, doc="True when the order is reversed.")
    shared = param.Boolean(False, doc="True when pairs are handed out, so that two people never get the same one.")
    mode = param.Selector(
        default="card", objects=list(MODES.values()), doc="One pair at a time, many, or how far reviewers agree."
    )
    row = param.Integer(None, allow_None=True, bounds=(0, None), doc="Pair on the desk.")

    titled = False

    def build(self) -> list[Any]:
        """Return progress line, filters and the desk."""
        self.lane = Lane(self._failed)
        self.desk = Desk(self.ws, show=self._shown, ended=self._ended)
        self.trouble = pmui.Column(margin=0, sizing_mode="stretch_width")
        self.dialog = FormDialog(width="md")
        self.forms = PairForms(self.desk, self.dialog, self.toasts, put=self.lane.put, later=self._later, saved=self._saved)
        stay = lambda row_index: self.lane.put(partial(self.desk.keep_place, row_index))  # noqa: E731
        self.card = PairCard(act=self.act, typed=self._typed, submit=self._submitted, choose=self._chosen, rested=stay)
        self.filters = QueueFilters(self, self.ws.review.queue)
        self.grid = PairGrid(self, self._queue, self._open, self.dialog, self.filters)
        self.agreement = AgreementView(self.ws, frame=self)
        back = pmui.Button(label="Undo", icon="undo", variant="text", margin=0, on_click=lambda event: self.act("undo"))
        nothing = empty_state(ENDED, action="Look at all pairs", on_click=lambda event: self.filters.lift(), beside=[back])
        # All of it is there from the start: what is added later reaches a browser piece by piece.
        faces = {"wait": skeleton(320), "card": self.card, "grid": self.grid, "agreement": self.agreement, "end": nothing}
        faces["refused"] = empty_state(REFUSED, action="Take back the filters", on_click=lambda event: self.filters.lift())
        self.faces = {name: pmui.Column(face, margin=0, sizing_mode="stretch_width", visible=False) for name, face in faces.items()}
        self._put("wait")
        self.progress: Any = None
        self.guidelines = ""
        self.troubled: int | None = None
        self.following = False
        self.late = [
            self.watch(self.ws.review.progress, self._progressed),
            self.watch(self.ws.review.facets, self.filters.offer),
            # Known answers are no part of a pair, which stays as it is when somebody keeps one.
            self.watch(self.ws.training_sheets.get, lambda made: self.lane.put(self.desk.learn), topics=("gold",)),
        ]
        self.param.watch(self._choose, [*NAMES, "mode", "shared"])
        self.param.watch(self._jump, "row")
        self.param.watch(self._turn, "sheet")
        tools = self.filters.tools(*self._tools())
        narrowing = Foldable(self.filters, tools, label="Filters and search")
        parts = [self._head(), narrowing, self.trouble, *self.faces.values(), self.dialog, self.heart]
        body = pmui.Column(*parts, margin=0, sizing_mode="stretch_width", sx={"gap": 1.5})
        # A page has a help of its own for every key; a cell has only this one.
        taken = [key for key in COMMANDS if key != "?" or self.document is None]
        self.catcher = KeyCatcher(body, self._pressed, keys=taken)
        return [self.catcher]

    def _head(self) -> Any:
        self.line = html("", css=LINE, **({"sizing_mode": None} if self.titled else {}))
        self.bar = pmui.LinearProgress(
            value=0, variant="determinate", margin=0, sizing_mode="stretch_width", sx={"height": 6, "borderRadius": 3}
        )
        if self.titled:
            return pmui.Row(self.bar, self.line, margin=0, sizing_mode="stretch_width", sx={**MIDDLE, "gap": 2})
        return pmui.Column(self.line, self.bar, margin=0, sizing_mode="stretch_width", sx={"gap": 0.5})

    def _tools(self) -> list[Any]:
        modes = pmui.RadioButtonGroup(options=MODES, size="small", margin=0)
        tie(modes, self, value="mode")
        together = pmui.Switch(
            label="Share with others", size="small", margin=0, css_classes=["shared"],
            description="Pairs are handed out: nobody else gets the one on your desk.",
        )  # fmt: skip
        tie(together, self, value="shared")
        guide = pmui.Button(label="Guidelines", icon="menu_book", variant="text", size="small", margin=0, on_click=self._guide)
        people = pmui.Button(label="Progress", icon="groups", variant="text", size="small", margin=0, on_click=self._people)
        self.heart = Heartbeat(lambda: self.lane.put(self._renew), every_s=BEAT_S)
        return [together, guide, people, modes]

    def start(self) -> None:
        """Start what is live and put the first pair on the desk."""
        for part in self.parts:
            if part not in self.late:
                part.start()
        self._turn()

    def _turn(self, *events: Any) -> None:
        """Follow another training sheet."""
        if self.sheet and self.ready.attached:
            self.progress = None
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

    def _pressed(self, key: str, number: int) -> None:
        command = COMMANDS.get(key)
        if command is not None:
            self.act(command)
        else:
            self.lane.put(partial(self._choose_by_key, key, self.card.seen))

    def act(self, name: str) -> None:
        """Do what a key or a button stands for, after everything asked for before."""
        self.lane.put(partial(self._act, name, self.card.seen))

    def _act(self, name: str, seen: tuple[int, int] | None) -> None:
        if self.mode != "card" and name not in ANYWHERE:
            self._later(self._settled)
            return
        name, _, of = name.partition(":")
        command = self._commands(seen, of).get(name)
        if command is not None:
            command()
        else:
            reason = self.card.take_reason() if name in REASONED else {}
            self._decided(self.desk.decide(name, seen=seen, **reason))

    def _commands(self, seen: tuple[int, int] | None, of: str) -> dict[str, Callable[[], Any]]:
        return {
            "edit": lambda: self._later(partial(self.card.pane.focus, "response")),
            "prompt": lambda: self._later(partial(self.card.pane.focus, "prompt")),
            "reason": lambda: self._later(self.card.reason.focus),
            "notes": lambda: self._later(partial(self.card.pane.focus, "notes")),
            "keep_notes": lambda: self._saved(self.desk.keep_notes()),
            "undo": lambda: self._undone(self.desk.undo()),
            "redo": lambda: self._undone(self.desk.redo()),
            "restore": lambda: seen and self._undone(self.desk.bring_back(seen[0], int(of), seen[1])),
            "next": lambda: self.desk.step(forward=True),
            "previous": lambda: self.desk.step(forward=False),
            "search": lambda: self._later(self.filters.searching.focus),
            "help": lambda: self._later(lambda: self.dialog.open("Keys", html(help_markup()))),
            "grid": lambda: self._later(lambda: self.param.update(mode="card" if self.mode == "grid" else "grid")),
            "progress": lambda: self._later(self._people),
            "guidelines": lambda: self._later(self._guide),
            "rights": lambda: self._later(self.forms.rights),
            "mark_gold": lambda: self._later(self.forms.keep_known),
            "unmark_gold": self.forms.forget_known,
            "adjudicate": lambda: self._later(lambda: self.param.update(mode="agreement")),
            "mine": lambda: self._decided(self.desk.decide("approve", seen=seen)),
            "theirs": self._take_theirs,
        }

    def _choose_by_key(self, key: str, seen: tuple[int, int] | None) -> None:
        if self.mode == "card" and self.desk.card is not None:
            name = next((one["name"] for one in keyed(self.desk.card.choices) if one["key"] == key), None)
            if name is not None:
                self._answer(self.desk.card.pair.row_index, name, seen)

    def _chosen(self, row_index: int, name: str) -> None:
        self.lane.put(partial(self._answer, row_index, name, self.card.seen))

    def _answer(self, row_index: int, name: str, seen: tuple[int, int] | None) -> None:
        if self.desk.card is not None and self.desk.card.pair.row_index == row_index:
            self.desk.typed |= {"response": name}
            self._decided(self.desk.decide("approve", seen=seen))

    def _queue(self) -> dict[str, Any]:
        return self.filters.arguments()

    def _choose(self, *events: Any) -> None:
        """Work through the queue that the filters name."""
        if not self.ready.attached or not self.sheet or self.following:
            return
        names = {event.name for event in events}
        if "shared" in names:
            self.lane.put(partial(self.desk.share, self.shared))
        if self.mode == "grid":
            self._put("grid")
            self.grid.choose(self.sheet)
        elif self.mode == "agreement":
            self._put("agreement")
            self.agreement.param.update(sheet=self.sheet, row=self.row, page=1)
        else:
            start = None if set(NAMES) & names else self.row
            if not events and self.shared:
                self.lane.put(partial(self.desk.share, True))
            # Who names neither a pair nor a filter comes back to where they were.
            resumes = not events and start is None and self.filters.untouched()
            self.lane.put(self._resume if resumes else partial(self._begin, self._queue(), start))
            if names:
                self.lane.put(self.desk.keep_place)

    def _resume(self) -> None:
        left = self.desk.left()
        chosen = chosen_in(left)
        if left.shared and self.desk.claims is None:
            self.desk.share(True)
        self._later(partial(self._chosen_before, {**chosen, "shared": self.desk.claims is not None}))
        self._begin(arguments_of(chosen), left.row_index)

    def _chosen_before(self, chosen: dict[str, Any]) -> None:
        self.following = True
        self.param.update(**chosen)
        self.following = False

    def _begin(self, queue: dict[str, Any], start: int | None) -> None:
        self.desk.choose(queue, start)
        self._later(self.filters.accept)

    def _renew(self) -> None:
        if self.desk.claims is not None:
            self.desk.claims.renew()

    def _jump(self, event: Any) -> None:
        if not self.following and event.new is not None:
            self.lane.put(partial(self._begin, self._queue(), event.new))

    def _open(self, row_index: str) -> None:
        self.following = True
        self.row = int(row_index)
        self.following = False
        self.mode = "card"

    def _shown(self, card: Any) -> None:
        overtaken, notes = self.desk.overtaken, self.desk.typed.get("notes")
        self._later(partial(self._show, card, conflict_markup(overtaken) if overtaken else None, notes))

    def _show(self, card: Any, notice: Any, notes: str | None) -> None:
        with pn.io.hold():
            # A key that waited is sent once its pair is seen, so the keys come first.
            hot = [choice["key"] for choice in keyed(card.choices)]
            keys = [key for key in COMMANDS if key != "?" or self.document is None]
            self.catcher.keys = [*keys, *filter(None, hot)]
            self.card.show(card, notice=notice, notes=notes)
            if self.trouble.objects and card.pair.row_index != self.troubled:
                self._settled()  # what was refused was about another pair
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

    def _typed(self, row_index: int, texts: dict[str, str], seen: int) -> None:
        self.lane.put(partial(self._keep, row_index, texts, seen))

    def _keep(self, row_index: int, texts: dict[str, str], seen: int) -> None:
        draft = self.desk.type(row_index, texts, seen)
        self._later(partial(self._kept, row_index, texts, draft))

    def _kept(self, row_index: int, texts: dict[str, str], draft: Any) -> None:
        if draft is not None:
            self.card.pane.keep(str(row_index), texts)
            self.card.saved.say("draft kept" if draft.saved_at is not None else "")
            if self.desk.card is not None and self.desk.card.pair.row_index == row_index:
                self.card.compare(self.desk.card, draft)

    def _submitted(self, row_index: int, texts: dict[str, str], seen: int) -> None:
        self.lane.put(partial(self._submit, row_index, texts, seen))

    def _submit(self, row_index: int, texts: dict[str, str], seen: int) -> None:
        if self.desk.outdated(row_index, seen):
            self._keep(row_index, texts, seen)
        elif self.desk.write(row_index, texts):
            self._decided(self.desk.decide("approve"))

    def _take_theirs(self) -> None:
        item = self.desk.drop_typed()
        if item is not None:
            self._later(partial(self.card.pane.forget, item))

    def _decided(self, pair: Any) -> None:
        self._later(partial(self._settled, pair))

    def _saved(self, pair: Any) -> None:
        if pair is not None:
            self._decided(pair)

    def _settled(self, pair: Any = None) -> None:
        if self.trouble.objects:
            self.trouble.objects = []
        if pair is not None:
            self.card.saved.saved()
        else:
            self.card.saved.say("")

    def _undone(self, outcome: Any) -> None:
        self._later(self._settled)
        self._later(partial(self.toasts.say, outcome.summary))

    def _failed(self, error: Exception) -> None:
        """Say what was refused and show the pair as it is now; nothing typed is lost."""
        self._later(partial(self._tell_failure, error, self.desk.card.pair.row_index if self.desk.card is not None else None))
        if self.desk.card is not None and not isinstance(error, ValidationError):
            self.lane.put(self.desk.reload)

    def _tell_failure(self, error: Exception, row_index: int | None) -> None:
        self.troubled = row_index
        told = self.filters.refuse(error)
        self.trouble.objects = [] if told else [ErrorState(error)]
        if self.faces["wait"].visible:
            self._put("refused" if told else "")
        self.card.saved.say("not saved")

    def _later(self, task: Callable[[], Any]) -> None:
        if self.document is None:
            task()
        else:
            self.run(task)

    def _progressed(self, progress: Any) -> None:
        first, self.progress = self.progress is None, progress
        show(self.line, progress_markup(progress, counted=not self.titled))
        self.bar.value = fmt.bar(progress.percent_complete)
        self.sentence = str(fmt.escape(progress.summary))
        if not first and self.mode == "card":
            self.lane.put(self._refreshed)
        elif not first and self.mode == "grid":
            self.grid.refresh()

    def _refreshed(self) -> None:
        self.desk.refresh()
        if self.lane.calm:  # the place in the queue is not worth keeping a decision waiting
            self.desk.renumber()

    def _guide(self, event: Any = None) -> None:
        unwritten = UNWRITTEN.format(page_href("generate", {"made": self.sheet}))
        self.dialog.open("Guidelines", guidelines_pane(self.guidelines or unwritten))

    def _people(self, event: Any = None) -> None:
        if self.progress is not None:
            self.dialog.open("Progress", html(people_markup(self.progress), css=LINE))
