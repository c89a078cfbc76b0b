"""Sheets: import, look at, publish and keep tables of source rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from workbench.contract import UNSET, Deleted, Field, Page, PageNumber, PageSize, Table, command, query
from workbench.domain.blank import is_blank
from workbench.domain.data import (
    DELETED,
    PUBLISH,
    SHEET_LIFECYCLE,
    Finding,
    Preview,
    Sheet,
    SheetColumn,
    SheetProfile,
    Validation,
    classification_for,
    prohibited_uses,
)
from workbench.errors import Conflict, NotFound, ValidationError
from workbench.services import external as outside
from workbench.services import importing, profiling, sources, tag_limits
from workbench.services.answering import answered
from workbench.services.import_work import ImportWork
from workbench.services.long_work import takes_a_job
from workbench.services.quality import SheetQuality
from workbench.services.rendering import check_template, require_valid
from workbench.services.scanning import ScanWork
from workbench.services.sheet_arguments import (
    MOST_LETTERS,
    STEWARDS,
    Classification,
    Description,
    Encoding,
    InlineRows,
    ItemIds,
    RowFilter,
    SeenVersion,
    SheetName,
    Source,
    SourceType,
    Split,
    Tags,
    UsualTemplate,
    Worksheet,
)
from workbench.services.sheet_changes import SheetChanges
from workbench.services.sheet_rows import SheetRows, rows_table
from workbench.store.transaction import quoted

NO_DELETED = "deleted_at is null"
# What is said of a sheet to limit its use; all else is content.
GOVERNING = {"tags", "data_classification"}


class SheetService(SheetChanges, SheetQuality):
    """Import tables of source rows, look at them, publish and keep them."""

    namespace = "sheets"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.imports = ImportWork(self.app)

    def start(self) -> None:
        """Drop the rows of imports that never came to their end, and find the files of external sheets."""
        importing.drop_orphans(self.db)
        for sheet in self.records.list("external"):
            outside.register(self.db, sheet)
        self.imports.register()
        ScanWork(self.app).register()

    @query("GET", "/sheets", key="sheets")
    def list(
        self,
        *,
        search: Annotated[str, Field(max_length=200, description="Part of the name, description or a tag.")] = "",
        status: Literal["draft", "published", "archived", "deleted"] | None = None,
        sort: Annotated[
            Literal["created_at", "updated_at", "name", "item_count"], Field(description="Property to sort by.")
        ] = "created_at",
        descending: Annotated[bool, Field(description="Largest or newest first.")] = True,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[Sheet]:
        """List the sheets, the newest first; deleted ones only when asked for."""
        where, params = ["deleted_at is not null" if status == "deleted" else NO_DELETED], []
        if status not in (None, "deleted"):
            where.append("status = ?")
            params.append(status)
        if search:
            where.append(
                "contains(lower(name || ' ' || coalesce(description, '') || ' ' || array_to_string(tags, ' ')), lower(?))"
            )
            params.append(search)
        order = f"{sort} {'desc' if descending else 'asc'}, id"
        found = self.records.page(" and ".join(where), params, order=order, page=page, page_size=page_size)
        found.rows = [self._present(row) for row in found.rows]
        return found

    @command("POST", "/sheets", roles=STEWARDS, status=201, transaction=False, upload=True, long=True, label="Import")
    def create(
        self,
        name: SheetName,
        *,
        source_type: SourceType = None,
        source: Source = None,
        rows: InlineRows = None,
        item_id_column: ItemIds = None,
        encoding: Encoding = None,
        worksheet: Worksheet = None,
        split: Split = None,
        description: Description = "",
        tags: Tags = (),  # type: ignore[assignment]
        data_classification: Classification = "internal",
        external: Annotated[bool, Field(description="Leave the rows in their Parquet file and read them in place.")] = False,
        sample: Annotated[bool, Field(description="Mark the sheet, and all made from it, as sample data.")] = False,
    ) -> Sheet:
        """Import rows as a new sheet: from a file, an address, a query or given directly.

        Nothing is kept when the source cannot be read to its end, or when an item id is missing or repeated.
        More than 100,000 rows are imported by a job, as are fewer with `wait=False`.
        """
        self._refuse_taken(name)
        tags = tag_limits.tidy(tags)
        found = sources.resolve(self, source_type, source, rows, {"encoding": encoding, "sheet": worksheet, "split": split})
        tags, data_classification = tag_limits.inherited(self.read_by(found), tags, data_classification)
        sheet = Sheet(
            id=self.clock.new_id("sheet"),
            name=name,
            description=description,
            source_type=found.source_type,
            source=found.label,
            item_id_column=item_id_column,
            tags=tags,
            data_classification=classification_for(tuple(tags), data_classification),
            external=external,
            sample=sample,
            created_by=self.actor,
        )
        if external:
            loaded, fingerprint = outside.attach(self.db, sheet.id, sources.in_place(found), item_id_column)
            return self._publish_rows(sheet.with_(fingerprint=fingerprint), loaded)
        if takes_a_job(found.holds_more):
            return self.imports.submit(sheet, found.give)
        return self._publish_rows(sheet, importing.load(self.db, sheet.id, found.open(), item_id_column))

    def _publish_rows(self, sheet: Sheet, loaded: importing.Loaded) -> Sheet:
        try:
            with self.db.write():
                return answered(self.published(sheet, loaded))
        except BaseException:
            importing.drop_rows(self.db, sheet.id)
            raise

    def published(self, sheet: Sheet, loaded: importing.Loaded) -> Sheet:
        """Make rows that were loaded a sheet that everybody sees, in the current transaction."""
        self._refuse_taken(sheet.name)
        slug = importing.free_slug(self.db, sheet.name)
        facts = {"columns": loaded.columns, "item_count": loaded.item_count, "content_hash": loaded.content_hash}
        kept = self.records.insert(sheet.with_(slug=slug, **facts))
        importing.create_view(self.db, kept)
        return self._record(kept)

    @query("GET", "/sheets/{sheet_id}")
    def get(self, sheet_id: str) -> Sheet:
        """Return one sheet, also a deleted one."""
        return self._record(self.records.get(sheet_id))

    @command("PUT", "/sheets/{sheet_id}", roles=STEWARDS, label="Edit")
    def update(
        self,
        sheet_id: str,
        *,
        name: SheetName = UNSET,
        description: Description = UNSET,
        tags: Tags = UNSET,
        data_classification: Classification = UNSET,
        item_id_column: ItemIds = UNSET,
        version: SeenVersion = None,
    ) -> Sheet:
        """Change what is said about a draft sheet; of one that is final only add tags, or raise the classification.

        Uses that a new tag prohibits are prohibited on pairs made from it too.
        """
        sheet = self.live(sheet_id, rows=item_id_column is not UNSET)
        given = {
            "name": name,
            "description": description,
            "tags": tags,
            "data_classification": data_classification,
            "item_id_column": item_id_column,
        }
        changes = {key: value for key, value in given.items() if value is not UNSET}
        if not changes or set(changes) - GOVERNING:
            SHEET_LIFECYCLE.require("update", sheet.status)
        if "tags" in changes:
            changes["tags"] = tag_limits.tidy(changes["tags"], known=sheet.tags)
        if GOVERNING & set(changes):
            wished = changes.get("data_classification", sheet.data_classification)
            changes["data_classification"] = classification_for(tuple(changes.get("tags", sheet.tags)), wished)
            if sheet.status != "draft":
                tag_limits.refuse_loosening(sheet, changes)
        if changes.get("name", sheet.name) != sheet.name:
            self._refuse_taken(changes["name"])
        if "item_id_column" in changes:
            changes["columns"] = importing.checked_item_ids(self.db, sheet, changes["item_id_column"])
        found = self.records.update(sheet_id, version, **changes) if changes else sheet
        if set(found.tags) - set(sheet.tags):
            tag_limits.reach(self.app.review, found)
        return self._record(found)

    @command("DELETE", "/sheets/{sheet_id}", roles=STEWARDS, label="Delete", confirm="Delete this sheet? It can be restored.")
    def delete(self, sheet_id: str) -> Deleted:
        """Hide a sheet; `restore` brings it back. Refused while a job uses its rows or what was made from it."""
        sheet = self.live(sheet_id, rows=False)
        made = [row[0] for row in self.db.tuples("select id from training_sheets where sheet_id = ?", [sheet_id])]
        if used := self.app.training_sheets.used_by([sheet_id, *made]):
            raise self.app.training_sheets.in_use(sheet.name, used)
        self.records.update(sheet_id, deleted_at=self.clock.now())
        return Deleted(id=sheet_id)

    @query("GET", "/sheets/{sheet_id}/preview")
    def preview(
        self,
        sheet_id: str,
        *,
        limit: Annotated[int, Field(ge=1, le=1000, description="Most rows to return.")] = 20,
        offset: Annotated[int, Field(ge=0, description="Rows to skip.")] = 0,
        columns: Annotated[list[str] | None, Field(description="Columns to show; none: all.")] = None,
        filter: RowFilter = None,
        search: Annotated[str, Field(max_length=200, description="Text that some cell contains.")] = "",
    ) -> Preview:
        """Show rows in their order, with the number of all that match."""
        sheet = self.live(sheet_id)
        return SheetRows(self.db, sheet, self.settings).preview(
            limit=limit, offset=offset, columns=columns, filter=filter, search=search
        )

    @query("GET", "/sheets/{sheet_id}/rows")
    def rows(
        self,
        sheet_id: str,
        *,
        columns: Annotated[list[str] | None, Field(description="Columns to return; none: all.")] = None,
        filter: RowFilter = None,
        limit: Annotated[int | None, Field(ge=1, description="Most rows to return.")] = None,
        offset: Annotated[int, Field(ge=0, description="Rows to skip.")] = 0,
    ) -> Table:
        """Return the rows as a table, in their order."""
        return SheetRows(self.db, self.live(sheet_id), self.settings).table(
            columns=columns, filter=filter, limit=limit, offset=offset
        )

    @query("GET", "/sheets/{sheet_id}/profile")
    def profile(self, sheet_id: str) -> SheetProfile:
        """Describe each column: gaps, distinct and frequent values, spread of numbers and text lengths."""
        return profiling.profile(self.db, self.live(sheet_id))

    @command("POST", "/sheets/{sheet_id}/validate", roles=STEWARDS, label="Check")
    def validate(self, sheet_id: str, *, template_id: UsualTemplate = None) -> Validation:
        """Check a sheet against a template, by default the attached one; nothing is changed."""
        sheet = self.live(sheet_id)
        if not (template_id or sheet.template_id):
            missing = Finding(field="template_id", message="is missing; name a template, or attach one to the sheet")
            return Validation(valid=False, findings=[missing], available=[column.name for column in sheet.columns])
        plan = self.app.templates.chosen(None, template_id, sheet.template_id)
        return check_template(plan, sheet, profiling.gaps(self.db, sheet))

    @command("POST", "/sheets/{sheet_id}/publish", roles=STEWARDS, label="Publish", confirm=PUBLISH)
    def publish(self, sheet_id: str) -> Sheet:
        """Declare a sheet final: from now on it does not change."""
        return self._move("publish", sheet_id, published_at=self.clock.now())

    @command("POST", "/sheets/{sheet_id}/archive", roles=STEWARDS, label="Archive")
    def archive(self, sheet_id: str) -> Sheet:
        """Put a sheet aside; it can still be read."""
        return self._move("archive", sheet_id)

    @command("POST", "/sheets/{sheet_id}/restore", roles=STEWARDS, label="Restore")
    def restore(self, sheet_id: str) -> Sheet:
        """Bring back a deleted or an archived sheet, in the state it had before."""
        sheet = self.records.get(sheet_id)
        if sheet.deleted_at is not None:
            self._refuse_taken(sheet.name)
            return self._record(self.records.update(sheet_id, deleted_at=None))
        SHEET_LIFECYCLE.require("restore", sheet.status)
        return self._record(self.records.update(sheet_id, status="published" if sheet.published_at else "draft"))

    @command("POST", "/sheets/{sheet_id}/clone", roles=STEWARDS, status=201, transaction=False, long=True, label="Clone")
    def clone(self, sheet_id: str, *, name: Annotated[SheetName | None, Field(description="Name of the copy.")] = None) -> Sheet:
        """Copy a sheet with its rows to a new draft; more than 100,000 rows, or `wait=False`, take a job."""
        sheet = self.live(sheet_id)
        copy_id = self.clock.new_id("sheet")
        copy_name = name or self._free_name(sheet.name, " (copy)")
        self._refuse_taken(copy_name)
        fresh = {"version": 1, "created_at": None, "updated_at": None, "published_at": None, "created_by": self.actor}
        copy = sheet.with_(id=copy_id, name=copy_name, status="draft", actions=(), usage_limits=(), **fresh)
        if sheet.external:
            outside.copy(self.db, sheet, copy_id)
            return self._publish_rows(copy, importing.Loaded(sheet.columns, sheet.item_count, sheet.content_hash or ""))
        if takes_a_job(lambda rows: sheet.item_count > rows):
            return self.imports.submit(copy, lambda folder: {"copy_of": sheet.id})
        return self._publish_rows(copy, importing.copy_rows(self.db, sheet, copy_id))

    @command("POST", "/sheets/{sheet_id}/attach-template", roles=STEWARDS, label="Attach template")
    def attach_template(self, sheet_id: str, template_id: Annotated[str, Field(description="Template to attach.")]) -> Sheet:
        """Make a template the usual one of a sheet; every placeholder has to be a column."""
        sheet = self.live(sheet_id)
        SHEET_LIFECYCLE.require("attach_template", sheet.status)
        require_valid(check_template(self.app.templates.snapshot(template_id), sheet))
        return self._record(self.records.update(sheet_id, template_id=template_id))

    def live(self, sheet_id: str, *, rows: bool = True) -> Sheet:
        """Return a sheet that is not deleted, or raise NotFound; unless `rows` is False its rows can be read."""
        sheet = self.records.get(sheet_id)
        if sheet.deleted_at is not None:
            raise NotFound(f"The sheet {sheet.name!r} is deleted. Restore it first.", kind="sheet", id=sheet_id)
        if rows:
            outside.refuse_changed(sheet)
        return sheet

    def source_row(self, sheet: Sheet, source_index: int) -> dict[str, Any] | None:
        """Return one row by its index, without the index."""
        listed = ", ".join(quoted(column.name) for column in sheet.columns)
        return self.db.row(f"select {listed} from {rows_table(sheet.id)} where _row = ?", [source_index])

    def _move(self, action: str, sheet_id: str, **changes: Any) -> Sheet:
        sheet = self.live(sheet_id, rows=False)
        target = SHEET_LIFECYCLE.require(action, sheet.status)
        return self._record(self.records.update(sheet_id, status=target, **changes))

    def _refuse_taken(self, name: str) -> None:
        if is_blank(name):
            raise ValidationError.field("name", "A name needs at least one letter", name)
        if self.db.value(f"select 1 from sheets where lower(name) = lower(?) and {NO_DELETED}", [name]):
            raise Conflict(f"There is a sheet named {name!r} already. Choose another name or rename that one.", name=name)

    def _free_name(self, wished: str, ending: str = "") -> str:
        taken = {row[0] for row in self.db.tuples(f"select lower(name) from sheets where {NO_DELETED}")}
        endings = (ending, *(f"{ending} {number}" for number in range(2, len(taken) + 3)))
        candidates = (f"{wished[: MOST_LETTERS - len(one)]}{one}" for one in endings)
        return next(name for name in candidates if name.lower() not in taken)

    def _record(self, sheet: Sheet) -> Sheet:
        return Sheet(**self._present(sheet.values()))

    def _present(self, row: dict[str, Any]) -> dict[str, Any]:
        gone = dict.fromkeys(("update_row", "replace"), "The rows stay in their file.") if row["external"] else {}
        gone = dict.fromkeys(SHEET_LIFECYCLE.moves, "The sheet is deleted.") if row["deleted_at"] else gone
        actions = SHEET_LIFECYCLE.actions(row, roles=self.roles, blocked=gone)
        if row["deleted_at"]:
            actions = tuple(a.with_(enabled=True, reason=None) if a.name == "restore" else a for a in actions)
        # A draft takes tags along with all else.
        actions = tuple(a for a in actions if a.enabled or a.name != "tighten")
        return row | {
            "status": DELETED if row["deleted_at"] else row["status"],
            "actions": actions,
            "usage_limits": prohibited_uses(tuple(row["tags"] or ())),
            "column_count": len(row["columns"]),
        }


def column_names(columns: Iterable[SheetColumn]) -> list[str]:
    """Return the names of columns."""
    return [column.name for column in columns]
