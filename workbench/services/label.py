"""Review: queues, decisions, bulk actions, undo, progress and eligibility of pairs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from workbench.contract import UNSET, Field, Page, PageNumber, PageSize, command, current, query
from workbench.domain.data import Sheet
from workbench.domain.generate import TrainingSheet
from workbench.domain.label import (
    Claim,
    Draft,
    Eligibility,
    Facets,
    Pair,
    PairFilter,
    Progress,
    Released,
)
from workbench.domain.wording import grouped
from workbench.errors import Conflict, NotFound
from workbench.services import (
    appending,
    canonical,
    claims,
    decisions,
    drafts,
    figures,
    followed_counts,
    queues,
    restoring,
    votes,
    voting,
)
from workbench.services.judging import judged, resolved_action, rewrites
from workbench.services.pair_queue import PairQueue
from workbench.services.pairs import LISTED, pair_id, present
from workbench.services.past_review import PastReview
from workbench.services.review_arguments import REVIEWERS, Barred, Descending, Filter, Order, Reason, Rows, Seed, Uses
from workbench.services.shared_review import SharedReview
from workbench.services.tag_limits import barred_by

REMEMBERED_CLIENTS = 1000


class ReviewService(PairQueue, SharedReview, PastReview):
    """Review pairs: one by one, in bulk, several people at once; every step can be taken back."""

    namespace = "review"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self._places: dict[str, tuple[Any, TrainingSheet, Sheet]] = {}
        self._last_numbers: OrderedDict[tuple[str, str], int] = OrderedDict()

    @query("GET", "/assemblies/{training_sheet_id}/rows/{row_index}", topics=("pairs",))
    def get(
        self,
        training_sheet_id: str,
        row_index: int,
        *,
        version: Annotated[int | None, Field(ge=1, description="Version to look back at; none: the present one.")] = None,
    ) -> Pair:
        """Return one pair, as it is or as it was at an earlier version."""
        made, sheet = self.place(training_sheet_id)
        row = self.stored(made, row_index)
        if version is None:
            return Pair(**present(self.db, [row], sheet, made)[0])
        past = present(self.db, [restoring.at_version(self.db, row, version)], sheet, made)[0]
        return Pair(**past | {"actions": ()})

    @command("PUT", "/assemblies/{training_sheet_id}/rows/{row_index}", roles=REVIEWERS, label="Decide", audited=False)
    def decide(
        self,
        training_sheet_id: str,
        row_index: int,
        *,
        action: Annotated[Literal["approve", "reject", "flag", "reset"] | None, Field(description="What to do.")] = None,
        status: Annotated[
            Literal["labeled", "rejected", "flagged", "unlabeled"] | None, Field(description="The same, as the state wished for.")
        ] = None,
        response: Annotated[str, Field(max_length=10_000_000, description="New response.")] = UNSET,
        prompt: Annotated[str, Field(max_length=10_000_000, description="New prompt.")] = UNSET,
        flag_reason: Reason = UNSET,
        notes: Annotated[str | None, Field(max_length=100_000, description="Remarks.")] = UNSET,
        allowed_uses: Uses = UNSET,
        prohibited_uses: Barred = UNSET,
        version: Annotated[int | None, Field(description="Version you have seen; refused when it is outdated.")] = None,
        n: Annotated[
            int | None, Field(ge=1, description="Number of this decision at its client; a repeated one does nothing.")
        ] = None,
    ) -> Pair:
        """Approve, reject, flag, reset or edit one pair; editing and approving go in one step."""
        asked = resolved_action(action, status)
        given = {
            "response": response, "prompt": prompt, "flag_reason": flag_reason, "notes": notes,
            "allowed_uses": allowed_uses, "prohibited_uses": prohibited_uses,
        }  # fmt: skip
        given = {name: value for name, value in given.items() if value is not UNSET}
        made, sheet = self.place(training_sheet_id)
        row = self.stored(made, row_index)
        with self._once(training_sheet_id, n) as fresh:
            if fresh:
                self.refuse_stale(row, version)
                row = self._decide(made, row, asked, given)
        return Pair(**present(self.db, [row], sheet, made)[0])

    @command("PUT", "/assemblies/{training_sheet_id}/rows/{row_index}/draft", roles=REVIEWERS, label="Keep draft", audited=False)
    def draft(
        self,
        training_sheet_id: str,
        row_index: int,
        *,
        response: Annotated[str, Field(max_length=10_000_000, description="The response as typed so far.")] = UNSET,
        prompt: Annotated[str, Field(max_length=10_000_000, description="The prompt as typed so far.")] = UNSET,
        version: Annotated[
            int | None, Field(ge=1, description="Version you have seen; none: the one of the draft, or else the present one.")
        ] = None,
    ) -> Draft:
        """Keep what the caller typed into a pair until it is decided on; the pair itself stays as it is."""
        made, _ = self.place(training_sheet_id)
        typed = {name: text for name, text in (("response", response), ("prompt", prompt)) if text is not UNSET}
        return drafts.keep(self.db, self.stored(made, row_index), self.actor, typed, self.clock.now(), version=version)

    @query("GET", "/assemblies/{training_sheet_id}/drafts", topics=("pairs", "training_sheets"))
    def drafts(self, training_sheet_id: str, *, page: PageNumber = 1, page_size: PageSize = 20) -> Page[Draft]:
        """Return what the caller typed into pairs and did not save, the newest first."""
        self.place(training_sheet_id)
        return drafts.page(self.db, training_sheet_id, self.actor, page, page_size)

    def _decide(self, made: TrainingSheet, row: dict[str, Any], asked: str | None, given: dict[str, Any]) -> dict[str, Any]:
        edits = rewrites(row, given)
        action = asked or ("approve" if edits and row["status"] == "labeled" else None)
        if action is None and edits and votes.shared(made, row, None):
            voting.refuse_mere_edit(self, row)
        shared = action is not None and votes.shared(made, row, action)
        held, drafted = self._attached(made, row, exclusive=not shared)
        if shared:
            row = voting.decide(self, made, row, action, given)
        else:
            before, row = row, self.settle_one(made, row, judged(row, asked, given))
            if row is not before and not row["votes"]:
                followed_counts.follow(self.db, self.scope(made), before, row)
        if held:
            claims.drop(self.db, made.id, [row["row_index"]], only=self.actor if shared or made.overlap > 1 else None)
        if drafted and (action is not None or edits):
            drafts.drop(self.db, made.id, row["row_index"], self.actor)
        return row

    def settle_one(self, made: TrainingSheet, row: dict[str, Any], change: decisions.Change) -> dict[str, Any]:
        """Change one pair, with its log, its label and the word to those who listen."""
        scope = self.scope(made)
        after = decisions.apply_one(self.db, scope, change, row, batch_id=self.clock.new_id("batch"))
        if after is None:
            return row
        canonical.follow_one(self.db, scope, row, after, approved=change.approves)
        self.tell(made, after)
        return after

    def tell(self, made: TrainingSheet, row: dict[str, Any]) -> None:
        """Let those who look at a pair look again."""
        self.db.emit("pairs", pair_id(made.id, row["row_index"]), row["version"])

    def _attached(self, made: TrainingSheet, row: dict[str, Any], *, exclusive: bool) -> tuple[bool, bool]:
        """Return whether a pair has a lease and the caller a draft on it; refuse what somebody else holds."""
        place = [made.id, row["row_index"]]
        found = self.db.tuples(
            "select 'held' from claims where training_sheet_id = ? and row_index = ? "
            f"union all select 'drafted' from drafts where {drafts.MINE}",
            [*place, *place, self.actor],
        )
        held, drafted = (("held",) in found, ("drafted",) in found)
        if held and exclusive:
            claims.refuse_foreign(self.db, made, row, self.clock.now())
        return held, drafted

    @contextmanager
    def _once(self, training_sheet_id: str, n: int | None) -> Iterator[bool]:
        """Say whether a client's number is new; a refused decision gives its number back."""
        key = (current().client or self.actor, training_sheet_id)
        before = self._last_numbers.get(key, 0)
        if n is None or n <= before:
            yield n is None
            return
        self._last_numbers[key] = n
        self._last_numbers.move_to_end(key)
        if len(self._last_numbers) > REMEMBERED_CLIENTS:
            self._last_numbers.popitem(last=False)
        try:
            yield True
        except BaseException:
            self._last_numbers[key] = before
            raise

    def refuse_stale(self, row: dict[str, Any], version: int | None) -> None:
        """Raise Conflict when somebody saw another version of a pair than the present one."""
        if version is not None and version != row["version"]:
            raise Conflict(
                f"Somebody changed this pair meanwhile: you have version {version}, it is at {row['version']}. "
                "Look at it again and decide anew.",
                yours=version,
                current_version=row["version"],
            )

    @command("POST", "/assemblies/{training_sheet_id}/claim", roles=REVIEWERS, label="Claim")
    def claim(
        self,
        training_sheet_id: str,
        count: Annotated[int, Field(ge=1, le=1000, description="Pairs to hand out.")] = 1,
        *,
        lease_seconds: Annotated[int, Field(ge=1, le=86_400, description="How long they are held.")] = 300,
        filter: Filter = None,
        order: Order = "row_index",
        descending: Descending = False,
        seed: Seed = 42,
        after: Annotated[
            int | None, Field(ge=0, le=2**53, description="Pair behind which to begin in that order; none: at the first.")
        ] = None,
        take_over: Annotated[
            bool, Field(description="Also pairs that the caller holds from elsewhere, as before a restart: they are held from here.")
        ] = False,
    ) -> Claim:
        """Hand out the next pairs to review in the order of the queue; asking again renews one's own among them.

        Each pair goes to as many people at once as votes are missing, and to nobody twice.
        """
        made, sheet = self.place(training_sheet_id)
        asked = filter or PairFilter(status="to_review")
        wanted = queues.condition(asked, made, sheet, reader=self.actor)
        if after is not None:
            self.stored(made, after)
        wish = claims.Wish(count, lease_seconds, queues.Order(order, descending, seed), after, take_over)
        with self._condition(asked.where, asked.regex):
            rows, expires_at = claims.hand_out(self.db, wanted, made, wish, self.clock.now())
        return Claim(items=present(self.db, rows, sheet, made), expires_at=expires_at)

    @command("POST", "/assemblies/{training_sheet_id}/release", roles=REVIEWERS, label="Release")
    def release(self, training_sheet_id: str, *, row_indices: Rows = None) -> Released:
        """Give back claimed pairs; without rows, all of one's own."""
        self.place(training_sheet_id)
        return Released(released=claims.release(self.db, training_sheet_id, row_indices))

    @query("GET", "/assemblies/{training_sheet_id}/review-progress", topics=("pairs",))
    def progress(self, training_sheet_id: str) -> Progress:
        """Return how far the review has come, by person and by day, with pace and time left."""
        self.place(training_sheet_id)
        return figures.progress(self.db, training_sheet_id, self.clock.now())

    @query("GET", "/assemblies/{training_sheet_id}/facets", topics=("pairs",))
    def facets(self, training_sheet_id: str) -> Facets:
        """Return what the pairs can be filtered by, with counts."""
        self.place(training_sheet_id)
        return figures.facets(self.db, training_sheet_id)

    @query("GET", "/assemblies/{training_sheet_id}/eligibility", topics=("pairs",))
    def eligibility(self, training_sheet_id: str) -> Eligibility:
        """Return how many pairs may be trained on, and why the others may not."""
        self.place(training_sheet_id)
        return figures.eligibility(self.db, training_sheet_id)

    def append_pair(
        self,
        training_sheet_id: str,
        *,
        prompt: str,
        response: str,
        source_data: dict[str, Any] | None = None,
        request_id: str | None = None,
        model_version_id: str | None = None,
        original_response: str | None = None,
        item_ref: str | None = None,
    ) -> Pair:
        """Add an unlabeled pair that came back from production; somebody has to review it."""
        made, sheet = self.place(training_sheet_id)
        index = appending.append(
            self.db,
            made,
            prompt=prompt,
            response=response,
            source_data=source_data,
            request_id=request_id,
            model_version_id=model_version_id,
            original_response=original_response,
            item_ref=item_ref,
            barred=barred_by(sheet),
        )
        return Pair(**present(self.db, [self.stored(made, index)], sheet, made)[0])

    def place(self, training_sheet_id: str) -> tuple[TrainingSheet, Sheet]:
        """Return a ready training sheet with the sheet it came from, which may be deleted by now.

        Outside a change, one that is archived will do: what was reviewed can still be read.
        """
        seen = self.db.seen("training_sheets", "sheets")
        known = self._places.get(training_sheet_id)
        if known is None or seen is None or known[0] != seen:
            made = self.app.training_sheets.live(training_sheet_id)
            known = self._places[training_sheet_id] = (seen, made, self.app.sheets.records.get(made.sheet_id))
        if known[1].status != "archived" or self.db.in_transaction:
            self.app.training_sheets.refuse_not_ready(known[1])
        return known[1:]

    def stored(self, made: TrainingSheet, row_index: int) -> dict[str, Any]:
        """Return a pair as it is kept, or raise NotFound."""
        sql = f"select {LISTED} from pair_rows where training_sheet_id = ? and row_index = ?"
        row = self.db.row(sql, [made.id, row_index])
        if row is None:
            raise NotFound(
                f"{made.name} has no pair {grouped(row_index)}; it has {grouped(made.total_rows)}, counted from 0.",
                kind="pair",
                id=pair_id(made.id, row_index),
            )
        return row

    def scope(self, made: TrainingSheet) -> decisions.Scope:
        """Return who acts on which training sheet now."""
        label_type = made.template.label_type if made.template else "response"
        seen, known = self.db.seen("training_sheets", "sheets"), self._places.get(made.id)
        fresh = known is not None and seen is not None and known[0] == seen
        sheet = known[2] if known is not None and fresh else self.app.sheets.records.get(made.sheet_id)
        return decisions.Scope(made.id, made.sheet_id, label_type, self.actor, self.clock.now(), barred_by(sheet))
