"""How far reviewers agree: figures with intervals, what each has done, and the pairs they dispute."""

from __future__ import annotations

from functools import partial
from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components import pair_markup as parts
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.cards import card, line, stack
from workbench.ui.components.figures import Figure, figure_row, figures_markup, word_diff
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import empty_state
from workbench.ui.components.tie import tie
from workbench.ui.gold import KnownAnswers
from workbench.ui.view import View

OVER = {"Decisions": "action", "Responses": "response"}
PAGE = 10
# Who comes for one pair finds it above the figures; it stays there when it is settled, so that nothing jumps.
LEADING = {"order": "-1"}
TOO_FEW = "Too few pairs for an interval."
TABLE_CSS = """
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; font-size: 12px; font-weight: 600; padding: 4px 12px 4px 0; color: var(--mui-palette-text-secondary, #566272);
  white-space: nowrap; }
td { padding: 6px 12px 6px 0; border-top: 1px solid var(--mui-palette-divider, #dfe5ec); white-space: nowrap; }
th.num, td.num { text-align: right; font-variant-numeric: tabular-nums; }
td.heat { text-align: center; padding: 6px 12px; font-variant-numeric: tabular-nums;
  background: color-mix(in srgb, var(--mui-palette-primary-main, #1f5fbf) calc(var(--heat) * .35%), transparent); }
th.heat { text-align: center; padding: 4px 12px; }
"""
VOTES_CSS = """
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
"""
HEADS = ("Votes", "Of all", "Approved", "Rejected", "Flagged", "As it came out", "Known answers", "Per hour")


