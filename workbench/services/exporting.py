"""Pairs written to files in the shapes that trainers read, with a manifest to make them again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.domain.generate import Export, ExportedFile, TrainingSheet
from workbench.domain.split import wanted_train
from workbench.errors import NotEligible
from workbench.services.figures import eligibility
from workbench.services.importing import slug_of
from workbench.services.rendering import literal
from workbench.store import Database

COLUMNS = ("row_index", "item_ref", "prompt", "response", "response_source", "status")
ENDINGS = {"csv": "csv", "parquet": "parquet"}
BATCH_ROWS = 20_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class ExportWish:
    """Say which pairs to write, in which shape."""

    format: str
    split: float | None
    seed: int
    include_unreviewed: bool
    spreadsheet_safe: bool


def write(db: Database, made: TrainingSheet, wish: ExportWish, folder: Path, url: str) -> Export:
    """Write the files and the manifest into a new folder."""
    condition = _condition(wish)
    total = db.value(f"select count(*) from pair_rows where training_sheet_id = ? and {condition}", [made.id])
    if not total:
        found = eligibility(db, made.id)
        raise NotEligible(f"Nothing to export: no pair matches. {found.summary}", excluded=dict(found.excluded))
    folder.mkdir(parents=True)
    files = [_write_part(db, made, wish, condition, total, part, folder, url) for part in _parts(wish)]
    manifest = _manifest(db, made, wish, condition, files)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True), encoding="utf-8")
    return Export(files=files, manifest=manifest)


def _parts(wish: ExportWish) -> tuple[str | None, ...]:
    return (None,) if wish.split is None else ("train", "val")


def _condition(wish: ExportWish) -> str:
    reviewed = "status in ('labeled', 'unlabeled') and trim(response) <> ''" if wish.include_unreviewed else "status = 'labeled'"
    rights = "not stale and prohibited_mask & 1 = 0 and (allowed_mask is null or allowed_mask & 1 = 1)"
    edited = " and original_response <> response and trim(original_response) <> ''" if wish.format == "preference" else ""
    return f"{reviewed} and {rights}{edited}"


def _rows_sql(made: TrainingSheet, wish: ExportWish, condition: str, total: int, part: str | None) -> str:
    """Return SQL for the rows of one part; pairs with one prompt never end up on both sides."""
    rows = f"select * from pair_rows where training_sheet_id = {literal(made.id)} and {condition}"
    if part is None:
        return f"{rows} order by row_index"
    cut = wanted_train(total, wish.split or 0)
    ranked = f"select *, rank() over (order by md5('{wish.seed}:' || prompt), prompt) as _rank from ({rows})"
    return f"select * from ({ranked}) where _rank {'<=' if part == 'train' else '>'} {cut} order by row_index"


def _write_part(
    db: Database, made: TrainingSheet, wish: ExportWish, condition: str, total: int, part: str | None, folder: Path, url: str
) -> ExportedFile:
    name = f"{slug_of(made.name)}{'-' + part if part else ''}.{ENDINGS.get(wish.format, 'jsonl')}"
    rows = _rows_sql(made, wish, condition, total, part)
    path = folder / name
    count = _WRITERS.get(wish.format, _write_lines)(db, made, wish, rows, path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportedFile(name=name, url=f"{url}/{name}", rows=count, sha256=digest)


def _batches(db: Database, sql: str) -> Iterator[pa.RecordBatch]:
    with db.stream(sql, batch_rows=BATCH_ROWS) as reader:
        yield from reader


def _write_lines(db: Database, made: TrainingSheet, wish: ExportWish, rows: str, path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for batch in _batches(db, f"select cast({_line_sql(made, wish.format)} as varchar) from ({rows}) order by row_index"):
            lines = batch.column(0).to_pylist()
            file.write("\n".join(lines) + "\n" if lines else "")
            count += len(lines)
    return count


def _write_csv(db: Database, made: TrainingSheet, wish: ExportWish, rows: str, path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(COLUMNS)
        for batch in _batches(db, f"select {', '.join(COLUMNS)} from ({rows}) order by row_index"):
            cells = [
                [_safe(v) for v in column.to_pylist()] if wish.spreadsheet_safe else column.to_pylist()
                for column in batch.columns
            ]
            buffer = io.StringIO()
            csv.writer(buffer).writerows(zip(*cells, strict=True))
            file.write(buffer.getvalue())
            count += batch.num_rows
    return count


def _safe(value: Any) -> Any:
    """Keep a spreadsheet from running a cell as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _write_parquet(db: Database, made: TrainingSheet, wish: ExportWish, rows: str, path: Path) -> int:
    count = 0
    with db.stream(f"select {', '.join(COLUMNS)} from ({rows}) order by row_index", batch_rows=BATCH_ROWS) as reader:
        with pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
                count += batch.num_rows
    return count


