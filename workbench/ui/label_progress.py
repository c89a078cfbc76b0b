"""How far a review has come, in words and bars."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from workbench.ui import format as fmt

LINE = """
.line { display: flex; gap: 4px 20px; align-items: baseline; flex-wrap: wrap; }
.line b { font-size: 15px; }
.line .end { margin-left: auto; display: flex; gap: 16px; white-space: nowrap; align-items: baseline; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-size: 12px; color: var(--mui-palette-text-secondary, #566272); padding: 4px 16px 4px 0; }
td { padding: 4px 16px 4px 0; } th.num { text-align: right; }
.part { display: flex; height: 8px; border-radius: 4px; overflow: hidden; min-width: 80px; }
.part i { display: block; }
"""
_ROW = Markup(
    '<tr><td>{}</td><td style="width:40%"><span class="part">{}</span></td><td class="num">{}</td>'
    '<td class="num">{}</td><td class="num">{}</td><td class="num">{}</td></tr>'
)
_HEADS = ("Reviewer", "", "Approved", "Rejected", "Flagged", "Standing")


def progress_markup(progress: Any, *, counted: bool = True) -> Markup:
    """Return how far the review has come in one line; a page says in its title what a cell says here."""
    left = Markup("<span>{}</span>").format(progress.summary) if counted else Markup("")
    no_pace = "Nobody decided on single pairs yet."
    right = Markup(
        '<span class="end"><b>{}</b><span class="faint">pace {} / h</span><span class="faint">ETA {}</span></span>'
    ).format(
        fmt.percentage(progress.percent_complete),
        fmt.integer(progress.pace_per_hour, reason=no_pace),
        fmt.duration(progress.eta_seconds, reason=no_pace),
    )
    return Markup('<div class="line">{}{}</div>').format(left, right)


def people_markup(progress: Any) -> Markup:
    """Return the decisions that stand by person and by day."""
    heads = Markup("").join(
        Markup('<th class="{}">{}</th>').format("num" if n > 1 else "", word) for n, word in enumerate(_HEADS)
    )
    people = Markup("").join(_person(one) for one in progress.by_reviewer)
    days = Markup("").join(
        Markup('<tr><td>{}</td><td style="width:60%"><span class="part">{}</span></td><td class="num">{}</td></tr>').format(
            day.day, _bar("info", day.decisions), fmt.integer(day.decisions)
        )
        for day in progress.by_day
    )
    nobody = Markup('<div class="faint">Nobody decided on a pair yet.</div>')
    table = Markup("<table>{}</table>")
    words = Markup('<div class="text" style="margin-bottom:8px">{}</div>').format(progress.summary)
    by_day = Markup('<div class="title" style="margin-top:16px">By day (UTC)</div>{}').format(table.format(days))
    return Markup("{}{}").format(
        words, Markup("{}{}").format(table.format(Markup("{}{}").format(heads, people)), by_day) if people else nobody
    )


def _person(one: Any) -> Markup:
    shares = (("success", one.approved), ("error", one.rejected), ("warning", one.flagged))
    bars = Markup("").join(_bar(tone, count) for tone, count in shares)
    return _ROW.format(one.reviewer, bars, *(fmt.integer(n) for n in (one.approved, one.rejected, one.flagged, one.decisions)))


def _bar(tone: str, count: int) -> Markup:
    return Markup('<i class="ink-{}" style="flex:{} 0 0;background:currentColor"></i>').format(tone, count)