class AgreementView(View):
    """Show how far the reviewers of a training sheet agree, and settle what they dispute."""

    sheet = param.String("", doc="Training sheet under review.")
    over = param.Selector(default="action", objects=list(OVER.values()), doc="What is compared: decisions or responses.")
    row = param.Integer(None, allow_None=True, doc="Pair that leads the disputed ones, if it is one of them.")
    page = param.Integer(1, bounds=(1, None), doc="Page of disputed pairs.")

    def build(self) -> list[Any]:
        """Return figures, tables and disputes, each empty until its answer comes."""
        over = pmui.RadioButtonGroup(options=OVER, size="small", margin=0)
        tie(over, self, value="over")
        self.words = html("")
        self.figures = figure_row(())
        self.people, self.matrix = html("", css=TABLE_CSS), html("", css=TABLE_CSS)
        self.cards, self.drawn, self.none = stack(), {}, empty_state("No pair is disputed.")
        self.pager = pmui.Pagination(count=1, value=0, size="small", margin=0, visible=False)
        self.pager.param.watch(lambda event: self.param.update(page=fmt.page_of(event.new)), "value")
        self.body = stack(self.figures, card("Reviewers", self.people), card("Every two of them (Cohen's kappa)", self.matrix))
        self.following = False
        self.agreement = self.live(self.ws.review.agreement, self._draw, height=240, training_sheet_id=self.sheet, over=self.over)
        self.disputes = self.live(
            self.ws.review.disputes, self._draw_disputes, height=120, training_sheet_id=self.sheet, first=self.row,
            page=self.page, page_size=PAGE,
        )  # fmt: skip
        self.waiting = card("Disputed pairs", self.disputes, self.pager)
        self.known = KnownAnswers(self)
        self.param.watch(self._ask, ["sheet", "row", "over"])
        self.param.watch(lambda event: self.disputes.ask(page=event.new), "page")
        return [line(over, self.words, gap=2), self.agreement, self.waiting, self.known.card]

    def start(self) -> None:
        """Start once there is a training sheet to look at; disputes and known answers follow once the caller may see them."""
        if self.sheet and self.ready.attached and not self.following:
            self.following = True
            self.agreement.query.aim(training_sheet_id=self.sheet, over=self.over)
            self.agreement.start()

    def _ask(self, *events: Any) -> None:
        if not self.following:
            self.start()
            return
        if "over" not in {event.name for event in events}:
            self.waiting.styles = {}
        self.agreement.ask(training_sheet_id=self.sheet, over=self.over)
        if self.disputes.query.value is not None:
            self.disputes.ask(training_sheet_id=self.sheet, first=self.row)

    def _draw(self, found: Any) -> Any:
        show(self.words, Markup('<span class="faint">{}</span>').format(found.summary))
        self.sentence = found.summary
        show(self.figures, figures_markup([_figure(figure) for figure in found.figures]))
        show(self.people, _people(found.by_reviewer))
        show(self.matrix, _matrix(found))
        self._allow(found.actions[0])
        self.known.follow(found.training_sheet_id, found.gold_summary)
        return self.body

    def _allow(self, action: Any) -> None:
        """Follow the disputes where the caller may settle them, else say who may."""
        if not action.enabled:
            self.disputes.place([html(Markup('<span class="faint">{}</span>').format(action.reason))])
        elif self.disputes.query.value is None and not self.disputes.query.busy:
            self.disputes.query.aim(training_sheet_id=self.sheet, first=self.row)
            self.disputes.start()

    def _draw_disputes(self, page: Any) -> Any:
        pages = fmt.page_count(page.total, PAGE)
        self.pager.param.update(count=pages, value=fmt.pager_value(self.page, pages), visible=page.total > PAGE)
        if not page.total:
            return self.none
        if page[0].row_index == self.row:
            self.waiting.styles = LEADING
        known = self.drawn
        self.drawn = {_facts(dispute): known.get(_facts(dispute)) or self._dispute(dispute) for dispute in page}
        drawn = list(self.drawn.values())
        if self.cards.objects != drawn:
            self.cards.objects = drawn
        return self.cards

    def _dispute(self, dispute: Any) -> Any:
        pair = dispute.pair
        place = Markup('<span class="faint small">pair {} · {}</span>').format(fmt.integer(dispute.row_index), pair.about)
        head = Markup('<div style="display:flex;gap:8px;align-items:center">{}{}</div>').format(
            fmt.chip(pair.review.state), place
        )
        prompt = Markup('{}<div class="prompt">{}</div>').format(parts.over("Prompt"), pair.prompt)
        present = Markup('{}<div class="text">{}</div>').format(
            parts.over("Response"), fmt.text(pair.response, reason="It is empty.")
        )
        votes = pmui.Column(
            *(self._vote(dispute, vote) for vote in dispute.votes), margin=0, sizing_mode="stretch_width",
            sx={"display": "grid", "gap": 2, "gridTemplateColumns": "repeat(auto-fit, minmax(240px, 1fr))"},
        )  # fmt: skip
        bar = ActionBar(dispute.actions, partial(self._settle, dispute), toasts=self.toasts, undo=self._undo, size="small")
        return card(
            "", html(head), html(prompt, css=parts.CSS), html(present, css=f"{parts.CSS}{VOTES_CSS}"), votes, bar, name="dispute"
        )

    def _vote(self, dispute: Any, vote: Any) -> Any:
        bits = [
            Markup('<div><b>{}</b> {} <span class="faint">{}</span></div>').format(
                vote.voter, fmt.chip(fmt.voted(vote.action), vote.label), fmt.moment(vote.logged_at)
            ),
            Markup('{}<div class="text">{}</div>').format(parts.over("Prompt"), word_diff(vote.prompt_diff)) if vote.prompt_diff else "",
            Markup('<div class="text">{}</div>').format(word_diff(vote.response_diff) or vote.response),
            Markup('<div class="small ink-warning">{}</div>').format(vote.flag_reason) if vote.flag_reason else "",
            Markup('<div class="small faint">{}</div>').format(vote.notes) if vote.notes else "",
        ]
        said = html(Markup("").join(bit for bit in bits if bit), css=VOTES_CSS)
        texts = {name: text for name in ("prompt", "response") if (text := getattr(vote, name)) is not None}
        follow = ActionBar(
            vote.actions, lambda name: self._settle(dispute, vote.action, **texts), toasts=self.toasts, undo=self._undo, size="small"
        )
        return stack(said, follow, gap=1)

    def _settle(self, dispute: Any, action: str, **given: Any) -> Any:
        place = {"row_index": dispute.row_index, "version": dispute.pair.version}
        return self.ws.review.adjudicate(self.sheet, action=action, **place, **given)

    def _undo(self, name: str, result: Any) -> Any:
        return lambda: self.ws.review.undo(self.sheet)