_WRITERS: dict[str, Callable[[Database, TrainingSheet, ExportWish, str, Path], int]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
}


def _object(**fields: str) -> str:
    return "{" + ", ".join(f"'{name}': {sql}" for name, sql in fields.items()) + "}"


def _line_sql(made: TrainingSheet, format: str) -> str:
    """Return SQL for one line in the shape that a format asks for."""
    told = made.template.system_instruction if made.template else None
    return f"to_json({_SHAPES[format](literal(told) if told else None)})"


def _chat(system: str | None) -> str:
    turns = [("'system'", system)] if system else []
    turns += [("'user'", "prompt"), ("'assistant'", "response")]
    return _object(messages="[" + ", ".join(_object(role=role, content=text) for role, text in turns) + "]")


def _sharegpt(system: str | None) -> str:
    turns = [("'system'", system)] if system else []
    turns += [("'human'", "prompt"), ("'gpt'", "response")]
    return _object(conversations="[" + ", ".join(_object(**{"from": who, "value": text}) for who, text in turns) + "]")


def _anthropic(system: str | None) -> str:
    return _object(**({"system": system} if system else {}), prompt="prompt", completion="response")


def _gemini(system: str | None) -> str:
    def parts(text: str) -> str:
        return f"[{_object(text=text)}]"

    turns = ", ".join(_object(role=role, parts=parts(text)) for role, text in (("'user'", "prompt"), ("'model'", "response")))
    told = {"systemInstruction": _object(parts=parts(system))} if system else {}
    return _object(**told, contents=f"[{turns}]")


def _alpaca(system: str | None) -> str:
    return _object(instruction=system or "prompt", input="prompt" if system else "''", output="response")


def _completion(system: str | None) -> str:
    return _object(prompt=f"{system} || chr(10) || chr(10) || prompt" if system else "prompt", completion="response")


def _preference(system: str | None) -> str:
    prompt = f"{system} || chr(10) || chr(10) || prompt" if system else "prompt"
    return _object(prompt=prompt, chosen="response", rejected="original_response")


def _plain(_system: str | None) -> str:
    return _object(**{name: name for name in COLUMNS})


_SHAPES: dict[str, Callable[[str | None], str]] = {
    "openai_chat": _chat,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "alpaca": _alpaca,
    "sharegpt": _sharegpt,
    "prompt_completion": _completion,
    "preference": _preference,
    "jsonl": _plain,
}


def _manifest(db: Database, made: TrainingSheet, wish: ExportWish, condition: str, files: list[ExportedFile]) -> dict[str, Any]:
    reviewers = db.tuples(
        f"select distinct labeled_by from pair_rows where training_sheet_id = ? and {condition} and labeled_by is not null order by 1",
        [made.id],
    )
    plan = made.template
    return {
        "training_sheet_id": made.id,
        "training_sheet_name": made.name,
        "sheet_id": made.sheet_id,
        "template": {"id": made.template_id, "name": plan.name, "version": plan.template_version} if plan else None,
        "format": wish.format,
        "filter": "reviewed and unreviewed" if wish.include_unreviewed else "approved",
        "governance": "training allowed, not prohibited, not stale",
        "split": wish.split,
        "seed": wish.seed,
        "rows": sum(file.rows for file in files),
        "reviewers": [row[0] for row in reviewers],
        "files": [{"name": file.name, "rows": file.rows, "sha256": file.sha256} for file in files],
        "sample": made.sample,
    }
