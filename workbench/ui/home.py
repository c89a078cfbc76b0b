"""Home: the loop as a funnel, what runs, what happened last, and the one next thing to do."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.figures import Figure, funnel, funnel_markup
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import empty_state
from workbench.ui.theme import CARD_SX
from workbench.ui.url import page_href
from workbench.ui.view import View

_CSS = """
.next { display: flex; flex-direction: column; gap: 4px; margin-top: 8px; }
.next a { display: flex; gap: 8px; padding: 8px 12px; border-radius: 8px; font-weight: 700;
  background: color-mix(in srgb, var(--mui-palette-primary-main, #1f5fbf) 8%, transparent); }
.next a::after { content: "\\2192"; margin-left: auto; }
.list { display: flex; flex-direction: column; margin-top: 8px; }
.list > * { display: flex; gap: 12px; align-items: baseline; padding: 8px 0; color: inherit; min-width: 0;
  border-top: 1px solid var(--mui-palette-divider, #dfe5ec); }
.list > *:first-child { border-top: none; }
.list .what { flex: 1; min-width: 0; }
"""


WAITING = Markup('<div class="wait" aria-busy="true">&nbsp;</div>')


class HomeView(View):
    """Show where the loop stands."""

    def build(self) -> list[Any]:
        """Return the parts of the page."""
        self._make()
        self._area = pmui.Column(*self._content, margin=0, sizing_mode="stretch_width", sx={"gap": 2})
        self.watch(self.ws.home.overview, self._draw)
        return [self._area]

    def _draw(self, found: Any) -> None:
        self.sentence = found.sentence
        shown = [_nothing()] if found.empty else self._content
        if self._area.objects != shown:
            self._area.objects = shown
        show(self._steps, funnel_markup([_step(step) for step in found.steps]))
        show(self._next, _titled("Next", _next(found.steps)))
        show(self._running, _titled("Running", _running(found.running_jobs)))
        show(self._recent, _titled("Recently", _recent(found.recent)))
        note = Markup('<span class="faint small">As of {}{}</span>')
        show(self._note, note.format(fmt.moment(found.as_of), ". Sample records are marked as such." if found.sample else "."))

    def _make(self) -> None:
        # What is only filled in later is on the page sooner than what has to be put in place.
        self._steps = funnel([Figure("\u00a0", WAITING, note=WAITING) for _ in range(9)])
        self._next, self._running, self._recent = (
            html(_titled(name, WAITING), css=_CSS) for name in ("Next", "Running", "Recently")
        )
        self._note = html("")
        left = pmui.Column(_card(self._next), _card(self._running), margin=0, sizing_mode="stretch_width", sx={"gap": 2})
        area = {"display": "grid", "gridTemplateColumns": {"xs": "minmax(0, 1fr)", "md": "repeat(2, minmax(0, 1fr))"}, "gap": 2}
        below = pmui.Row(left, _card(self._recent), margin=0, sizing_mode="stretch_width", sx={**area, "alignItems": "start"})
        self._content = [self._steps, below, self._note]


def _card(*parts: Any) -> Any:
    return pmui.Column(*parts, margin=0, sizing_mode="stretch_width", sx={**CARD_SX, "bgcolor": "background.paper"})


def _titled(title: str, body: Markup) -> Markup:
    return Markup('<div class="title">{}</div>{}').format(title, body)


def _step(step: Any) -> Figure:
    note = fmt.change(step.change)
    hover = "The small figure is the change since yesterday."
    return Figure(step.label, fmt.integer(step.count), note=note, href=page_href(step.page, step.query), hover=hover)


def _next(steps: Any) -> Markup:
    todo = [step for step in steps if step.next_action]
    if not todo:
        return Markup('<div class="faint" style="margin-top:8px">Nothing waits for you.</div>')
    link = Markup('<a href="{}">{}</a>')
    links = (link.format(page_href(step.next_page, step.next_query), step.next_action) for step in todo)
    return Markup('<div class="next">{}</div>').format(Markup("").join(links))


def _running(jobs: Any) -> Markup:
    if not jobs:
        return Markup('<div class="faint" style="margin-top:8px">No job runs.</div>')
    row = Markup(
        '<a href="{}"><span class="what cut"><b>{}</b> <span class="faint">{}</span></span>{}<span class="num">{}</span></a>'
    )
    rows = (
        row.format(
            page_href("jobs", {"job": j["id"]}),
            j["name"],
            j["message"],
            fmt.chip(j["status"]),
            fmt.percentage(j["progress_percent"]),
        )
        for j in jobs
    )
    return Markup('<div class="list">{}</div>').format(Markup("").join(rows))


def _recent(recent: Any) -> Markup:
    if not recent:
        return Markup('<div class="faint" style="margin-top:8px">Nothing happened yet.</div>')
    row = Markup(
        '<a href="{}"><span class="what cut"><b>{}</b> {}</span><span class="faint small" style="white-space:nowrap">{}</span></a>'
    )
    rows = (row.format(page_href(a.page, a.query), a.actor, a.text, fmt.moment(a.logged_at)) for a in recent)
    return Markup('<div class="list">{}</div>').format(Markup("").join(rows))


def _nothing() -> Any:
    sentence = "Nothing here yet. Import a table, or make a sample workspace with: workbench demo --database sample.duckdb"
    return empty_state(sentence, action="Import a table", href=page_href("data", {"dialog": "import"}))
