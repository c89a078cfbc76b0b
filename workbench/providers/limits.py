"""How long a provider wants to be left alone, from the headers of its answers."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
import time
from collections.abc import Mapping

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# How OpenAI, Anthropic and those who speak like them name what is left and when it is filled up again.
_PAIRS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
)
# Later moments than this, given as plain seconds, are dates.
_EPOCH = 1_000_000_000.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After, in any of its spellings, or None."""
    millis = seconds(headers.get("retry-after-ms", ""))
    if millis is not None:
        return millis / 1000
    return seconds(headers.get("retry-after", ""))


def pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until an exhausted allowance is filled up again, or None."""
    waits = [seconds(headers.get(reset, "")) for left, reset in _PAIRS if headers.get(left, "").strip() == "0"]
    return max((wait for wait in waits if wait is not None), default=None)


def seconds(text: str) -> float | None:
    """Return a span such as `2`, `1.5s`, `6m0s` or `120ms`, or a date, as seconds from now."""
    text = text.strip()
    if not text:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text):
        number = float(text)
        return max(0.0, number - time.time()) if number > _EPOCH else number
    if re.fullmatch(r"(\d+(\.\d+)?(ms|s|m|h|d))+", text):
        return sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text))
    return _until(text)


def _until(text: str) -> float | None:
    for read in (dt.datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError):
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return max(0.0, moment.timestamp() - time.time())
    return None
