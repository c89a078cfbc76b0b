"""Where a training job's model comes from, and what became of it."""

from __future__ import annotations

from workbench.domain.train import Lineage, LineageEdge, LineageNode, LineagePairs, TrainingJob
from workbench.store import Database

_SHEETS = """
select t.id, t.name, t.template_id, s.id as sheet_id, s.name as sheet_name, p.name as template_name
from training_sheets t left join sheets s on s.id = t.sheet_id left join templates p on p.id = t.template_id
where t.id = ?
"""
_MODELS = "select id, name || ' ' || version as label from models where job_id = ? order by created_at"
_ENDPOINTS = "select id, name, model_version_id from endpoints where list_contains(?, model_version_id) order by name"


def lineage_of(db: Database, job: TrainingJob, prefix: str) -> Lineage:
    """Return sheet, template, training sheet, job, model versions and endpoints with their relations."""
    nodes: list[LineageNode] = []
    edges: list[LineageEdge] = []

    def add(id: str, kind: str, label: str, origin: str | None = None, relation: str = "") -> None:
        nodes.append(LineageNode(id=id, kind=kind, label=label or id))
        if origin:
            edges.append(LineageEdge(from_id=origin, to_id=id, relation=relation))

    with db.read():
        source = db.row(_SHEETS, [job.training_sheet_id])
        if source and source["sheet_id"]:
            add(source["sheet_id"], "sheet", source["sheet_name"])
        if source and source["template_name"]:
            add(source["template_id"], "template", source["template_name"])
            edges.append(LineageEdge(from_id=source["template_id"], to_id=job.training_sheet_id, relation="renders"))
        origin = source["sheet_id"] if source else None
        add(job.training_sheet_id, "training_sheet", job.training_sheet_name, origin, "assembled into")
        add(job.id, "job", job.name, job.training_sheet_id, "trained by")
        if job.parent_id:
            add(job.parent_id, "job", "Earlier attempt")
            edges.append(LineageEdge(from_id=job.parent_id, to_id=job.id, relation="retried as"))
        models = db.tuples(_MODELS, [job.id])
        for id, label in models:
            add(id, "model", label, job.id, "produced")
        for id, name, version in db.tuples(_ENDPOINTS, [[id for id, _ in models]]):
            add(id, "endpoint", name, version, "served by")
    href = f"{prefix}/assemblies/{job.training_sheet_id}/rows"
    return Lineage(nodes=nodes, edges=edges, pairs=LineagePairs(train=job.train_pairs, val=job.val_pairs, href=href))
