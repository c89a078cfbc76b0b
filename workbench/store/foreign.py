"""Records of Label Studio and Argilla, told in our words: cells of a row, and the state of its review.

Each reader takes one record and returns a `Told`. What has no place with us is counted in `Notes`, and the record
itself goes along as JSON text in a column of its own, so that nothing is lost.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from workbench.domain.blank import is_blank

Record = dict[str, Any]
Review = dict[str, Any]


@dataclass
class Told:
    """Hold the cells of one row by column, and what was decided on it; `aside` are those that tell about the record."""

    cells: dict[str, str | None]
    review: Review = field(default_factory=dict)
    prompt: str | None = None
    system: str | None = None
    task: str | None = None  # what is asked about `matter`, where a record tells them apart
    matter: str | None = None
    aside: Collection[str] = ()


@dataclass
class Notes:
    """Count what has no place of its own, in words."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, words: str, times: int = 1) -> None:
        """Count something once more."""
        if times:
            self.counts[words] += times


def text_of(value: Any) -> str | None:
    """Return a value as text: words as they are, lists of words with commas, anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, default=str)


def moment(text: Any, notes: Notes) -> dt.datetime | None:
    """Return a moment as naive UTC, or None where there is none or it cannot be read."""
    if text is None or text == "":
        return None
    try:
        found = text if isinstance(text, dt.datetime) else dt.datetime.fromisoformat(str(text))
        return found if found.tzinfo is None else found.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        notes.add("times that cannot be read")
        return None


def listed(record: Record, name: str) -> list[Any]:
    """Return what a record lists under a name, which a table may hold as JSON text; or say that it is no list."""
    found = record.get(name)
    if found is None or found == "":
        return []
    with suppress(ValueError):
        found = json.loads(found) if isinstance(found, str) else found
    if not isinstance(found, list):
        raise ValueError(f"{name} is no list")
    return found


def objects(record: Record, name: str) -> list[Record]:
    """Return the objects that a record lists under a name, or say that they are none."""
    found = listed(record, name)
    if not all(isinstance(one, dict) for one in found):
        raise ValueError(f"{name} is no list of objects")
    return found


def _share(score: Any, notes: Notes) -> float | None:
    """Return a score as a confidence, which goes from 0 to 1."""
    if isinstance(score, bool) or not isinstance(score, (int, float)):
        return None
    if 0 <= score <= 1:
        return float(score)
    notes.add("scores that do not go from 0 to 1")
    return None


def _decided(
    value: str | None, guess: tuple[str | None, float | None], by: str | None, at: dt.datetime | None, notes: Notes
) -> Review:
    """Return the state of an answer that a person gave, beside the guess of a model that was shown."""
    guessed, confidence = guess
    if value is None:
        return {}
    if is_blank(value):
        notes.add("blank answers: their pairs wait for another")
        return _guessed(guess)
    if guessed is None:
        return {"response": value, "response_source": "human_labeled", "status": "labeled", "labeled_by": by, "labeled_at": at}
    facts = {"response": value, "status": "labeled", "labeled_by": by, "labeled_at": at, "confidence": confidence}
    if guessed == value:
        return facts | {"response_source": "ai_generated"}
    return facts | {"response_source": "human_verified", "original_response": guessed, "verified_by": by, "verified_at": at}


def _guessed(guess: tuple[str | None, float | None]) -> Review:
    text, confidence = guess
    return {} if text is None or is_blank(text) else {"response": text, "response_source": "ai_generated", "confidence": confidence}


# Label Studio: tasks with annotations and predictions.

_PLAIN = {"choices", "textarea", "rating", "number", "datetime", "taxonomy", "pairwise"}


def label_studio_questions(record: Record) -> Iterable[str]:
    """Return the names of the controls that were answered in a task."""
    for one in (*_annotations(record), *objects(record, "predictions")):
        yield from dict.fromkeys(str(r["from_name"]) for r in objects(one, "result") if r.get("from_name"))


def _annotations(record: Record) -> list[Record]:
    return objects(record, "annotations") or objects(record, "completions")


def label_studio(record: Record, question: str | None, notes: Notes) -> Told:
    """Read one task: the ground truth or else the latest annotation counts, what was skipped is flagged."""
    data = record.get("data")
    cells = {str(k): text_of(v) for k, v in data.items()} if isinstance(data, dict) else {"data": text_of(data)}
    rest = {k: v for k, v in record.items() if k != "data"}
    told = Told(cells | {"label_studio_id": text_of(record.get("id")), "label_studio": json.dumps(rest, ensure_ascii=False)})
    everything = _annotations(record)
    kept = [a for a in everything if not a.get("was_cancelled")]
    answered = [a for a in kept if _answer(a, question, notes) is not None]
    guess = _best_guess(record, question, notes)
    for extra in ("drafts", "comments"):
        notes.add(extra, len(record[extra]) if isinstance(record.get(extra), list) else int(bool(record.get(extra))))
    if answered:
        one = max(answered, key=lambda a: (bool(a.get("ground_truth")), str(a.get("updated_at") or a.get("created_at") or "")))
        notes.add("further annotations of a task: the ground truth or else the latest counts", len(answered) - 1)
        told.review = _decided(_answer(one, question, Notes()), guess, _person(one), _when(one, notes), notes)
    elif everything and len(kept) < len(everything):
        who = _person(everything[-1])
        told.review = _guessed(guess) | {"status": "flagged", "flag_reason": f"Skipped in Label Studio by {who or 'somebody'}."}
    else:
        told.review = _guessed(guess)
    return told


def _answer(annotation: Record, question: str | None, notes: Notes) -> str | None:
    found = []
    for result in objects(annotation, "result"):
        if result.get("from_name") != question:
            notes.add(f"answers to {result['from_name']}" if result.get("from_name") else "relations")
            continue
        kind, value = str(result.get("type")), result.get("value")
        inner = value.get("text" if kind == "textarea" else kind, value) if isinstance(value, dict) else value
        if kind not in _PLAIN:
            notes.add(f"regions of type {kind}: kept as JSON")
            inner = value
        if kind == "taxonomy" and isinstance(inner, list):
            inner = [" > ".join(map(str, path)) if isinstance(path, list) else str(path) for path in inner]
        if kind == "textarea" and isinstance(inner, list):
            inner = "\n".join(map(str, inner))
        found.append(text_of(inner) or "")
    return "\n".join(found) if found else None


def _best_guess(record: Record, question: str | None, notes: Notes) -> tuple[str | None, float | None]:
    found = [(p.get("score"), _answer(p, question, Notes())) for p in objects(record, "predictions")]
    guesses = [(_share(score, notes), text) for score, text in found if text is not None]
    notes.add("further predictions of a task: the surest counts", len(guesses) - 1 if guesses else 0)
    score, text = max(guesses, key=lambda g: -1.0 if g[0] is None else g[0], default=(None, None))
    return text, score


def _person(annotation: Record) -> str | None:
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    return None if who is None else who if isinstance(who, str) else f"user {who}"


def _when(annotation: Record, notes: Notes) -> dt.datetime | None:
    return moment(annotation.get("updated_at") or annotation.get("created_at"), notes)


# Argilla: records with suggestions and responses, nested, flattened, or of the first generation.


def argilla_questions(record: Record) -> Iterable[str]:
    """Return the names of the questions that were answered or suggested in a record."""
    _, suggestions, responses = _argilla_parts(record)
    return [*responses, *suggestions]


def argilla(record: Record, question: str | None, notes: Notes) -> Told:
    """Read one record: the first submitted response counts, discarded ones reject, drafts wait."""
    cells, suggestions, responses = _argilla_parts(record)
    aside = {name for name in cells if name not in (record["fields"] or ())} if "fields" in record else _ABOUT
    suggestion = suggestions.get(question or "") or {}
    score = suggestion.get("score")
    score = score[0] if isinstance(score, list) and score else score
    guess = (text_of(suggestion.get("value")), _share(score, notes))
    mine = responses.get(question or "", [])
    for name in {*suggestions, *responses} - {question}:
        notes.add(f"answers to {name}")
    if record.get("vectors"):
        notes.add("vectors")
    told = Told(cells | {"argilla": json.dumps(record, ensure_ascii=False, default=str)}, aside=aside)
    told.review = _argilla_review(mine, guess, notes)
    return told


_STATES = ("submitted", "discarded", "draft")
# What a flattened record tells about itself, beside its fields.
_ABOUT = ("metadata", "vectors", "status", "_server_id", "inserted_at", "updated_at")


def _argilla_review(mine: list[Record], guess: tuple[str | None, float | None], notes: Notes) -> Review:
    by_state: dict[str, list[Record]] = {}
    for one in mine:
        state = str(one.get("status") or "submitted")
        notes.add(f"responses that are {state}: taken as drafts", int(state not in _STATES))
        by_state.setdefault(state if state in _STATES else "draft", []).append(one)
    notes.add("responses without a state: taken as submitted", sum(not one.get("status") for one in mine))
    notes.add("further responses to a record: the first submitted one counts", max(len(mine) - 1, 0))
    if found := by_state.get("submitted"):
        one = found[0]
        told = one.get("updated_at") or one.get("inserted_at")
        at = moment(told, notes)
        notes.add("times of responses: the export has none", int(told is None))
        return _decided(text_of(one.get("value")), guess, text_of(one.get("user_id")), at, notes)
    if found := by_state.get("discarded"):
        who = text_of(found[0].get("user_id"))
        given = text_of(found[0].get("value"))
        own = _guessed(guess) if is_blank(given) else {"response": given, "response_source": "human_labeled"}
        return own | {"status": "rejected", "flag_reason": f"Discarded in Argilla by {who or 'somebody'}."}
    if (found := by_state.get("draft")) and not is_blank(given := text_of(found[0].get("value"))):
        return {"response": given, "response_source": "human_labeled"}
    return _guessed(guess)


def _argilla_parts(record: Record) -> tuple[dict[str, str | None], dict[str, Record], dict[str, list[Record]]]:
    """Return cells, suggestions by question and responses by question, whatever the shape of the export."""
    if "fields" in record:
        for part in ("fields", "metadata"):
            if not isinstance(record.get(part) or {}, dict):
                raise ValueError(f"{part} is no object")
        fields, about = ({str(k): text_of(v) for k, v in (record.get(p) or {}).items()} for p in ("fields", "metadata"))
        about = {f"metadata.{k}" if k in fields else k: v for k, v in about.items()}
        return (
            fields | about | {"argilla_id": text_of(record.get("id") or record.get("external_id"))},
            _by_question(record),
            _responses(record),
        )
    return _flat(record)


def _by_question(record: Record) -> dict[str, Record]:
    found = record.get("suggestions")
    if isinstance(found, dict):
        return {str(k): v if isinstance(v, dict) else {"value": v} for k, v in found.items()}
    return {str(one.get("question_name")): one for one in objects(record, "suggestions")}


def _responses(record: Record) -> dict[str, list[Record]]:
    found = record.get("responses")
    if isinstance(found, dict):
        return {str(name): objects(found, name) for name in found}
    told: dict[str, list[Record]] = {}
    for one in objects(record, "responses"):
        values = one.get("values") or {}
        if not isinstance(values, dict):
            raise ValueError("values of responses is no object")
        for name, answer in values.items():
            value = answer.get("value") if isinstance(answer, dict) else answer
            told.setdefault(str(name), []).append({**one, "value": value})
    return told


def _flat(record: Record) -> tuple[dict[str, str | None], dict[str, Record], dict[str, list[Record]]]:
    cells: dict[str, str | None] = {}
    suggestions: dict[str, Record] = {}
    responses: dict[str, list[Record]] = {}
    for key, value in record.items():
        name, _, part = key.partition(".")
        if part == "responses":
            users, states = (listed(record, f"{key}.{which}") for which in ("users", "status"))
            responses[name] = [
                {"value": one, "user_id": _at(users, i), "status": _at(states, i)} for i, one in enumerate(listed(record, key))
            ]
        elif part.startswith("suggestion"):
            suggestions.setdefault(name, {})[part.removeprefix("suggestion").lstrip(".") or "value"] = value
        elif key.endswith(("-suggestion", "-suggestion-metadata")):
            found = suggestions.setdefault(key.partition("-suggestion")[0], {})
            found.update(value or {} if key.endswith("-metadata") else {"value": value})
        elif f"{key}-suggestion" in record:
            responses[key] = _first_generation(value)
        elif part not in ("responses.users", "responses.status"):
            cells["argilla_id" if key in ("id", "external_id") else key] = text_of(value)
    return cells, {k: v for k, v in suggestions.items() if v.get("value") is not None}, responses


def _first_generation(value: Any) -> list[Record]:
    if isinstance(value, dict):
        return [
            {"value": one, "user_id": _at(value.get("user_id"), i), "status": _at(value.get("status"), i)}
            for i, one in enumerate(value.get("value") or ())
        ]
    return [one for one in value or () if isinstance(one, dict)]


def _at(values: Any, place: int) -> Any:
    return values[place] if isinstance(values, list) and place < len(values) else None
