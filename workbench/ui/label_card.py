"""One pair on the desk: prompt, answer, source row and history, and what may be done with it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components import pair_markup as parts
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.pair import PairPane
from workbench.ui.components.save_state import SaveState
from workbench.ui.label_keys import COMMANDS, WRITING
from workbench.ui.theme import CARD_SX, MIDDLE, PHONE, PROSE_CSS, STEP
from workbench.ui.url import page_href

Act = Callable[[str], None]
# The drawing of the keys belongs to the words on the buttons.
KEY_OF = {"approve": "A", "reject": "R", "flag": "F", "edit": "E", "undo": "U"}
BAR_SX = {
    **CARD_SX, "bgcolor": "background.paper", "p": 1, "gap": 1, "flexWrap": "wrap", **MIDDLE,
    "boxShadow": "0 2px 12px rgba(0, 0, 0, .08)", "& .moves": {"marginLeft": "auto"},
    # Beside a thumb there is room for what is done to every pair: one line of decisions, one for the reason and the moves.
    # Buttons of a kind stay in one line: what does not fit beside them goes below.
    "& .often, & .seldom": {"flex": "0 0 auto", "width": "auto !important"},
    "& .reason": {"flex": "0 1 210px", "width": "auto !important"},
    PHONE: {
        "& .seldom": {"display": "none"}, "& .often": {"flex": "1 1 100%"},
        "& .reason": {"flex": "1 1 120px"}, "& .saved": {"flex": "1 1 100%", "order": 1},
    },
}  # fmt: skip
TYPED_SX = {PHONE: {"& .MuiInputBase-root": {"minHeight": "44px"}, "& input": {"fontSize": "13px", "px": 1}}}
# Its icon says it, where there is no room for the word.
_ICON = {"& .MuiButton-icon": {"m": 0}, "& .MuiButton-icon > *": {"fontSize": "20px !important"}}
MOVE_SX = {PHONE: {"minWidth": "44px", "minHeight": "44px"}}
UNDO_SX = {PHONE: {**MOVE_SX[PHONE], "p": 0, "fontSize": 0, **_ICON}}
DIGITS = "123456789"
SELDOM = ("reset", "rights")
ADJUDICATE = "adjudicate"
# What is offered on the pair itself, not below it with what decides on it.
KNOWING = ("mark_gold", "unmark_gold")
ON_PAIR = (ADJUDICATE, *KNOWING)


class PairCard(pn.viewable.Viewer):
    """Draw a card of the review service and report what is typed and clicked.

    `act(name)` hears the name of the action clicked, `typed(row_index, texts)` what is typed, `submit(row_index,
    texts)` the wish to save and approve it, `choose(row_index, name)` an answer of the closed set, and `rested(row_index)`
    that somebody has stayed at a pair.
    """

    def __init__(
        self,
        *,
        act: Act,
        typed: Callable[[int, dict[str, str], int], None],
        submit: Callable[[int, dict[str, str], int], None],
        choose: Callable[[int, str], None],
        rested: Callable[[int], None],
    ) -> None:
        super().__init__()
        self._act = act
        self.guide = guidelines_pane("")
        self.pane = PairPane(
            guide=self.guide,
            on_typed=lambda item, *told: typed(int(item), *told),
            on_submit=lambda item, *told: submit(int(item), *told),
            on_do=lambda item, name: act(name),
            on_choice=lambda item, name: choose(int(item), name),
            on_leave=lambda item, name: act("keep_notes"),
            on_rest=lambda item, name: rested(int(item)),
        )
        self.saved = SaveState(css_classes=["saved"])
        self.reason = pmui.TextInput(
            placeholder="Reason for reject or flag", label="", size="small", margin=0, sizing_mode="stretch_width",
            css_classes=["reason"], sx=TYPED_SX,
        )  # fmt: skip
        self.actions = ActionBar(first="approve", size="medium", hints=KEY_OF)
        self.seldom = ActionBar(size="medium")
        for bar in (self.actions, self.seldom):
            bar.layout.sizing_mode = None
        self.actions.layout.css_classes, self.seldom.layout.css_classes = ["often"], ["seldom"]
        self._layout = pmui.Column(self.pane, self._bar(), margin=0, sizing_mode="stretch_width", sx={"gap": 2})

    def _bar(self) -> Any:
        back = pmui.IconButton(icon="chevron_left", margin=0, description="Previous (K)", css_classes=["previous"], sx=MOVE_SX)
        back.on_click(lambda event: self._act("previous"))
        ahead = pmui.IconButton(icon="chevron_right", margin=0, description="Next (J)", css_classes=["next"], sx=MOVE_SX)
        ahead.on_click(lambda event: self._act("next"))
        undo = pmui.Button(
            label="Undo", icon="undo", variant="text", margin=0, description="Undo (U)", css_classes=["undo"], sx=UNDO_SX
        )
        undo.on_click(lambda event: self._act("undo"))
        # The outermost element has to stick: what is inside it has nowhere to move.
        stuck = {"position": "sticky", "bottom": f"{STEP}px", "z-index": "5"}
        moves = pmui.Row(undo, back, ahead, margin=0, css_classes=["moves"], sx=MIDDLE)
        parts = [self.actions, self.seldom, self.reason, self.saved, moves]
        return pmui.Row(*parts, margin=0, sizing_mode="stretch_width", sx=BAR_SX, styles=stuck)

    @property
    def seen(self) -> tuple[int, int] | None:
        """Return the row and the version of the pair that the browser shows, or None before it shows one."""
        drawn = self.pane.drawn
        return (int(drawn[0]), drawn[1]) if drawn is not None else None

    def show(self, card: Any, *, notice: Markup | None = None, notes: str | None = None) -> None:
        """Show another pair, or the same one as it is now; a notice stands above it."""
        pair, draft, answers = card.pair, card.draft, keyed(card.choices)
        if self.guide.object != card.guidelines:
            self.guide.object = card.guidelines
        self.saved.keys = [*WRITING, *(answer["key"] for answer in answers)]
        stored = {"response": pair.response, "prompt": pair.prompt, "notes": pair.notes or ""}
        typed = {"response": draft.response, "prompt": draft.prompt} if draft is not None else {}
        self.pane.show(
            {
                "item": str(pair.row_index),
                "version": pair.version,
                "sheet": pair.training_sheet_id,
                "texts": {**stored, **typed, **({"notes": notes} if notes is not None else {})},
                "stored": stored,
                "parts": {name: str(markup) for name, markup in _parts(card, notice).items()},
                "choices": [{name: answer.get(name) or "" for name in ("name", "key", "color")} for answer in answers],
                "guided": bool(card.guidelines),
            }
        )
        self.compare(card, draft)
        for bar, seldom in ((self.actions, False), (self.seldom, True)):
            offered = [action for action in pair.actions if (action.name in SELDOM) is seldom and action.name not in ON_PAIR]
            bar.handle({action.name: (lambda name=action.name: self._act(name)) for action in offered})
            bar.update(offered)

    def compare(self, card: Any, draft: Any | None) -> None:
        """Show the words that differ: of a draft from what is stored, else from the original."""
        if draft is not None:
            found = {"response": ("Not saved yet", draft.diff), "prompt": ("Not saved yet", draft.prompt_diff)}
        elif (stale := card.stale_change) is not None:
            since = f"Changed since the approval, by {stale.changed_by}"
            found = {"response": (since, stale.response_diff), "prompt": (since, stale.prompt_diff)}
        else:
            found = {"response": ("Changed from the original", card.response_diff)}
        markup = {name: str(parts.diff_markup(title, pieces)) for name, (title, pieces) in found.items()}
        self.pane.compare(str(card.pair.row_index), **markup)

    def take_reason(self) -> dict[str, str]:
        """Return the reason entered, and forget it."""
        reason, self.reason.value = self.reason.value, ""
        return {"flag_reason": reason} if reason else {}

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def guidelines_pane(words: str) -> pn.pane.Markdown:
    """Return guidelines as prose; what is written in them as HTML is shown, never run."""
    return pn.pane.Markdown(
        words, margin=0, sizing_mode="stretch_width", stylesheets=[PROSE_CSS], renderer_options={"html": False}
    )


def keyed(choices: Any) -> list[dict[str, Any]]:
    """Return the answers of a closed set with the key of each: its own, else its number, else none.

    What a key does to every pair it does here as well: an answer that wants R would else reject.
    """
    wanted = [(choice.get("hotkey") or "").lower() for choice in choices or ()]
    taken = {"", *COMMANDS}
    numbers = chain(("" if digit in wanted else digit for digit in DIGITS), repeat(""))
    keys = (number if key in taken else key for key, number in zip(wanted, numbers, strict=False))
    return [{**choice, "key": key} for choice, key in zip(choices or (), keys, strict=True)]


def conflict_markup(words: str) -> Markup:
    """Return what somebody else did meanwhile, and the two ways on; both texts are compared below the fields."""
    buttons = '<button data-do="mine">Keep mine and approve</button><button data-do="theirs">Take theirs</button>'
    return Markup("<div>{} What you typed is kept: below it is compared with theirs.</div>{}").format(words, Markup(buttons))


def dispute_markup(actions: Any) -> Markup:
    """Return what a disputed pair waits for, and the way there for those who may go it."""
    action = next((one for one in actions if one.name == ADJUDICATE), None)
    if action is None:
        return Markup("")
    button = Markup('<button data-do="{}">{}</button>').format(action.name, action.label) if action.enabled else ""
    return Markup("<div>{}</div>{}").format(action.reason, button)


def _parts(card: Any, notice: Markup | None) -> dict[str, Markup]:
    held = (
        Markup("{} is working on this pair; decide on another one, or wait.").format(card.held_by) if card.held_by else Markup("")
    )
    return {
        "place": _place(card),
        "notice": notice or held or dispute_markup(card.pair.actions),
        "prompt": parts.prompt_markup(card.prompt_pieces),
        "known": known_markup(card),
        "source": parts.source_markup(card.source_row),
        "signals": parts.signals_markup(card),
        "history": parts.history_markup(card),
    }


def known_markup(card: Any) -> Markup:
    """Return which answer to a pair is known and the way to keep or forget it, for those alone who are offered it."""
    actions = Markup("").join(parts.quiet_button(action) for action in card.pair.actions if action.name in KNOWING)
    known = card.known_answer
    if known is None or known.marked_at is None:
        return actions
    said = Markup('<span class="aside" title="{}">known answer: {}</span>')
    return Markup("{}{}").format(said.format(known.response or "", fmt.choice(known.action)), actions)


def about(pair: Any) -> Markup:
    """Return what a pair is about, a served request with the way to it; on hover as it is kept."""
    told = fmt.link(pair.about, page_href("monitor", {"request": pair.request_id})) if pair.request_id else fmt.marked(pair.about)
    return Markup('<span title="{}">{}</span>').format(fmt.marked(pair.item_ref), told)


def _place(card: Any) -> Markup:
    pair = card.pair
    where = Markup("{} of {}").format(
        fmt.integer(card.position, reason="It is no longer in this queue."), fmt.integer(card.queue_total)
    )
    bits = [
        fmt.chip(pair.status),
        fmt.chip("stale") if pair.stale else "",
        fmt.votes(pair.review),
        Markup('<span class="faint small">{}</span>').format(fmt.choice(pair.response_source)),
        fmt.simulated() if pair.simulated else "",
        Markup('<span class="small ink-warning">{}</span>').format(pair.flag_reason) if pair.flag_reason else "",
        Markup('<span class="faint small" style="margin-left:auto">{} · {}</span>').format(where, about(pair)),
    ]
    line = '<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap">{}</div>'
    return Markup(line).format(Markup("").join(bit for bit in bits if bit))
