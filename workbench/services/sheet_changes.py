"""Sheets whose rows change: single cells, and a new version of the whole source."""

from __future__ import annotations

from typing import Annotated, Any

from workbench.contract import Field, Page, PageNumber, PageSize, command, query
from workbench.domain.data import SHEET_LIFECYCLE, Replacement, RowChange, Sheet, SheetRow, classification_for
from workbench.errors import Conflict
from workbench.services import editing, importing, replacing, sheets_read, sources, tag_limits
from workbench.services.external import refuse_edit
from workbench.services.service import Service
from workbench.services.sheet_arguments import (
    STEWARDS,
    Encoding,
    InlineRows,
    RowIndex,
    SeenVersion,
    Source,
    SourceType,
    Split,
    Worksheet,
)
from workbench.store.tables import Records


class SheetChanges(Service):
    """Change the rows of draft sheets; the part of the sheets' operations that is about it."""

    records: Records[Sheet]

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.records = Records(self.db, Sheet)
        self.row_changes = Records(self.db, RowChange)

    @command("PUT", "/sheets/{sheet_id}/rows/{row_index}", roles=STEWARDS, label="Change a row")
    def update_row(
        self,
        sheet_id: str,
        row_index: RowIndex,
        values: Annotated[dict[str, Any], Field(description="New cells by column name; the others stay.")],
        *,
        seen: Annotated[dict[str, Any] | None, Field(description="Cells as you saw them; refused when one has changed.")] = None,
        version: SeenVersion = None,
    ) -> SheetRow:
        """Change cells of one row of a draft sheet. Pairs made from it keep the row as it was, and say so."""
        sheet = self.app.sheets.live(sheet_id)
        SHEET_LIFECYCLE.require("update_row", sheet.status)
        refuse_edit(sheet)
        self._refuse_outdated(sheet, version)
        was = editing.hash_of_row(self.db, sheet, row_index)
        changed = editing.change_row(self.db, sheet, row_index, values, seen or {})
        if changed.before:
            digest = int(sheet.content_hash or "0", 16) ^ was ^ editing.hash_of_row(self.db, sheet, row_index)
            self.records.update(sheet_id, content_hash=f"{digest:x}")
        return changed

    @command("POST", "/sheets/{sheet_id}/replace", roles=STEWARDS, transaction=False, upload=True, label="Replace the rows")
    def replace(
        self,
        sheet_id: str,
        *,
        preview: Annotated[bool, Field(description="Only tell what would change.")] = False,
        source_type: SourceType = None,
        source: Source = None,
        rows: InlineRows = None,
        encoding: Encoding = None,
        worksheet: Worksheet = None,
        split: Split = None,
        version: SeenVersion = None,
    ) -> Replacement:
        """Take a new version of the whole source for the rows of a draft sheet, matched by the item they are about.

        An item keeps its row index; pairs keep the row they were made from, and say when it has changed.
        """
        sheet = self.app.sheets.live(sheet_id)
        SHEET_LIFECYCLE.require("replace", sheet.status)
        refuse_edit(sheet)
        self._refuse_outdated(sheet, version)
        reading = {"encoding": encoding, "sheet": worksheet, "split": split}
        found = sources.resolve(self, source_type, source, rows, reading)
        staged = replacing.stage(self.db, sheet, found.open())
        try:
            return staged.found.with_(preview=True) if preview else self._replaced(sheet, staged, found)
        finally:
            importing.drop_rows(self.db, staged.sheet.id)

    def _replaced(self, sheet: Sheet, staged: replacing.Staged, found: sources.Resolved) -> Replacement:
        facts = {"columns": staged.loaded.columns, "item_count": staged.loaded.item_count}
        facts |= {"content_hash": staged.loaded.content_hash, "source_type": found.source_type, "source": found.label}
        with self.db.write():
            SHEET_LIFECYCLE.require("replace", self.app.sheets.live(sheet.id).status)
            tags, secrecy = tag_limits.inherited(self.read_by(found), sheet.tags, sheet.data_classification)
            facts |= {"tags": tags, "data_classification": classification_for(tuple(tags), secrecy)}
            kept = self.records.update(sheet.id, sheet.version, **facts)
            replacing.publish(self.db, sheet, staged)
            if set(kept.tags) - set(sheet.tags):
                tag_limits.reach(self.app.review, kept)
        return staged.found.with_(version=kept.version)

    @query("GET", "/sheets/{sheet_id}/changes")
    def changes(self, sheet_id: str, *, page: PageNumber = 1, page_size: PageSize = 50) -> Page[RowChange]:
        """List what happened to the rows since the import, the newest first."""
        self.records.get(sheet_id)
        return self.row_changes.page(
            "sheet_id = ?", [sheet_id], order="sheet_version desc, row_index", page=page, page_size=page_size
        )

    def read_by(self, source: sources.Source) -> list[Sheet]:
        """Return the sheets whose rows, or texts made from them, a source reads."""
        if not isinstance(source, sources.SqlSource):
            return []
        found = sheets_read.ids(self.db, source)
        return self.records.list("list_contains(?::varchar[], id)", [found], order="created_at, id") if found else []

    def _refuse_outdated(self, sheet: Sheet, version: int | None) -> None:
        if version is not None and version != sheet.version:
            text = f"This sheet has changed meanwhile: you have version {version}, it is at {sheet.version}. Reload it and try again."
            raise Conflict(text, yours=version, current_version=sheet.version)
