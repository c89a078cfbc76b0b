"""What the two chat SDKs raise, as one kind of failure; the key never shows in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from workbench.providers import Access, Failure
from workbench.providers.limits import pause, retry_after

LONGEST = 400
_QUOTA = re.compile(r"insufficient_quota|billing|credit balance", re.IGNORECASE)


def failure(access: Access, error: Any) -> Failure:
    """Return the failure behind an SDK's error: from its status, or from the lack of one."""
    status = getattr(error, "status_code", None)
    if status is None:
        return Failure(scrubbed(access, _without_status(access, error)))
    words = scrubbed(access, said(error))
    headers = error.response.headers
    if status in (401, 403):
        hint = (
            f"Check the key in {access.key_variable}."
            if access.key_variable
            else "It wants a key: name its environment variable."
        )
        return Failure(f"{access.name} denied access ({status}): {words} {hint}", kind="denied")
    if status == 404:
        return Failure(f"{access.name} found nothing (404): {words} Check the address and the model.", kind="denied")
    if status == 429:
        if _QUOTA.search(words):
            return Failure(f"{access.name} has no quota left: {words}", kind="denied")
        wait = max((w for w in (retry_after(headers), pause(headers)) if w is not None), default=None)
        return Failure(f"{access.name} is busy (429): {words}", kind="busy", retry_after=wait)
    if status in (408, 409, 425) or status >= 500:
        return Failure(f"{access.name} failed ({status}): {words}", retry_after=retry_after(headers))
    return Failure(f"{access.name} refused the request ({status}): {words}", kind="refused")


def said(error: Any) -> str:
    """Return the server's own words on what went wrong, shortened."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else body
    words = inner.get("message") if isinstance(inner, dict) else inner
    text = " ".join(str(words or getattr(error, "message", None) or error).split())
    return text[:LONGEST] + ("…" if len(text) > LONGEST else "" if text.endswith((".", "!", "?")) else ".")


def scrubbed(access: Access, text: str) -> str:
    """Return a text without the key, which some servers repeat in their errors."""
    key = access.key()
    return text.replace(key, "•••") if key else text


def json_object(access: Access, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """Return the JSON object of a reply, or raise what it is in place of one."""
    kind = headers.get("content-type", "")
    if "json" not in kind:
        raise no_answer(access, f"{kind or 'something without a type'} in place of JSON")
    try:
        body = json.loads(content)
    except ValueError:
        raise no_answer(access, "JSON that is cut off") from None
    if not isinstance(body, dict):
        raise no_answer(access, "JSON that is no object")
    return body


def no_answer(access: Access, what: str) -> Failure:
    """Return the failure of a reply that is no answer of a chat model."""
    return Failure(scrubbed(access, f"{access.name} sent {what}. Is {access.base_url or 'its address'} the address of its API?"))


def _without_status(access: Access, error: Any) -> str:
    cause = error.__cause__ or error
    if "Timeout" in type(error).__name__ or "Timeout" in type(cause).__name__:
        return f"{access.name} did not answer within {access.timeout:g} s."
    return f"{access.name} cannot be reached: {type(cause).__name__}: {cause}"
