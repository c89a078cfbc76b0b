"""Bring reviewed work in from another tool: rows, template and pairs with their decisions, in one step."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path, PurePath
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.contract import Field, command, current
from workbench.domain.data import Sheet, SheetColumn
from workbench.domain.generate import ReviewImport, TemplateSnapshot, TrainingSheet, Unplaced
from workbench.domain.prompt import placeholders
from workbench.domain.wording import grouped
from workbench.errors import ValidationError, did_you_mean
from workbench.services import assembling, canonical, decisions, foreign, foreign_formats, importing, sources
from workbench.services.answering import answered
from workbench.services.becoming import LABEL
from workbench.services.foreign_formats import ForeignFormat
from workbench.services.rendering import check_template, require_valid
from workbench.services.service import Service
from workbench.services.sheet_arguments import Encoding, InlineRows, SheetName, Source, SourceType, Split
from workbench.store.json_records import JsonRecords
from workbench.store.plain_text import PACKED

IMPORTERS = frozenset({"admin", "data_steward"})
BATCH_ROWS, LONGEST_NAME = 5_000, 180
_TEXT, _MOMENT = pa.string(), pa.timestamp("us")
REVIEW = {
    "response": _TEXT,
    "original_response": _TEXT,
    "response_source": _TEXT,
    "status": _TEXT,
    "flag_reason": _TEXT,
    "confidence": pa.float64(),
    "labeled_by": _TEXT,
    "labeled_at": _MOMENT,
    "verified_by": _TEXT,
    "verified_at": _MOMENT,
}
_HALF = re.compile("[\ud800-\udfff]")
# More instructions than this need not be told apart: they are part of the prompts then.
FEW = 3


@dataclass
class Survey:
    """What a first look at all records told."""

    format: foreign_formats.Format
    columns: dict[str, None] = field(default_factory=dict)
    questions: Counter[str] = field(default_factory=Counter)
    systems: set[str | None] = field(default_factory=set)
    tasks: set[str | None] = field(default_factory=set)
    names: set[str | None] = field(default_factory=set)
    count: int = 0

    def take(self, record: foreign.Record, told: foreign.Told) -> None:
        """Look at one more record."""
        self.columns |= dict.fromkeys(told.cells)
        for kept, one in ((self.systems, told.system), (self.tasks, told.task)):
            if len(kept) < FEW:
                kept.add(one)
        self.questions.update(self.format.questions(record))
        self.names.add(told.cells.get(next(iter(self.format.ids), "")))
        self.count += 1

    @property
    def one_task(self) -> bool:
        """Return whether all records ask the same about something: then that is their instruction."""
        return len(self.tasks) == 1 and None not in self.tasks

    @property
    def item_id(self) -> str | None:
        """Return the column that names each item, if it does."""
        return next(iter(self.format.ids), None) if len(self.names) == self.count and None not in self.names else None


class ReviewImports(Service):
    """Take over what was reviewed elsewhere; a part of the operations on training sheets."""

    @command(
        "POST",
        "/assemblies/import-reviews",
        roles=IMPORTERS,
        status=201,
        transaction=False,
        upload=True,
        label="Bring reviews in",
    )
    def import_reviews(
        self,
        name: Annotated[SheetName | None, Field(description="Name of the sheet; none: that of the file.")] = None,
        *,
        source_type: SourceType = None,
        source: Source = None,
        rows: InlineRows = None,
        format: Annotated[
            ForeignFormat | None, Field(description="How the records are written; none: told from the first.")
        ] = None,
        question: Annotated[
            str | None, Field(description="Question whose answers become responses; none: the most answered.")
        ] = None,
        prompt_template: Annotated[
            str | None, Field(max_length=100_000, description="Prompt over the columns; none: made from all of them.")
        ] = None,
        split: Split = None,
        encoding: Encoding = None,
        preview: Annotated[bool, Field(description="Only say what would come in; nothing is kept.")] = False,
    ) -> ReviewImport:
        """Make a sheet, a template and a training sheet from what was reviewed in another tool.

        Read are exports of Label Studio (JSON) and Argilla, and every format that training sheets are exported in, from
        a JSON file, a table or a data set saved to disk. Status, reviewer, time, confidence and the answer before an
        edit are kept where the records tell them. What has no place is counted in `unplaced`, and stays readable in a
        column. A record that is written in another way is named, and nothing comes in.
        """
        records, label = self._records_of(source_type, source, rows, {"split": split, "encoding": encoding})
        name = name or self.app.sheets._free_name(_titled(label))
        self.app.sheets._refuse_taken(name)
        survey = _surveyed(records, format)
        asked = _question(survey, question)
        notes = foreign.Notes()
        with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
            told = _written(records, survey, asked, notes, Path(folder) / "told.parquet")
            found, plan = _found(name, told, survey, asked, notes), _plan(survey, asked, prompt_template, name)
            return found if preview else self._kept(found, told, survey, plan)

    def _records_of(
        self, source_type: Any, source: str | None, rows: Any, reading: dict[str, Any]
    ) -> tuple[Iterable[dict[str, Any]], str | None]:
        """Return the records and what their source is called."""
        if rows is not None and source is None:
            return _given(rows), None
        if rows is None and source is None and current().upload is None:
            raise ValidationError.field("source", "Name a file, or send one, or give the records as rows")
        found = sources.resolve(self, source_type, source, None, reading)
        if isinstance(found, sources.FrameFile):
            return JsonRecords(found.path, name=found.path.name), None
        if not isinstance(found, sources.FileSource):
            raise ValidationError.field("source_type", "Reviews come from a file, or as rows", source_type)
        if not found.path.exists():
            message = f"there is no file {found.label}. Check the path, relative ones count from {Path.cwd()}"
            raise ValidationError.field("source", message, found.label)
        return JsonRecords(found.path, name=Path(found.label).name, **reading), found.label

    def _kept(self, found: ReviewImport, told: Path, survey: Survey, plan: TemplateSnapshot) -> ReviewImport:
        now, name, item_id = self.clock.now(), found.name, survey.item_id
        sheet = Sheet(id=self.clock.new_id("sheet"), name=name, source_type="file", source=found.format, created_by=self.actor)
        sheet = sheet.with_(item_id_column=item_id, description=f"Reviews imported from {found.format}.")
        made = TrainingSheet(id=self.clock.new_id("assembly"), name=name, sheet_id=sheet.id, template=plan, status="ready")
        made = made.with_(created_at=now, created_by=self.actor, completed_at=now, total_rows=survey.count)
        try:
            rows = pq.ParquetFile(told)
            cells = [n for n in rows.schema_arrow.names if not n.startswith("_wb_")]
            reader = pa.RecordBatchReader.from_batches(pa.schema([(n, _TEXT) for n in cells]), rows.iter_batches(columns=cells))
            loaded = importing.load(self.db, sheet.id, reader, item_id)
            everything = assembling.Choice("true", "all", None, 42, None)
            assembling.assemble(self.db, sheet.with_(columns=loaded.columns), made, everything)
            with self.db.write():
                self.app.sheets.published(sheet, loaded)
                template = self._template(plan, name)
                snapshot = self.app.templates.snapshot(template.id)
                self.app.training_sheets.records.insert(made.with_(template_id=template.id, template=snapshot))
                self._decide(made, pq.read_table(told, columns=[f"_wb_{n}" for n in REVIEW]), plan.label_type)
                self.db.emit("pairs", made.id, None, "import")
                return answered(found.with_(id=made.id, sheet_id=sheet.id, template_id=template.id, preview=False))
        except BaseException:
            importing.drop_rows(self.db, sheet.id)
            assembling.drop_orphans(self.db)
            raise

    def _template(self, plan: TemplateSnapshot, name: str) -> Any:
        taken = {row[0] for row in self.db.tuples("select name from templates")}
        free = next(n for n in (name, *(f"{name} {i}" for i in range(2, len(taken) + 3))) if n not in taken)
        said = ("prompt_template", "system_instruction", "response_source_mode", "response_column", "label_type")
        return self.app.templates.create(free, **{one: getattr(plan, one) for one in said})

    def _decide(self, made: TrainingSheet, reviews: pa.Table, label_type: str) -> None:
        """Give the pairs what was answered and decided; each person's decisions are one batch of the log."""
        reviews = reviews.rename_columns([f"told_{name}" for name in REVIEW])
        reviews = reviews.append_column("told_index", pa.array(range(reviews.num_rows), pa.int64()))
        kinds = ", ".join(f"told_{name} {_SQL[kind]}" for name, kind in REVIEW.items())
        self.db.execute(f"create or replace temp table _told ({kinds}, told_index bigint, told_actor varchar)")
        self.db.insert_arrow("_told", reviews)
        self.db.execute("update _told set told_actor = coalesce(told_labeled_by, ?) where told_status is not null", [self.actor])
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
            scope = decisions.Scope(made.id, made.sheet_id, label_type, actor, self.clock.now())
            change, batch = decisions.Change("import", columns), {"batch_id": self.clock.new_id("batch"), "rows": decided}
            joined = f"{sheet} and row_index = told_index and {of_person}"
            number = decisions.apply(self.db, scope, change, joined, {}, **batch, beside="_told")
            canonical.record(
                self.db, scope, number, f"{sheet} and row_index in (select told_index from _told where {of_person})"
            )
        self.db.execute("drop table _told")


