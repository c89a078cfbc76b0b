"""Keep what was reviewed elsewhere: rows and pairs are loaded where nobody sees them, then published with their decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.contract import current
from workbench.domain.data import Sheet, SheetColumn
from workbench.domain.generate import ReviewImport, TemplateSnapshot, TrainingSheet, Unplaced
from workbench.domain.prompt import placeholders
from workbench.domain.wording import grouped
from workbench.services import assembling, canonical, decisions, importing
from workbench.services.becoming import LABEL
from workbench.services.importing import Loaded
from workbench.services.rendering import check_template, require_valid
from workbench.store.foreign_formats import FORMATS
from workbench.store.review_reading import MOMENT, REVIEW, REVIEW_PREFIX, SHARE, TEXT, Reading

if TYPE_CHECKING:
    from workbench.services.application import Application

Tell = Callable[[float, str], None]
_SQL = {TEXT: "varchar", MOMENT: "timestamp", SHARE: "double"}
_TAKEN = {
    "response": "coalesce(told_response, '')",
    "response_source": "coalesce(told_response_source, 'empty')",
    # An approval is the truth about its item, wherever it was given.
    "canonical_label_id": f"case when told_status = 'labeled' then {LABEL} else canonical_label_id end",
}


@dataclass(frozen=True)
class Wish:
    """Say what is to be made of the records: its name (none: a free one like `title`), its ids and its prompts."""

    name: str | None
    title: str
    sheet_id: str
    training_sheet_id: str
    prompt_template: str | None


@dataclass(frozen=True)
class Hidden:
    """Hold what was loaded and nobody sees yet."""

    sheet: Sheet
    made: TrainingSheet
    loaded: Loaded


class ReviewKeeping:
    """Make rows, template and pairs of what was read."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.db = app.db

    def free_name(self, wish: Wish) -> str:
        """Return the name that was wished for, or one that is free now."""
        return wish.name or self.app.sheets._free_name(wish.title)

    def load(self, wish: Wish, reading: Reading, told: Path, tell: Tell = lambda share, what: None) -> Hidden:
        """Load rows and pairs, without holding up anybody; on any fault nothing remains.

        `tell` hears which share of all there is to keep is kept, and what is next; the largest is left to `publish`.
        """
        plan, now = checked_plan(reading, wish.prompt_template), self.app.clock.now()
        by = {"created_by": current().actor}
        sheet = Sheet(id=wish.sheet_id, name=wish.title, source_type="file", source=reading.format, **by)
        sheet = sheet.with_(item_id_column=reading.item_id, description=f"Reviews imported from {reading.format}.")
        made = TrainingSheet(id=wish.training_sheet_id, name=wish.title, sheet_id=sheet.id, template=plan, status="ready", **by)
        made = made.with_(created_at=now, completed_at=now, total_rows=reading.count)
        try:
            with pq.ParquetFile(told) as rows:
                cells = [n for n in rows.schema_arrow.names if not n.startswith(REVIEW_PREFIX)]
                schema = pa.schema([(n, TEXT) for n in cells])
                source = pa.RecordBatchReader.from_batches(schema, rows.iter_batches(columns=cells))
                loaded = importing.load(self.db, sheet.id, source, reading.item_id)
            tell(0.25, "Making the pairs")
            everything = assembling.Choice("true", "all", None, 42, None)
            assembling.assemble(self.db, sheet.with_(columns=loaded.columns), made, everything)
        except BaseException:
            self.drop(wish)
            raise
        tell(0.4, "Keeping what was decided")
        return Hidden(sheet, made, loaded)

    def publish(self, wish: Wish, reading: Reading, told: Path, hidden: Hidden) -> ReviewImport:
        """Let everybody see what was loaded, with its decisions, in the current transaction."""
        name = self.free_name(wish)
        sheet, made, plan = hidden.sheet.with_(name=name), hidden.made.with_(name=name), hidden.made.template
        assert plan is not None
        self.app.sheets.published(sheet, hidden.loaded)
        template = self._template(plan, name)
        snapshot = self.app.templates.snapshot(template.id)
        self.app.training_sheets.records.insert(made.with_(template_id=template.id, template=snapshot))
        self._decide(made, told, plan.label_type)
        self.db.emit("pairs", made.id, None, "import")
        return found(name, reading).with_(id=made.id, sheet_id=sheet.id, template_id=template.id, preview=False)

    def drop(self, wish: Wish) -> None:
        """Remove what was loaded; nobody will see it."""
        with self.db.write():
            importing.drop_rows(self.db, wish.sheet_id)
            self.db.execute("delete from pair_rows where training_sheet_id = ?", [wish.training_sheet_id])

    def _template(self, plan: TemplateSnapshot, name: str) -> Any:
        taken = {row[0] for row in self.db.tuples("select name from templates")}
        free = next(n for n in (name, *(f"{name} {i}" for i in range(2, len(taken) + 3))) if n not in taken)
        said = ("prompt_template", "system_instruction", "response_source_mode", "response_column", "label_type")
        return self.app.templates.create(free, **{one: getattr(plan, one) for one in said})

    def _decide(self, made: TrainingSheet, told: Path, label_type: str) -> None:
        """Give the pairs what was answered and decided; each person's decisions are one batch of the log."""
        self._take(told)
        self.db.execute(
            "update _told set told_actor = coalesce(told_labeled_by, ?) where told_status is not null", [made.created_by]
        )
        self.db.execute(
            "update pair_rows set response = told_response, response_source = told_response_source, confidence = told_confidence, "
            "original_response = told_original_response from _told where training_sheet_id = ? "
            "and row_index = told_index and told_status is null and told_response is not null",
            [made.id],
        )
        columns = {name: f"told_{name}" for name in REVIEW} | _TAKEN
        sheet, of_person = "training_sheet_id = $training_sheet_id", "told_actor = $actor"
        people = "select told_actor, count(*) from _told where told_actor is not null group by 1 order by 1"
        for actor, decided in self.db.execute(people):
            scope = decisions.Scope(made.id, made.sheet_id, label_type, actor, self.app.clock.now())
            change, batch = decisions.Change("import", columns), {"batch_id": self.app.clock.new_id("batch"), "rows": decided}
            joined = f"{sheet} and row_index = told_index and {of_person}"
            number = decisions.apply(self.db, scope, change, joined, {}, **batch, beside="_told")
            canonical.record(self.db, scope, number, f"{sheet} and row_index in (select told_index from _told where {of_person})")
        self.db.execute("drop table _told")

    def _take(self, told: Path) -> None:
        """Put the reviews into a table of this transaction, some at a time."""
        kinds = ", ".join(f"told_{name} {_SQL[kind]}" for name, kind in REVIEW.items())
        self.db.execute(f"create or replace temp table _told ({kinds}, told_index bigint, told_actor varchar)")
        schema = pa.schema([*((f"told_{n}", kind) for n, kind in REVIEW.items()), ("told_index", pa.int64())])
        with pq.ParquetFile(told) as file:
            self.db.insert_arrow("_told", pa.RecordBatchReader.from_batches(schema, _numbered(file, schema)))


