"""Quality: what a scan says of each row, and of a sheet as a whole."""

from __future__ import annotations

import param

from workbench.domain.record import Record

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
    table = "sheet_signals"

    sheet_id = param.String("", doc="Sheet of the row.")
    row_index = param.Integer(0, doc="Place of the row.")