def _facts(dispute: Any) -> tuple[Any, ...]:
    """Return what a card shows: as long as it is the same, the card stays."""
    votes = tuple((vote.voter, vote.logged_at, _allowed(vote)) for vote in dispute.votes)
    return dispute.row_index, dispute.pair.version, dispute.pair.review.state, votes, _allowed(dispute)


def _allowed(record: Any) -> tuple[Any, ...]:
    return tuple((action.name, action.enabled, action.reason) for action in record.actions or ())


def _figure(figure: Any) -> Figure:
    ends = Markup("{} to {}").format(fmt.number(figure.low, 2), fmt.number(figure.high, 2)) if figure.low is not None else ""
    pairs = fmt.plural(figure.pairs, "pair")
    note = Markup("{} · {}").format(ends, pairs) if ends else pairs if figure.value is not None else ""
    hover = figure.reason or ("95 % interval from resampled pairs" if ends else TOO_FEW)
    return Figure(figure.label, fmt.number(figure.value, reason=figure.reason), note=note, hover=hover)


def _people(people: Any) -> Markup:
    if not people:
        return Markup('<span class="faint">Nobody has decided on a pair yet.</span>')
    heads = Markup("").join(Markup('<th class="num">{}</th>').format(head) for head in HEADS)
    rows = Markup("").join(_person(person) for person in people)
    return Markup('<div class="scroll"><table><tr><th>Reviewer</th>{}</tr>{}</table></div>').format(heads, rows)


def _person(person: Any) -> Markup:
    cells = (
        fmt.integer(person.votes),
        fmt.percentage(person.percent_done),
        fmt.integer(person.approved),
        fmt.integer(person.rejected),
        fmt.integer(person.flagged),
        fmt.percentage(person.percent_agreed, reason="No vote on a settled pair yet."),
        fmt.percentage(person.percent_gold, reason=person.gold_reason),
        fmt.integer(person.pace_per_hour, reason="Nothing in the last hour."),
    )
    row = Markup("").join(Markup('<td class="num">{}</td>').format(cell) for cell in cells)
    return Markup("<tr><td>{}</td>{}</tr>").format(person.reviewer, row)


def _matrix(found: Any) -> Markup:
    """Return kappa of every two reviewers, the darker the closer they are."""
    if not found.by_two:
        return Markup('<span class="faint">{}</span>').format(found.figures[1].reason or "")
    twos = {frozenset((two.first, two.second)): two for two in found.by_two}
    names = [person.reviewer for person in found.by_reviewer if any(person.reviewer in two for two in twos)]
    heads = Markup("").join(Markup('<th class="heat">{}</th>').format(name) for name in names)
    rows = Markup("").join(
        Markup("<tr><td>{}</td>{}</tr>").format(
            name, Markup("").join(_cell(twos.get(frozenset((name, other)))) for other in names)
        )
        for name in names
    )
    return Markup('<div class="scroll"><table style="width:auto"><tr><th></th>{}</tr>{}</table></div>').format(heads, rows)


def _cell(two: Any) -> Markup:
    if two is None:
        return Markup('<td class="heat"></td>')
    hover = Markup("{} of {} equal").format(fmt.percentage(two.percent), fmt.plural(two.pairs, "pair"))
    cell = Markup('<td class="heat" style="--heat:{}" title="{}">{}</td>')
    return cell.format(fmt.bar(fmt.of_hundred(two.kappa)), hover, fmt.number(two.kappa, 2, reason=two.reason))
