"""Quality of sheets and training sheets: scans, what they found and the rows behind it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from workbench.contract import Field, command, query
from workbench.domain.data import Preview, Sheet, SheetColumn, prohibited_uses
from workbench.domain.jobs import Job
from workbench.domain.quality import Quality
from workbench.domain.record import Action
from workbench.domain.wording import grouped
from workbench.errors import ValidationError, did_you_mean
from workbench.services import quality_figures, signal_filter
from workbench.services.quality_figures import Signed
from workbench.services.review_arguments import Descending, Signals
from workbench.services.scanning import ScanWork, newest, row_print, row_text
from workbench.services.service import Service
from workbench.services.sheet_rows import index_name, rows_table
from workbench.store.transaction import quoted

SCANNERS = frozenset({"admin", "data_steward", "trainer"})
SHOWN = ("concern", "duplicates", "duplicate_group", "near_duplicates", "near_group", "length", "words", "language", "pii_kinds",
         "leakage", "refusal", "repetition", "outlier", "outlier_by")  # fmt: skip


class SheetQuality(Service):
    """Scan the rows of sheets."""

    def live(self, sheet_id: str) -> Sheet:
        """Return a sheet that is not deleted, or raise NotFound."""
        raise NotImplementedError

    @command("POST", "/sheets/{sheet_id}/scan", roles=SCANNERS, status=202, label="Scan for quality")
    def scan(
        self,
        sheet_id: str,
        *,
        response_column: Annotated[
            str | None, Field(description="Column with the answers; none: that of the attached template.")
        ] = None,
    ) -> Job:
        """Look for duplicates, personal data, languages, leaks and outliers in a job; an earlier scan is replaced."""
        sheet = self.live(sheet_id)
        names = [column.name for column in sheet.columns]
        if response_column is not None and response_column not in names:
            complaint = f"No column {response_column!r}.{did_you_mean(response_column, names)}"
            raise ValidationError.field("response_column", complaint, response_column)
        if response_column is None and sheet.template_id and self.app.templates.records.exists(id=sheet.template_id):
            usual = self.app.templates.snapshot(sheet.template_id).response_column
            response_column = usual if usual in names else None
        return ScanWork(self.app).submit("rows", sheet, response_column=response_column)

    @query("GET", "/sheets/{sheet_id}/quality", topics=("sheets", "jobs"))
    def quality(self, sheet_id: str) -> Quality:
        """Return what the newest scan found: counts, shares, examples and the spread of the signals."""
        sheet = self.live(sheet_id)
        text = f"(select {row_text(sheet)} from {rows_table(sheet.id)} r where r._row = x.row_index)"
        signed = Signed(_signed(sheet), [sheet.id], text, sheet.item_count)
        found = summed(self, "sheets.scan", sheet.id, signed)
        if not found.extra.get("pii") or "training" in prohibited_uses(sheet.tags):
            return found
        rows = f"{grouped(found.extra['pii'])} row{'' if found.extra['pii'] == 1 else 's'}"
        words = f"Personal data was found in {rows}. The tag PII keeps the sheet out of training and validation."
        tag = Action(name="tag", label="Add the tag PII")
        return found.with_(suggested_tags=["PII"], suggestion=words, actions=[*found.actions, tag])

    @query("GET", "/sheets/{sheet_id}/quality/rows", topics=("sheets",))
    def quality_rows(
        self,
        sheet_id: str,
        *,
        signals: Signals = None,
        order: Annotated[
            Literal[
                "row_index", "concern", "duplicate_group", "near_group", "length", "words", "leakage", "repetition", "outlier"
            ],
            Field(description="What to sort by; a group keeps rows that belong together side by side."),
        ] = "row_index",
        descending: Descending = False,
        limit: Annotated[int, Field(ge=1, le=1000, description="Most rows to return.")] = 20,
        offset: Annotated[int, Field(ge=0, description="Rows to skip.")] = 0,
    ) -> Preview:
        """Return scanned rows with their signals, narrowed and sorted by them."""
        sheet = self.live(sheet_id)
        parts, values = signal_filter.conditions(signals or (), column=str)
        where = " and ".join(["true", *parts])
        values |= {"sheet": sheet.id}
        shown = [SheetColumn(name=name, dtype="SIGNAL") for name in SHOWN]
        listed = ", ".join(["q.row_index", *(f"r.{quoted(c.name)}" for c in sheet.columns), *(f"q.{name}" for name in SHOWN)])
        source = _signed(sheet, "$sheet")
        with self.db.read():
            total = self.db.value(f"select count(*) from ({source}) where {where}", values)
            found = self.db.tuples(
                f"select {listed} from (select * from ({source}) where {where} order by {order} {'desc' if descending else 'asc'} "
                f"nulls last, row_index limit {limit} offset {offset}) q join {rows_table(sheet.id)} r on r._row = q.row_index "
                f"order by q.{order} {'desc' if descending else 'asc'} nulls last, q.row_index",
                values,
            )
        names = [index_name(sheet), *(c.name for c in sheet.columns), *(f"signal_{name}" for name in SHOWN)]
        rows = [dict(zip(names, row, strict=True)) for row in found]
        columns = [*sheet.columns, *(one.with_(name=f"signal_{one.name}") for one in shown)]
        return Preview(columns=columns, rows=rows, total=total, limit=limit, offset=offset)


class PairQuality(Service):
    """Scan the pairs of training sheets."""

    @command("POST", "/assemblies/{training_sheet_id}/scan", roles=SCANNERS, status=202, label="Scan for quality")
    def scan(self, training_sheet_id: str) -> Job:
        """Look for duplicates, personal data, languages, leaks and outliers among the pairs, in a job."""
        return ScanWork(self.app).submit("pairs", self.app.training_sheets.ready(training_sheet_id))

    @query("GET", "/assemblies/{training_sheet_id}/quality", topics=("pairs", "jobs"))
    def quality(self, training_sheet_id: str) -> Quality:
        """Return what the newest scan of the pairs found; the review queue takes the same conditions."""
        made = self.app.training_sheets.ready(training_sheet_id)
        source = (
            "select row_index, training_sheet_id as subject, response, unnest(signals) from pair_rows "
            "where training_sheet_id = ? and signals is not null"
        )
        pair = "p.training_sheet_id = x.subject and p.row_index = x.row_index"
        text = f"(select prompt || chr(10) || response from pair_rows p where {pair})"
        besides = quality_figures.unlike(made.template.closed_answers if made.template else ())
        signed = Signed(source, [made.id], text, made.total_rows, thing="pair", besides=besides)
        return summed(self, "training_sheets.scan", made.id, signed)


def _signed(sheet: Sheet, mark: str = "?") -> str:
    """Return the signals of the rows that are still as they were scanned."""
    return (
        "select s.* exclude (sheet_id, fingerprint), s.sheet_id as subject from row_signals s "
        f"join (select _row, {row_print(sheet)} as print from {rows_table(sheet.id)}) r "
        f"on r._row = s.row_index and r.print = s.fingerprint where s.sheet_id = {mark}"
    )


def summed(service: Service, operation: str, subject: str, signed: Signed) -> Quality:
    """Put the figures of the newest scan together with the job that made, or makes, them."""
    db = service.db
    with db.read():
        last, done = newest(db, subject), newest(db, subject, "succeeded")
        figures = quality_figures.figures(db, signed) if done else quality_figures.nothing()
    busy = last is not None and last["status"] in ("pending", "queued", "running")
    scan = Action(name="scan", label="Scan again" if done else "Scan for quality", enabled=not busy,
                  reason="A scan is running." if busy else None)  # fmt: skip
    running = service.app.jobs.get(last["id"]) if last and busy else None
    scanned = figures.pop("scanned")
    outdated = signed.total - scanned if done else 0
    settings = json.loads(done["spec"]) if done else {}
    return Quality(
        id=subject,
        total=signed.total,
        scanned=scanned,
        outdated=outdated,
        job_id=last["id"] if last else None,
        running=running,
        scan_status=last["status"] if last else None,
        scanned_at=done["completed_at"] if done else None,
        summary=_summary(signed, scanned, outdated, figures["findings"]) if done else "Not scanned yet.",
        extra={"response_column": settings.get("response_column"), "pii": figures.pop("pii")},
        actions=[scan],
        **figures,
    )


def _summary(signed: Signed, scanned: int, outdated: int, findings: list[Any]) -> str:
    rest = f" {grouped(outdated)} changed since the scan." if outdated else ""
    if not findings:
        return f"Nothing was found in {grouped(scanned)} {signed.thing}s.{rest}"
    worst = ", ".join(f"{one.label.lower()} ({grouped(one.count)})" for one in findings[:3])
    return f"{grouped(scanned)} of {grouped(signed.total)} {signed.thing}s scanned: {worst}.{rest}"