_SQL = {_TEXT: "varchar", _MOMENT: "timestamp", pa.float64(): "double"}
_TAKEN = {
    "response": "coalesce(told_response, '')",
    "response_source": "coalesce(told_response_source, 'empty')",
    # An approval is the truth about its item, wherever it was given.
    "canonical_label_id": f"case when told_status = 'labeled' then {LABEL} else canonical_label_id end",
}


def _given(rows: Any) -> list[dict[str, Any]]:
    """Return records that came with the call; those in a list need not be alike."""
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    return [row for batch in sources.inline_table(rows).to_batches() for row in batch.to_pylist()]


def _titled(label: str | None) -> str:
    """Return what a source is called, without its folders and endings."""
    name = PurePath(label or "").name
    bare = PurePath(name.removesuffix(PurePath(name).suffix) if name.lower().endswith(PACKED) else name).stem
    return bare.strip()[:LONGEST_NAME] or "Reviews"


def _surveyed(records: Iterable[dict[str, Any]], wished: str | None) -> Survey:
    """Look at every record once: which columns, which questions, which instructions there are."""
    survey: Survey | None = None
    for place, record in enumerate(records):
        survey = survey or Survey(foreign_formats.told(record, wished))
        survey.take(record, _read(survey.format, place, record, None, foreign.Notes()))
    if survey is None:
        raise ValidationError.field("source", "There is no record in it; export it again with its annotations")
    return survey


