"""Endpoints, what they answer, and the log of every request."""

from __future__ import annotations

import re
from typing import ClassVar

import param

from workbench.domain.lifecycle import Lifecycle, Move
from workbench.domain.record import Action, Choice, Items, Json, Record, Time

MAX_LOGGED = 8_000
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_PHONE = re.compile(r"(?<![\w.])(?:(?:\+\d{1,3}|\(\d{2,5}\)|0\d{2,4})[\d ./()-]{5,}\d|\d{3}[-. ]\d{3}[-. ]\d{4})(?![\w])")
_PEOPLE = frozenset({"admin", "trainer"})

ENDPOINT_STATES = Lifecycle(
    "endpoint",
    (
        Move("resume", "Start", frozenset({"stopped", "failed"}), "serving", None, _PEOPLE),
        Move("stop", "Stop", frozenset({"serving", "starting"}), "stopped", "Refuse requests until it starts again?", _PEOPLE),
        Move("rollback", "Roll back", frozenset({"serving", "failed"}), "serving", "Serve the version served before?", _PEOPLE),
        Move("delete", "Delete", None, None, "Delete the endpoint? Its request log is kept.", _PEOPLE),
    ),
)


class Endpoint(Record):
    """A name under which one model version answers requests."""

    kind = "endpoint"
    table = "endpoints"
    derived = frozenset({"stage", "url", "input_example", "requests", "p95", "error_rate", "actions"})

    id = param.String("", doc="The name again.")
    name = param.String("", doc="Name in the address, unique.")
    status = Choice(objects=["starting", "serving", "stopped", "failed"], doc="Whether it answers.")
    follows = Choice(objects=["production", "version"], doc="production: swaps with the stage; version: stays.")
    model_name = param.String("", doc="Name of the model served.")
    model_version = param.String("", doc="Semantic version served.")
    model_version_id = param.String("", doc="Version served.")
    ab_test_id = param.String(None, allow_None=True, doc="A/B test running on this endpoint.")
    guardrails = Json({}, doc="Optional limits: max_chars (100,000 unless told), forbidden_words.")
    message = param.String(None, allow_None=True, doc="Why it is stopped or failed.")
    sample = param.Boolean(False, doc="True when it serves a version made by the demo command.")
    created_at = Time(None, allow_None=True, doc="When it was made.")
    created_by = param.String("", doc="Who made it.")
    updated_at = Time(None, allow_None=True, doc="When it last changed.")
    version = param.Integer(1, doc="Counts the changes.")
    stage = param.String(None, allow_None=True, doc="Stage of the version served.")
    url = param.String("", doc="Path that answers invocations.")
    input_example = Json(None, allow_None=True, doc="One input it can answer.")
    requests = param.Integer(0, doc="Requests of the last 24 hours.")
    p95 = param.Number(None, allow_None=True, doc="95th percentile of their latency in ms; null without requests.")
    error_rate = param.Number(None, allow_None=True, doc="Share of them that failed, 0-1; null without requests.")
    actions = Items(item_type=Action, doc="What may be done now.")


class Prediction(Record):
    """One answer of a model."""

    kind = "prediction"

    value = Json(None, allow_None=True, doc="The answer.")
    confidence = param.Number(None, allow_None=True, doc="Probability the model gives it, 0-1; null when it gives none.")


class Predictions(Record):
    """Answers to one call, in the order of its inputs."""

    kind = "predictions"

    predictions = Items(item_type=Prediction, doc="One answer per input.")
    request_ids = Items(item_type=str, doc="One id per input: feedback and lineage start here.")
    model_version = param.String("", doc="Semantic version that answered.")
    model_version_id = param.String("", doc="Its id.")


class RequestLog(Record):
    """One served request."""

    kind = "request"
    table = "requests"
    wire_names: ClassVar[dict[str, str]] = {"logged_at": "at"}

    id = param.String("", doc="Identifier.")
    endpoint = param.String("", doc="Endpoint that answered.")
    model_name = param.String("", doc="Name of the model.")
    model_version = param.String("", doc="Semantic version.")
    model_version_id = param.String("", doc="Version that answered.")
    ab_test_id = param.String(None, allow_None=True, doc="A/B test it took part in.")
    ab_test_arm = param.String(None, allow_None=True, doc="Arm of the A/B test.")
    request_key = param.String(None, allow_None=True, doc="Key of the caller, such as a user or session.")
    logged_at = Time(None, allow_None=True, doc="When it arrived.")
    latency_ms = param.Number(0.0, doc="Milliseconds from arrival to answer.")
    status_code = param.Integer(200, doc="200, or the status of the error.")
    tokens_in = param.Integer(None, allow_None=True, doc="Tokens read; null when the model counts none.")
    tokens_out = param.Integer(None, allow_None=True, doc="Tokens written; null when the model counts none.")
    cost = param.Number(None, allow_None=True, doc="Cost in USD; null when it has no price.")
    inputs = param.String("", doc="Finished prompt, redacted and cut to a limit.")
    altered = param.Boolean(False, doc="True when the prompt was redacted or cut.")
    prediction = param.String(None, allow_None=True, doc="Answer given.")
    confidence = param.Number(None, allow_None=True, doc="Probability of the answer, 0-1.")
    error = param.String(None, allow_None=True, doc="What went wrong.")
    sample = param.Boolean(False, doc="True when answered by a version made by the demo command.")


def redact(text: str) -> str:
    """Replace e-mail addresses and phone numbers."""
    return _PHONE.sub("[phone]", _EMAIL.sub("[email]", text))


def loggable(text: str) -> tuple[str, bool]:
    """Return what the log keeps of a prompt, and whether anything was taken from it."""
    kept = redact(text)[:MAX_LOGGED]
    return kept, kept != text


class ChatMessage(Record):
    """One message of a conversation."""

    kind = "chat_message"

    role = param.String("user", doc="system, user or assistant.")
    content = param.String("", doc="Text.")


class ChatCompletion(Record):
    """An answer in the form chat clients expect."""

    kind = "chat_completion"

    id = param.String("", doc="Id of the request: feedback and lineage start here.")
    object = param.String("chat.completion", doc="Always chat.completion.")
    created = param.Integer(0, doc="Seconds since 1970.")
    model = param.String("", doc="Endpoint that answered.")
    choices = Json([], doc="[{index, message: {role, content}, finish_reason}].")
    usage = Json({}, doc="Tokens, null where the model counts none.")
