"""Read what was reviewed in another tool twice: a look at all records, then cells and reviews of each into one file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import ValidationError, did_you_mean
from workbench.store import foreign, foreign_formats
from workbench.store.names import refuse_columns
from workbench.store.plain_text import Workplace, literal_path
from workbench.store.scratch import scratch, text_literal
from workbench.store.transaction import quoted

BATCH_ROWS = 5_000
TEXT, MOMENT, SHARE = pa.string(), pa.timestamp("us"), pa.float64()
REVIEW = {
    "response": TEXT,
    "original_response": TEXT,
    "response_source": TEXT,
    "status": TEXT,
    "flag_reason": TEXT,
    "confidence": SHARE,
    "labeled_by": TEXT,
    "labeled_at": MOMENT,
    "verified_by": TEXT,
    "verified_at": MOMENT,
}
# What the columns of reviews are called in the file, beside those of cells.
REVIEW_PREFIX = "_wb_"
_HALF = re.compile("[\ud800-\udfff]")
# More instructions than this need not be told apart: they are part of the prompts then.
_FEW = 3
# Gets how many records were looked at and how many are in all, which is None during the first look.
Tell = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Reading:
    """Say what was read; all of it can be written as JSON.

    `columns` are those of the records and `own` those made for prompt, response and system; `aside` are columns that tell
    about a record and may hold its answer. `instruction` stands above all prompts, while `instructed` says that each has
    its own. `item_id` is the column that names each item, if one does.
    """

    format: str
    columns: list[str]
    own: dict[str, str]
    aside: list[str]
    instruction: str | None
    instructed: bool
    question: str | None
    other_questions: list[str]
    count: int
    statuses: dict[str, int]
    unplaced: dict[str, int]
    item_id: str | None


@dataclass
class _Survey:
    """What a first look at all records told."""

    format: foreign_formats.Format
    columns: dict[str, None] = field(default_factory=dict)
    matters: set[str] = field(default_factory=set)
    questions: Counter[str] = field(default_factory=Counter)
    systems: set[str | None] = field(default_factory=set)
    tasks: set[str | None] = field(default_factory=set)
    count: int = 0

    def take(self, record: foreign.Record, told: foreign.Told) -> None:
        """Look at one more record."""
        self.columns |= dict.fromkeys(told.cells)
        self.matters.update(name for name in told.cells if name not in told.aside)
        for kept, one in ((self.systems, told.system), (self.tasks, told.task)):
            if len(kept) < _FEW:
                kept.add(one)
        self.questions.update(self.format.questions(record))
        self.count += 1

    @property
    def one_task(self) -> bool:
        """Return whether all records ask the same about something: then that is their instruction."""
        return len(self.tasks) == 1 and None not in self.tasks

    @property
    def instructions(self) -> set[str | None]:
        """Return some of what stands above the prompts."""
        return self.tasks if self.one_task else self.systems

    def own_columns(self) -> dict[str, str]:
        """Return the names of the columns that are made for what is no cell of the records."""
        return {} if self.format.asks else {part: self._free(part) for part in ("prompt", "response", "system")}

    def _free(self, wished: str) -> str:
        taken = {name.lower() for name in self.columns}
        return next(n for n in (wished, *(f"{wished}_{i}" for i in range(2, len(taken) + 3))) if n not in taken)


def read_reviews(
    records: Iterable[dict[str, Any]], path: Path, *, format: str | None, question: str | None, tell: Tell | None = None
) -> Reading:
    """Write cells and reviews of all records to a Parquet file and return what they are.

    `format` says how they are written (none: told from the first) and `question` whose answers become responses (none: the
    most answered). A record that is written in another way is named.
    """
    survey = _surveyed(records, format, tell)
    asked = _question(survey, question)
    notes = foreign.Notes()
    statuses = _written(records, survey, asked, notes, path, tell)
    known = survey.instructions
    return Reading(
        format=survey.format.name,
        columns=list(survey.columns),
        own=survey.own_columns(),
        aside=[name for name in survey.columns if name not in survey.matters],
        instruction=next(iter(known)) if len(known) == 1 else None,
        instructed=len(known) > 1,
        question=asked,
        other_questions=[one for one, _ in survey.questions.most_common() if one != asked],
        count=survey.count,
        statuses=dict(sorted(statuses.items())),
        unplaced=dict(notes.counts.most_common()),
        item_id=_item_id(survey, path),
    )


def _surveyed(records: Iterable[dict[str, Any]], wished: str | None, tell: Tell | None) -> _Survey:
    """Look at every record once: which columns, which questions, which instructions there are."""
    survey: _Survey | None = None
    for place, record in enumerate(records):
        survey = survey or _Survey(foreign_formats.told(record, wished))
        survey.take(record, _read(survey.format, place, record, None, foreign.Notes()))
        if tell is not None and survey.count % BATCH_ROWS == 0:
            tell(survey.count, None)
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


def _question(survey: _Survey, wished: str | None) -> str | None:
    if wished is not None and wished not in survey.questions:
        known = list(survey.questions)
        hint = f"Available: {', '.join(known)}" if known else "The records hold no answers by question"
        raise ValidationError.field("question", f"is not among the questions.{did_you_mean(wished, known)} {hint}", wished)
    return wished or next((name for name, _ in survey.questions.most_common(1)), None)


def _written(
    records: Iterable[dict[str, Any]],
    survey: _Survey,
    asked: str | None,
    notes: foreign.Notes,
    path: Path,
    tell: Tell | None,
) -> Counter[str]:
    """Write cells and reviews of all records, batch by batch, and return how many there are in each state."""
    own, statuses, done = survey.own_columns(), Counter[str](), 0
    names = [*survey.columns, *own.values()]
    refuse_columns(names)
    schema = pa.schema([*((n, TEXT) for n in names), *((f"{REVIEW_PREFIX}{n}", kind) for n, kind in REVIEW.items())])
    found = _told(records, survey, asked, notes)
    with pq.ParquetWriter(path, schema) as writer:
        while some := list(islice(found, BATCH_ROWS)):
            try:
                writer.write_table(pa.table(_columns(survey, own, some), schema=schema))
            except UnicodeEncodeError as error:
                raise _half_character(done, some) from error
            statuses.update(one.review.get("status") or "unlabeled" for one in some)
            done += len(some)
            if tell is not None:
                tell(done, survey.count)
    if done != survey.count:
        raise ValidationError.field("source", "The records changed while they were read; bring them in again")
    return statuses


def _columns(survey: _Survey, own: dict[str, str], some: list[foreign.Told]) -> dict[str, list[Any]]:
    cells: dict[str, list[Any]] = {n: [t.cells.get(n) for t in some] for n in survey.columns}
    if own:
        parts = {"prompt": [t.prompt for t in some], "system": [t.system for t in some]}
        parts["response"] = [t.review.get("response") for t in some]
        cells |= {column: parts[part] for part, column in own.items()}
    return cells | {f"{REVIEW_PREFIX}{n}": [t.review.get(n) for t in some] for n in REVIEW}


def _half_character(first: int, some: list[foreign.Told]) -> ValidationError:
    """Say which of some records holds half a character, which JSON can spell and no text can hold."""
    texts = ([*told.cells.values(), *map(str, told.review.values()), told.prompt, told.system] for told in some)
    place = next(first + i for i, found in enumerate(texts) if any(_HALF.search(text) for text in found if text))
    return ValidationError.field("source", f"Record {place} (counted from 0) holds half of a character; write it whole", place)


def _told(records: Iterable[dict[str, Any]], survey: _Survey, asked: str | None, notes: foreign.Notes) -> Iterator[foreign.Told]:
    for place, record in enumerate(records):
        told = _read(survey.format, place, record, asked, notes)
        yield replace(told, prompt=told.matter, system=told.task) if survey.one_task else told


def _item_id(survey: _Survey, path: Path) -> str | None:
    """Return the column that names each item, if it does: asked of the file, because a set of all names grows with them."""
    name = next(iter(survey.format.ids), None)
    if name is None or name not in survey.columns:
        return None
    work = Workplace()
    place = text_literal(str(literal_path(path, work)))
    with scratch() as cursor:
        found = cursor.execute(f"select count(*) = count(distinct {quoted(name)}) from read_parquet({place})").fetchone()
    return name if found and found[0] else None
