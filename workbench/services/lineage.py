"""Where things come from and what came of them, read from the SQL view `lineage`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from workbench.contract import Field, query
from workbench.domain.improve import Lineage, LineageEdge, LineageNode
from workbench.errors import NotFound
from workbench.services import job_pages
from workbench.services.service import Service

Kind = Literal[
    "sheet", "template", "training_sheet", "pair", "job", "model", "endpoint", "request", "feedback", "canonical_label"
]
Ref = tuple[str, str]
MAX_DEPTH = 10
SHOWN = {"pair": 3, "request": 5, "feedback": 5}
SHOWN_OTHERS = 20
# However many neighbors lead to them: a graph is to be read.
MOST = {"canonical_label": 3}
MOST_OF_A_KIND = 60
_STEP = """
select {near}_id as near_id, relation, {far}_kind as far_kind, count(*) as total, max({far}_id, 20) as far_ids
from lineage
where {near}_kind = ? and list_contains(?, {near}_id)
group by all
"""
_LABELS = {
    "sheet": "select id, name as label from sheets where list_contains(?, id)",
    "template": "select id, name || ' ' || semver as label from templates where list_contains(?, id)",
    "training_sheet": "select id, name as label from training_sheets where list_contains(?, id)",
    "pair": "select id, 'Pair ' || row_index || ': ' || substr(prompt, 1, 60) as label from pairs where list_contains(?, id)",
    "job": "select id, name as label, kind as job_kind from jobs where list_contains(?, id)",
    "model": "select id, name || ' ' || version as label from models where list_contains(?, id)",
    "endpoint": "select id, name as label from endpoints where list_contains(?, id)",
    "request": "select id, substr(inputs, 1, 60) as label from requests where list_contains(?, id)",
    "feedback": "select id, trim(sentiment || ' ' || substr(coalesce(comment, ''), 1, 50)) as label from feedback "
    "where list_contains(?, id)",
    "canonical_label": "select id, label from canonical_labels where list_contains(?, id)",
}
_PAGES = {
    "sheet": "/data?sheet={id}",
    "template": "/generate?template={id}",
    "training_sheet": "/label?sheet={id}",
    "pair": "/label?pair={id}",
    "model": "/models?model={id}",
    "endpoint": "/deploy?endpoint={id}",
    "request": "/monitor?request={id}",
    "feedback": "/monitor?feedback={id}",
}
_PAIRS = """
select count(*) filter (where split = 'train') as train, count(*) filter (where split <> 'train') as val
from job_pairs where list_contains(?, job_id)
"""


class LineageService(Service):
    """Follow the line from a request to the rows it learned from, and back."""

    namespace = "lineage"

    @query(
        "GET",
        "/lineage/{kind}/{id}",
        topics=("sheets", "templates", "training_sheets", "jobs", "models", "endpoints", "requests", "feedback"),
    )
    def get(
        self,
        kind: Annotated[Kind, Field(description="What the id is of.")],
        id: Annotated[str, Field(description="Id of the thing.")],
    ) -> Lineage:
        """Return where a thing comes from (negative depth) and what came of it, as nodes and edges."""
        self.app.endpoints.flush()
        with self.db.read():
            if not self._labels({kind: [id]}):
                raise NotFound.of(kind, id)
            depths: dict[Ref, int] = {(kind, id): 0}
            edges: dict[tuple[str, str, str], None] = {}
            folded: list[dict[str, Any]] = []
            self._walk(-1, depths, edges, folded)
            self._walk(1, depths, edges, folded)
            return Lineage(
                root={"kind": kind, "id": id},
                nodes=self._nodes(depths),
                edges=[LineageEdge(from_id=f, to_id=t, relation=r) for f, r, t in edges],
                pairs=self._pairs([i for k, i in depths if k == "job"]),
                folded=folded,
            )

    def _walk(
        self, way: int, depths: dict[Ref, int], edges: dict[tuple[str, str, str], None], folded: list[dict[str, Any]]
    ) -> None:
        """Follow the edges one way from the root, level by level."""
        sql = _STEP.format(near="from", far="to") if way < 0 else _STEP.format(near="to", far="from")
        frontier = [ref for ref, depth in depths.items() if depth == 0]
        for level in range(1, MAX_DEPTH + 1):
            found: list[Ref] = []
            for kind in dict.fromkeys(kind for kind, _ in frontier):
                for row in self.db.rows(sql, [kind, [i for k, i in frontier if k == kind]]):
                    for far_id in _shown_of(row, folded):
                        far, near_id = (row["far_kind"], far_id), row["near_id"]
                        if far not in depths and sum(kind == far[0] for kind, _ in depths) >= MOST.get(far[0], MOST_OF_A_KIND):
                            continue
                        ends = (near_id, row["relation"], far_id) if way < 0 else (far_id, row["relation"], near_id)
                        edges[ends] = None
                        if far not in depths:
                            depths[far] = way * level
                            found.append(far)
            frontier = found
            if not frontier:
                return

    def _nodes(self, depths: dict[Ref, int]) -> list[LineageNode]:
        by_kind: dict[str, list[str]] = {}
        for kind, id in depths:
            by_kind.setdefault(kind, []).append(id)
        told = self._labels(by_kind)
        return [
            LineageNode(
                id=id,
                kind=kind,
                label=told.get((kind, id), {}).get("label") or f"{kind} {id}",
                href=_page(kind, id, told.get((kind, id), {}).get("job_kind", "")),
                depth=depth,
            )
            for (kind, id), depth in sorted(depths.items(), key=lambda item: abs(item[1]))
        ]

    def _labels(self, by_kind: dict[str, list[str]]) -> dict[Ref, dict[str, Any]]:
        return {(kind, row["id"]): row for kind, ids in by_kind.items() for row in self.db.rows(_LABELS[kind], [ids])}

    def _pairs(self, jobs: list[str]) -> dict[str, Any] | None:
        row = self.db.row(_PAIRS, [jobs]) if jobs else None
        if not row or not (row["train"] or row["val"]):
            return None
        return {**row, "href": job_pages.page_of("train", jobs[0])}


def _page(kind: str, id: str, job_kind: str) -> str | None:
    """Return the page that shows a thing; not everything has one."""
    return job_pages.page_of(job_kind, id) if kind == "job" else _PAGES[kind].format(id=id) if kind in _PAGES else None


def _shown_of(row: dict[str, Any], folded: list[dict[str, Any]]) -> list[str]:
    """Return the neighbors to show, and note in `folded` where there are more."""
    limit = SHOWN.get(row["far_kind"], SHOWN_OTHERS)
    told = {"id": row["near_id"], "relation": row["relation"], "kind": row["far_kind"], "total": row["total"], "shown": limit}
    if row["total"] > limit and told not in folded:
        folded.append(told)
    return row["far_ids"][:limit]
