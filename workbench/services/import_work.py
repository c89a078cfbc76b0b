"""Imports beyond the size of a call: a process of their own reads and checks, the owner takes the rows in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.contract.codec import encode
from workbench.domain.data import Sheet
from workbench.domain.jobs import Job
from workbench.engine import rows
from workbench.services import importing
from workbench.services.answering import answered
from workbench.services.review_import_work import KIND, REVIEWS, ReviewImportWork

if TYPE_CHECKING:
    from workbench.services.application import Application

SAID = ("name", "description", "source_type", "source", "item_id_column", "template_id", "tags", "data_classification")


class ImportWork:
    """Give a source to a job and publish as a sheet what comes back."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.db = app.db
        self.reviews = ReviewImportWork(app)

    def register(self) -> None:
        """Tell the engine how the jobs run."""
        told = {name: self._either(name) for name in ("prepare", "receive", "finish", "ended")}
        self.app.engine.register(KIND, entry="workbench.engine.imports:read", **told)

    def _either(self, name: str) -> Callable[..., Any]:
        """Return a callback for both that are imported: rows here, reviews in their own way."""

        def call(job: Job, *given: Any) -> Any:
            return getattr(self.reviews if REVIEWS in job.spec else self, name)(job, *given)

        return call

    def submit(self, sheet: Sheet, give: Callable[[Path], dict[str, Any]]) -> Job:
        """Queue the import of a sheet to be; `give` puts the source into the job's folder."""
        job_id = self.app.clock.new_id("job")
        with self.app.engine.giving(job_id) as folder:
            spec = {
                "sheet_id": sheet.id,
                **{name: encode(getattr(sheet, name)) for name in SAID},
                "from": give(folder),
                "once": True,
            }
            told = {"id": job_id, "created_by": sheet.created_by, "sample": sheet.sample}
            with self.db.write():
                job = self.app.engine.submit(KIND, name=f"Import {sheet.name}", spec=spec, **told)
                return answered(self.app.jobs.shown(job))

    def prepare(self, job: Job, folder: Path) -> dict[str, Any]:
        """Say where the rows are."""
        return {"given": str(self.app.engine.given(job.id)), **job.spec["from"]}

    def receive(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Load the rows into a table that nobody sees yet."""
        importing.drop_rows(self.db, job.spec["sheet_id"])
        if copied := job.spec["from"].get("copy_of"):
            return {"loaded": importing.copy_rows(self.db, self.app.sheets.records.get(copied), job.spec["sheet_id"])}
        source = rows.rows_made(folder)
        return {"loaded": importing.load(self.db, job.spec["sheet_id"], source, job.spec["item_id_column"])}

    def finish(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Publish the rows as a sheet."""
        said = {name: job.spec[name] for name in SAID}
        sheet = Sheet(id=job.spec["sheet_id"], created_by=job.created_by, sample=job.sample, **said)
        kept = self.app.sheets.published(sheet, result["loaded"])
        return {"sheet_id": kept.id, "rows": kept.item_count}

    def ended(self, job: Job) -> None:
        """Drop what was loaded: nobody will see it."""
        importing.drop_rows(self.db, job.spec["sheet_id"])
