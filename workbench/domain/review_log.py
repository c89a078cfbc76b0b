"""What was decided on pairs and how it is taken back."""

from __future__ import annotations

import param

from workbench.domain.record import Action, Items, Json, Record, Time
from workbench.domain.wording import TextPiece


class Decision(Record):
    """One entry of the log: who changed which pair, when and how."""

    kind = "decision"
    wire_names = {"logged_at": "at"}

    id = param.Integer(0, doc="Place in the log.")
    batch_id = param.String("", doc="Batch it belongs to.")
    training_sheet_id = param.String("", doc="The training sheet.")
    row_index = param.Integer(0, doc="The pair.")
    action = param.String("", doc="What was done.")
    label = param.String("", doc="What was done, in words.")
    actor = param.String("", doc="Who did it.")
    logged_at = Time(None, allow_None=True, doc="When it was done.")
    before = Json({}, doc="What changed, as it was.")
    after = Json({}, doc="What changed, as it became.")
    response_diff = Items(item_type=TextPiece, doc="Words of the response that changed.")
    prompt_diff = Items(item_type=TextPiece, doc="Words of the prompt that changed.")
    undone = param.Boolean(False, doc="True when it was taken back.")
    version = param.Integer(1, doc="Version of the pair that it made.")
    actions = Items(item_type=Action, doc="What may be done now, where the log is of one pair: `restore` brings the pair back to it.")


class Batch(Record):
    """One step of the review: what somebody did to one pair or to many at once."""

    kind = "batch"
    wire_names = {"logged_at": "at"}

    id = param.String("", doc="Identifier.")
    training_sheet_id = param.String("", doc="The training sheet.")
    action = param.String("", doc="What was done.")
    label = param.String("", doc="What was done, in words.")
    actor = param.String("", doc="Who did it.")
    logged_at = Time(None, allow_None=True, doc="When it was done.")
    row_count = param.Integer(0, doc="Pairs it changed.")
    standing = param.Integer(0, doc="Pairs that undo, or redo, would touch.")
    changed_since = param.Integer(0, doc="Pairs that changed since and would stay as they are.")
    of_batch_id = param.String(None, allow_None=True, doc="Batch that it took back or made again.")
    undone = param.Boolean(False, doc="True while it is taken back.")
    undone_at = Time(None, allow_None=True, doc="When it was taken back.")
    undone_by = param.String(None, allow_None=True, doc="Who took it back.")
    actions = Items(item_type=Action, doc="What may be done now.")


class UndoOutcome(Record):
    """What an undo or redo brought back."""

    kind = "undo outcome"

    undone = param.Integer(0, doc="Rows brought back.")
    batch_id = param.String(None, allow_None=True, doc="Batch it was about; none: nothing left.")
    action = param.String(None, allow_None=True, doc="What that batch had done.")
    row_indices = Json([], doc="The first hundred rows brought back.")
    skipped = Json({}, doc="Rows left as they were, counted by reason.")
    summary = param.String("", doc="One sentence on what happened.")
