"""One pair on the desk: prompt, answer, source row and history, and what may be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components import pair_markup as parts
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.answer import AnswerEditor
from workbench.ui.components.markup import html, show
from workbench.ui.theme import CARD_SX, STEP

COLUMNS = {"xs": "minmax(0, 1fr)", "md": "minmax(0, 3fr) minmax(0, 2fr)", "xl": "minmax(0, 5fr) minmax(0, 6fr)"}
SIDE = {"xs": "minmax(0, 1fr)", "xl": "minmax(0, 1fr) minmax(0, 1fr)"}
KEYS = (("A", "approve"), ("R", "reject"), ("F", "flag"), ("E", "edit"), ("U", "undo"), ("J", "next"), ("K", "previous"))
Act = Callable[[str], None]


class PairCard(pn.viewable.Viewer):
    """Draw a card of the review service and report what is typed and clicked.

    `act(name)` hears the name of the action clicked, `typed(row_index, text)` what is typed and
    `submit(row_index, text)` the wish to save and approve it.
    """

    def __init__(self, *, act: Act, typed: Callable[[int, str], None], submit: Callable[[int, str], None]) -> None:
        super().__init__()
        self._act = act
        self._row = -1
        self.prompt = html("", css=parts.CSS)
        self.diff = html("", css=parts.CSS)
        self.source = html("", css=parts.CSS)
        self.history = html("", css=parts.CSS)
        self.place = html("", css=parts.CSS)
        self.saved = html("", sizing_mode=None)
        self.answer = AnswerEditor(
            on_typed=lambda item, text: typed(int(item), text), on_submit=lambda item, text: submit(int(item), text)
        )
        self.choices = pmui.Row(margin=0, sx={"gap": 1, "flexWrap": "wrap"}, visible=False)
        self.reason = pmui.TextInput(
            placeholder="Reason for reject or flag", label="", size="small", margin=0, width=240, css_classes=["reason"]
        )
        self.actions = ActionBar(first="approve", size="medium")
        self.actions.layout.styles = {"flex": "1 1 320px"}
        self._layout = pmui.Column(self._parts(), *self._bar(), margin=0, sizing_mode="stretch_width", sx={"gap": 2})

    def _parts(self) -> Any:
        paper = {**CARD_SX, "bgcolor": "background.paper", "gap": 2, "minWidth": 0}
        response = html(parts.over("Response"), css=parts.CSS)
        left = pmui.Column(
            self.place, self.prompt, pmui.Column(response, self.answer, self.choices, self.diff, margin=0, sizing_mode="stretch_width",
            sx={"gap": 1}), margin=0, sizing_mode="stretch_width", sx=paper,
        )  # fmt: skip
        source = pmui.Column(self.source, margin=0, sizing_mode="stretch_width", sx=paper)
        history = pmui.Column(self.history, margin=0, sizing_mode="stretch_width", sx=paper)
        shape = {"display": "grid", "gap": 2, "alignItems": "start"}
        side = pmui.Column(source, history, margin=0, sizing_mode="stretch_width", sx={**shape, "gridTemplateColumns": SIDE})
        return pmui.Column(left, side, margin=0, sizing_mode="stretch_width", sx={**shape, "gridTemplateColumns": COLUMNS})

    def _bar(self) -> list[Any]:
        back = pmui.IconButton(icon="chevron_left", margin=0, description="Previous (K)", css_classes=["previous"])
        back.on_click(lambda event: self._act("previous"))
        ahead = pmui.IconButton(icon="chevron_right", margin=0, description="Next (J)", css_classes=["next"])
        ahead.on_click(lambda event: self._act("next"))
        undo = pmui.Button(label="Undo", icon="undo", variant="text", margin=0, css_classes=["undo"])
        undo.on_click(lambda event: self._act("undo"))
        tools = pmui.Row(
            self.reason, html(_keys(), css=parts.CSS, sizing_mode=None), self.saved, margin=0,
            sizing_mode="stretch_width", sx={"gap": 2, "flexWrap": "wrap", "alignItems": "center", "px": 1},
        )  # fmt: skip
        moves = pmui.Row(undo, back, ahead, margin=0, sx={"alignItems": "center"})
        box = {
            **CARD_SX, "bgcolor": "background.paper", "p": 1, "gap": 1, "flexWrap": "wrap", "alignItems": "center",
            "justifyContent": "space-between", "boxShadow": "0 2px 12px rgba(0, 0, 0, .08)",
        }  # fmt: skip
        # The outermost element has to stick: what is inside it has nowhere to move.
        stuck = {"position": "sticky", "bottom": f"{STEP}px", "z-index": "5"}
        line = pmui.Row(self.actions, moves, margin=0, sizing_mode="stretch_width", sx=box, styles=stuck)
        return [line, tools]

    def show(self, card: Any) -> None:
        """Show another pair, or the same one as it is now."""
        pair = card.pair
        self._row = pair.row_index
        show(self.place, _place(card))
        show(self.prompt, parts.prompt_markup(card.prompt_pieces))
        draft = card.draft
        self.answer.show(str(pair.row_index), draft.response if draft is not None else pair.response)
        self.show_diff(draft.diff if draft is not None else card.response_diff, draft)
        show(self.source, Markup("{}{}").format(parts.over("Source row"), parts.source_markup(card.source_row)))
        show(self.history, Markup("{}{}").format(parts.over("History"), parts.history_markup(card.history)))
        self._offer(card.choices)
        names = [action.name for action in pair.actions]
        self.actions.handle({name: (lambda name=name: self._act(name)) for name in names})
        self.actions.update(pair.actions)

    def show_diff(self, pieces: Any, draft: Any | None = None) -> None:
        """Show the words that differ: of a draft from what is stored, else from the original."""
        title = "Not saved yet" if draft is not None else "Changed from the original"
        show(self.diff, parts.diff_markup(title, pieces))

    def show_saved(self, pair: Any) -> None:
        """Say when the last decision was stored."""
        words = Markup('<span class="faint small">saved {}</span>').format(fmt.moment(pair.updated_at))
        show(self.saved, words)

    def take_reason(self) -> dict[str, str]:
        """Return the reason entered, and forget it."""
        reason, self.reason.value = self.reason.value, ""
        return {"flag_reason": reason} if reason else {}

    def _offer(self, choices: Any) -> None:
        offered = [choice["name"] for choice in choices or ()]
        if [button.label for button in self.choices] != offered:
            self.choices.objects = [self._choice(choice) for choice in choices or ()]
            self.choices.visible = bool(offered)

    def _choice(self, choice: dict[str, Any]) -> Any:
        button = pmui.Button(label=choice["name"], variant="outlined", size="small", margin=0)
        button.on_click(lambda event: self.answer.put(choice["name"]))
        return button

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _place(card: Any) -> Markup:
    pair = card.pair
    where = Markup("{} of {}").format(
        fmt.integer(card.position, reason="It is no longer in this queue."), fmt.integer(card.queue_total)
    )
    bits = [
        fmt.chip(pair.status),
        fmt.chip("stale") if pair.stale else "",
        Markup('<span class="faint small">{}</span>').format(fmt.choice(pair.response_source)),
        fmt.chip("warning", "made-up answer", hover="A simulated provider wrote it.") if pair.simulated else "",
        Markup('<span class="faint small">confidence {}</span>').format(fmt.number(pair.confidence, 2))
        if pair.confidence is not None
        else "",
        Markup('<span class="small ink warning">{}</span>').format(pair.flag_reason) if pair.flag_reason else "",
        Markup('<span class="small ink warning">held by {}</span>').format(card.held_by) if card.held_by else "",
        Markup('<span class="faint small" style="margin-left:auto">{} · item {}</span>').format(where, pair.item_ref),
    ]
    line = '<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap">{}</div>'
    return Markup(line).format(Markup("").join(bit for bit in bits if bit))


def _keys() -> Markup:
    hints = Markup(" ").join(
        Markup('<kbd>{}</kbd> <span class="faint">{}</span>&ensp;').format(key, words) for key, words in KEYS
    )
    return Markup('<div class="small hints">{}<kbd>?</kbd> <span class="faint">all keys</span></div>').format(hints)
