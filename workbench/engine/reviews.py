"""What runs in the process of a job that brings reviews in: read the records, write cells and reviews, say what they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.domain.wording import grouped
from workbench.engine.child import JobContext
from workbench.engine.handover import made
from workbench.store.json_records import JsonRecords
from workbench.store.review_reading import Reading, read_reviews

TOLD = "told.parquet"


class GivenRecords:
    """Iterate over records that came with a call; the owner wrote each as a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self._path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def count(self) -> int:
        """Return how many there are."""
        with self._path.open("rb") as lines:
            return sum(1 for _ in lines)


def read(context: JobContext) -> dict[str, Any]:
    """Read the records of a source twice and write what they tell."""
    told = context.inputs

    context.progress(0, None, "Looking at the records", step="looking")
    records = _records(Path(told["given"]), told["from"])
    expected = records.count()

    def tell(done: int, count: int | None) -> None:
        context.check()
        if count is None:
            context.progress(done // 2, expected, f"Looked at {grouped(done)} records", step="looking")
        else:
            # To look at a record and to read it takes about as long.
            words = f"Read {grouped(done)} of {grouped(count)} records"
            context.progress((count + done) // 2, count, words, step="reading")

    return asdict(read_reviews(records, made(context.folder) / TOLD, **told["reviews"], tell=tell))


def _records(given: Path, source: Mapping[str, Any]) -> GivenRecords | JsonRecords:
    if "lines" in source:
        return GivenRecords(given / source["lines"])
    if "frame" in source:
        return JsonRecords(given / source["frame"], name=source["frame"])
    told = dict(source)
    return JsonRecords(given / told.pop("source"), **told)


def told_by(attempt: Path, result: Mapping[str, Any]) -> tuple[Reading, Path]:
    """Return what an attempt read, and the file that it wrote."""
    return Reading(**{name: result[name] for name in Reading.__dataclass_fields__}), made(attempt) / TOLD
