"""Conversations, told in our words: what was said before the last answer is the prompt."""

from __future__ import annotations

import json
from typing import Any

from workbench.store.foreign import Notes, Record, Review, Told, objects, text_of

_SPEAKERS = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "developer": "system",
}
_NO_TEXT = ("tool_calls", "function_call", "audio")
_TEXTS = ("text", "input_text", "output_text")


def openai_chat(record: Record, question: str | None, notes: Notes) -> Told:
    """Read one conversation of messages with role and content."""
    return conversation(record, "messages", turns_of(record, "messages", notes), notes)


def sharegpt(record: Record, question: str | None, notes: Notes) -> Told:
    """Read one conversation of turns with from and value."""
    return conversation(record, "conversations", turns_of(record, "conversations", notes), notes)


def gemini(record: Record, question: str | None, notes: Notes) -> Told:
    """Read one conversation of contents with role and parts."""
    told = next((record[name] for name in ("systemInstruction", "system_instruction") if record.get(name)), None)
    system = [("system", _content(told, notes) if isinstance(told, dict) else text_of(told) or "")] if told else []
    return conversation(record, "contents", [*system, *turns_of(record, "contents", notes)], notes)


def turns_of(record: Record, key: str, notes: Notes) -> list[tuple[str, str]]:
    """Return who said what in a list of messages, which a table may hold as JSON text; or say what is wrong with it."""
    if record.get(key) is None:
        raise ValueError(f"{key} is no list of messages")
    found = objects(record, key)
    turns = []
    for place, one in enumerate(found):
        who = one.get("role") or one.get("from")
        if not isinstance(who, str):
            raise ValueError(f"message {place} of {key} does not say whose it is")
        turns.append((_SPEAKERS.get(who, who), _content(one, notes)))
    return turns


def conversation(record: Record, key: str, turns: list[tuple[str, str]], notes: Notes) -> Told:
    """Return the last answer of a conversation with all that was said before it; `key` names where it was."""
    own = record.get("system")
    told = [own] if isinstance(own, str) and own else []
    told += [text for who, text in turns if who == "system"]
    said = [(who, text) for who, text in turns if who != "system"]
    last = max((i for i, (who, _) in enumerate(said) if who == "assistant"), default=None)
    before, response = (said, None) if last is None else (said[:last], said[last][1])
    notes.add("turns after the last answer", 0 if last is None else len(said) - last - 1)
    cells = {str(k): text_of(v) for k, v in record.items() if k != key} | {key: json.dumps(record.get(key), ensure_ascii=False)}
    return Told(cells, imported(response), prompt=prompt_of(before, notes), system="\n\n".join(told) or None)


def prompt_of(before: list[tuple[str, str]], notes: Notes) -> str:
    """Return what was said before an answer as one text."""
    if len(before) == 1 and before[0][0] == "user":
        return before[0][1]
    notes.add("conversations that begin with the answer", int(not before))
    notes.add("conversations of several turns: the earlier ones became part of the prompt", int(bool(before)))
    return "\n\n".join(f"{who.capitalize()}: {text}" for who, text in before)


def imported(response: str | None) -> Review:
    """Return an answer nobody has decided on here."""
    return {"response": response, "response_source": "imported"} if response else {}


def _content(message: Record, notes: Notes) -> str:
    for extra in _NO_TEXT:
        notes.add(f"messages with {extra.replace('_', ' ')}", int(bool(message.get(extra))))
    content: Any = next((message[name] for name in ("content", "value", "parts") if message.get(name) is not None), None)
    if not isinstance(content, list):
        return text_of(content) or ""
    parts = [p for p in content if isinstance(p, dict)]
    notes.add(
        "parts of messages that are no text", sum(p.get("type", "text" if "text" in p else "") not in _TEXTS for p in parts)
    )
    return "\n".join(str(p["text"]) for p in parts if isinstance(p.get("text"), str))
