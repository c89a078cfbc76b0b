"""Pairs under review: their states, the decisions on them and the truth they leave behind."""

from __future__ import annotations

from typing import Any

import param

from workbench.domain.lifecycle import Lifecycle, Move
from workbench.domain.record import Action, Choice, Items, Json, Nested, Record, Time
from workbench.domain.review_log import Decision
from workbench.domain.wording import TextPiece

PAIR_STATUSES = ["unlabeled", "labeled", "rejected", "flagged"]
QUEUE_STATUSES = ["to_review", *PAIR_STATUSES, "stale", "disputed", "all"]
RESPONSE_SOURCES = ["empty", "imported", "ai_generated", "human_labeled", "human_verified", "canonical"]
USES = ["training", "validation", "evaluation", "few_shot", "testing"]
VOTES = ["approve", "reject", "flag"]
EXCLUSIONS = ["unlabeled", "rejected", "flagged", "stale", "not_allowed", "prohibited", "blank"]
ACTION_OF_STATUS = {"labeled": "approve", "rejected": "reject", "flagged": "flag", "unlabeled": "reset"}

PAIR_LIFECYCLE = Lifecycle(
    "pair",
    [
        Move("approve", "Approve", frozenset({"unlabeled", "flagged", "rejected", "labeled"}), "labeled"),
        Move("reject", "Reject", None, "rejected"), Move("flag", "Flag", None, "flagged"),
        Move("edit", "Edit"), Move("reset", "Reset", None, "unlabeled"),
        Move("rights", "Change usage rights"),
    ],
)  # fmt: skip

_USE_BITS = {use: 1 << position for position, use in enumerate(USES)}


class Review(Record):
    """How far the people who share a pair have come."""

    kind = "review"

    wanted = param.Integer(1, doc="People who should review the pair.")
    done = param.Integer(0, doc="People who have.")
    state = Choice(default="open", objects=["open", "agreed", "disputed"], doc="Whether they agree.")
    mine = Choice(default=None, objects=VOTES, allow_None=True, doc="What the caller has voted; others' votes show once it is settled.")


class Pair(Record):
    """One prompt with its response, review state and usage rights."""

    kind = "pair"
    table = "pairs"
    derived = frozenset({"about", "source_data", "source_changed", "review", "actions", "quality"})

    id = param.String("", doc="Identifier: training sheet and row.")
    training_sheet_id = param.String("", doc="Training sheet it belongs to.")
    row_index = param.Integer(0, doc="Place in the training sheet, from 0 without gaps.")
    item_ref = param.String("", doc="Item of the sheet it is about.")
    about = param.String("", doc="What it is about, in words: the item, or the served request it came back from.")
    source_index = param.Integer(None, allow_None=True, doc="Row of the sheet; none: it did not come from one.")
    source_data = Json(None, doc="The source row as it was.")
    source_changed = param.Boolean(False, doc="True when the row of the sheet has changed since.")
    prompt = param.String("", doc="Finished prompt.")
    response = param.String("", doc="Answer.")
    original_response = param.String(None, allow_None=True, doc="Answer before the first edit.")
    response_source = Choice(default="empty", objects=RESPONSE_SOURCES, doc="Where the answer came from.")
    status = Choice(default="unlabeled", objects=PAIR_STATUSES, doc="State of the review.")
    flag_reason = param.String(None, allow_None=True, doc="Why it was flagged or rejected.")
    stale = param.Boolean(False, doc="True when the prompt changed after the approval.")
    confidence = param.Number(None, allow_None=True, doc="How sure the source of the answer was, 0-1.")
    simulated = param.Boolean(False, doc="True when a simulation made the answer up.")
    notes = param.String(None, allow_None=True, doc="Remarks of reviewers.")
    quality = Json(None, doc="Signals of the quality scan by name, and the training loss; none: not scanned since it changed.")
    labeled_by = param.String(None, allow_None=True, doc="Who approved it.")
    labeled_at = Time(None, allow_None=True, doc="When it was approved.")
    verified_by = param.String(None, allow_None=True, doc="Who corrected a written answer.")
    verified_at = Time(None, allow_None=True, doc="When a written answer was corrected.")
    allowed_uses = Items(default=None, item_type=str, allow_None=True, doc="Uses it is limited to; none: all.")
    prohibited_uses = Items(item_type=str, doc="Uses it is barred from; they win over the allowed ones.")
    canonical_label_id = param.String(None, allow_None=True, doc="Reusable truth it is linked to.")
    request_id = param.String(None, allow_None=True, doc="Request in production it came back from.")
    model_version_id = param.String(None, allow_None=True, doc="Model version that answered that request.")
    sample = param.Boolean(False, doc="True when it was made from sample data.")
    created_at = Time(None, allow_None=True, doc="When it was made.")
    updated_at = Time(None, allow_None=True, doc="When it last changed.")
    version = param.Integer(1, doc="Counts the changes.")
    review = Nested(class_=Review, default=None, allow_None=True, doc="Progress of a shared review.")
    actions = Items(item_type=Action, doc="What may be done now.")

    @property
    def address(self) -> tuple[str, int]:
        """Return training sheet and row, which name a pair in paths."""
        return (self.training_sheet_id, self.row_index)


