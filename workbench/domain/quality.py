"""Quality: what a scan says of each row, and of a sheet as a whole."""

from __future__ import annotations

import param

from workbench.domain.jobs import Job
from workbench.domain.record import Action, Items, Json, Nested, Record, Time

PII_WORDS = {
    "email": "E-mail address",
    "phone": "Phone number",
    "card": "Card number",
    "iban": "IBAN",
    "us_ssn": "US social security number",
    "uk_nino": "UK national insurance number",
    "es_dni": "Spanish DNI or NIE",
    "fr_nir": "French NIR",
    "it_cf": "Italian codice fiscale",
}
OUTLIER_REASONS = ["length", "characters", "words"]


class Signals(Record):
    """What a quality scan found out about one row."""

    kind = "signals"

    duplicates = param.Integer(None, allow_None=True, doc="Other rows with exactly the same text.")
    duplicate_group = param.Integer(None, allow_None=True, doc="First row with the same text; none: there is no other.")
    near_duplicates = param.Integer(None, allow_None=True, doc="Other rows whose text is nearly the same.")
    near_group = param.Integer(None, allow_None=True, doc="First row with nearly the same text; none: there is no other.")
    length = param.Integer(None, allow_None=True, doc="Characters of the response, or of the whole row.")
    words = param.Integer(None, allow_None=True, doc="Words of the text.")
    language = param.String(None, allow_None=True, doc="Language of the text as a two-letter code, or `unknown`.")
    pii = param.Integer(None, allow_None=True, doc="Pieces of personal data found.")
    pii_kinds = param.String(None, allow_None=True, doc="Kinds of personal data found, separated by commas; empty: none.")
    leakage = param.Number(None, allow_None=True, doc="Part of the response that the prompt already holds, 0-1.")
    refusal = param.Boolean(None, allow_None=True, doc="True when the response declines to answer.")
    repetition = param.Number(None, allow_None=True, doc="Part of the text that repeats itself, 0-1.")
    outlier = param.Number(None, allow_None=True, doc="How far from the others, in standard deviations.")
    outlier_by = param.String(None, allow_None=True, doc="What is unusual about it: length, characters or words.")
    concern = param.Number(None, allow_None=True, doc="All of it in one figure, 0-1; the highest are worth a look first.")


SIGNALS = Signals.own_fields()


class PairSignals(Signals):
    """The signals of one pair, with the loss it had in training."""

    kind = "pair signals"
    table = "pair_signals"

    training_sheet_id = param.String("", doc="Training sheet of the pair.")
    row_index = param.Integer(0, doc="Place of the pair.")
    training_loss = param.Number(None, allow_None=True, doc="Loss in the newest training or evaluation that saw the pair.")


class SheetSignals(Signals):
    """The signals of one row of a sheet."""

    kind = "sheet signals"
    table = "row_signals"

    sheet_id = param.String("", doc="Sheet of the row.")
    row_index = param.Integer(0, doc="Place of the row.")
    fingerprint = param.Integer(None, allow_None=True, doc="Fingerprint of the cells that were scanned.")


class QualityExample(Record):
    """One row behind a finding."""

    kind = "quality example"

    row_index = param.Integer(0, doc="Place of the row.")
    text = param.String("", doc="Its text, cut.")


class QualityFinding(Record):
    """Something a scan found, and in how many rows."""

    kind = "quality finding"

    name = param.String("", doc="What was looked for.")
    label = param.String("", doc="The same in words.")
    count = param.Integer(0, doc="Rows it was found in.")
    share = param.Number(0.0, doc="Part of the scanned rows, 0-1.")
    signals = Items(item_type=str, doc="Conditions on signals that find these rows.")
    where = param.String(None, allow_None=True, doc="SQL condition that holds of them besides; none: there is no other.")
    examples = Items(item_type=QualityExample, doc="The first few of the rows.")


class QualityBar(Record):
    """One bar of a plot."""

    kind = "quality bar"

    label = param.String("", doc="Value, or range of values.")
    count = param.Integer(0, doc="Rows.")
    height = param.Number(0.0, doc="Count as a part of the highest bar, 0-1.")
    signals = Items(item_type=str, doc="Conditions on signals that find these rows.")


class QualityPlot(Record):
    """How the rows are spread over the values of one signal."""

    kind = "quality plot"

    name = param.String("", doc="Signal.")
    label = param.String("", doc="Signal in words.")
    bars = Items(item_type=QualityBar, doc="Bars in order.")


class Quality(Record):
    """What the newest scan says of a sheet or a training sheet."""

    kind = "quality"

    id = param.String("", doc="The sheet or training sheet.")
    total = param.Integer(0, doc="Rows.")
    scanned = param.Integer(0, doc="Rows whose signals hold.")
    outdated = param.Integer(0, doc="Rows that changed, or came, since the scan; none scanned: 0.")
    job_id = param.String(None, allow_None=True, doc="The newest scan, whatever its state.")
    running = Nested(class_=Job, default=None, allow_None=True, doc="The scan that waits or runs; none: nothing goes on.")
    scan_status = param.String(None, allow_None=True, doc="State of that job; none: there was no scan.")
    scanned_at = Time(None, allow_None=True, doc="When the last scan that succeeded ended.")
    summary = param.String("", doc="One sentence on the state.")
    findings = Items(item_type=QualityFinding, doc="What was found, the most frequent first.")
    plots = Items(item_type=QualityPlot, doc="How the signals are spread.")
    suggested_tags = Items(item_type=str, doc="Tags that what was found suggests; nothing sets them by itself.")
    suggestion = param.String("", doc="Why these tags; empty: none are suggested.")
    extra = Json(None, doc="Settings of the scan.")
    actions = Items(item_type=Action, doc="What may be done now.")
