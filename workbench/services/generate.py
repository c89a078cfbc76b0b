"""Training sheets: rows rendered through a frozen template into pairs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from workbench.contract import UNSET, Deleted, Field, Page, PageNumber, PageSize, command, query
from workbench.domain.blank import told
from workbench.domain.data import DELETED, SHEET_LIFECYCLE, Preview, Sheet, SheetColumn
from workbench.domain.generate import TRAINING_SHEET_LIFECYCLE, Export, TemplateSnapshot, TrainingSheet
from workbench.domain.label import PAIR_STATUSES, RESPONSE_SOURCES
from workbench.domain.plain import plain
from workbench.domain.providers import GeneratedAnswer
from workbench.errors import InUse, NotFound, NotReady, ValidationError, did_you_mean
from workbench.services import assembling
from workbench.services.answering import answered
from workbench.services.assembly_work import AssemblyWork
from workbench.services.export_work import ExportWork
from workbench.services.exporting import ExportWish
from workbench.services.generation import Generating
from workbench.services.generation_work import GenerationWork
from workbench.services.long_work import takes_a_job
from workbench.services.quality import PairQuality
from workbench.services.reassembly import Reassembling
from workbench.services.rendering import check_template, require_valid
from workbench.services.review_import import ReviewImports
from workbench.services.sheet_arguments import MOST_LETTERS, RowFilter
from workbench.services.sheet_rows import row_condition
from workbench.services.templates import Plan, TemplateId, TemplateService
from workbench.store.conditions import explained_condition
from workbench.store.tables import Records

MAKERS = frozenset({"admin", "data_steward", "trainer"})
NO_DELETED = "deleted_at is null"
PREVIEW_COLUMNS = ("row_index", "item_ref", "prompt", "response", "response_source", "status", "simulated")
PREVIEW_TYPES = {"row_index": "BIGINT", "simulated": "BOOLEAN"}

Format = Literal[
    "openai_chat",
    "anthropic",
    "gemini",
    "alpaca",
    "sharegpt",
    "prompt_completion",
    "preference",
    "jsonl",
    "csv",
    "parquet",
    "huggingface",
]
Sampling = Annotated[
    Literal["all", "random", "stratified"],
    Field(description="How rows are chosen; not given: all, or a random sample where a size is given."),
]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1, description="Seed of the sample.")]
Overlap = Annotated[int, Field(ge=1, le=10, description="People who review each pair.")]
Guidelines = Annotated[str, Field(max_length=100_000, description="Markdown shown to reviewers.")]
SheetTitle = Annotated[
    str,
    Field(min_length=1, max_length=200, description="Name; none: that of the sheet with a number."),
    AfterValidator(told),
    AfterValidator(plain),
]


class TrainingSheetService(Generating, Reassembling, ReviewImports, PairQuality):
    """Make training sheets from sheets and templates, and keep them."""

    namespace = "training_sheets"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.records = Records(self.db, TrainingSheet)
        self.assemblies = AssemblyWork(self.app)
        self.exports = ExportWork(self.app)
        self.answers_kept = Records(self.db, GeneratedAnswer, topic="pairs")

    def start(self) -> None:
        """Remove the pairs of assemblies that never came to their end."""
        assembling.drop_orphans(self.db)
        self.assemblies.register()
        self.exports.register()
        GenerationWork(self.app).register()

    @command(
        "POST",
        "/sheets/{sheet_id}/assemble",
        roles=MAKERS,
        status=201,
        transaction=False,
        long=True,
        label="Make a training sheet",
    )
    def assemble(
        self,
        sheet_id: str,
        *,
        name: Annotated[SheetTitle | None, Field(description="Name; none: that of the sheet with a number.")] = None,
        template_id: TemplateId = None,
        template: Plan = None,
        filter: RowFilter = None,
        sample: Sampling = UNSET,
        sample_size: Annotated[int | None, Field(ge=1, description="Rows to choose.")] = None,
        seed: Seed = 42,
        stratify_by: Annotated[str | None, Field(description="Column whose shares are kept; none: the response column.")] = None,
        overlap: Overlap = 1,
        guidelines: Guidelines = "",
    ) -> TrainingSheet:
        """Render rows of a sheet through a template into pairs to review.

        The template is the given one, the named one or the one attached to the sheet, frozen as it is now.
        More than 100,000 pairs are made by a job, as are fewer with `wait=False`.
        """
        if sample is UNSET:
            sample = "all" if sample_size is None else "random"
        sheet = self.app.sheets.live(sheet_id)
        SHEET_LIFECYCLE.require("assemble", sheet.status)
        plan = self.app.templates.chosen(template, template_id, sheet.template_id)
        self._refuse(sheet, plan, sample, sample_size)
        condition = row_condition(sheet, filter, field="filter")
        stratum = self._stratum(sheet, plan, sample, stratify_by)
        choice = assembling.Choice(condition, sample, sample_size, seed, stratum, filter, self.settings.sql_seconds)
        made = TrainingSheet(
            id=self.clock.new_id("assembly"),
            name=name or "",
            sheet_id=sheet.id,
            template_id=plan.template_id,
            template=plan,
            status="ready",
            filter=filter,
            sampling=sample,
            sample_size=sample_size,
            seed=seed,
            overlap=overlap,
            guidelines=guidelines,
            sample=sheet.sample,
            created_at=self.clock.now(),
            created_by=self.actor,
        )
        with self.db.read(), choice.applied(self.db):
            count = assembling.chosen(self.db, sheet, choice)
        with explained_condition(filter, field="filter"):
            if takes_a_job(lambda rows: count > rows):
                return self.assemblies.submit(sheet, made, choice)
            total = assembling.assemble(self.db, sheet, made, choice)
        return self._publish_pairs(sheet, made.with_(total_rows=total))

    def _publish_pairs(self, sheet: Sheet, made: TrainingSheet) -> TrainingSheet:
        try:
            with self.db.write():
                kept = self.records.insert(self.named(sheet, made).with_(completed_at=self.clock.now()))
                assembling.count_reuse(self.db, kept)
                return answered(self._records([kept])[0])
        except BaseException:
            assembling.drop_pairs(self.db, made.id)
            raise

    def named(self, sheet: Sheet, made: TrainingSheet) -> TrainingSheet:
        """Return a new training sheet with its name: that of the sheet with a number where none was given."""
        number = self.db.value("select count(*) + 1 from training_sheets where sheet_id = ?", [sheet.id])
        ending = f" #{number}"
        return made.with_(name=made.name or f"{sheet.name[: MOST_LETTERS - len(ending)].rstrip()}{ending}")

    def _refuse(self, sheet: Sheet, plan: TemplateSnapshot, sample: str, size: int | None) -> None:
        require_valid(check_template(plan, sheet))
        if sample != "all" and size is None:
            raise ValidationError.field("sample_size", f"is missing; a {sample} sample needs a size")
        if sample == "all" and size is not None:
            raise ValidationError.field("sample_size", "only goes with sample random or stratified", size)

    def _stratum(self, sheet: Sheet, plan: TemplateSnapshot, sample: str, wished: str | None) -> str | None:
        if sample != "stratified":
            return None
        column = wished or plan.response_column
        known = [c.name for c in sheet.columns]
        if column is None:
            words = "is missing: the template takes no answers from a column, so a stratified sample does not know whose shares to keep"
            raise ValidationError.field("stratify_by", f"{words}. Name a column: {', '.join(known)}")
        if column not in known:
            words = f"is no column of the sheet.{did_you_mean(column, known)} Available: {', '.join(known)}"
            raise ValidationError.field("stratify_by", words, column)
        return column

    @query("GET", "/assemblies/list", key="assemblies", topics=("training_sheets", "pairs"))
    def list(
        self,
        *,
        search: Annotated[str, Field(max_length=200, description="Part of the name.")] = "",
        sheet_id: Annotated[str | None, Field(description="Sheet they were made from.")] = None,
        status: Literal["assembling", "ready", "failed", "archived", "deleted"] | None = None,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[TrainingSheet]:
        """List the training sheets, the newest first, with counts by source and state of their pairs."""
        where, params = ["deleted_at is not null" if status == "deleted" else NO_DELETED], []
        for column, value in (("sheet_id", sheet_id), ("status", None if status == "deleted" else status)):
            if value:
                where.append(f"{column} = ?")
                params.append(value)
        if search:
            where.append("contains(lower(name), lower(?))")
            params.append(search)
        with self.db.read():
            found = self.records.page(" and ".join(where), params, page=page, page_size=page_size)
            found.rows = self._present(found.rows)
        return found

    @query("GET", "/assemblies/{training_sheet_id}", topics=("training_sheets", "pairs"))
    def get(self, training_sheet_id: str) -> TrainingSheet:
        """Return one training sheet, also a deleted one."""
        return self._records([self.records.get(training_sheet_id)])[0]

    @command("PUT", "/assemblies/{training_sheet_id}", roles=MAKERS, label="Edit")
    def update(
        self,
        training_sheet_id: str,
        *,
        name: SheetTitle = UNSET,
        overlap: Overlap = UNSET,
        guidelines: Guidelines = UNSET,
        version: Annotated[int | None, Field(description="Version you have seen; refused when it is outdated.")] = None,
    ) -> TrainingSheet:
        """Change the name, the guidelines or how many people review each pair.

        Another number of reviewers settles the pairs that now have enough equal votes; what is settled stays so.
        """
        given = {"name": name, "overlap": overlap, "guidelines": guidelines}
        changes = {key: value for key, value in given.items() if value is not UNSET}
        found = self.live(training_sheet_id)
        TRAINING_SHEET_LIFECYCLE.require("update", found.status)
        updated = self.records.update(training_sheet_id, version, **changes) if changes else found
        if updated.overlap != found.overlap:
            self.app.review.reconsider(updated)
        return self._records([updated])[0]

    @command(
        "DELETE",
        "/assemblies/{training_sheet_id}",
        roles=MAKERS,
        label="Delete",
        confirm="Delete it with its reviews? It can be restored.",
    )
    def delete(self, training_sheet_id: str) -> Deleted:
        """Hide a training sheet; `restore` brings it back. Refused while a job refers to it."""
        found = self.live(training_sheet_id)
        if used := self.used_by([training_sheet_id]):
            raise self.in_use(found.name, used)
        self.records.update(training_sheet_id, deleted_at=self.clock.now())
        return Deleted(id=training_sheet_id)

    @command("POST", "/assemblies/{training_sheet_id}/archive", roles=MAKERS, label="Archive")
    def archive(self, training_sheet_id: str) -> TrainingSheet:
        """Put a training sheet aside."""
        target = TRAINING_SHEET_LIFECYCLE.require("archive", self.live(training_sheet_id).status)
        return self._records([self.records.update(training_sheet_id, status=target)])[0]

    @command("POST", "/assemblies/{training_sheet_id}/restore", roles=MAKERS, label="Restore")
    def restore(self, training_sheet_id: str) -> TrainingSheet:
        """Bring back a deleted or an archived training sheet."""
        found = self.records.get(training_sheet_id)
        if found.deleted_at is not None:
            return self._records([self.records.update(training_sheet_id, deleted_at=None)])[0]
        target = TRAINING_SHEET_LIFECYCLE.require("restore", found.status)
        return self._records([self.records.update(training_sheet_id, status=target)])[0]

    @query("GET", "/assemblies/{training_sheet_id}/preview", topics=("training_sheets", "pairs"))
    def preview(
        self,
        training_sheet_id: str,
        *,
        limit: Annotated[int, Field(ge=1, le=1000, description="Most pairs to return.")] = 20,
        offset: Annotated[int, Field(ge=0, description="Pairs to skip.")] = 0,
    ) -> Preview:
        """Show pairs in their order."""
        found = self.live(training_sheet_id)
        rows = self.db.rows(
            f"select {', '.join(PREVIEW_COLUMNS)} from pair_rows where training_sheet_id = ? order by row_index limit ? offset ?",
            [training_sheet_id, limit, offset],
        )
        columns = [SheetColumn(name=name, dtype=PREVIEW_TYPES.get(name, "VARCHAR")) for name in PREVIEW_COLUMNS]
        return Preview(columns=columns, rows=rows, total=found.total_rows, limit=limit, offset=offset)

    @command("POST", "/assemblies/{training_sheet_id}/export", roles=MAKERS, transaction=False, long=True, label="Export")
    def export(
        self,
        training_sheet_id: str,
        format: Annotated[Format, Field(description="Shape of the lines.")] = "openai_chat",
        *,
        split: Annotated[float | None, Field(gt=0, lt=1, description="Share of the training file; none: one file.")] = None,
        seed: Seed = 42,
        include_unreviewed: Annotated[bool, Field(description="Take pairs nobody has decided on too.")] = False,
        spreadsheet_safe: Annotated[bool, Field(description="Keep spreadsheets from running cells as formulas (csv).")] = False,
    ) -> Export:
        """Write approved pairs that may be trained on to files, with a manifest to make them again.

        More than 100,000 pairs are written by a job, as are fewer with `wait=False`.
        """
        found = self.live(training_sheet_id)
        TRAINING_SHEET_LIFECYCLE.require("export", found.status)
        return self.exports.run(found, ExportWish(format, split, seed, include_unreviewed, spreadsheet_safe))

    def live(self, training_sheet_id: str) -> TrainingSheet:
        """Return a training sheet that is not deleted, or raise NotFound."""
        found = self.records.get(training_sheet_id)
        if found.deleted_at is not None:
            raise NotFound(f"{found.name!r} is deleted. Restore it first.", kind="training sheet", id=training_sheet_id)
        return found

    def ready(self, training_sheet_id: str) -> TrainingSheet:
        """Return a training sheet whose pairs are all there, or raise NotReady."""
        found = self.live(training_sheet_id)
        self.refuse_not_ready(found)
        return found

    def refuse_not_ready(self, found: TrainingSheet) -> None:
        """Raise NotReady unless all pairs are there to work on."""
        if found.status != "ready":
            raise NotReady(f"{found.name} is {found.status}, not ready.", status=found.status)

    def in_use(self, name: str, used: list[str]) -> InUse:
        """Return the refusal to delete what jobs use, which names some of them."""
        named = [row[0] for row in self.db.tuples("select name from jobs where list_contains(?, id) order by id limit 3", [used])]
        more = f" and {len(used) - len(named)} more" if len(used) > len(named) else ""
        which, them = ("1 job", "it") if len(used) == 1 else (f"{len(used)} jobs", "them")
        return InUse(f"{name} is used by {which}: {', '.join(named)}{more}. Cancel and delete {them} under Jobs first.", used_by=used)

    def used_by(self, training_sheet_ids: Iterable[str]) -> list[str]:
        """Return the ids of the jobs that refer to training sheets; a study stands for its trials.

        What was made, exported or scanned needs no job any more.
        """
        wanted = list(training_sheet_ids)
        found = self.db.tuples(
            "select id from jobs anti join trial_details using (id) "
            "where list_contains(?, coalesce(spec ->> 'training_sheet_id', spec ->> 'subject')) "
            "and (kind not in ('assemble', 'export', 'scan') or completed_at is null) order by id",
            [wanted],
        )
        return [row[0] for row in found]

    def _records(self, found: Iterable[TrainingSheet]) -> list[TrainingSheet]:
        return [TrainingSheet(**row) for row in self._present([one.values() for one in found])]

    def _present(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = dict(self.db.tuples("select id, name from sheets"))
        counts = pair_counts(self.db, [row["id"] for row in rows])
        return [
            row
            | {
                "status": DELETED if row["deleted_at"] else row["status"],
                "sheet_name": names.get(row["sheet_id"], ""),
                "counts": counts[row["id"]],
                "actions": TRAINING_SHEET_LIFECYCLE.actions(row, roles=self.roles, blocked=_blocked(row)),
            }
            for row in rows
        ]


def _blocked(row: dict[str, Any]) -> dict[str, str]:
    if row["deleted_at"]:
        return dict.fromkeys(TRAINING_SHEET_LIFECYCLE.moves, "It is deleted.")
    return {}


def pair_counts(db: Any, training_sheet_ids: list[str]) -> dict[str, dict[str, dict[str, int]]]:
    """Return the number of pairs by response source and by status, for each training sheet."""
    counts = {
        one: {"response_source": dict.fromkeys(RESPONSE_SOURCES, 0), "status": dict.fromkeys(PAIR_STATUSES, 0)}
        for one in training_sheet_ids
    }
    found = db.tuples(
        "select training_sheet_id, response_source, status, count(*) from pair_rows "
        "where list_contains(?, training_sheet_id) group by all",
        [training_sheet_ids],
    )
    for one, source, status, count in found:
        counts[one]["response_source"][source] += count
        counts[one]["status"][status] += count
    return counts


__all__ = ["TemplateService", "TrainingSheetService", "pair_counts"]