class PairFilter(Record):
    """Which pairs of a training sheet are meant; what is not given does not narrow."""

    kind = "pair filter"

    status = Choice(default="all", objects=QUEUE_STATUSES, allow_None=True, doc="State of the review.")
    response_source = Choice(default=None, objects=RESPONSE_SOURCES, allow_None=True, doc="Where the response came from.")
    search = param.String("", allow_None=True, doc="Text that the prompt or the response contains.")
    regex = param.String(None, allow_None=True, doc="Regular expression that matches in the prompt or the response.")
    reviewer = param.String(None, allow_None=True, doc="Who decided last.")
    item_ref = param.String(None, allow_None=True, doc="Item the pair is about.")
    use = Choice(default=None, objects=USES, allow_None=True, doc="Use that has to be allowed.")
    labeled_since = Time(None, allow_None=True, doc="Earliest moment of the approval.")
    labeled_until = Time(None, allow_None=True, doc="Moment before which it was approved.")
    updated_since = Time(None, allow_None=True, doc="Earliest moment of the last change.")
    updated_until = Time(None, allow_None=True, doc="Moment before which it last changed.")
    signals = Items(item_type=str, allow_None=True, doc="Conditions on signals: `name:value`, `name:low..high` or `name:none`.")
    where = param.String(None, allow_None=True, doc="SQL predicate over the columns of the pair and of its source row.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**{name: value for name, value in values.items() if value is not None})


class Bookmark(Record):
    """Where somebody is in a training sheet: the pair they have open, and the queue it came from."""

    kind = "bookmark"

    row_index = param.Integer(None, allow_None=True, doc="The pair; none: the first one of the queue.")
    filter = Nested(class_=PairFilter, default=None, allow_None=True, doc="Which pairs are in the queue.")
    order = param.String("row_index", doc="What the queue is sorted by.")
    descending = param.Boolean(False, doc="True when the order is reversed.")
    shared = param.Boolean(False, doc="True when pairs are handed out, so that two people never get the same one.")
    typed = param.Boolean(False, doc="True when something was typed into the pair and not saved.")
    kept_at = Time(None, allow_None=True, doc="When that was known; none: nothing is kept.")


class ReviewerProgress(Record):
    """How much one person has decided."""

    kind = "reviewer progress"

    reviewer = param.String("", doc="Who.")
    approved = param.Integer(0, doc="Pairs approved.")
    rejected = param.Integer(0, doc="Pairs rejected.")
    flagged = param.Integer(0, doc="Pairs flagged.")
    decisions = param.Integer(0, doc="Decisions that stand.")


class DayProgress(Record):
    """How much was decided on one day."""

    kind = "day progress"

    day = param.String("", doc="Day, in UTC.")
    decisions = param.Integer(0, doc="Decisions that stand.")


class Progress(Record):
    """How far the review of a training sheet has come."""

    kind = "review progress"

    training_sheet_id = param.String("", doc="The training sheet.")
    total = param.Integer(0, doc="Pairs.")
    labeled = param.Integer(0, doc="Approved pairs.")
    to_review = param.Integer(0, doc="Pairs to decide on: unlabeled ones, and stale ones to look at again.")
    unlabeled = param.Integer(0, doc="Pairs nobody decided on.")
    rejected = param.Integer(0, doc="Rejected pairs.")
    flagged = param.Integer(0, doc="Pairs set aside with a question.")
    stale = param.Integer(0, doc="Approved pairs whose prompt changed.")
    disputed = param.Integer(0, doc="Unlabeled pairs whose reviewers disagree.")
    votes = param.Integer(0, doc="Votes that stand, where several people review a pair.")
    percent_complete = param.Number(0.0, doc="Labeled of all, in percent.")
    percent_reviewed = param.Number(0.0, doc="Labeled and rejected of all, in percent.")
    pace_per_hour = param.Number(None, allow_None=True, doc="Single decisions per hour, over the last hour with any.")
    eta_seconds = param.Number(None, allow_None=True, doc="Time the rest takes at that pace.")
    summary = param.String("", doc="One sentence on the state.")
    by_reviewer = Items(item_type=ReviewerProgress, doc="Decisions by person.")
    by_day = Items(item_type=DayProgress, doc="Decisions by day.")


class ExclusionCount(Record):
    """How many pairs one reason keeps out of training."""

    kind = "exclusion"

    reason = Choice(default="unlabeled", objects=EXCLUSIONS, doc="Reason.")
    label = param.String("", doc="The reason in words.")
    count = param.Integer(0, doc="Pairs kept out by it.")


class Eligibility(Record):
    """How many pairs of a training sheet may be trained on, and why the others may not."""

    kind = "eligibility"

    training_sheet_id = param.String("", doc="The training sheet.")
    total = param.Integer(0, doc="Pairs.")
    labeled = param.Integer(0, doc="Approved pairs.")
    eligible = param.Integer(0, doc="Pairs that may be trained on.")
    percent_eligible = param.Number(0.0, doc="Eligible of all, in percent.")
    excluded = Json({}, doc="Pairs kept out, by reason.")
    reasons = Items(item_type=ExclusionCount, doc="The same with words, the most frequent first.")
    summary = param.String("", doc="One sentence on the state.")


class PromptPiece(Record):
    """A run of a prompt, with the column it came from."""

    kind = "prompt piece"

    text = param.String("", doc="The words.")
    column = param.String(None, allow_None=True, doc="Column the words came from; none: the template's own.")


class Skipped(Record):
    """A row a bulk action left as it was."""

    kind = "skipped row"

    row_index = param.Integer(0, doc="The pair.")
    reason = param.String("", doc="Why it was left.")


class BulkOutcome(Record):
    """What a bulk action did, or would do."""

    kind = "bulk outcome"

    matched = param.Integer(0, doc="Rows named or found.")
    done = param.Integer(0, doc="Rows changed.")
    skipped = Json({}, doc="Rows left as they were, counted by reason.")
    results = Items(item_type=Skipped, doc="The first hundred rows left as they were.")
    batch_id = param.String(None, allow_None=True, doc="Batch to undo; none: nothing changed.")
    outcomes = Json({}, doc="Where several people review: pairs voted on that are now settled, disputed or still open.")
    preview_id = param.String(None, allow_None=True, doc="Frozen set a commit may name.")
    expires_at = Time(None, allow_None=True, doc="When the frozen set is forgotten.")
    sample = Items(item_type=Pair, doc="A random few of the rows that would change.")
    summary = param.String("", doc="One sentence on what happened.")


class Claim(Record):
    """Pairs handed to one reviewer for a while."""

    kind = "claim"

    items = Items(item_type=Pair, doc="The pairs.")
    expires_at = Time(None, allow_None=True, doc="When they are free again.")


class Released(Record):
    """How many pairs were given back."""

    kind = "release"

    released = param.Integer(0, doc="Pairs given back.")


class FacetValue(Record):
    """A value one can filter by, with its count."""

    kind = "facet value"

    value = param.String("", doc="Value.")
    label = param.String("", doc="Value in words.")
    count = param.Integer(0, doc="Pairs with it.")


class Facet(Record):
    """A property one can filter by."""

    kind = "facet"

    name = param.String("", doc="Property.")
    label = param.String("", doc="Property in words.")
    values = Items(item_type=FacetValue, doc="Its values, the most frequent first.")


class Facets(Record):
    """What the queue of a training sheet can be filtered by."""

    kind = "facets"

    training_sheet_id = param.String("", doc="The training sheet.")
    facets = Items(item_type=Facet, doc="Properties with their values.")


class SourceValue(Record):
    """One cell of the source row."""

    kind = "source value"

    column = param.String("", doc="Column.")
    value = param.String(None, allow_None=True, doc="Value as text; none: no value.")
    used = param.Boolean(False, doc="True when the prompt shows it.")


class Draft(Record):
    """What somebody typed into a pair and did not save as a decision; what was not typed is as the pair has it now."""

    kind = "draft"

    row_index = param.Integer(0, doc="The pair.")
    response = param.String("", doc="The response as typed.")
    prompt = param.String("", doc="The prompt as typed.")
    version = param.Integer(None, allow_None=True, doc="Version of the pair that was seen by whoever typed; none: not known.")
    saved_at = Time(None, allow_None=True, doc="When it was kept; none: it equals the pair, so nothing is kept.")
    diff = Items(item_type=TextPiece, doc="Words that differ from the stored response.")
    prompt_diff = Items(item_type=TextPiece, doc="Words that differ from the stored prompt.")


class StaleChange(Record):
    """What changed under an approval: the texts that were approved, and what became of them."""

    kind = "stale change"

    approved_prompt = param.String("", doc="Prompt that was approved.")
    approved_response = param.String("", doc="Response that was approved.")
    prompt_diff = Items(item_type=TextPiece, doc="The prompt against the approved one.")
    response_diff = Items(item_type=TextPiece, doc="The response against the approved one; none: it is the same.")
    changed_at = Time(None, allow_None=True, doc="When it changed.")
    changed_by = param.String("", doc="Who changed it.")


class Gold(Record):
    """A pair whose right answer is known; reviewers meet it unmarked."""

    kind = "gold"

    row_index = param.Integer(0, bounds=(0, 2**53), doc="The pair.")
    action = Choice(default="approve", objects=VOTES, doc="What it should become.")
    response = param.String(None, allow_None=True, doc="Response an approval should be of; none: any.")
    marked_by = param.String("", doc="Who knows.")
    marked_at = Time(None, allow_None=True, doc="Since when.")


class Card(Record):
    """Everything the review screen shows of one pair."""

    kind = "card"

    pair = Nested(class_=Pair, doc="The pair.")
    prompt_pieces = Items(item_type=PromptPiece, doc="The prompt, with the columns it was filled from.")
    response_diff = Items(item_type=TextPiece, doc="The response against the original one.")
    stale_change = Nested(class_=StaleChange, default=None, allow_None=True, doc="What changed since a stale pair was approved.")
    source_row = Items(item_type=SourceValue, doc="The source row.")
    history = Items(item_type=Decision, doc="Decisions on the pair, the newest first, at most a hundred.")
    history_earlier = param.Integer(0, doc="Decisions on the pair before those.")
    first_version = param.Integer(None, allow_None=True, doc="Version it began with, offered where no decision shown made it.")
    progress = Nested(class_=Progress, doc="Progress of the training sheet.")
    guidelines = param.String("", doc="Markdown shown to reviewers.")
    choices = Json([], doc="Closed set of answers: {name, color, hotkey}.")
    previous_index = param.Integer(None, allow_None=True, doc="Pair before it in the queue.")
    next_index = param.Integer(None, allow_None=True, doc="Pair after it in the queue.")
    position = param.Integer(None, allow_None=True, doc="Place in the queue, from 1; none: no longer in it.")
    queue_total = param.Integer(0, doc="Pairs in the queue.")
    held_by = param.String(None, allow_None=True, doc="Who holds it, when somebody else does.")
    draft = Nested(class_=Draft, default=None, allow_None=True, doc="What the caller typed and did not save.")
    known_answer = Nested(
        class_=Gold, default=None, allow_None=True,
        doc="What is kept as its known answer, or would be as it stands; none: not for the caller to see.",
    )


def mask_of(uses: tuple[str, ...] | None) -> int | None:
    """Return uses as a bit set; none stays none."""
    return None if uses is None else sum(_USE_BITS[use] for use in set(uses))


def uses_of(mask: int | None) -> tuple[str, ...] | None:
    """Return a bit set as uses; none stays none."""
    return None if mask is None else tuple(use for use in USES if mask & _USE_BITS[use])


def may(use: str, allowed: tuple[str, ...] | None, prohibited: tuple[str, ...]) -> bool:
    """Return whether a use is allowed: no allowance means all, a prohibition wins."""
    return use not in prohibited and (allowed is None or use in allowed)


def source_after_edit(source: str) -> str:
    """Return where a response comes from once a person has changed it."""
    return "human_verified" if source in ("ai_generated", "human_verified") else "human_labeled"
