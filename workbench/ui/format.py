"""The only place where values turn into text. Everything returned is safe to put into a page."""

from __future__ import annotations

import datetime as dt
import json
import math
import operator
import re
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from workbench.domain.plain import TURNING
from workbench.domain.train import MEASURES
from workbench.domain.wording import grouped
from workbench.ui.theme import SUCCESS, WARNING, Tone, tone_of

THIN = "\u202f"
DASH = "\u2013"
UNKNOWN = "Not known yet."
# A browser that lays out a line of a million characters stands still.
LONGEST_CELL = 2_000
# What is written otherwise than as its letters say.
SPELLED = {
    "ai": "AI", "url": "URL", "csv": "CSV", "jsonl": "JSON lines", "openai": "OpenAI", "sharegpt": "ShareGPT",
    "huggingface": "Hugging Face", "ngrams": "n-grams", "char": "character", "lora": "LoRA", "usd": "USD", "pii": "PII",
    "studio": "Studio",
}  # fmt: skip


_TURNS = re.compile(f"[{''.join(sorted(TURNING))}]")


def marked(value: Any) -> Any:
    """Return a text in which each character that turns the direction of others shows as its code, such as `⟨U+202E⟩`.

    Such a text reads otherwise than it is. What is markup already, or no text, stays.
    """
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return _TURNS.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", value)


def unknown(reason: str | None = None) -> Markup:
    """Return an en dash that says on hover why there is no value."""
    return Markup('<span class="faint" title="{}">{}</span>').format(reason or UNKNOWN, DASH)


def text(value: Any, *, reason: str | None = None) -> Markup:
    """Return a value as escaped text."""
    return unknown(reason) if value is None or value == "" else escape(marked(value))


def after(text: str, opening: str) -> str:
    """Return what follows the opening that a text shares with the others; all of it where nothing follows."""
    rest = text.removeprefix(opening).lstrip()
    return f"… {rest}" if opening.strip() and rest and text.startswith(opening) else text


def clipped(text: str, most: int) -> Markup:
    """Return a text as it is, a very long one up to a place and with the number of characters left out."""
    if len(text) <= most:
        return escape(marked(text))
    left = integer(len(text) - most)
    return Markup('{}<span class="faint"> … {} more characters</span>').format(marked(text[:most]), left)


def integer(value: int | float | None, *, reason: str | None = None) -> Markup:
    """Return `12 430` with thin spaces between thousands."""
    return unknown(reason) if _missing(value) else Markup(grouped(value))


def number(value: float | None, digits: int = 3, *, reason: str | None = None) -> Markup:
    """Return a number with a fixed count of decimals; whole numbers keep none."""
    if _missing(value):
        return unknown(reason)
    if isinstance(value, int) or (float(value).is_integer() and abs(value) >= 1000):
        return integer(value)
    if value and abs(value) < 10**-digits:
        return Markup(f"{value:.2e}")
    return Markup(grouped(value, digits))


def measured(name: str, value: float | None, *, reason: str | None = None) -> Markup:
    """Return a figure of a job as what it is: a time as a duration, all else with four decimals."""
    return duration(value, reason=reason) if name.endswith("_seconds") else number(value, 4, reason=reason)


def plain(value: float | None) -> str:
    """Return a number as short text without markup, for hovers."""
    if _missing(value):
        return DASH
    return grouped(value) if float(value).is_integer() else f"{value:,.6g}".replace(",", THIN)


def percent(share: float | None, *, reason: str | None = None) -> Markup:
    """Return a share of 1 as `72.4 %`."""
    return unknown(reason) if _missing(share) else Markup(f"{share * 100:.1f}{THIN}%")


def percentage(value: float | None, *, reason: str | None = None) -> Markup:
    """Return a value that is already a percentage as `72.4 %`."""
    return unknown(reason) if _missing(value) else Markup(f"{value:.1f}{THIN}%")


