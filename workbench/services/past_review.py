"""What was decided, by whom and when: the log, pairs as they were, and the way back."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import pyarrow as pa

from workbench.contract import Field, Page, PageNumber, PageSize, Table, command, query
from workbench.contract.codec import with_total
from workbench.domain.data import Sheet
from workbench.domain.generate import TrainingSheet
from workbench.domain.label import Pair
from workbench.domain.review_log import Batch, Decision, UndoOutcome
from workbench.errors import ValidationError
from workbench.services import claims, decisions, history, past, undoing
from workbench.services.pairs import LISTED, present
from workbench.services.review_arguments import REVIEWERS
from workbench.services.service import Service

AsOf = Annotated[dt.datetime | None, Field(description="Moment (UTC) to look back at; none: now.")]
ByWhom = Annotated[str | None, Field(description="Only what this person did.")]
OnRow = Annotated[int | None, Field(ge=0, description="Only what touched this pair.")]
Action = Annotated[str | None, Field(max_length=50, description="Only this action, such as approve or reassemble.")]
Since = Annotated[dt.datetime | None, Field(description="Only what was done at this time (UTC) or later.")]
Until = Annotated[dt.datetime | None, Field(description="Only what was done before this time (UTC).")]
TABLE_COLUMNS = (
    "row_index, item_ref, prompt, response, original_response, response_source, status, flag_reason, stale, confidence, "
    "notes, labeled_by, labeled_at, verified_by, verified_at, "
    "case when allowed_mask is null then null else uses_of(allowed_mask) end as allowed_uses, "
    "uses_of(prohibited_mask) as prohibited_uses, canonical_label_id, updated_at, version"
)


class PastReview(Service):
    """Hold the log of a review, with undo, redo and looks back."""

    def place(self, training_sheet_id: str) -> tuple[TrainingSheet, Sheet]:
        """Return a ready training sheet with the sheet it came from."""
        raise NotImplementedError

    def scope(self, made: TrainingSheet) -> decisions.Scope:
        """Return who acts on which training sheet now."""
        raise NotImplementedError

    def stored(self, made: TrainingSheet, row_index: int) -> dict[str, Any]:
        """Return a pair as it is kept, or raise NotFound."""
        raise NotImplementedError

    def refuse_stale(self, row: dict[str, Any], version: int | None) -> None:
        """Raise Conflict when somebody saw another version of a pair than the present one."""
        raise NotImplementedError

    @query("GET", "/assemblies/{training_sheet_id}/rows", topics=("pairs",))
    def rows(self, training_sheet_id: str, *, as_of: AsOf = None, page: PageNumber = 1, page_size: PageSize = 50) -> Page[Pair]:
        """Return pairs in their order, whatever their state; with `as_of`, as they were at that moment."""
        made, sheet = self.place(training_sheet_id)
        first = (page - 1) * page_size
        if as_of is not None:
            return self._past_rows(made, sheet, as_of, page, page_size)
        rows = self.db.rows(
            f"select {LISTED} from pair_rows where training_sheet_id = ? and row_index >= ? order by row_index limit ?",
            [training_sheet_id, first, page_size],
        )
        shown = present(self.db, rows, sheet, made)
        return Page(Pair, shown, total=made.total_rows, page=page, page_size=page_size)

    def _past_rows(self, made: TrainingSheet, sheet: Sheet, as_of: dt.datetime, page: int, page_size: int) -> Page[Pair]:
        first = (page - 1) * page_size
        with self.db.read():
            when = past.moment(self.db, made, as_of)
            some = past.relation(rows=f"row_index >= {first} and row_index < {first + page_size}")
            rows = self.db.rows(f"select {LISTED} from {some} order by row_index", when.values)
            total = past.count(self.db, when)
            shown = [row | {"actions": (), "review": None} for row in present(self.db, rows, sheet, made)]
        return Page(Pair, shown, total=total, page=page, page_size=page_size)

    @query("GET", "/assemblies/{training_sheet_id}/table", topics=("pairs",))
    def table(self, training_sheet_id: str, *, as_of: AsOf = None) -> Table:
        """Return all pairs as a table, without a limit; with `as_of`, as they were at that moment."""
        made, _ = self.place(training_sheet_id)
        with self.db.read():
            return self._table(made, as_of)

    def _table(self, made: TrainingSheet, as_of: dt.datetime | None) -> pa.Table:
        if as_of is None:
            found = self.db.arrow(
                f"select {TABLE_COLUMNS} from pair_rows where training_sheet_id = $sheet order by row_index", {"sheet": made.id}
            )
        else:
            when = past.moment(self.db, made, as_of)
            found = self.db.arrow(f"select {TABLE_COLUMNS} from {past.relation()} order by row_index", when.values)
        return with_total(found, found.num_rows)

    @query("GET", "/assemblies/{training_sheet_id}/history", topics=("pairs",))
    def history(
        self,
        training_sheet_id: str,
        *,
        row_index: OnRow = None,
        batch_id: Annotated[str | None, Field(description="Only decisions of this batch.")] = None,
        reviewer: ByWhom = None,
        action: Action = None,
        since: Since = None,
        until: Until = None,
        page: Annotated[int, Field(ge=1, description="Page, counted from 1.")] = 1,
        page_size: Annotated[int, Field(ge=1, le=1000, description="Entries of a page.")] = 50,
    ) -> Page[Decision]:
        """Return the log of decisions, the newest first, with the words that changed."""
        made, _ = self.place(training_sheet_id)
        wanted = history.Wanted(row_index, batch_id, reviewer, action, since, until)
        return history.page(self.db, made, wanted, page, page_size)

    @query("GET", "/assemblies/{training_sheet_id}/batches", key="batches", topics=("pairs",))
    def batches(
        self,
        training_sheet_id: str,
        *,
        row_index: OnRow = None,
        reviewer: ByWhom = None,
        action: Action = None,
        since: Since = None,
        until: Until = None,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[Batch]:
        """List the steps of the review, the newest first, with what undoing each of them would do."""
        self.place(training_sheet_id)
        wanted = history.Wanted(row_index, None, reviewer, action, since, until)
        return history.batches(self.db, training_sheet_id, wanted, page, page_size, self.roles)

    @command("POST", "/assemblies/{training_sheet_id}/undo", roles=REVIEWERS, label="Undo")
    def undo(
        self,
        training_sheet_id: str,
        *,
        batch_id: Annotated[str | None, Field(description="Batch to take back; none: the latest.")] = None,
        scope: Annotated[Literal["mine", "all"], Field(description="Whose latest batch.")] = "mine",
        row_index: Annotated[int | None, Field(ge=0, description="One pair to bring back; goes with version.")] = None,
        version: Annotated[int | None, Field(ge=1, description="Version to bring that pair back to.")] = None,
        seen_version: Annotated[
            int | None, Field(ge=1, description="Version of the pair you have seen; refused when it is outdated.")
        ] = None,
    ) -> UndoOutcome:
        """Take back a batch where nothing came after it, or bring one pair back to an earlier version."""
        made, _ = self.place(training_sheet_id)
        if row_index is None and version is None:
            if seen_version is not None:
                raise ValidationError.field("seen_version", "goes only with row_index and version", seen_version)
            return undoing.undo(self, made, batch_id, scope)
        if row_index is None or version is None:
            missing = "row_index" if row_index is None else "version"
            raise ValidationError.field(missing, "is missing; to bring back one pair give row_index and version")
        if batch_id is not None:
            raise ValidationError.field("batch_id", "does not go with row_index and version; leave one of them out", batch_id)
        row = self.stored(made, row_index)
        self.refuse_stale(row, seen_version)
        claims.refuse_foreign(self.db, made, row, self.clock.now())
        return undoing.restore(self, made, row, version)

    @command("POST", "/assemblies/{training_sheet_id}/redo", roles=REVIEWERS, label="Redo")
    def redo(
        self,
        training_sheet_id: str,
        *,
        batch_id: Annotated[str | None, Field(description="Batch to make again; none: the one undone last.")] = None,
        scope: Annotated[Literal["mine", "all"], Field(description="Whose latest batch.")] = "mine",
    ) -> UndoOutcome:
        """Make again what was undone, where nothing came after it."""
        return undoing.redo(self, self.place(training_sheet_id)[0], batch_id, scope)