def _read(
    format: foreign_formats.Format, place: int, record: dict[str, Any], asked: str | None, notes: foreign.Notes
) -> foreign.Told:
    try:
        foreign_formats.refuse_other(format, record)
        return format.read(record, asked, notes)
    except (TypeError, AttributeError, KeyError, ValueError, OverflowError, RecursionError) as error:
        message = f"Record {place} (counted from 0) is not what {format.name} writes: {error}"
        raise ValidationError.field("source", message, place) from error


def _question(survey: Survey, wished: str | None) -> str | None:
    if wished is not None and wished not in survey.questions:
        known = list(survey.questions)
        hint = f"Available: {', '.join(known)}" if known else "The records hold no answers by question"
        raise ValidationError.field("question", f"is not among the questions.{did_you_mean(wished, known)} {hint}", wished)
    return wished or next((name for name, _ in survey.questions.most_common(1)), None)


def _free(survey: Survey, wished: str) -> str:
    taken = {name.lower() for name in survey.columns}
    return next(n for n in (wished, *(f"{wished}_{i}" for i in range(2, len(taken) + 3))) if n not in taken)


def _made_columns(survey: Survey) -> dict[str, str]:
    return {} if survey.format.asks else {part: _free(survey, part) for part in ("prompt", "response", "system")}


