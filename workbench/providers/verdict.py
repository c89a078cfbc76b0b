"""What is wrong with an answer, if anything: cut off, empty, not one of the choices, not the JSON asked for."""

from __future__ import annotations

import json
import re
from typing import Any

from workbench.providers import Answer, Request

_FENCE = re.compile(r"\A```[a-zA-Z]*\s*\n(.*)\n```\Z", re.DOTALL)
_AROUND = " \t\r\n\"'`*.!"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "list": list,
    "object": dict,
}


def judge(request: Request, answer: Answer) -> tuple[str, str | None]:
    """Return the answer as it is kept, and its fault in words or None.

    One of a closed set is kept in its own spelling; JSON loses the fence some models put around it.
    """
    text = storable(answer.text).strip()
    fault = None
    if request.fields:
        text, fault = _structured(request, text)
    elif request.choices:
        text, fault = _chosen(request, text)
    if answer.finish_reason == "length":
        return text, f"Cut off at {request.max_tokens} tokens."
    if answer.finish_reason == "content_filter":
        return text, "The provider's content filter ended the answer."
    return text, fault


def storable(text: str) -> str:
    """Return a text without what UTF-8 and the database cannot hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _chosen(request: Request, text: str) -> tuple[str, str | None]:
    if text in request.choices:
        return text, None
    plain = text.strip(_AROUND).casefold()
    meant = [choice for choice in request.choices if choice.strip(_AROUND).casefold() == plain]
    if len(meant) == 1:
        return meant[0], None
    return text, f"None of the answers allowed: {', '.join(request.choices[:10])}."


def _structured(request: Request, text: str) -> tuple[str, str | None]:
    fenced = _FENCE.match(text)
    text = fenced[1].strip() if fenced else text
    try:
        value = json.loads(text)
    except ValueError:
        return text, "Not valid JSON."
    if not isinstance(value, dict):
        return text, "JSON, but no object."
    return text, next((fault for field in request.fields if (fault := _field_fault(field, value))), None)


def _field_fault(field: dict[str, Any], value: dict[str, Any]) -> str | None:
    name, kind = field["name"], field["type"]
    if value.get(name) is None:
        return f"The field {name} is missing." if field.get("required", True) else None
    found = value[name]
    if not isinstance(found, _TYPES[kind]) or (kind == "number" and isinstance(found, bool)):
        return f"The field {name} is no {kind}."
    options = field.get("options") or ()
    return f"The field {name} is none of {', '.join(options)}." if options and str(found) not in options else None
