"""Arguments that operations on pairs share."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from workbench.contract import Field
from workbench.domain.label import PairFilter

# A filter within another argument, as of a bulk action, keeps to the same limits; `queues` sees to it.
LONGEST = {"search": 1000, "regex": 1000, "where": 10_000, "signals": 50}

REVIEWERS = frozenset({"admin", "data_steward", "labeler", "reviewer"})

QueueStatus = Annotated[
    Literal["to_review", "unlabeled", "labeled", "rejected", "flagged", "stale", "disputed", "all"],
    Field(description="State of the review; to_review: unlabeled, or approved before the prompt changed."),
]
Source = Annotated[
    Literal["empty", "imported", "ai_generated", "human_labeled", "human_verified", "canonical"] | None,
    Field(description="Where the response came from."),
]
Search = Annotated[str, Field(max_length=LONGEST["search"], description="Text that the prompt or the response contains.")]
Regex = Annotated[str | None, Field(max_length=LONGEST["regex"], description="Regular expression over prompt and response.")]
Reviewer = Annotated[str | None, Field(description="Who decided last.")]
ItemRef = Annotated[str | None, Field(description="Item the pair is about.")]
Use = Literal["training", "validation", "evaluation", "few_shot", "testing"]
UseFilter = Annotated[Use | None, Field(description="Use that has to be allowed.")]
Where = Annotated[str | None, Field(max_length=LONGEST["where"], description="SQL predicate over the pair and its source row.")]
Signals = Annotated[
    list[str] | None,
    Field(
        max_length=LONGEST["signals"],
        description="Conditions on signals: `name:value`, `name:low..high` or `name:none`; all have to hold.",
    ),
]
LabeledSince = Annotated[dt.datetime | None, Field(description="Earliest moment of the approval.")]
LabeledUntil = Annotated[dt.datetime | None, Field(description="Moment before which it was approved.")]
UpdatedSince = Annotated[dt.datetime | None, Field(description="Earliest moment of the last change.")]
UpdatedUntil = Annotated[dt.datetime | None, Field(description="Moment before which it last changed.")]
Order = Annotated[
    Literal[
        "row_index", "confidence", "length", "updated", "disagreement", "random", "concern", "duplicates", "near_duplicates", "words",
        "pii", "leakage", "repetition", "outlier", "training_loss",
    ],
    Field(description="What to sort by."),
]  # fmt: skip
Descending = Annotated[bool, Field(description="Largest or newest first.")]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1, description="Seed of the random order.")]
Limit = Annotated[int, Field(ge=1, le=1000, description="Most pairs to return.")]
Uses = Annotated[list[Use] | None, Field(description="Uses it is limited to; null: all.")]
Barred = Annotated[list[Use] | None, Field(description="Uses it is barred from.")]
Reason = Annotated[str | None, Field(max_length=2000, description="Why it is flagged or rejected.")]
AnyRow = Annotated[int, Field(ge=-(2**53), le=2**53)]
Rows = Annotated[list[AnyRow] | None, Field(max_length=1_000_000, description="Rows by their index.")]
Filter = Annotated[PairFilter | None, Field(description="Which pairs are meant, in place of row_indices.")]
PreviewOnly = Annotated[bool, Field(description="Only say what would happen, and freeze the set.")]
PreviewId = Annotated[str | None, Field(description="Frozen set of a preview, in place of rows and filter.")]
