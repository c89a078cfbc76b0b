"""What several reviewers of one pair need: adjudication, agreement and pairs whose answer is known."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from workbench.contract import UNSET, Field, Page, PageNumber, PageSize, command, query
from workbench.domain.agreement import Agreement, Dispute, GoldOutcome, KnownAnswer
from workbench.domain.generate import TrainingSheet
from workbench.domain.label import Gold, Pair
from workbench.services import agreement, ballots, claims, disputes, gold, votes, voting
from workbench.services.bulk_review import BulkReview
from workbench.services.gold import FORGET, KEEP
from workbench.services.pairs import present
from workbench.services.review_arguments import Barred, Reason, Uses

RowIndex = Annotated[int, Field(ge=0, le=2**53, description="The pair.")]
Verdict = Annotated[Literal["approve", "reject", "flag"], Field(description="What the pair becomes.")]


class SharedReview(BulkReview):
    """Hold what belongs to reviews by several people."""

    def stored(self, made: TrainingSheet, row_index: int) -> dict[str, Any]:
        """Return a pair as it is kept, or raise NotFound."""
        raise NotImplementedError

    def refuse_stale(self, row: dict[str, Any], version: int | None) -> None:
        """Raise Conflict when somebody saw another version of a pair than the present one."""
        raise NotImplementedError

    @command("POST", "/assemblies/{training_sheet_id}/adjudicate", roles=votes.ADJUDICATORS, label="Adjudicate", audited=False)
    def adjudicate(
        self,
        training_sheet_id: str,
        row_index: RowIndex,
        action: Verdict,
        *,
        response: Annotated[str, Field(max_length=10_000_000, description="Response that holds; none: the present one.")] = UNSET,
        prompt: Annotated[str, Field(max_length=10_000_000, description="Prompt that holds; none: the present one.")] = UNSET,
        flag_reason: Reason = UNSET,
        notes: Annotated[str | None, Field(max_length=100_000, description="Remarks.")] = UNSET,
        allowed_uses: Uses = UNSET,
        prohibited_uses: Barred = UNSET,
        version: Annotated[int | None, Field(description="Version you have seen; refused when it is outdated.")] = None,
    ) -> Pair:
        """Settle a pair whose reviewers disagree, or correct one that they settled; their votes stay on record."""
        given = {
            "response": response, "prompt": prompt, "flag_reason": flag_reason, "notes": notes,
            "allowed_uses": allowed_uses, "prohibited_uses": prohibited_uses,
        }  # fmt: skip
        given = {name: value for name, value in given.items() if value is not UNSET}
        made, sheet = self.place(training_sheet_id)
        row = self.stored(made, row_index)
        self.refuse_stale(row, version)
        row = voting.adjudicate(self, made, row, action, given)
        claims.drop(self.db, made.id, [row_index])
        return Pair(**present(self.db, [row], sheet, made)[0])

    @query("GET", "/assemblies/{training_sheet_id}/disputes", roles=votes.ADJUDICATORS, topics=("pairs", "training_sheets"))
    def disputes(
        self,
        training_sheet_id: str,
        *,
        first: Annotated[
            int | None, Field(ge=0, le=2**53, description="Pair that leads if it is disputed; none: no one.")
        ] = None,
        page: PageNumber = 1,
        page_size: PageSize = 20,
    ) -> Page[Dispute]:
        """Return the pairs whose reviewers disagree, with their votes side by side."""
        made, sheet = self.place(training_sheet_id)
        return disputes.page(self.db, made, sheet, first, page, page_size)

    @query("GET", "/assemblies/{training_sheet_id}/agreement", topics=("pairs", "training_sheets", "gold"))
    def agreement(
        self,
        training_sheet_id: str,
        *,
        over: Annotated[
            Literal["action", "response"], Field(description="What is compared: decisions, or approved responses.")
        ] = "action",
        samples: Annotated[int, Field(ge=0, le=10_000, description="Resamplings for the intervals; 0: no intervals.")] = 1000,
        seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="Seed of the resampling.")] = 42,
    ) -> Agreement:
        """Return how far reviewers agree, with intervals, and what each of them has done."""
        made, _ = self.place(training_sheet_id)
        steward = bool(self.roles & votes.ADJUDICATORS)
        return agreement.agreement(self.db, made, over, samples, seed, steward=steward, now=self.clock.now())

    @query("GET", "/assemblies/{training_sheet_id}/gold", roles=votes.ADJUDICATORS, topics=("gold", "pairs", "training_sheets"))
    def gold(self, training_sheet_id: str, *, page: PageNumber = 1, page_size: PageSize = 50) -> Page[KnownAnswer]:
        """Return the pairs whose answer is known, with how people do on them; reviewers cannot tell them from the others."""
        made, _ = self.place(training_sheet_id)
        return gold.page(self.db, made, page, page_size)

    @command("POST", "/assemblies/{training_sheet_id}/mark-gold", roles=votes.ADJUDICATORS, label=KEEP)
    def mark_gold(
        self,
        training_sheet_id: str,
        items: Annotated[list[Gold], Field(max_length=100_000, description="Pairs with what should become of them.")],
    ) -> GoldOutcome:
        """Keep the right answer to some pairs, to see how reviewers do on them; votes never change it."""
        self.place(training_sheet_id)
        self.db.emit("gold", training_sheet_id, None, "updated")
        return gold.mark(self.db, training_sheet_id, items, self.actor, self.clock.now())

    @command("POST", "/assemblies/{training_sheet_id}/unmark-gold", roles=votes.ADJUDICATORS, label=FORGET)
    def unmark_gold(
        self,
        training_sheet_id: str,
        row_indices: Annotated[list[RowIndex], Field(max_length=100_000, description="Rows by their index.")],
    ) -> GoldOutcome:
        """Forget the right answer to some pairs."""
        self.place(training_sheet_id)
        self.db.emit("gold", training_sheet_id, None, "updated")
        return gold.unmark(self.db, training_sheet_id, row_indices)

    def reconsider(self, made: TrainingSheet) -> int:
        """Count the votes anew after a change of how many are wanted; return the pairs that settles."""
        return ballots.reconsider(self.db, self.scope(made), made.overlap, batch_id=self.clock.new_id("batch"))
