"""Bars of parts of a whole; the browser works out the widths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from workbench.ui import format as fmt

PARTS_CSS = """
.parts { display: flex; height: 10px; border-radius: 5px; overflow: hidden; gap: 2px; background: var(--mui-palette-divider, #dfe5ec); }
.parts i { display: block; min-width: 3px; background: currentColor; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin-top: 8px; font-size: 12px; }
.legend span::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 2px; background: currentColor;
  margin-right: 6px; }
.legend b { color: var(--mui-palette-text-primary, inherit); font-weight: 400; }
.t0 { color: var(--mui-palette-primary-main, #1f5fbf); } .t1 { color: #d9822b; } .t2 { color: #8a96a5; }
.t3 { color: #a05cc4; } .t4 { color: #c4476b; } .t5 { color: #3d9a5b; } .t6 { color: #5c8a9e; }
"""


class Share(NamedTuple):
    """One part of the whole."""

    label: str
    count: int | None


def parts_bar(shares: Sequence[Share]) -> Markup:
    """Return a stacked bar with a legend that names every part and its count."""
    shown = [(f"t{i}", share) for i, share in enumerate(shares[:7]) if share.count]
    bar = Markup("").join(
        Markup('<i class="{}" style="flex:{} 0 0" title="{}"></i>').format(tone, share.count, share.label)
        for tone, share in shown
    )
    legend = Markup("").join(
        Markup('<span class="{}"><b>{} {}</b></span>').format(tone, fmt.integer(share.count), share.label)
        for tone, share in shown
    )
    return Markup('<div class="parts">{}</div><div class="legend">{}</div>').format(bar, legend)


def meter(percent: float | None, words: Any = None) -> Markup:
    """Return a thin bar of a percentage, for cells of a table."""
    bar = Markup(
        '<span style="display:inline-flex;align-items:center;gap:8px;width:100%;max-width:150px">'
        '<span style="flex:1 1 92px;min-width:48px;height:6px;border-radius:3px;overflow:hidden;'
        'background:var(--mui-palette-divider,#dfe5ec)">'
        '<span style="display:block;height:6px;width:{}%;background:var(--mui-palette-primary-main,#1f5fbf)"></span></span>'
        '<span class="num small" style="flex:none">{}</span></span>'
    )
    return bar.format(fmt.bar(percent), words if words is not None else fmt.percentage(percent))