def _written(records: Iterable[dict[str, Any]], survey: Survey, asked: str | None, notes: foreign.Notes, path: Path) -> Path:
    """Write cells and reviews of all records, batch by batch."""
    own = _made_columns(survey)
    names = [*survey.columns, *own.values()]
    importing.refuse_names(names)
    schema = pa.schema([*((n, _TEXT) for n in names), *((f"_wb_{n}", kind) for n, kind in REVIEW.items())])
    with pq.ParquetWriter(path, schema) as writer:
        found = _told(records, survey, asked, notes)
        for first in count(0, BATCH_ROWS):
            if not (some := list(islice(found, BATCH_ROWS))):
                break
            cells = {n: [t.cells.get(n) for t in some] for n in survey.columns}
            if own:
                parts = {"prompt": [t.prompt for t in some], "system": [t.system for t in some]}
                parts["response"] = [t.review.get("response") for t in some]
                cells |= {column: parts[part] for part, column in own.items()}
            reviews = {f"_wb_{n}": [t.review.get(n) for t in some] for n in REVIEW}
            try:
                writer.write_table(pa.table(cells | reviews, schema=schema))
            except UnicodeEncodeError as error:
                raise _half_character(first, some) from error
    return path


def _half_character(first: int, some: list[foreign.Told]) -> ValidationError:
    """Say which of some records holds half a character, which JSON can spell and no text can hold."""
    texts = ([*told.cells.values(), *map(str, told.review.values()), told.prompt, told.system] for told in some)
    place = next(first + i for i, found in enumerate(texts) if any(_HALF.search(text) for text in found if text))
    return ValidationError.field("source", f"Record {place} (counted from 0) holds half of a character; write it whole", place)


def _told(records: Iterable[dict[str, Any]], survey: Survey, asked: str | None, notes: foreign.Notes) -> Iterator[foreign.Told]:
    for place, record in enumerate(records):
        told = _read(survey.format, place, record, asked, notes)
        yield replace(told, prompt=told.matter, system=told.task) if survey.one_task else told


def _found(name: str, told: Path, survey: Survey, asked: str | None, notes: foreign.Notes) -> ReviewImport:
    """Return what is going to come in."""
    states = pc.fill_null(pq.read_table(told, columns=["_wb_status"]).column(0), "unlabeled").value_counts().to_pylist()
    statuses = dict(sorted((one["values"], one["counts"]) for one in states))
    unplaced = [Unplaced(what=what, count=count) for what, count in notes.counts.most_common()]
    counted = ", ".join(f"{grouped(count)} {status}" for status, count in statuses.items())
    rest = {0: "", 1: " One kind of thing has no place of its own."}
    return ReviewImport(
        name=name,
        format=survey.format.name,
        question=asked,
        other_questions=[one for one, _ in survey.questions.most_common() if one != asked],
        pairs=survey.count,
        statuses=statuses,
        unplaced=unplaced,
        summary=f"{grouped(survey.count)} pair{'s' if survey.count != 1 else ''}: {counted}."
        + rest.get(len(unplaced), f" {len(unplaced)} kinds of things have no place of their own."),
        preview=True,
    )


def _plan(survey: Survey, asked: str | None, prompt_template: str | None, name: str) -> TemplateSnapshot:
    """Return the template of the pairs, or say what is wrong with the wished one."""
    plan = _unchecked(survey, asked, prompt_template, name)
    columns = [SheetColumn(name=column) for column in [*survey.columns, *_made_columns(survey).values()]]
    require_valid(check_template(plan, Sheet(columns=columns)))
    return plan


def _unchecked(survey: Survey, asked: str | None, prompt_template: str | None, name: str) -> TemplateSnapshot:
    own = _made_columns(survey)
    if own:
        told = survey.tasks if survey.one_task else survey.systems
        systems, constant = told - {None}, len(told) == 1
        text = f"{{{{{own['prompt']}}}}}" if constant or not systems else f"{{{{{own['system']}}}}}\n\n{{{{{own['prompt']}}}}}"
        facts = {"response_source_mode": "existing_column", "response_column": own["response"]}
        above = next(iter(systems)) if systems and constant else None
        return TemplateSnapshot(name=name, prompt_template=prompt_template or text, system_instruction=above, **facts)
    # A name that is not its own placeholder, such as one with braces in it, stays a column.
    shown = [n for n in survey.columns if n not in survey.format.ids and placeholders(f"{{{{{n}}}}}") == (n,)]
    text = f"{{{{{shown[0]}}}}}" if len(shown) == 1 else "\n\n".join(f"{n}: {{{{{n}}}}}" for n in shown)
    facts = {"response_source_mode": "manual_labeling", "label_type": asked or "response"}
    return TemplateSnapshot(name=name, prompt_template=prompt_template or text, **facts)