def usd(cost: float | None, *, reason: str | None = None) -> Markup:
    """Return `12.50 USD`; what is less than a cent keeps what can be read of it, and nothing is `0 USD`."""
    if _missing(cost):
        return unknown(reason)
    if 0 < cost < 0.0001:
        return Markup(f"&lt;{THIN}0.0001{THIN}USD")
    return Markup("{}{}USD").format(integer(0) if not cost else number(cost, 2 if cost >= 0.1 else 4), THIN)


def duration(seconds: float | None, *, reason: str | None = None) -> Markup:
    """Return `2 m 13 s`, `3 h 50 m`, `4 d 2 h` or `0.8 s`."""
    if _missing(seconds):
        return unknown(reason)
    if seconds < 10:
        return Markup(f"{seconds:.1f}{THIN}s")
    whole = round(seconds)
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")]
    first = next(i for i, (amount, _) in enumerate(parts) if amount)
    return Markup(" ".join(f"{amount}{THIN}{unit}" for amount, unit in parts[first : first + 2]))


def milliseconds(value: float | None, *, reason: str | None = None) -> Markup:
    """Return `3.2 ms`."""
    return unknown(reason) if _missing(value) else Markup(f"{grouped(value, 1)}{THIN}ms")


def size(count: int | None, *, reason: str | None = None) -> Markup:
    """Return bytes as `1.4 MiB`."""
    if _missing(count):
        return unknown(reason)
    power = min(4, int(math.log(max(count, 1), 1024)))
    unit = ("B", "KiB", "MiB", "GiB", "TiB")[power]
    return Markup("{}{}{}").format(grouped(count / 1024**power, 1 if power else 0), THIN, unit)


def moment(at: dt.datetime | str | None, *, reason: str | None = None) -> Markup:
    """Return a time that the browser shows relative to now, exact UTC on hover."""
    if at is None:
        return unknown(reason)
    stamp = at if isinstance(at, str) else at.isoformat(timespec="seconds") + "Z"
    exact = stamp.rstrip("Z").replace("T", " ")[:19]
    return Markup('<wb-time at="{}" title="{} UTC">{}</wb-time>').format(stamp, exact, exact)


def change(count: int | None) -> Markup:
    """Return a change such as `+3`."""
    if _missing(count):
        return unknown()
    sign = "+" if count > 0 else "\u2212" if count < 0 else "\u00b1"
    return Markup("{}{}").format(sign, integer(abs(count)))


def short_id(value: str | None, *, href: str | None = None, reason: str | None = None) -> Markup:
    """Return the tail of an id in monospace; a click copies all of it, or follows `href`."""
    if not value:
        return unknown(reason)
    tail = value if len(value) <= 12 else value.rsplit("_", 1)[-1][-8:]
    if href:
        return Markup('<a class="mono" href="{}" title="{}">{}</a>').format(href, value, tail)
    return Markup('<wb-id value="{}" title="{}, click to copy">{}</wb-id>').format(value, value, tail)


def to_choose(records: Iterable[Any], told: Callable[[Any], str] = operator.attrgetter("name")) -> dict[str, str]:
    """Return ids by words to choose from; where several would have the same words, each has the tail of its id beside them."""
    found = [(told(record), record.id) for record in records]
    often = Counter(words for words, _ in found)
    return {f"{words} · {id[-4:]}" if often[words] > 1 else words: id for words, id in found}


def more_to_choose(
    known: Mapping[str, str], records: Iterable[Any], told: Callable[[Any], str] = operator.attrgetter("name")
) -> dict[str, str]:
    """Return further ids by words as `to_choose` does, by other words than those that already mean another record."""
    words_of = {id: words for words, id in known.items()}
    found = [(words_of.get(id, words), id) for words, id in to_choose(records, told).items()]
    return {words if known.get(words, id) == id else f"{words} · {id[-4:]}": id for words, id in found}


def names_to_choose(names: Iterable[str]) -> dict[str, str]:
    """Return names by their words to choose from; where several would read the same, each is told as it is written."""
    found = [(words(name), name) for name in names]
    often = Counter(told for told, _ in found)
    return {name if often[told] > 1 else told: name for told, name in found}


def link(label: str, href: str) -> Markup:
    """Return a link inside the workbench."""
    return Markup('<a href="{}">{}</a>').format(href, label)


