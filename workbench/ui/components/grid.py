"""Draw one page of rows; sorting, opening and selecting go back by id."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from workbench.ui.components.markup import SHORT, TAIL
from workbench.ui.theme import INFO, MARKUP_CSS, PRIMARY, RADIUS

_CSS = f"""
.frame {{ overflow-x: auto; border: 1px solid var(--mui-palette-divider, #dfe5ec); border-radius: {RADIUS}px;
  background: var(--mui-palette-background-paper, #fff); }}
table {{ border-collapse: collapse; width: 100%; font-size: 13px; }}
th {{ text-align: left; padding: 0 12px; height: 38px; font-weight: 700; font-size: 12px; white-space: nowrap;
  max-width: var(--widest, 420px); overflow: hidden; text-overflow: ellipsis;
  color: var(--mui-palette-text-secondary, #566272); border-bottom: 1px solid var(--mui-palette-divider, #dfe5ec); }}
td {{ padding: 0 12px; height: 40px; max-width: var(--widest, 420px); overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  unicode-bidi: plaintext; text-align: left;
  border-bottom: 1px solid var(--mui-palette-divider, #dfe5ec); }}
tr:last-child td {{ border-bottom: none; }}
th .middle {{ max-width: calc(var(--widest, 420px) - 24px); }}
td.right, th.right {{ text-align: right; font-variant-numeric: tabular-nums; }}
.pick {{ width: 20px; padding-right: 0; }}
.pick input {{ accent-color: var(--mui-palette-primary-main, {PRIMARY}); margin: 0; vertical-align: middle; }}
th button {{ all: unset; cursor: pointer; }}
th button:hover {{ color: var(--mui-palette-text-primary, inherit); }}
th button.up::after {{ content: " ↑"; }}
th button.down::after {{ content: " ↓"; }}
th button:focus-visible, tbody tr:focus-visible {{ outline: 2px solid var(--mui-palette-primary-main, {PRIMARY}); outline-offset: -2px; }}
tbody tr[tabindex] {{ cursor: pointer; }}
tbody tr:hover, tbody tr.open {{ background: color-mix(in srgb, var(--mui-palette-primary-main, {PRIMARY}) 7%, transparent); }}
tr.changed {{ animation: changed 1.4s ease-out; }}
@keyframes changed {{ from {{ background: var(--mui-palette-state-infoGround, {INFO.ground}); }} }}
@media (prefers-reduced-motion: reduce) {{ tr.changed {{ animation: none; }} }}
"""


class Grid(JSComponent):
    """A table of formatted cells."""

    columns = param.List([], doc="Columns: name, title, align, doc, width, sortable.")
    rows = param.List([], doc="Rows: id and the markup of each cell.")
    sort = param.String("", doc="Column the rows are ordered by.")
    descending = param.Boolean(False, doc="True when the order is reversed.")
    selectable = param.Boolean(False, doc="True when rows carry a checkbox.")
    selected = param.List([], doc="Ids of the chosen rows, also of other pages.")
    openable = param.Boolean(False, doc="True when a click on a row opens it.")
    open_id = param.String("", doc="Id of the row that is open.")

    short = param.Integer(SHORT, doc="Titles no longer than this many letters are written in one piece.")
    tail = param.Integer(TAIL, doc="So many letters at the end of a longer title stay in sight.")

    _esm = (Path(__file__).parent / "grid.js").read_text()
    _stylesheets = [MARKUP_CSS, _CSS]

    def __init__(self, *, on_sort: Callable[[str], None], on_open: Callable[[str], None] | None = None, **params: Any) -> None:
        super().__init__(**{"margin": 0, "sizing_mode": "stretch_width", "openable": on_open is not None, **params})
        self._on_sort = on_sort
        self._on_open = on_open

    def _handle_msg(self, data: Any) -> None:
        if data["do"] == "sort":
            self._on_sort(str(data["column"]))
        elif self._on_open is not None:
            self._on_open(str(data["id"]))
