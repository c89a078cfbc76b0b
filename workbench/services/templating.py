"""The template and the size of a training sheet, as re-assemblies change them and as they are taken back."""

from __future__ import annotations

from workbench.domain.generate import TemplateSnapshot, TrainingSheet
from workbench.services.decisions import Scope
from workbench.store import Database
from workbench.store.tables import Mapping

# Batches whose template a step would exchange: the one that stands, or those that were taken back to what stands.
STANDING = {
    "after": "select batch from reassemblies where training_sheet_id = $sheet and stands",
    "before": (
        "select batch from reassemblies where training_sheet_id = $sheet and template_before is distinct from template_after and upon "
        "is not distinct from (select max(batch) from reassemblies where training_sheet_id = $sheet and stands)"
    ),
}


def keep(db: Database, batch: int, made: TrainingSheet, plan: TemplateSnapshot) -> None:
    """Give a training sheet another template, and remember both beside the batch."""
    before, after = stored(made.template), stored(plan)
    upon = db.value("select batch from reassemblies where training_sheet_id = ? and stands", [made.id])
    values = [batch, made.id, made.template_id, before, plan.template_id, after, upon]
    db.execute("insert into reassemblies values (?, ?, ?, ?, ?, ?, ?, false)", values)
    if before != after:
        _put(db, made.id, plan.template_id, after, batch)


def stored(plan: TemplateSnapshot | None) -> str | None:
    """Return a template as it is kept; equal templates are kept alike."""
    return Mapping.of(TrainingSheet).column("template", plan)


def step(db: Database, scope: Scope, batch: int, *, back: bool) -> bool:
    """Put the template of before, or after, a re-assembly in place where it was not changed since; say whether it was."""
    taken, put = ("after", "before") if back else ("before", "after")
    found = db.tuples(
        f"select template_id_{put}, template_{put}, {'upon' if back else 'batch'} from reassemblies "
        f"where batch = $batch and batch in ({STANDING[taken]})",
        {"batch": batch, "sheet": scope.training_sheet_id},
    )
    for template_id, template, standing in found:
        _put(db, scope.training_sheet_id, template_id, template, standing)
    return bool(found)


def _put(db: Database, training_sheet_id: str, template_id: str | None, template: str | None, batch: int | None) -> None:
    """Give a training sheet the template that a re-assembly had put in place, or without one that of its assembly."""
    _changed(db, training_sheet_id, "template_id = ?, template = ?", [template_id, template])
    db.execute(
        "update reassemblies set stands = batch is not distinct from ? where training_sheet_id = ?", [batch, training_sheet_id]
    )


def count_rows(db: Database, scope: Scope) -> None:
    """Let a training sheet say how many pairs it has."""
    counted = "total_rows = (select count(*) from pair_rows where training_sheet_id = training_sheets.id)"
    _changed(db, scope.training_sheet_id, counted, [])


def _changed(db: Database, training_sheet_id: str, settings: str, values: list[str | None]) -> None:
    version = db.execute(
        f"update training_sheets set {settings}, updated_at = ?, version = version + 1 where id = ? returning version",
        [*values, db.clock.now(), training_sheet_id],
    )[0][0]
    db.emit("training_sheets", training_sheet_id, version)


def is_reassembly(db: Database, batch: int) -> bool:
    """Return True when a batch re-assembled a training sheet."""
    return bool(db.execute("select 1 from reassemblies where batch = ?", [batch]))


def label_types(db: Database, scope: Scope) -> list[str]:
    """Return the kinds of truth that a training sheet's templates have had, the present one first."""
    found = db.execute(
        "select distinct unnest([template_before ->> 'label_type', template_after ->> 'label_type']) from reassemblies "
        "where training_sheet_id = ?",
        [scope.training_sheet_id],
    )
    return list(dict.fromkeys([scope.label_type, *(row[0] for row in found)]))
