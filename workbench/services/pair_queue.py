"""Queues of pairs: pages of them, and one pair with its neighbors, under the same filters."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated, Any

from workbench.contract import Field, Page, command, query
from workbench.domain.data import Sheet
from workbench.domain.generate import TrainingSheet
from workbench.domain.label import Bookmark, Card, Pair, PairFilter
from workbench.errors import ValidationError
from workbench.services import bookmarks, cards, claims, queues
from workbench.services.bulk_review import BulkReview
from workbench.services.pairs import fetched, present
from workbench.services.review_arguments import (
    REVIEWERS,
    Descending,
    Filter,
    ItemRef,
    LabeledSince,
    LabeledUntil,
    Limit,
    Order,
    QueueStatus,
    Regex,
    Reviewer,
    Search,
    Seed,
    Signals,
    Source,
    UpdatedSince,
    UpdatedUntil,
    UseFilter,
    Where,
)
from workbench.store.conditions import typed_condition


class PairQueue(BulkReview):
    """Hold the reads that walk through the pairs of a training sheet in some order."""

    def stored(self, made: TrainingSheet, row_index: int) -> dict[str, Any]:
        """Return a pair as it is kept, or raise NotFound."""
        raise NotImplementedError

    @query("GET", "/assemblies/{training_sheet_id}/review-queue", topics=("pairs",))
    def queue(
        self,
        training_sheet_id: str,
        *,
        status: QueueStatus = "to_review",
        search: Search = "",
        regex: Regex = None,
        response_source: Source = None,
        reviewer: Reviewer = None,
        item_ref: ItemRef = None,
        use: UseFilter = None,
        labeled_since: LabeledSince = None,
        labeled_until: LabeledUntil = None,
        updated_since: UpdatedSince = None,
        updated_until: UpdatedUntil = None,
        signals: Signals = None,
        where: Where = None,
        order: Order = "row_index",
        descending: Descending = False,
        seed: Seed = 42,
        limit: Limit = 50,
        cursor: Annotated[str | None, Field(description="Where the page before ended.")] = None,
    ) -> Page[Pair]:
        """Return the next pairs of a queue, the true number of all of them and where the next page begins."""
        wanted = _filter(locals())
        made, sheet = self.place(training_sheet_id)
        found = queues.condition(wanted, made, sheet, reader=self.actor)
        sort = queues.Order(order, descending, seed)
        with self.db.read(), self._condition(where, regex):
            return self._page(made, sheet, found, sort, limit, cursor)

    def _page(
        self, made: TrainingSheet, sheet: Sheet, found: queues.Condition, sort: queues.Order, limit: int, cursor: str | None
    ) -> Page[Pair]:
        total, places = queues.places(self.db, found, sort, queues.after(sort, cursor), limit + 1)
        more, places = len(places) > limit, places[:limit]
        rows = fetched(self.db, made.id, [place[0] for place in places])
        next_cursor = queues.encode_cursor(sort, places[-1][1], places[-1][0]) if more else None
        shown = present(self.db, rows, sheet, made)
        return Page(Pair, shown, total=total, page=1, page_size=limit, next_cursor=next_cursor)

    def _condition(self, where: str | None, regex: str | None) -> AbstractContextManager[None]:
        field = "where" if where else "regex"
        return typed_condition(self.db, where or regex, seconds=self.settings.filter_seconds, field=field)

    @query("GET", "/assemblies/{training_sheet_id}/rows/{row_index}/card", topics=("pairs", "training_sheets", "gold"))
    def card(
        self,
        training_sheet_id: str,
        row_index: int,
        *,
        status: QueueStatus = "to_review",
        search: Search = "",
        regex: Regex = None,
        response_source: Source = None,
        reviewer: Reviewer = None,
        item_ref: ItemRef = None,
        use: UseFilter = None,
        labeled_since: LabeledSince = None,
        labeled_until: LabeledUntil = None,
        updated_since: UpdatedSince = None,
        updated_until: UpdatedUntil = None,
        signals: Signals = None,
        where: Where = None,
        order: Order = "row_index",
        descending: Descending = False,
        seed: Seed = 42,
    ) -> Card:
        """Return all that the review screen shows of one pair, and its neighbors in the queue."""
        wanted = _filter(locals())
        made, sheet = self.place(training_sheet_id)
        found = queues.condition(wanted, made, sheet, reader=self.actor)
        row = self.stored(made, row_index)
        held = claims.keeper(self.db, made, row, self.clock.now())
        sort = queues.Order(order, descending, seed)
        with self.db.read(), self._condition(where, regex):
            return cards.card(self.db, made, sheet, row, found, sort, held[0] if held else None)

    @query("GET", "/assemblies/{training_sheet_id}/bookmark", topics=("pairs", "training_sheets"))
    def bookmark(self, training_sheet_id: str) -> Bookmark:
        """Return where the caller left off and can go on: the pair that was open, or what follows it by now, and the queue."""
        made, sheet = self.place(training_sheet_id)
        with self.db.read():
            left = bookmarks.find(self.db, made.id, self.actor)
            try:
                return self._going_on(made, sheet, left)
            except ValidationError:
                # What the filter was about is gone; the queue without one is always there.
                front = bookmarks.FRONT
                plain = left.with_(filter=front.filter, order=front.order, descending=front.descending)
                return self._going_on(made, sheet, plain)

    def _going_on(self, made: TrainingSheet, sheet: Sheet, left: Bookmark) -> Bookmark:
        found = queues.condition(left.filter, made, sheet, reader=self.actor)
        with self._condition(left.filter.where, left.filter.regex):
            order = queues.Order(left.order, left.descending)
            return left.with_(row_index=bookmarks.going_on(self.db, made.id, left, found, order))

    @command("PUT", "/assemblies/{training_sheet_id}/bookmark", roles=REVIEWERS, label="Keep the place", audited=False)
    def keep_bookmark(
        self,
        training_sheet_id: str,
        row_index: Annotated[int, Field(ge=0, le=2**53, description="The pair that is open.")],
        *,
        filter: Filter = None,
        order: Order = "row_index",
        descending: Descending = False,
        shared: Annotated[bool, Field(description="Whether pairs are handed out.")] = False,
    ) -> Bookmark:
        """Keep where the caller is, so that who opens the training sheet anew finds the same pair in the same queue."""
        made, sheet = self.place(training_sheet_id)
        self.stored(made, row_index)
        wanted = filter or PairFilter(status="to_review")
        queues.condition(wanted, made, sheet, reader=self.actor)
        place = Bookmark(row_index=row_index, filter=wanted, order=order, descending=descending, shared=shared)
        return bookmarks.keep(self.db, made.id, self.actor, place, self.clock.now())


def _filter(given: dict[str, Any]) -> PairFilter:
    """Return the filter that the arguments of an operation name: each field of it is an argument."""
    return PairFilter(**{name: given[name] for name in PairFilter.own_fields()} | {"signals": given["signals"] or ()})
