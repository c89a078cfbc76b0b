"""Canonical labels: the reusable truth on items of a sheet."""

from __future__ import annotations

import param

from workbench.domain.record import Action, Choice, Items, Json, Record, Time


class CanonicalLabel(Record):
    """The reusable truth on one item of a sheet."""

    kind = "canonical label"
    table = "canonical_labels"
    derived = frozenset({"actions"})

    id = param.String("", doc="Identifier.")
    sheet_id = param.String("", doc="Sheet of the item.")
    item_ref = param.String("", doc="Item it is about.")
    label_type = param.String("response", doc="Kind of truth.")
    label = param.String("", doc="The truth.")
    confidence = Choice(default="high", objects=["low", "medium", "high"], doc="How sure it is.")
    notes = param.String(None, allow_None=True, doc="Remarks.")
    labeled_by = param.String(None, allow_None=True, doc="Who said so.")
    labeled_at = Time(None, allow_None=True, doc="When it was said.")
    allowed_uses = Items(default=None, item_type=str, allow_None=True, doc="Uses it is limited to; none: all.")
    prohibited_uses = Items(item_type=str, doc="Uses it is barred from.")
    reuse_count = param.Integer(0, doc="Pairs that took it over.")
    last_used_at = Time(None, allow_None=True, doc="When it was last taken over.")
    sample = param.Boolean(False, doc="True when it was made from sample data.")
    created_at = Time(None, allow_None=True, doc="When it was first said.")
    updated_at = Time(None, allow_None=True, doc="When it last changed.")
    version = param.Integer(1, doc="Counts the changes.")
    actions = Items(item_type=Action, doc="What may be done now.")


class LabelVersion(Record):
    """One thing that was once the truth on an item."""

    kind = "label version"

    label_id = param.String("", doc="The canonical label.")
    number = param.Integer(1, doc="Place among its versions.")
    label = param.String("", doc="The truth then.")
    labeled_by = param.String(None, allow_None=True, doc="Who said so.")
    labeled_at = Time(None, allow_None=True, doc="When it was said.")
    training_sheet_id = param.String(None, allow_None=True, doc="Training sheet of the approval.")
    row_index = param.Integer(None, allow_None=True, doc="Pair of the approval.")
    retracted = param.Boolean(False, doc="True when its approval was undone.")


class FoundLabels(Record):
    """What is known about many items."""

    kind = "found labels"

    labels = Items(item_type=CanonicalLabel, doc="Labels of the items that have one.")
    missing = Items(item_type=str, doc="Items nothing is known about.")


class LabelStats(Record):
    """How many truths there are and how often they were reused."""

    kind = "label statistics"

    total = param.Integer(0, doc="Canonical labels.")
    reused = param.Integer(0, doc="Labels that pairs took over.")
    reuses = param.Integer(0, doc="Pairs that took one over.")
    versions = param.Integer(0, doc="Versions of all of them.")
    by_label_type = Json({}, doc="Labels by kind of truth, the commonest kind first.")
    summary = param.String("", doc="All of it in one sentence.")
    actions = Items(item_type=Action, doc="Whether the caller may state another one.")
