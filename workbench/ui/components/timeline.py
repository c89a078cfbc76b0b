"""What happened, in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import panel as pn
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.markup import html, show

_CSS = """
ol { list-style: none; margin: 0; padding: 0; max-height: 320px; overflow-y: auto; }
li { position: relative; padding: 0 0 12px 20px; min-height: 20px; overflow-wrap: anywhere; }
li::before { content: ""; position: absolute; left: 3px; top: 6px; width: 8px; height: 8px; border-radius: 50%;
  background: var(--mui-palette-text-secondary, #566272); }
li::after { content: ""; position: absolute; left: 6px; top: 16px; bottom: -6px; width: 2px;
  background: var(--mui-palette-divider, #dfe5ec); }
li:last-child::after { display: none; }
li .when { margin-left: 8px; white-space: nowrap; }
"""


class Moment(NamedTuple):
    """One thing that happened: when, its state if it is one, and the words."""

    at: Any
    state: str | None
    text: Any
    who: str = ""


class Timeline(pn.viewable.Viewer):
    """List moments, the first on top."""

    def __init__(self, moments: Iterable[Moment] = (), *, empty: str = "Nothing happened yet.", **params: Any) -> None:
        super().__init__(**params)
        self._empty = empty
        self._pane = html("", css=_CSS)
        self.update(moments)

    def update(self, moments: Iterable[Moment]) -> None:
        """Show other moments."""
        items = Markup("").join(_item(moment) for moment in moments)
        show(
            self._pane,
            Markup("<ol>{}</ol>").format(items) if items else Markup('<div class="faint">{}</div>').format(self._empty),
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return self._pane


def _item(moment: Moment) -> Markup:
    state = Markup("{} ").format(fmt.chip(moment.state)) if moment.state else Markup("")
    who = Markup(" {}").format(moment.who) if moment.who else Markup("")
    return Markup('<li>{}{}<span class="faint small when">{}{}</span></li>').format(
        state, moment.text or "", fmt.moment(moment.at), who
    )
