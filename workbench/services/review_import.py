"""Bring reviewed work in from another tool: rows, template and pairs with their decisions, in one step."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePath
from typing import Annotated

from workbench.contract import Field, command
from workbench.domain.generate import ReviewImport
from workbench.domain.plain import made_plain
from workbench.engine.reviews import TOLD
from workbench.services import review_sources
from workbench.services.answering import answered
from workbench.services.long_work import takes_a_job
from workbench.services.review_import_work import ReviewImportWork
from workbench.services.review_keeping import ReviewKeeping, Wish, checked_plan, found
from workbench.services.review_sources import ReviewSource
from workbench.services.service import Service
from workbench.services.sheet_arguments import Encoding, InlineRows, SheetName, Source, SourceType, Split
from workbench.store.foreign_formats import ForeignFormat
from workbench.store.plain_text import PACKED
from workbench.store.review_reading import read_reviews

IMPORTERS = frozenset({"admin", "data_steward"})
LONGEST_NAME = 180


class ReviewImports(Service):
    """Take over what was reviewed elsewhere; a part of the operations on training sheets."""

    @command(
        "POST",
        "/assemblies/import-reviews",
        roles=IMPORTERS,
        status=201,
        transaction=False,
        upload=True,
        long=True,
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
        column. A record that is written in another way is named, and nothing comes in. More than 100,000 records are
        brought in by a job, as are fewer with `wait=False`; a preview is given within the call, however many there are,
        unless `wait=False` asks for a job, whose result it is then.
        """
        records = review_sources.resolve(self, source_type, source, rows, {"split": split, "encoding": encoding})
        if name is not None:
            self.app.sheets._refuse_taken(name)
        wish = Wish(name, _titled(records.label), self.clock.new_id("sheet"), self.clock.new_id("assembly"), prompt_template)
        asked = {"format": format, "question": question}
        if takes_a_job(lambda count: not preview and records.holds_more(count)):
            return ReviewImportWork(self.app).submit(wish, records, asked, preview=preview)
        return self._brought_in(wish, records, asked, preview=preview)

    def _brought_in(self, wish: Wish, records: ReviewSource, asked: dict[str, str | None], *, preview: bool) -> ReviewImport:
        keeping = ReviewKeeping(self.app)
        with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
            told = Path(folder) / TOLD
            reading = read_reviews(records.open(), told, **asked)
            if preview:
                checked_plan(reading, wish.prompt_template)
                return found(keeping.free_name(wish), reading)
            hidden = keeping.load(wish, reading, told)
            try:
                with self.db.write():
                    return answered(keeping.publish(wish, reading, told, hidden))
            except BaseException:
                keeping.drop(wish)
                raise


def _titled(label: str | None) -> str:
    """Return what a source is called, without its folders and endings."""
    name = made_plain(PurePath(label or "").name)
    bare = PurePath(name.removesuffix(PurePath(name).suffix) if name.lower().endswith(PACKED) else name).stem
    return bare.strip()[:LONGEST_NAME] or "Reviews"