def _numbered(file: pq.ParquetFile, schema: pa.Schema) -> Any:
    first = 0
    for batch in file.iter_batches(columns=[f"{REVIEW_PREFIX}{name}" for name in REVIEW]):
        places = pa.array(range(first, first + batch.num_rows), pa.int64())
        yield pa.RecordBatch.from_arrays([*batch.columns, places], schema=schema)
        first += batch.num_rows


def found(name: str, reading: Reading) -> ReviewImport:
    """Return what is going to come in."""
    counted = ", ".join(f"{grouped(count)} {status}" for status, count in reading.statuses.items())
    rest = {0: "", 1: " One kind of thing has no place of its own."}
    left = len(reading.unplaced)
    return ReviewImport(
        name=name,
        format=reading.format,
        question=reading.question,
        other_questions=reading.other_questions,
        pairs=reading.count,
        statuses=reading.statuses,
        unplaced=[Unplaced(what=what, count=count) for what, count in reading.unplaced.items()],
        summary=f"{grouped(reading.count)} pair{'s' if reading.count != 1 else ''}: {counted}."
        + rest.get(left, f" {left} kinds of things have no place of their own."),
        preview=True,
    )


def checked_plan(reading: Reading, prompt_template: str | None) -> TemplateSnapshot:
    """Return the template of the pairs, or say what is wrong with the wished one."""
    plan = _plan(reading, prompt_template)
    columns = [SheetColumn(name=column) for column in [*reading.columns, *reading.own.values()]]
    require_valid(check_template(plan, Sheet(columns=columns)))
    return plan


def _plan(reading: Reading, prompt_template: str | None) -> TemplateSnapshot:
    if own := reading.own:
        text = f"{{{{{own['system']}}}}}\n\n{{{{{own['prompt']}}}}}" if reading.instructed else f"{{{{{own['prompt']}}}}}"
        facts = {"response_source_mode": "existing_column", "response_column": own["response"]}
        return TemplateSnapshot(prompt_template=prompt_template or text, system_instruction=reading.instruction, **facts)
    # A name that is not its own placeholder, such as one with braces in it, stays a column.
    left_out = (*FORMATS[reading.format].ids, *reading.aside)
    shown = [n for n in reading.columns if n not in left_out and placeholders(f"{{{{{n}}}}}") == (n,)]
    text = f"{{{{{shown[0]}}}}}" if len(shown) == 1 else "\n\n".join(f"{n}: {{{{{n}}}}}" for n in shown)
    facts = {"response_source_mode": "manual_labeling", "label_type": reading.question or "response"}
    return TemplateSnapshot(prompt_template=prompt_template or text, **facts)
