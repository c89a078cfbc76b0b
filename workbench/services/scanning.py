"""Scans: texts to a job, signals back beside the rows they were measured on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from workbench.domain.data import Sheet
from workbench.domain.generate import TrainingSheet
from workbench.domain.jobs import Job
from workbench.domain.quality import SIGNALS
from workbench.errors import NotReady
from workbench.services.sheet_rows import rows_table
from workbench.signals.run import SIGNALS as MADE
from workbench.signals.run import TEXTS
from workbench.store import Database
from workbench.store.transaction import quoted

if TYPE_CHECKING:
    from workbench.services.application import Application

KIND = "scan"
ENTRY = "workbench.signals.run:scan"
PLACEHOLDER = re.compile(r"{{.*?}}")
SHORTEST_FORM = 8
PAIR_PRINT = "(hash(prompt, response) >> 1)::bigint"


class ScanWork:
    """Hand texts to scans of sheets and training sheets, and keep what they found."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.db = app.db

    def register(self) -> None:
        """Tell the engine how the jobs run."""
        self.app.engine.register(KIND, entry=ENTRY, prepare=self.prepare, finish=self.finish)

    def submit(self, of: str, subject: Any, **settings: Any) -> Job:
        """Queue a scan of a sheet or of the pairs of a training sheet; a second one at a time is refused."""
        now = newest(self.db, subject.id)
        if now and now["status"] in ("pending", "queued", "running"):
            words = f"{subject.name} is being scanned already. Wait for that scan or cancel it."
            raise NotReady(words, status=now["status"], job=now["id"])
        spec = {"subject": subject.id, "of": of, **settings}
        more = {"created_by": self.app.sheets.actor, "sample": subject.sample}
        return self.app.jobs.shown(self.app.engine.submit(KIND, name=f"Scan of {subject.name}", spec=spec, **more))

    def prepare(self, job: Job, folder: Path) -> dict[str, Any]:
        """Write the texts as they are now."""
        if job.spec["of"] == "pairs":
            sql, params = _pair_texts(self.app.training_sheets.ready(job.spec["subject"]))
        else:
            sql, params = _row_texts(self.app.sheets.live(job.spec["subject"]), job.spec.get("response_column")), []
        with self.db.stream(sql, params) as reader, pq.ParquetWriter(folder / TEXTS, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        return {}

    def finish(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Put the signals in the place of those of an earlier scan; rows that changed meanwhile get none."""
        subject, db = job.spec["subject"], self.db
        found = pq.read_table(folder / MADE)
        if job.spec["of"] == "pairs":
            struct = ", ".join(f"'{name}': f.{name}" for name in SIGNALS)
            db.execute(f"create or replace temp table _found ({', '.join(f'{n} {t}' for n, t in _FOUND.items())})")
            db.insert_arrow("_found", found)
            db.execute("update pair_rows set signals = null where training_sheet_id = ? and signals is not null", [subject])
            db.execute(
                f"update pair_rows set signals = {{{struct}}} from _found f where training_sheet_id = ? "
                f"and f.row_index = pair_rows.row_index and f.fingerprint = {PAIR_PRINT}",
                [subject],
            )
            db.execute("drop table _found")
            db.emit("pairs", subject, None, "scanned")
        else:
            db.execute("delete from row_signals where sheet_id = ?", [subject])
            db.insert_arrow("row_signals", found.append_column("sheet_id", [[subject] * len(found)]))
            db.emit("sheets", subject, None, "scanned")
        return {**result, "subject": subject, "of": job.spec["of"]}


_FOUND = {
    "row_index": "bigint", "fingerprint": "bigint", "duplicates": "bigint", "duplicate_group": "bigint", "near_duplicates": "bigint",
    "near_group": "bigint", "length": "bigint", "words": "bigint", "language": "varchar", "pii": "bigint", "pii_kinds": "varchar",
    "leakage": "double", "refusal": "boolean", "repetition": "double", "outlier": "double", "outlier_by": "varchar", "concern": "double",
}  # fmt: skip


def newest(db: Database, subject: str, status: str | None = None) -> dict[str, Any] | None:
    """Return the newest scan of a sheet or training sheet, of any state or of one."""
    narrow = "and status = ?" if status else ""
    return db.row(
        "select id, status, completed_at, spec from jobs where kind = 'scan' and spec ->> 'subject' = ? "
        f"{narrow} order by created_at desc, id desc limit 1",
        [subject, *([status] if status else [])],
    )


def row_print(sheet: Sheet) -> str:
    """Return SQL for the fingerprint of a row's cells."""
    return f"(hash({', '.join(quoted(c.name) for c in sheet.columns)}) >> 1)::bigint"


def row_text(sheet: Sheet, without: str | None = None) -> str:
    """Return SQL for the text of a row: its text columns, or all of them where none holds text."""
    columns = [c for c in sheet.columns if c.role != "id" and c.name != without]
    texts = [c for c in columns if c.dtype == "VARCHAR"] or columns or list(sheet.columns)
    return f"concat_ws(chr(10), {', '.join(f'cast({quoted(c.name)} as varchar)' for c in texts)})"


def _row_texts(sheet: Sheet, response: str | None) -> str:
    listed = f"_row as row_index, {row_print(sheet)} as fingerprint, {row_text(sheet)} as text"
    if response:
        listed += f", {row_text(sheet, response)} as prompt, coalesce(cast({quoted(response)} as varchar), '') as response"
    return f"select {listed} from {rows_table(sheet.id)} order by _row"


def _pair_texts(made: TrainingSheet) -> tuple[str, list[Any]]:
    """Return the query for the texts of pairs; the words of the template itself say nothing of a pair."""
    forms = PLACEHOLDER.split(made.template.prompt_template) if made.template else []
    prompt, params = "prompt", []
    for form in forms:
        if len(form.strip()) >= SHORTEST_FORM:
            prompt = f"replace({prompt}, ?, chr(10))"
            params.append(form)
    inner = (
        f"select row_index, {PAIR_PRINT} as fingerprint, {prompt} as prompt, response from pair_rows where training_sheet_id = ?"
    )
    return (
        f"select row_index, fingerprint, prompt || chr(10) || response as text, prompt, response from ({inner}) order by row_index",
        [*params, made.id],
    )
