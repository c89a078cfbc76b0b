"""Assemblies beyond the size of a call: another process renders the rows, the owner takes the pairs in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.domain.data import Sheet
from workbench.domain.generate import TrainingSheet
from workbench.domain.jobs import Job
from workbench.engine import rows
from workbench.services import assembling, tag_limits
from workbench.services.answering import answered

if TYPE_CHECKING:
    from workbench.services.application import Application

KIND = "assemble"


class AssemblyWork:
    """Give the chosen rows to a job and publish the pairs that come back."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.db = app.db

    def register(self) -> None:
        """Tell the engine how the jobs run."""
        told = {"prepare": self.prepare, "receive": self.receive, "finish": self.finish, "ended": self.ended}
        self.app.engine.register(KIND, entry="workbench.engine.rows:answer", **told)

    def submit(self, sheet: Sheet, made: TrainingSheet, choice: assembling.Choice) -> Job:
        """Queue the making of a training sheet, which is there from now on as assembling."""
        job_id = self.app.clock.new_id("job")
        with self.app.engine.giving(job_id) as folder:
            given = assembling.give(self.db, sheet, made, choice, folder)
            with self.db.write():
                kept = self.app.training_sheets.named(sheet, made).with_(status="assembling")
                self.app.training_sheets.records.insert(kept)
                spec = {"training_sheet_id": kept.id, "sheet_id": sheet.id, **given, "once": True}
                job = self.app.engine.submit(
                    KIND, id=job_id, name=f"Make {kept.name}", spec=spec, created_by=made.created_by, sample=made.sample
                )
                return answered(self.app.jobs.shown(job))

    def prepare(self, job: Job, folder: Path) -> dict[str, Any]:
        """Ask for the pairs of the given rows."""
        made = self._made(job)
        sheet = self.app.sheets.records.get(made.sheet_id)
        question = assembling.question(self.db, sheet, made, labels=job.spec["labels"])
        return {"given": str(self.app.engine.given(job.id)), "total": job.spec["total"], **question}

    def receive(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Take in the pairs, which nobody sees while their training sheet is assembling."""
        with self.db.load() as tx:
            tx.execute("delete from pair_rows where training_sheet_id = ?", [job.spec["training_sheet_id"]])
            tx.insert_arrow("pair_rows", rows.rows_made(folder))
        return {}

    def finish(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Declare the training sheet ready."""
        done = {"status": "ready", "total_rows": result["rows"], "completed_at": self.app.clock.now()}
        made = self.app.training_sheets.records.update(job.spec["training_sheet_id"], **done)
        tag_limits.reach(self.app.review, self.app.sheets.records.get(made.sheet_id), only=made.id)
        assembling.count_reuse(self.db, made)
        return {"training_sheet_id": made.id, "rows": made.total_rows}

    def ended(self, job: Job) -> None:
        """Drop what was taken in; a training sheet that failed says why, one that was cancelled goes."""
        made = self._made(job)
        self.db.execute("delete from pair_rows where training_sheet_id = ?", [made.id])
        if job.status == "failed":
            self.app.training_sheets.records.update(made.id, status="failed", error_summary=job.error_message)
        else:
            self.app.training_sheets.records.delete(made.id)

    def _made(self, job: Job) -> TrainingSheet:
        return self.app.training_sheets.records.get(job.spec["training_sheet_id"])
