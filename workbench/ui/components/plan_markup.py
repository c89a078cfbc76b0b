"""A prompt template and what it renders to, as text."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.pair_markup import over

CSS = """
.plan { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.7; }
.hole { padding: 1px 6px; border-radius: 6px; font-size: 13px; font-weight: 700; white-space: nowrap;
  color: var(--mui-palette-state-infoInk, #0b4f8a); background: var(--mui-palette-state-infoGround, #e2effb); }
.hole.lost { color: var(--mui-palette-state-errorInk, #9b1c1c); background: var(--mui-palette-state-errorGround, #fce6e6); }
.shown { border: 1px solid var(--mui-palette-divider, #dfe5ec); border-radius: 8px; padding: 10px 12px; margin-bottom: 8px; }
.shown .answer { margin-top: 8px; padding-top: 8px; border-top: 1px dashed var(--mui-palette-divider, #dfe5ec); }
.shown u { text-decoration-color: var(--mui-palette-primary-main, #1f5fbf); text-underline-offset: 3px; }
ul.found { margin: 0 0 8px; padding-left: 18px; }
"""


def pieces_markup(pieces: Any) -> Markup:
    """Return the template; each placeholder is a chip that names its column, red without one."""
    parts = (_hole(piece) if piece.placeholder is not None else Markup("{}").format(fmt.marked(piece.text)) for piece in pieces)
    return Markup('<div class="plan">{}</div>').format(Markup("").join(parts))


def _hole(piece: Any) -> Markup:
    hover = f"Column {piece.column}" if piece.known else f"There is no column {piece.column}."
    return Markup('<span class="hole {}" title="{}">{}</span>').format("" if piece.known else "lost", hover, fmt.marked(piece.text))


def check_markup(check: Any) -> Markup:
    """Return what a check found, the columns there are and the first rendered rows."""
    tone = fmt.tone_of("passed" if check.valid else "pending" if check.pending else "failed")
    head = fmt.tone_chip(tone, check.summary)
    found = Markup("").join(
        Markup('<li class="ink-{}">{}</li>').format(finding.level, fmt.about(finding.field, finding.message))
        for finding in check.findings
    )
    listed = Markup('<ul class="found small">{}</ul>').format(found) if found else Markup("")
    columns = (
        Markup('{}<div class="small faint">{}</div>').format(over("Columns"), fmt.marked(", ".join(check.available)))
        if check.available
        else ""
    )
    rows = Markup("").join(_row(row) for row in check.rows)
    shown = Markup("{}{}").format(over("First rows"), rows) if rows else Markup("")
    return Markup('<div style="margin-bottom:8px">{}</div>{}{}<div style="height:12px"></div>{}{}').format(
        head, listed, pieces_markup(check.pieces), columns, Markup('<div style="height:12px"></div>{}').format(shown)
    )


def _row(row: Any) -> Markup:
    prompt = Markup("").join(
        Markup('<u title="Column {}">{}</u>').format(fmt.marked(piece["column"]), fmt.marked(piece["text"]))
        if piece["column"]
        else Markup("{}").format(fmt.marked(piece["text"]))
        for piece in row.segments or ()
    )
    answer = Markup('<div class="answer">{}</div>').format(fmt.marked(row.response)) if row.response else Markup("")
    return Markup('<div class="shown"><div class="plan">{}</div>{}</div>').format(prompt, answer)
