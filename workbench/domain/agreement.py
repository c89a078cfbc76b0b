"""How far reviewers agree, beyond what chance explains, and how they do on pairs whose answer is known."""

from __future__ import annotations

import param

from workbench.domain.label import VOTES, Gold, Pair
from workbench.domain.record import Action, Choice, Items, Nested, Record, Time
from workbench.domain.wording import TextPiece


class AgreementFigure(Record):
    """One measure of agreement with its interval, or the reason why there is none."""

    kind = "agreement figure"

    name = param.String("", doc="Measure.")
    label = param.String("", doc="Measure in words.")
    value = param.Number(
        None, allow_None=True, doc="Agreement; 1 is full, and of the chance-corrected ones 0 is what chance gives."
    )
    low = param.Number(None, allow_None=True, doc="Lower end of the 95 % interval.")
    high = param.Number(None, allow_None=True, doc="Upper end of the 95 % interval.")
    pairs = param.Integer(0, doc="Pairs it is computed from.")
    reason = param.String(None, allow_None=True, doc="Why there is no value.")


class ReviewerPair(Record):
    """How far two reviewers agree on the pairs both have voted on."""

    kind = "two reviewers"

    first = param.String("", doc="One of them.")
    second = param.String("", doc="The other.")
    pairs = param.Integer(0, doc="Pairs both have voted on.")
    percent = param.Number(None, allow_None=True, doc="Equal votes, in percent.")
    kappa = param.Number(None, allow_None=True, doc="Cohen's kappa.")
    low = param.Number(None, allow_None=True, doc="Lower end of the 95 % interval of kappa.")
    high = param.Number(None, allow_None=True, doc="Upper end of the 95 % interval of kappa.")
    reason = param.String(None, allow_None=True, doc="Why there is no kappa.")


class ReviewerAgreement(Record):
    """What one reviewer has done, and how it fits what came out."""

    kind = "reviewer agreement"

    reviewer = param.String("", doc="Who.")
    votes = param.Integer(0, doc="Votes and decisions that stand.")
    percent_done = param.Number(0.0, doc="Votes of all pairs, in percent.")
    approved = param.Integer(0, doc="Approvals, on pairs whose votes are all in.")
    rejected = param.Integer(0, doc="Rejections, on pairs whose votes are all in.")
    flagged = param.Integer(0, doc="Flags, on pairs whose votes are all in.")
    settled = param.Integer(0, doc="Votes on pairs that are settled.")
    agreed = param.Integer(0, doc="Of these, votes for what came out.")
    percent_agreed = param.Number(None, allow_None=True, doc="Votes for what came out, in percent of those on settled pairs.")
    gold = param.Integer(None, allow_None=True, doc="Votes on pairs whose answer is known; none: not for the caller to see.")
    gold_correct = param.Integer(None, allow_None=True, doc="Of these, votes for the known answer.")
    percent_gold = param.Number(None, allow_None=True, doc="Votes for the known answer, in percent.")
    gold_reason = param.String(None, allow_None=True, doc="Why there is no figure on known answers.")
    pace_per_hour = param.Number(None, allow_None=True, doc="Single votes per hour, over the last hour with any.")


class Agreement(Record):
    """How far the reviewers of a training sheet agree."""

    kind = "agreement"

    training_sheet_id = param.String("", doc="The training sheet.")
    over = Choice(default="action", objects=["action", "response"], doc="What is compared.")
    wanted = param.Integer(1, doc="People who review each pair.")
    pairs = param.Integer(0, doc="Pairs with all their votes, two or more.")
    votes = param.Integer(0, doc="Votes on them.")
    disputed = param.Integer(0, doc="Pairs that wait for adjudication.")
    percent_agreement = param.Number(None, allow_None=True, doc="Share of equal votes among all two votes on one pair, 0-1.")
    cohen_kappa = param.Number(None, allow_None=True, doc="Cohen's kappa, of exactly two reviewers.")
    fleiss_kappa = param.Number(None, allow_None=True, doc="Fleiss' kappa, of the pairs with the commonest number of votes.")
    krippendorff_alpha = param.Number(None, allow_None=True, doc="Krippendorff's alpha for nominal data.")
    gwet_ac1 = param.Number(None, allow_None=True, doc="Gwet's AC1.")
    figures = Items(item_type=AgreementFigure, doc="The same with intervals and reasons.")
    by_two = Items(item_type=ReviewerPair, doc="Agreement of every two reviewers.")
    by_reviewer = Items(item_type=ReviewerAgreement, doc="What each reviewer has done.")
    actions = Items(item_type=Action, doc="Whether the caller may adjudicate.")
    summary = param.String("", doc="One sentence on the state.")
    gold_summary = param.String(None, allow_None=True, doc="The known answers in one sentence; none: not for the caller to see.")


class CastVote(Record):
    """What one reviewer has voted."""

    kind = "vote"
    wire_names = {"logged_at": "at"}

    voter = param.String("", doc="Who.")
    action = Choice(default="approve", objects=VOTES, doc="What the pair should become.")
    label = param.String("", doc="The same in words.")
    response = param.String("", doc="Response voted on.")
    response_diff = Items(item_type=TextPiece, doc="It against the response of the pair.")
    prompt = param.String(None, allow_None=True, doc="Prompt voted on, where it is another than that of the pair.")
    prompt_diff = Items(item_type=TextPiece, doc="It against the prompt of the pair.")
    flag_reason = param.String(None, allow_None=True, doc="Why it was flagged or rejected.")
    notes = param.String(None, allow_None=True, doc="Remarks.")
    logged_at = Time(None, allow_None=True, doc="When it was cast.")
    actions = Items(item_type=Action, doc="How an adjudicator may follow it.")


class Dispute(Record):
    """A pair whose reviewers disagree, with their votes side by side."""

    kind = "dispute"

    row_index = param.Integer(0, doc="The pair.")
    pair = Nested(class_=Pair, doc="The pair.")
    votes = Items(item_type=CastVote, doc="Its votes, the oldest first.")
    actions = Items(item_type=Action, doc="What an adjudicator may make of it.")


class KnownAnswer(Gold):
    """A pair whose right answer is known, and how people do on it."""

    kind = "known answer"

    label = param.String("", doc="What it should become, in words.")
    item_ref = param.String("", doc="Item the pair is about.")
    about = param.String("", doc="What the pair is about, in words.")
    prompt = param.String("", doc="Its prompt.")
    opening = param.String("", doc="How the prompts of its training sheet begin.")
    votes = param.Integer(0, doc="Votes and decisions on it that stand.")
    correct = param.Integer(0, doc="Of these, those for the known answer.")
    percent_correct = param.Number(None, allow_None=True, doc="The same in percent.")
    actions = Items(item_type=Action, doc="What may be done now.")


class GoldOutcome(Record):
    """How many pairs were marked or unmarked."""

    kind = "gold outcome"

    done = param.Integer(0, doc="Pairs marked or unmarked.")
    total = param.Integer(0, doc="Pairs marked by now.")
    summary = param.String("", doc="What came of it, in one sentence.")
