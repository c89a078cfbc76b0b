"""What the values of one column look like, as a small card."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.markup import middle_cut

CSS = """
.columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(264px, 1fr)); gap: 16px; }
.column { border: 1px solid var(--mui-palette-divider, #dfe5ec); border-radius: 10px; padding: 12px 16px; min-width: 0;
  background: var(--mui-palette-background-paper, #fff); }
.head { display: flex; gap: 8px; align-items: baseline; }
.head b { flex: 1; min-width: 0; }
.bars { display: flex; align-items: flex-end; gap: 1px; height: 56px; margin: 12px 0 4px; }
.bars i { flex: 1; min-width: 2px; height: calc(var(--h) * 100%); min-height: 2px; border-radius: 2px 2px 0 0;
  background: var(--mui-palette-primary-main, #1f5fbf); opacity: .75; }
.bars i:hover { opacity: 1; }
.bars i.none { min-height: 0; }
.ends { display: flex; justify-content: space-between; }
.tops { margin: 12px 0 0; padding: 0; list-style: none; }
.tops li { display: grid; grid-template-columns: 1fr auto; gap: 8px; padding: 2px 6px; border-radius: 4px; margin-bottom: 2px;
  --tint: color-mix(in srgb, var(--mui-palette-primary-main, #1f5fbf) 14%, transparent);
  background: linear-gradient(var(--tint) 0 0) left / calc(var(--h) * 100%) 100% no-repeat; }
"""
SHOWN = 5
EMPTY = Markup('<span class="faint">empty text</span>')


def columns_markup(profile: Any) -> Markup:
    """Return one card per column of a sheet's profile."""
    return Markup('<div class="columns">{}</div>').format(Markup("").join(_card(column) for column in profile.columns))


def _card(column: Any) -> Markup:
    head = Markup('<div class="head"><b>{}</b><span class="faint small">{}</span></div>').format(
        middle_cut(column.name), column.dtype.lower()
    )
    facts = Markup('<div class="faint small">{} different · {} without a value</div>').format(
        fmt.integer(column.distinct), fmt.percent(column.null_share)
    )
    return Markup('<div class="column">{}{}{}{}</div>').format(head, facts, _bars(column), _tops(column))


def _bars(column: Any) -> Markup:
    if not column.histogram:
        return Markup("")
    bars = Markup("").join(
        Markup('<i class="{}" style="--h:{}" title="{} to {}: {}"></i>').format(
            "" if b.count else "none", b.height, fmt.plain(b.low), fmt.plain(b.high), fmt.integer(b.count)
        )
        for b in column.histogram
    )
    ends = Markup('<div class="ends faint small"><span>{}</span><span>{}</span><span>{}</span></div>').format(
        fmt.plain(column.histogram[0].low),
        "characters" if column.length_max is not None else "",
        fmt.plain(column.histogram[-1].high),
    )
    return Markup('<div class="bars">{}</div>{}').format(bars, ends)


def _tops(column: Any) -> Markup:
    if column.mean is not None:
        return Markup('<div class="small faint" style="margin-top:8px">mean {}</div>').format(fmt.number(column.mean))
    rows = Markup("").join(
        Markup('<li class="small" style="--h:{}"><span class="cut" title="{}">{}</span><span class="num">{}</span></li>').format(
            top.share, fmt.marked(top.value), fmt.marked(top.value) or EMPTY, fmt.integer(top.count)
        )
        for top in column.top_values[:SHOWN]
    )
    return Markup('<ul class="tops">{}</ul>').format(rows)