def chip(state: str | None, label: str | None = None, *, hover: str | None = None) -> Markup:
    """Return a state as color, icon and word."""
    if not state:
        return unknown(hover)
    return tone_chip(tone_of(state), label or state.replace("_", " "), hover=hover)


def tone_chip(tone: Tone, label: str, *, hover: str | None = None) -> Markup:
    """Return a chip of a given tone."""
    icon = Markup('<svg viewBox="0 0 16 16" aria-hidden="true"><path fill-rule="evenodd" d="{}"/></svg>').format(tone.icon)
    return Markup('<span class="chip tone-{}" title="{}">{}{}</span>').format(tone.name, hover or "", icon, label)


def simulated(label: str = "simulated") -> Markup:
    """Return the mark of what no model wrote."""
    return chip("warning", label, hover="A provider for trying things out made it up.")


def labels(told: dict[str, Any] | None) -> Markup:
    """Return the labels of a thing as small words: `team=red`."""
    shape = Markup('<span class="faint small mono">{}={}</span>')
    return Markup(" ").join(shape.format(name, value) for name, value in (told or {}).items())


def choice(word: str | None, *, reason: str | None = None) -> Markup:
    """Return one word of a closed set in plain letters: `ai_generated` becomes `AI generated`."""
    return unknown(reason) if not word else escape(_spaced(word))


def voted(action: str) -> str:
    """Return the state that a vote wishes for, whose color it bears."""
    return {"approve": "labeled", "reject": "rejected", "flag": "flagged"}.get(action, action)


def votes(review: Any) -> Markup:
    """Return how far the people who share a pair have come; nothing where one person decides."""
    if review.wanted < 2:
        return Markup("")
    count = Markup('<span class="faint small">{} of {} votes</span>').format(integer(review.done), integer(review.wanted))
    return Markup("{} {}").format(chip(review.state), count)


def facts(pairs: Iterable[tuple[str, Any]]) -> Markup:
    """Return label and value in two columns."""
    rows = (Markup("<dt>{}</dt><dd>{}</dd>").format(label, value) for label, value in pairs)
    return Markup('<dl class="facts">{}</dl>').format(Markup("").join(rows))


def value(thing: Any) -> Markup:
    """Return any plain value as text by its type; nested JSON becomes labeled lines, never raw."""
    if thing is None or thing == "":
        return unknown()
    if isinstance(thing, bool):
        return Markup("yes") if thing else Markup("no")
    if isinstance(thing, int):
        return integer(thing)
    if isinstance(thing, float):
        return number(thing)
    if isinstance(thing, dt.datetime):
        return moment(thing)
    if isinstance(thing, dict):
        return facts((words(str(k)), value(v)) for k, v in thing.items()) if thing else unknown("Empty.")
    if isinstance(thing, (list, tuple)) and thing and all(isinstance(item, dict) for item in thing):
        return _table(thing)
    if isinstance(thing, (list, tuple)):
        return Markup(", ").join(value(item) for item in thing) if thing else unknown("Empty.")
    return escape(marked(getattr(thing, "name", None) or getattr(thing, "id", None) or thing))


def _table(items: Iterable[dict[str, Any]]) -> Markup:
    """Return things with the same facts as a table, one a row."""
    names = list(dict.fromkeys(name for item in items for name in item))
    head = Markup("").join(Markup("<th>{}</th>").format(words(str(name))) for name in names)
    cells = (Markup("").join(Markup("<td>{}</td>").format(value(item.get(name))) for name in names) for item in items)
    rows = Markup("").join(Markup("<tr>{}</tr>").format(row) for row in cells)
    return Markup('<div class="scroll"><table><tr>{}</tr>{}</table></div>').format(head, rows)


def words(name: str) -> str:
    """Return a parameter name as words: `learning_rate` becomes `Learning rate`."""
    if name in MEASURES:
        return MEASURES[name]
    spaced = _spaced(name.replace("-", "_")).strip()
    return spaced[:1].upper() + spaced[1:]


def _spaced(name: str) -> str:
    return " ".join(SPELLED.get(part, part) for part in name.split("_"))


