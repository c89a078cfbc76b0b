"""Figures, steps of the loop, and text that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import panel as pn
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.markup import html
from workbench.ui.theme import RADIUS, STEP

_CARD = f"""
.cards {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: {2 * STEP}px; }}
.card {{ display: block; background: var(--mui-palette-background-paper, #fff); border: 1px solid var(--mui-palette-divider, #dfe5ec);
  border-radius: {RADIUS}px; padding: 16px; color: inherit; min-width: 0; }}
a.card:hover {{ text-decoration: none; border-color: var(--mui-palette-primary-main, #1f5fbf); }}
.steps {{ display: grid; grid-auto-flow: column; grid-auto-columns: minmax(92px, 1fr); overflow-x: auto;
  background: var(--mui-palette-background-paper, #fff); border: 1px solid var(--mui-palette-divider, #dfe5ec);
  border-radius: {RADIUS}px; }}
.step {{ position: relative; padding: 16px 8px 16px 20px; color: inherit; min-width: 0; }}
.step + .step::before {{ content: ""; position: absolute; left: -7px; top: 50%; width: 12px; height: 12px; margin-top: -6px;
  border: 1px solid var(--mui-palette-divider, #dfe5ec); border-width: 1px 1px 0 0; transform: rotate(45deg); }}
a.step:hover {{ text-decoration: none; background: color-mix(in srgb, var(--mui-palette-primary-main, #1f5fbf) 6%, transparent); }}
.step .figure {{ font-size: 22px; }}
.step .note {{ overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
"""


@dataclass(frozen=True)
class Figure:
    """One figure: what it is, its text, where it leads and what it is as of."""

    title: str
    text: Any
    unit: str = ""
    note: Any = ""
    href: str = ""
    hover: str = ""

    def markup(self, css_class: str) -> Markup:
        """Return the figure as a card or a step."""
        unit = Markup('<span class="unit faint">{}</span>').format(self.unit) if self.unit else ""
        note = Markup('<div class="small faint note">{}</div>').format(self.note) if self.note else ""
        body = Markup('<div class="small faint cut">{}</div><div class="figure">{}{}</div>{}').format(
            self.title, self.text, unit, note
        )
        if self.href:
            return Markup('<a class="{}" href="{}" title="{}">{}</a>').format(css_class, self.href, self.hover, body)
        return Markup('<div class="{}" title="{}">{}</div>').format(css_class, self.hover, body)


def figure_row(figures: Sequence[Figure]) -> pn.pane.HTML:
    """Return figures side by side as cards."""
    return html(figures_markup(figures), css=_CARD)


def figures_markup(figures: Sequence[Figure]) -> Markup:
    """Return the markup of `figure_row`, to update one that is shown."""
    return _joined("cards", "card", figures)


def funnel(steps: Sequence[Figure]) -> pn.pane.HTML:
    """Return the steps of the loop in their order."""
    return html(funnel_markup(steps), css=_CARD)


def funnel_markup(steps: Sequence[Figure]) -> Markup:
    """Return the markup of `funnel`, to update one that is shown."""
    return _joined("steps", "step", steps)


def _joined(group: str, each: str, figures: Sequence[Figure]) -> Markup:
    return Markup('<div class="{}">{}</div>').format(group, Markup("").join(f.markup(each) for f in figures))


def word_diff(pieces: Sequence[Any]) -> Markup:
    """Return what changed in a text; pieces carry `op` (same, added, removed) and `text`."""
    return Markup("").join(_TAGS.get(piece.op, _SAME).format(fmt.clipped(piece.text, LONGEST_RUN)) for piece in pieces)


LONGEST_RUN = 20_000


_SAME = Markup("{}")
_TAGS = {"added": Markup("<ins>{}</ins>"), "removed": Markup("<del>{}</del>")}


def rows_of(pairs: Sequence[tuple[Any, Any]]) -> pn.pane.HTML:
    """Return label and value in two columns."""
    return html(fmt.facts(pairs))
