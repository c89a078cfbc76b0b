"""Prompts with their answers, told in our words: records that name the two, or are pairs that left here."""

from __future__ import annotations

from typing import Any

from workbench.domain.blank import is_blank
from workbench.domain.label import PAIR_STATUSES, RESPONSE_SOURCES
from workbench.errors import did_you_mean
from workbench.store.foreign import Notes, Record, Told, moment, text_of
from workbench.store.foreign_chats import imported, prompt_of, turns_of

_TEXTS = ("original_response", "flag_reason", "labeled_by", "verified_by")
_MOMENTS = ("labeled_at", "verified_at")
_DECISION = {"prompt", "response", "system", "response_source", "status", "confidence", *_TEXTS, *_MOMENTS}


def alpaca(record: Record, question: str | None, notes: Notes) -> Told:
    """Read one instruction with its input and output."""
    task, matter = text_of(record.get("instruction")) or "", text_of(record.get("input")) or ""
    system = text_of(record.get("system")) or None
    history = record.get("history")
    notes.add("earlier turns in history", len(history) if isinstance(history, list) else int(bool(history)))
    told = Told({str(k): text_of(v) for k, v in record.items()}, imported(text_of(record.get("output"))), system=system)
    told.prompt = f"{task}\n\n{matter}" if matter else task
    if matter and task and system is None:
        told.task, told.matter = task, matter
    return told


def completion(record: Record, question: str | None, notes: Notes) -> Told:
    """Read one prompt with its completion, each a text or a list of messages, and what stands above both."""
    system, prompt = _asked(record, notes)
    answer = _answer(record, "completion", notes)[1]
    return Told(_rest(record, "completion"), imported(answer), prompt=prompt, system=system)


def preference(record: Record, question: str | None, notes: Notes) -> Told:
    """Read one prompt with the answer that was preferred, and the other one."""
    before, chosen = _answer(record, "chosen", notes)
    rejected = _answer(record, "rejected", Notes())[1]
    if record.get("prompt") is None and not before:
        raise ValueError("prompt is missing")
    # Without a prompt of its own the preferred conversation begins with it.
    asked = record if record.get("prompt") is not None else {**record, "prompt": before}
    system, prompt = _asked(asked, notes)
    told = Told(_rest(record, "chosen") | {"rejected": text_of(record.get("rejected"))}, imported(chosen), prompt, system)
    notes.add("preferences between equal answers", int(chosen == rejected))
    if chosen and rejected and chosen != rejected:
        told.review |= {"response_source": "human_verified", "original_response": rejected}
    return told


def pairs(record: Record, question: str | None, notes: Notes) -> Told:
    """Read one pair as our tables hold it: its answer and, where they are told, state, source and who decided."""
    response = text_of(record.get("response")) or ""
    status = _one_of(record, "status", PAIR_STATUSES) or "unlabeled"
    source = _one_of(record, "response_source", RESPONSE_SOURCES) or ("empty" if is_blank(response) else "imported")
    if status == "labeled" and is_blank(response):
        raise ValueError("status is labeled, but there is no response")
    if (source == "empty") != is_blank(response):
        raise ValueError(f"response_source is {source}, but there is {'no' if is_blank(response) else 'a'} response")
    review: dict[str, Any] = {"status": None if status == "unlabeled" else status}
    notes.add("reasons of pairs that are neither flagged nor rejected", int(_reasoned(record, status)))
    review |= {} if is_blank(response) else {"response": response, "response_source": source}
    review |= {name: text_of(record.get(name)) or None for name in _TEXTS}
    review |= {name: moment(record.get(name), notes) for name in _MOMENTS}
    review["confidence"] = _share(record, "confidence")
    cells = {str(k): text_of(v) for k, v in record.items() if k not in _DECISION}
    prompt, system = text_of(record.get("prompt")) or "", text_of(record.get("system")) or None
    return Told(cells, review, prompt=prompt, system=system)


def _reasoned(record: Record, status: str) -> bool:
    return status in ("unlabeled", "labeled") and not is_blank(text_of(record.get("flag_reason")))


def _one_of(record: Record, name: str, known: list[str]) -> str | None:
    value = text_of(record.get(name)) or None
    if value is not None and value not in known:
        raise ValueError(f"{name} is {value!r}.{did_you_mean(value, known)} Known: {', '.join(known)}")
    return value


def _share(record: Record, name: str) -> float | None:
    value = record.get(name)
    if value is None or value == "":
        return None
    found = float(value)
    if not 0 <= found <= 1:
        raise ValueError(f"{name} is {value}, but goes from 0 to 1")
    return found


def _asked(record: Record, notes: Notes) -> tuple[str | None, str]:
    """Return what stands above a prompt, and the prompt."""
    own = text_of(record.get("system")) or None
    if not isinstance(record.get("prompt"), list):
        return own, text_of(record.get("prompt")) or ""
    turns = turns_of(record, "prompt", notes)
    told = [*([own] if own else []), *(text for who, text in turns if who == "system")]
    return "\n\n".join(told) or None, prompt_of([turn for turn in turns if turn[0] != "system"], notes)


def _answer(record: Record, name: str, notes: Notes) -> tuple[list[Record], str | None]:
    """Return the messages before an answer, and the answer, which is a text or the last of some messages."""
    value = record.get(name)
    if not isinstance(value, list):
        return [], text_of(value)
    *before, (who, text) = turns_of(record, name, notes) or [("", "")]
    if who != "assistant":
        raise ValueError(f"{name} does not end with an answer")
    return value[: len(before)], text


def _rest(record: Record, answer: str) -> dict[str, str | None]:
    """Return all that is not taken over as prompt, answer or system; messages stay readable as they were."""
    taken = {name for name in ("prompt", answer, "system") if not isinstance(record.get(name), (list, dict))}
    return {str(k): text_of(v) for k, v in record.items() if k not in taken}
