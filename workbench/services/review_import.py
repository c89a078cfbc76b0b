"""Bring reviewed work in from another tool: rows, template and pairs with their decisions, in one step."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.contract import Field, command
from workbench.domain.data import Sheet
from workbench.domain.generate import ReviewImport, TemplateSnapshot, TrainingSheet, Unplaced
from workbench.errors import ValidationError, did_you_mean
from workbench.services import assembling, decisions, foreign, importing, sources
from workbench.services.service import Service
from workbench.services.sheet_arguments import SheetName, Source, SourceType, Split
from workbench.store.json_records import JsonRecords

IMPORTERS = frozenset({"admin", "data_steward"})
OWN_COLUMNS = {"label_studio": ("label_studio_id", "label_studio"), "argilla": ("argilla_id", "argilla")}
BATCH_ROWS = 5_000
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
ForeignFormat = Literal["label_studio", "argilla", "openai_chat", "sharegpt", "alpaca"]


@dataclass
class Survey:
    """What a first look at all records told."""

    format: str
    columns: dict[str, None] = field(default_factory=dict)
    questions: Counter[str] = field(default_factory=Counter)
    systems: set[str | None] = field(default_factory=set)
    names: set[str | None] = field(default_factory=set)
    count: int = 0

    @property
    def chat(self) -> bool:
        """Return True for formats whose records are finished conversations."""
        return self.format not in foreign.QUESTIONS


class ReviewImports(Service):
    """Take over what was reviewed elsewhere; a part of the operations on training sheets."""

    @command(
        "POST", "/assemblies/import-reviews", roles=IMPORTERS, status=201, transaction=False, upload=True, label="Import reviews"
    )
    def import_reviews(
        self,
        name: SheetName,
        *,
        source_type: SourceType = None,
        source: Source = None,
        rows: Annotated[list[dict[str, Any]] | None, Field(description="The records themselves, instead of a source.")] = None,
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
    ) -> ReviewImport:
        """Make a sheet, a template and a training sheet from an export of Label Studio or Argilla, or from chats.

        Status, reviewer, time, confidence and the answer before an edit are kept. What has no place is counted in
        `unplaced`, and stays readable in a column that holds each record as it was.
        """
        self.app.sheets._refuse_taken(name)
        records = self._records_of(source_type, source, rows, split)
        survey = _surveyed(records, format)
        asked = _question(survey, question)
        notes = foreign.Notes()
        with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
            told = _written(records, survey, asked, notes, Path(folder) / "told.parquet")
            plan = _plan(survey, asked, prompt_template, name)
            return self._kept(name, told, survey, asked, plan, notes)

    def _records_of(self, source_type: Any, source: str | None, rows: Any, split: str | None) -> Iterable[dict[str, Any]]:
        if rows is not None and source is None:
            return list(rows)
        found = sources.resolve(self, source_type, source, None, {"split": split})
        if not isinstance(found, sources.FileSource):
            raise ValidationError.field("source_type", "Reviews come from a file, or as rows", source_type)
        if not found.path.exists():
            raise ValidationError.field("source", f"there is no file {found.label}", found.label)
        return JsonRecords(found.path, name=Path(found.label).name, split=split)

    def _kept(
        self, name: str, told: Path, survey: Survey, asked: str | None, plan: TemplateSnapshot, notes: foreign.Notes
    ) -> ReviewImport:
        now = self.clock.now()
        item_id = next((c for c in OWN_COLUMNS.get(survey.format, ()) if len(survey.names) == survey.count), None)
        item_id = None if None in survey.names else item_id
        sheet = Sheet(id=self.clock.new_id("sheet"), name=name, source_type="file", source=survey.format, created_by=self.actor)
        sheet = sheet.with_(item_id_column=item_id, description=f"Reviews imported from {survey.format}.")
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
                kept = self.app.sheets.published(sheet, loaded)
                template = self._template(plan, name)
                snapshot = self.app.templates.snapshot(template.id)
                self.app.training_sheets.records.insert(made.with_(template_id=template.id, template=snapshot))
                self._decide(made, pq.read_table(told, columns=[f"_wb_{n}" for n in REVIEW]), plan.label_type)
                return self._answer(kept, made, template.id, survey, asked, notes)
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
        reviews = reviews.rename_columns(list(REVIEW)).append_column("row_index", pa.array(range(reviews.num_rows), pa.int64()))
        kinds = ", ".join(f"{name} {_SQL[kind]}" for name, kind in REVIEW.items())
        self.db.execute(f"create or replace temp table _told ({kinds}, row_index bigint, actor varchar)")
        self.db.insert_arrow("_told", reviews)
        self.db.execute("update _told set actor = coalesce(labeled_by, ?) where status is not null", [self.actor])
        self.db.execute(
            "update pair_rows set response = t.response, response_source = t.response_source, confidence = t.confidence "
            "from _told t where training_sheet_id = ? and pair_rows.row_index = t.row_index and t.status is null "
            "and t.response is not null",
            [made.id],
        )
        own = "(select t.{0} from _told t where t.row_index = pair_rows.row_index)"
        columns = {name: _TAKEN.get(name, own).format(name) for name in REVIEW}
        target = "training_sheet_id = $training_sheet_id and row_index in (select row_index from _told where actor = $actor)"
        for actor, count in self.db.execute("select actor, count(*) from _told where actor is not null group by 1 order by 1"):
            scope = decisions.Scope(made.id, made.sheet_id, label_type, actor, self.clock.now())
            decisions.apply(
                self.db, scope, decisions.Change("import", columns), target, {}, batch_id=self.clock.new_id("batch"), rows=count
            )
        self.db.execute("drop table _told")

    def _answer(
        self, sheet: Sheet, made: TrainingSheet, template_id: str, survey: Survey, asked: str | None, notes: foreign.Notes
    ) -> ReviewImport:
        found = self.db.tuples(
            "select status, count(*) from pair_rows where training_sheet_id = ? group by 1 order by 1", [made.id]
        )
        unplaced = [Unplaced(what=what, count=count) for what, count in notes.counts.most_common()]
        states = ", ".join(f"{count} {status}" for status, count in found)
        rest = f" {len(unplaced)} kind(s) of things have no place of their own." if unplaced else ""
        return ReviewImport(
            id=made.id,
            name=made.name,
            sheet_id=sheet.id,
            template_id=template_id,
            format=survey.format,
            question=asked,
            other_questions=[one for one, _ in survey.questions.most_common() if one != asked],
            pairs=survey.count,
            statuses=dict(found),
            unplaced=unplaced,
            summary=f"{survey.count} pairs: {states}.{rest}",
        )


_SQL = {_TEXT: "varchar", _MOMENT: "timestamp", pa.float64(): "double"}
_TAKEN = {
    "response": "coalesce((select t.response from _told t where t.row_index = pair_rows.row_index), '')",
    "response_source": "coalesce((select t.response_source from _told t where t.row_index = pair_rows.row_index), 'empty')",
}


def _surveyed(records: Iterable[dict[str, Any]], format: str | None) -> Survey:
    """Look at every record once: which columns, which questions, which instructions there are."""
    survey: Survey | None = None
    for record in records:
        survey = survey or Survey(format or foreign.format_of(record))
        told = foreign.READERS[survey.format](record, None, foreign.Notes())
        survey.columns |= dict.fromkeys(told.cells)
        survey.systems.add(told.system)
        survey.questions.update(foreign.QUESTIONS.get(survey.format, lambda _: ())(record))
        survey.names.add(told.cells.get(OWN_COLUMNS.get(survey.format, ("",))[0]))
        survey.count += 1
    if survey is None:
        raise ValidationError.field("source", "There is no record in it; export it again with its annotations")
    return survey


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
    return {part: _free(survey, part) for part in ("prompt", "response", "system")} if survey.chat else {}


def _written(records: Iterable[dict[str, Any]], survey: Survey, asked: str | None, notes: foreign.Notes, path: Path) -> Path:
    """Write cells and reviews of all records, batch by batch."""
    own = _made_columns(survey)
    names = [*survey.columns, *own.values()]
    importing.refuse_names(names)
    schema = pa.schema([*((n, _TEXT) for n in names), *((f"_wb_{n}", kind) for n, kind in REVIEW.items())])
    with pq.ParquetWriter(path, schema) as writer:
        found = _told(records, survey, asked, notes)
        while some := list(islice(found, BATCH_ROWS)):
            cells = {n: [t.cells.get(n) for t in some] for n in survey.columns}
            if own:
                parts = {"prompt": [t.prompt for t in some], "system": [t.system for t in some]}
                parts["response"] = [t.review.get("response") for t in some]
                cells |= {column: parts[part] for part, column in own.items()}
            reviews = {f"_wb_{n}": [t.review.get(n) for t in some] for n in REVIEW}
            writer.write_table(pa.table(cells | reviews, schema=schema))
    return path


def _told(records: Iterable[dict[str, Any]], survey: Survey, asked: str | None, notes: foreign.Notes) -> Iterator[foreign.Told]:
    reader = foreign.READERS[survey.format]
    for place, record in enumerate(records):
        try:
            yield reader(record, asked, notes)
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            message = f"record {place} (counted from 0) is not what {survey.format} writes: {error}"
            raise ValidationError.field("source", message, place) from error


def _plan(survey: Survey, asked: str | None, prompt_template: str | None, name: str) -> TemplateSnapshot:
    own = _made_columns(survey)
    if own:
        systems = survey.systems - {None}
        constant = len(survey.systems) == 1
        text = f"{{{{{own['prompt']}}}}}" if constant or not systems else f"{{{{{own['system']}}}}}\n\n{{{{{own['prompt']}}}}}"
        facts = {"response_source_mode": "existing_column", "response_column": own["response"]}
        told = next(iter(systems)) if systems and constant else None
        return TemplateSnapshot(name=name, prompt_template=prompt_template or text, system_instruction=told, **facts)
    shown = [n for n in survey.columns if n not in OWN_COLUMNS[survey.format]]
    text = f"{{{{{shown[0]}}}}}" if len(shown) == 1 else "\n\n".join(f"{n}: {{{{{n}}}}}" for n in shown)
    facts = {"response_source_mode": "manual_labeling", "label_type": asked or "response"}
    return TemplateSnapshot(name=name, prompt_template=prompt_template or text, **facts)
