"""Exports: the pairs are frozen first, then written in the call or, beyond its size, by a job."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.contract import current
from workbench.contract.codec import encode
from workbench.domain.generate import Export, TrainingSheet
from workbench.domain.jobs import Job
from workbench.engine import handover
from workbench.services import exporting
from workbench.services.answering import answered
from workbench.services.exporting import PAIRS, ExportWish
from workbench.services.long_work import takes_a_job
from workbench.store.export_files import write_files
from workbench.store.parquet_tables import ParquetTables

if TYPE_CHECKING:
    from workbench.services.application import Application

KIND = "export"


class ExportWork:
    """Write exports and put them where they can be fetched."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.db = app.db

    def register(self) -> None:
        """Tell the engine how the jobs run."""
        told = {"prepare": self.prepare, "finish": self.finish, "ended": self.ended}
        self.app.engine.register(KIND, entry="workbench.engine.rows:export", **told)

    def run(self, made: TrainingSheet, wish: ExportWish) -> Export | Job:
        """Write the pairs that match now, or queue the job that does."""
        if takes_a_job(lambda rows: exporting.count(self.db, made, wish) > rows):
            return self._submit(made, wish)
        with tempfile.TemporaryDirectory(dir=self.app.engine.uploads(), ignore_cleanup_errors=True) as place:
            folder = Path(place)
            total = exporting.freeze(self.db, made, wish, folder)
            files = handover.made(folder)
            files.mkdir()
            with ParquetTables({"pair_rows": folder / PAIRS}) as tables:
                written = write_files(tables, exporting.plan(made, wish, total), files)
            return self._publish(made, wish, written, files, self.app.clock.new_id("export"), local=not current().served)

    def _submit(self, made: TrainingSheet, wish: ExportWish) -> Job:
        job_id = self.app.clock.new_id("job")
        with self.app.engine.giving(job_id) as folder:
            total = exporting.freeze(self.db, made, wish, folder)
            spec = {"training_sheet_id": made.id, "export_id": self.app.clock.new_id("export"), "total": total}
            spec |= {"wish": asdict(wish), "local": not current().served, "once": True}
            told = {"id": job_id, "created_by": current().actor, "sample": made.sample}
            with self.db.write():
                job = self.app.engine.submit(KIND, name=f"Export {made.name}", spec=spec, **told)
                return answered(self.app.jobs.shown(job))

    def prepare(self, job: Job, folder: Path) -> dict[str, Any]:
        """Say what to write."""
        made, wish = self._asked(job)
        given = {"given": str(self.app.engine.given(job.id)), "tables": {"pair_rows": PAIRS}, "total": job.spec["total"]}
        return {**given, "plan": exporting.plan(made, wish, job.spec["total"])}

    def finish(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Move the files to where they can be fetched."""
        made, wish = self._asked(job)
        export_id, local = job.spec["export_id"], job.spec["local"]
        return encode(self._publish(made, wish, result, handover.made(folder), export_id, local=local))

    def ended(self, job: Job) -> None:
        """Remove the files of an export that did not come to its end."""
        shutil.rmtree(self._folder(job.spec["export_id"]), ignore_errors=True)

    def _asked(self, job: Job) -> tuple[TrainingSheet, ExportWish]:
        return self.app.training_sheets.records.get(job.spec["training_sheet_id"]), ExportWish(**job.spec["wish"])

    def _folder(self, export_id: str) -> Path:
        return self.app.engine.artifacts / "exports" / export_id

    def _publish(
        self, made: TrainingSheet, wish: ExportWish, written: dict[str, Any], files: Path, export_id: str, *, local: bool
    ) -> Export:
        url = f"{self.app.settings.api_prefix}/exports/{export_id}"
        return exporting.publish(made, wish, written, files, self._folder(export_id), url, local=local)
