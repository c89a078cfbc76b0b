"""What is said to a chat model: the instruction, worked examples and the prompt."""

from __future__ import annotations

import json
from typing import Any

from workbench.providers import Request

_JSON_TYPES = {"string": "string", "number": "number", "boolean": "boolean", "list": "array", "object": "object"}


def instruction(request: Request) -> str | None:
    """Return the system text: the given instruction, then the form that the answer must have."""
    parts = [request.system] if request.system else []
    if request.fields:
        listed = "; ".join(_described(field) for field in request.fields)
        parts.append(f"Answer with one JSON object and nothing else. Its fields: {listed}.")
    elif request.choices:
        parts.append(f"Answer with exactly one of these and nothing else: {', '.join(map(json_text, request.choices))}.")
    return "\n\n".join(parts) or None


def turns(request: Request) -> list[dict[str, str]]:
    """Return the user's and the assistant's turns, examples first."""
    said = [
        {"role": role, "content": text}
        for pair in request.examples
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
    return [*said, {"role": "user", "content": request.prompt}]


def schema(request: Request) -> dict[str, Any]:
    """Return the JSON schema of a structured answer."""
    properties = {}
    for field in request.fields:
        options = list(field.get("options") or ())
        properties[field["name"]] = {"type": _JSON_TYPES[field["type"]]} | ({"enum": options} if options else {})
    required = [field["name"] for field in request.fields if field.get("required", True)]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def json_text(value: Any) -> str:
    """Return a value as JSON that keeps its letters."""
    return json.dumps(value, ensure_ascii=False)


def _described(field: dict[str, Any]) -> str:
    options = field.get("options") or ()
    words = f"{json_text(field['name'])} ({field['type']}{'' if field.get('required', True) else ', may be left out'})"
    return f"{words}, one of {', '.join(map(json_text, options))}" if options else words
