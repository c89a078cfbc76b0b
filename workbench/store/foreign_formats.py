"""The formats that reviews come in: how to tell them, who reads them, which of their questions were answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from workbench.errors import ValidationError
from workbench.store import foreign_chats, foreign_rows
from workbench.store.foreign import Notes, Record, Told, argilla, argilla_questions, label_studio, label_studio_questions

ForeignFormat = Literal[
    "label_studio", "argilla", "openai_chat", "anthropic", "gemini", "alpaca", "sharegpt", "prompt_completion", "preference",
    "pairs", "jsonl", "csv", "parquet", "huggingface",
]  # fmt: skip
# What says how a file is kept, not how its records are written.
CONTAINERS = frozenset({"jsonl", "csv", "parquet", "huggingface"})
Reader = Callable[[Record, str | None, Notes], Told]


def _no_questions(record: Record) -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class Format:
    """Say how records of one format are told and read; `ids` are the columns it makes, the first names the item."""

    name: str
    needs: str
    fits: Callable[[Collection[str]], bool]
    read: Reader
    questions: Callable[[Record], Iterable[str]] = _no_questions
    ids: tuple[str, ...] = ()
    asks: bool = False


def _has(*keys: str) -> Callable[[Collection[str]], bool]:
    return lambda found: all(key in found for key in keys)


def _studio(keys: Collection[str]) -> bool:
    return "data" in keys and bool({"annotations", "completions", "predictions"} & set(keys))


def _argilla(keys: Collection[str]) -> bool:
    return "fields" in keys or any(key.endswith((".responses", ".suggestion", "-suggestion")) for key in keys)


_STUDIO_IDS, _ARGILLA_IDS = ("label_studio_id", "label_studio"), ("argilla_id", "argilla")
_COMPLETION = "prompt and completion"
# What is enough once the format is known: tasks nobody has looked at yet, prompts below no instruction.
LENIENT = {"label_studio": _has("data"), "anthropic": _has("prompt", "completion")}
# In the order they are told: what holds several is the first.
FORMATS = {
    one.name: one
    for one in (
        Format("label_studio", "data and annotations", _studio, label_studio, label_studio_questions, _STUDIO_IDS, asks=True),
        Format("argilla", "fields, responses or suggestions", _argilla, argilla, argilla_questions, _ARGILLA_IDS, asks=True),
        Format("preference", "chosen and rejected", _has("chosen", "rejected"), foreign_rows.preference),
        Format("openai_chat", "messages", _has("messages"), foreign_chats.openai_chat),
        Format("sharegpt", "conversations", _has("conversations"), foreign_chats.sharegpt),
        Format("gemini", "contents", _has("contents"), foreign_chats.gemini),
        Format("alpaca", "instruction and output", _has("instruction", "output"), foreign_rows.alpaca),
        Format("anthropic", _COMPLETION, _has("system", "prompt", "completion"), foreign_rows.completion),
        Format("prompt_completion", _COMPLETION, _has("prompt", "completion"), foreign_rows.completion),
        Format("pairs", "prompt and response", _has("prompt", "response"), foreign_rows.pairs, ids=("item_ref",)),
    )
}


def told(record: Record, wished: str | None) -> Format:
    """Return the format of the first record, which is the wished one where somebody knew it."""
    if wished is not None and wished not in CONTAINERS:
        return FORMATS[wished]
    if (found := _found(record)) is not None:
        return found
    keys = {str(key): None for key in record}
    hint = "A Label Studio export has to be of type JSON, not JSON_MIN, CSV or TSV"
    known = f"Known: {'; '.join(f'{one.name} has {one.needs}' for one in FORMATS.values())}"
    message = f"cannot be told from the keys {', '.join(list(keys)[:8])}. {hint if 'annotation_id' in keys else known}"
    raise ValidationError.field("format", message)


def refuse_other(format: Format, record: Record) -> None:
    """Raise ValueError where a record is not written in a format."""
    if format.fits(record) or (format.name in LENIENT and LENIENT[format.name](record)):
        return
    other = _found(record)
    keys = ", ".join([str(key) for key in record][:8]) or "none"
    raise ValueError(f"it needs {format.needs}, its keys are {keys}" + (f"; it looks like {other.name}" if other else ""))


def _found(record: Record) -> Format | None:
    return next((one for one in FORMATS.values() if one.fits(record)), None)