def about(field: str, message: str) -> Markup:
    """Return what is said of a field as a sentence: a message that begins with its verb gets the field as subject."""
    subject = Markup("<b>{}</b> ").format(words(field)) if message[:1].islower() else ""
    return Markup("{}{}").format(subject, message)


def plural(count: int, one: str, many: str | None = None) -> Markup:
    """Return `1 job` or `3 jobs`."""
    return Markup("{} {}").format(integer(count), one if count == 1 else many or f"{one}s")


def of_hundred(share: float | None) -> float | None:
    """Return a share of 1 as a share of 100, for bars."""
    return None if _missing(share) else share * 100


def per_second(value: float | None, *, reason: str | None = None) -> Markup:
    """Return `12.5 per s`."""
    return unknown(reason) if _missing(value) else Markup("{} per s").format(number(value, 2))


def flag(good: bool, label: str, *, hover: str | None = None) -> Markup:
    """Return a yes or no as a green or amber chip with the service's words."""
    return tone_chip(SUCCESS if good else WARNING, label, hover=hover)


def of(part: int | None, whole: int | None, *, reason: str | None = None) -> Markup:
    """Return `3 of 10`."""
    return unknown(reason) if part is None else Markup("{} of {}").format(integer(part), integer(whole))


def instant(at: dt.datetime | str | float) -> dt.datetime:
    """Return a moment for a plot, whether it comes as one, as text, or as milliseconds from the browser."""
    if isinstance(at, (int, float)):
        return dt.datetime.fromtimestamp(at / 1000, dt.UTC).replace(tzinfo=None)
    return at if isinstance(at, dt.datetime) else dt.datetime.fromisoformat(at.removesuffix("Z"))


def plotted(number: float | None) -> float:
    """Return a value for a plot, which leaves a gap where there is none."""
    return math.nan if number is None else number


def span(values: Iterable[float | None]) -> float:
    """Return how much of an axis lies around values that are all alike."""
    return max((abs(value) for value in values if not _missing(value) and math.isfinite(value)), default=0) or 2.0


def still(values: Iterable[float | None], scale: tuple[float, float] | None) -> list[float]:
    """Return the ends of the scale that values lie on which are all alike, nothing for others: their axis follows them."""
    known = {value for value in values if not _missing(value)}
    on_it = scale is not None and len(known) == 1 and scale[0] <= min(known) <= scale[1]
    return list(scale) if on_it else []  # type: ignore[arg-type]


def bar(percent: float | None) -> int:
    """Return a percentage as the length of a bar."""
    return 0 if _missing(percent) else round(percent)


def page_count(total: int, size: int) -> int:
    """Return how many pages of a size hold all rows; at least one."""
    return max(1, -(-total // size))


def pager_value(page: int, pages: int) -> int:
    """Return a page as the pager counts it, from 0 and never beyond the last."""
    return min(page, pages) - 1


def page_of(value: int) -> int:
    """Return the pager's position as a page, from 1."""
    return value + 1


def offset_of(page: int, size: int) -> int:
    """Return how many rows come before a page; pages count from 0."""
    return page * size


def rows_of(text: str) -> list[int]:
    """Return the numbers that a text such as `0-9, 12` names, or raise ValueError."""
    found: list[int] = []
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        found.extend(range(int(first), int(last) + 1) if dash else [int(first)])
    return found


def cell(thing: Any) -> Markup:
    """Return a cell of somebody's own data, as it is: numbers get no separators."""
    if thing is None or thing == "":
        return unknown("No value.")
    return clipped(written(thing), LONGEST_CELL)


def written(thing: Any) -> str:
    """Return a cell of somebody's own data as it is written into a form: a day or an amount without the quotes of JSON."""
    of_json = isinstance(thing, (bool, int, float, list, tuple, dict))
    return json.dumps(thing, ensure_ascii=False, default=str) if of_json else str("" if thing is None else thing)


def choices_of(annotation: Any) -> tuple[str, ...]:
    """Return the words that a Literal inside an annotation allows."""
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)
    return tuple(word for part in typing.get_args(annotation) for word in choices_of(part))


def _missing(value: float | None) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
