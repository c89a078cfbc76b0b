"""Where a thing comes from and what came of it, as a small graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import panel as pn
import param
from markupsafe import Markup
from panel.custom import JSComponent

from workbench.ui import format as fmt
from workbench.ui.components.markup import html, show
from workbench.ui.theme import FONT, PRIMARY

_CSS = f"""
:host {{ font: 13px/1.4 {FONT}; color: var(--mui-palette-text-primary, inherit); }}
.graph {{ position: relative; display: flex; flex-direction: column; gap: 26px; }}
.level {{ display: flex; gap: 8px; flex-wrap: wrap; justify-content: center; position: relative; }}
.node {{ display: block; box-sizing: border-box; max-width: 100%; min-width: 0; padding: 6px 10px; border-radius: 8px;
  text-decoration: none; color: inherit; border: 1px solid var(--mui-palette-divider, #dfe5ec);
  background: var(--mui-palette-background-default, #f5f7fa); }}
a.node:hover {{ border-color: var(--mui-palette-primary-main, {PRIMARY}); }}
.node.root {{ border-color: var(--mui-palette-primary-main, {PRIMARY}); border-width: 2px; }}
.kind {{ font-size: 11px; color: var(--mui-palette-text-secondary, #566272); }}
.label {{ overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
svg {{ position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; pointer-events: none; }}
path {{ fill: none; stroke: var(--mui-palette-text-secondary, #8a96a5); stroke-width: 1.5; opacity: .6; }}
"""


class LineageBoxes(JSComponent):
    """Draw levels of linked boxes, origins on top."""

    nodes = param.List([], doc="Nodes: id, kind, label, href, depth.")
    edges = param.List([], doc="Edges: from, to, relation.")
    root = param.String("", doc="Id of the thing asked about.")

    _esm = (Path(__file__).parent / "lineage.js").read_text()
    _stylesheets = [_CSS]


class LineageGraph(pn.viewable.Viewer):
    """Show a lineage answer; nodes link to their pages."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._graph = LineageBoxes(margin=0, sizing_mode="stretch_width")
        self._note = html("")
        self._layout = pn.Column(self._graph, self._note, margin=0, sizing_mode="stretch_width")

    def update(self, lineage: Any) -> None:
        """Show this lineage."""
        self._graph.param.update(
            nodes=[_node(node) for node in lineage.nodes],
            edges=[{"from": e.from_id, "to": e.to_id, "relation": fmt.words(e.relation)} for e in lineage.edges],
            root=str(lineage.root.get("id", "")),
        )
        show(self._note, _note(lineage))

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _node(node: Any) -> dict[str, Any]:
    href = f".{node.href}" if node.href else ""
    return {"id": node.id, "kind": fmt.words(node.kind), "label": node.label, "href": href, "depth": node.depth}


def _note(lineage: Any) -> Markup:
    lines = []
    if lineage.pairs:
        told = Markup("Learned from {}, held out {}.")
        lines.append(told.format(fmt.plural(lineage.pairs["train"], "pair"), fmt.integer(lineage.pairs["val"])))
    for fold in lineage.folded:
        told, what = Markup("Shows {} of {} ({})."), fmt.words(str(fold.get("kind", fold["relation"])))
        lines.append(told.format(fmt.integer(fold["shown"]), fmt.integer(fold["total"]), what))
    return Markup('<div class="small faint" style="padding-top:10px">{}</div>').format(Markup("<br>").join(lines))
