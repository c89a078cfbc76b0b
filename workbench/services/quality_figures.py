"""Counts, examples and plots of the signals of a scan, in a few queries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.domain.quality import PII_WORDS, QualityBar, QualityExample, QualityFinding, QualityPlot
from workbench.services.signal_filter import conditions
from workbench.store import Database

EXAMPLES = 3
SHOWN_TEXT = 160
BARS = 16
SHOWN_LANGUAGES = 12
SHORT = 10
FINDINGS = (
    ("exact_duplicates", "Exact duplicates", ("duplicates:1..",)),
    ("near_duplicates", "Near duplicates", ("near_duplicates:1..",)),
    ("empty", "Empty", ("length:0",)),
    ("short", "Very short", (f"length:1..{SHORT}",)),
    ("long", "Very long", ("length:8000..",)),
    ("leakage", "Answer already in the prompt", ("leakage:0.95..",)),
    ("refusal", "Declines to answer", ("refusal:true",)),
    ("repetition", "Repeats itself", ("repetition:0.5..",)),
    ("outliers", "Unlike the others", ("outlier:4..",)),
    *((f"pii_{kind}", word, (f"pii_kinds:{kind}",)) for kind, word in PII_WORDS.items()),
)


def unlike(answers: Iterable[str]) -> dict[str, str]:
    """Return what else has to be true of the findings where answers are asked for that are short: to be one of them is no fault."""
    short = sorted({answer for answer in answers if 0 < len(answer) <= SHORT})
    listed = ", ".join("'" + answer.replace("'", "''") + "'" for answer in short)
    return {"short": f"response not in ({listed})"} if short else {}


@dataclass(frozen=True)
class Signed:
    """Name the rows, each a `thing`, with signals: `sql` returns row_index, subject and a column each, `text` the text of row x.

    `besides` holds what else has to be true for a finding, by its name, as SQL over the columns.
    """

    sql: str
    params: list[Any]
    text: str
    total: int
    thing: str = "row"
    besides: Mapping[str, str] = field(default_factory=dict)


def nothing() -> dict[str, Any]:
    """Return the figures of no scan."""
    return {"scanned": 0, "findings": [], "plots": [], "pii": 0}


def figures(db: Database, signed: Signed) -> dict[str, Any]:
    """Return the number of rows, findings with examples, and plots."""
    besides = signed.besides
    tests = {name: " and ".join([_plain(texts), *(sql for of, sql in besides.items() if of == name)]) for name, _, texts in FINDINGS}
    counts = ", ".join(f"count(*) filter (where {sql}) as {name}" for name, sql in tests.items())
    found = db.row(
        f"select count(*) as scanned, count(*) filter (where pii > 0) as pii, {counts} from ({signed.sql})", signed.params
    )
    assert found is not None
    scanned = found["scanned"]
    findings = [
        QualityFinding(name=name, label=label, count=found[name], share=found[name] / scanned, signals=texts,
                       where=besides.get(name), examples=_examples(db, signed, tests[name]))
        for name, label, texts in FINDINGS
        if found[name]
    ]  # fmt: skip
    findings.sort(key=lambda one: -one.count)
    return {"scanned": scanned, "pii": found["pii"], "findings": findings, "plots": _plots(db, signed) if scanned else []}


def _plain(texts: tuple[str, ...]) -> str:
    """Return conditions as SQL with their values written out; they are ours, not a caller's."""
    parts, values = conditions(texts, column=str)
    sql = " and ".join(parts)
    for name, value in values.items():
        sql = sql.replace(f"${name}", repr(value))
    return sql


def _examples(db: Database, signed: Signed, condition: str) -> list[QualityExample]:
    rows = db.tuples(
        f"select x.row_index, left({signed.text}, {SHOWN_TEXT}) from (select row_index, subject from ({signed.sql}) where {condition} "
        f"order by row_index limit {EXAMPLES}) x order by x.row_index",
        signed.params,
    )
    return [QualityExample(row_index=index, text=text or "") for index, text in rows]


def _plots(db: Database, signed: Signed) -> list[QualityPlot]:
    return [
        _histogram(db, signed, "concern", "Concern", 0.0, 1.0),
        _histogram(db, signed, "length", "Characters"),
        _languages(db, signed),
        _histogram(db, signed, "repetition", "Repetition", 0.0, 1.0),
        _histogram(db, signed, "outlier", "Unlike the others, deviations"),
    ]


def _histogram(
    db: Database, signed: Signed, name: str, label: str, low: float | None = None, high: float | None = None
) -> QualityPlot:
    """Return a histogram up to the 99th percentile; the last bar takes what lies beyond."""
    if low is None or high is None:
        found = db.tuples(f"select min({name}), quantile_cont({name}, 0.99), max({name}) from ({signed.sql})", signed.params)[0]
        low, high = float(found[0]), float(found[1] if found[1] > found[0] else found[2])
    width = (high - low) / BARS or 1.0
    if name == "length":
        low, width = float(int(low)), float(max(1, math.ceil(width)))
    counts = dict(
        db.tuples(
            f"select greatest(0, least({BARS - 1}, floor(({name} - {low}) / {width})))::int, count(*) from ({signed.sql}) "
            f"where {name} is not null group by 1",
            signed.params,
        )
    )
    top = max(counts.values(), default=1)
    bars = []
    for place in range(max(counts, default=0) + 1):
        start, end, last = low + place * width, low + (place + 1) * width, place == BARS - 1
        told = f"{start:.6g}.." if last else f"{start:.6g}..{end:.6g}"
        words = f"{start:.4g} and more" if last else f"{start:.4g} to {end:.4g}"
        count = counts.get(place, 0)
        bars.append(QualityBar(label=words, count=count, height=count / top, signals=[f"{name}:{told}"]))
    return QualityPlot(name=name, label=label, bars=bars)


def _languages(db: Database, signed: Signed) -> QualityPlot:
    found = db.tuples(
        f"select language, count(*) from ({signed.sql}) where language is not null group by 1 order by 2 desc, 1 limit {SHOWN_LANGUAGES}",
        signed.params,
    )
    top = found[0][1] if found else 1
    bars = [QualityBar(label=name, count=count, height=count / top, signals=[f"language:{name}"]) for name, count in found]
    return QualityPlot(name="language", label="Language", bars=bars)
