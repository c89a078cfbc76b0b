"""Providers: where answers are asked for, what they cost, and what came of each question."""

from __future__ import annotations

import param

from workbench.domain.lifecycle import Lifecycle, Move
from workbench.domain.record import Action, Choice, Items, Record, Time

STATES = ["ready", "incomplete"]
ORIGINS = ["asked", "cache", "earlier"]
OUTCOMES = ["good", "flagged", "failed"]
_ADMIN = frozenset({"admin"})

PROVIDER_LIFECYCLE = Lifecycle(
    "provider",
    (
        Move("test", "Test", frozenset({"ready"}), None, None, _ADMIN),
        Move("update", "Edit", None, None, None, _ADMIN),
        Move("delete", "Delete", None, None, "Delete the provider? Answers it gave stay.", _ADMIN),
    ),
)


class ProviderConfig(Record):
    """One provider of answers: how it is reached and what it costs. The key is never part of it."""

    kind = "provider"
    table = "providers"
    derived = frozenset({"status", "reason", "simulated", "built_in", "actions"})

    id = param.String("", doc="The name again.")
    name = param.String("", doc="Name to ask for it by: small letters, digits and dashes.")
    protocol = param.String("openai", doc="How it is talked to: openai, anthropic, simulated, local or a plugin's name.")
    aliases = Items(item_type=str, doc="Other names for it, in any case.")
    base_url = param.String(None, allow_None=True, doc="Address of its API, version included.")
    model = param.String(None, allow_None=True, doc="Model asked unless a template or a call names one.")
    key_variable = param.String(None, allow_None=True, doc="Name of the environment variable that holds the key; none: no key.")
    requests_per_minute = param.Integer(None, allow_None=True, bounds=(1, None), doc="Most requests a minute; none: no limit.")
    concurrency = param.Integer(4, bounds=(1, 64), doc="Requests under way at the same time.")
    price_in = param.Number(None, allow_None=True, bounds=(0, None), doc="USD for a thousand tokens read; none: not known.")
    price_out = param.Number(None, allow_None=True, bounds=(0, None), doc="USD for a thousand tokens written; none: not known.")
    timeout_seconds = param.Number(30.0, bounds=(1, 600), doc="Longest wait for one answer.")
    created_at = Time(None, allow_None=True, doc="When it was set up.")
    created_by = param.String(None, allow_None=True, doc="Who set it up.")
    updated_at = Time(None, allow_None=True, doc="When it last changed.")
    version = param.Integer(1, doc="Counts the changes.")
    status = Choice(default="incomplete", objects=STATES, doc="Whether it can be asked from here.")
    reason = param.String(None, allow_None=True, doc="What it lacks.")
    simulated = param.Boolean(False, doc="True when it makes its answers up.")
    built_in = param.Boolean(False, doc="True when it is there without being set up.")
    actions = Items(item_type=Action, doc="What may be done now.")


class ProviderPreset(Record):
    """A known service, to start a provider from."""

    kind = "provider preset"

    name = param.String("", doc="Name suggested.")
    label = param.String("", doc="What people call the service.")
    protocol = param.String("openai", doc="How it is talked to.")
    base_url = param.String(None, allow_None=True, doc="Address of its API; parts in capitals are yours to fill in.")
    key_variable = param.String(None, allow_None=True, doc="Environment variable it usually reads the key from.")
    aliases = Items(item_type=str, doc="Other names for it.")


class ProviderTest(Record):
    """What one short question to a provider brought."""

    kind = "provider test"

    ok = param.Boolean(False, doc="True when it answered.")
    message = param.String("", doc="The outcome in one sentence.")
    answer = param.String(None, allow_None=True, doc="What it answered.")
    model = param.String(None, allow_None=True, doc="Model asked.")
    seconds = param.Number(None, allow_None=True, doc="Seconds until the answer.")
    tokens_in = param.Integer(None, allow_None=True, doc="Tokens read, where it counts them.")
    tokens_out = param.Integer(None, allow_None=True, doc="Tokens written, where it counts them.")
    simulated = param.Boolean(False, doc="True when the answer is made up.")


class GenerationEstimate(Record):
    """What a generation would take, before it is started. Nothing is asked for it."""

    kind = "generation estimate"

    provider = param.String("", doc="Provider.")
    model = param.String(None, allow_None=True, doc="Model.")
    simulated = param.Boolean(False, doc="True when the answers would be made up.")
    rows = param.Integer(0, doc="Pairs that get an answer.")
    known = param.Integer(0, doc="Of these, answered from earlier answers without asking.")
    requests = param.Integer(0, doc="Requests sent.")
    tokens_in = param.Integer(0, doc="Tokens read, roughly: a quarter of the characters.")
    tokens_out = param.Integer(0, doc="Tokens written, roughly; from earlier answers where there are some.")
    tokens_out_most = param.Integer(0, doc="Tokens written when every answer is as long as it may be.")
    cost = param.Number(None, allow_None=True, doc="USD, roughly; null when a price is not known.")
    cost_most = param.Number(None, allow_None=True, doc="USD when every answer is as long as it may be.")
    seconds_least = param.Number(
        None, allow_None=True, doc="Seconds it takes at least by the limit of requests; null without one."
    )
    examples = param.Integer(0, doc="Approved pairs put before each prompt.")
    summary = param.String("", doc="All of it in one sentence.")
    actions = Items(item_type=Action, doc="Whether it may be started now, and why not.")


class GeneratedAnswer(Record):
    """What came of asking about one pair in one job."""

    kind = "generated answer"
    table = "generated_answers"
    wire_names = {"logged_at": "at"}

    job_id = param.String("", doc="Job that asked.")
    training_sheet_id = param.String("", doc="Training sheet of the pair.")
    row_index = param.Integer(0, doc="Row of the pair.")
    key = param.String("", doc="Hash of all that was asked: provider, model, messages, parameters.")
    outcome = Choice(default="good", objects=OUTCOMES, doc="good, flagged for a fault, or failed without an answer.")
    origin = Choice(default="asked", objects=ORIGINS, doc="asked now, from the cache, or kept by an earlier try of the job.")
    response = param.String(None, allow_None=True, doc="The answer; none when it failed.")
    fault = param.String(None, allow_None=True, doc="What is wrong with the answer, or why there is none.")
    confidence = param.Number(None, allow_None=True, doc="How sure the model was, 0-1.")
    simulated = param.Boolean(False, doc="True when the answer is made up.")
    provider = param.String("", doc="Provider.")
    model = param.String(None, allow_None=True, doc="Model.")
    finish_reason = param.String(None, allow_None=True, doc="Why the model stopped.")
    tokens_in = param.Integer(None, allow_None=True, doc="Tokens read for it in this job; null when not counted.")
    tokens_out = param.Integer(None, allow_None=True, doc="Tokens written for it in this job; null when not counted.")
    cost = param.Number(None, allow_None=True, doc="USD spent on it in this job; null when a price or a count is not known.")
    tries = param.Integer(0, doc="Requests made for it.")
    reusable = param.Boolean(False, doc="True when the same question may get it again: temperature 0 and no fault.")
    logged_at = Time(None, allow_None=True, doc="When it was answered.")
