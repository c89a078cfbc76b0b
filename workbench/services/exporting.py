"""Pairs for files in the shapes that trainers read: which ones, in which words, and how to make them again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.domain.generate import Export, ExportedFile, TrainingSheet
from workbench.domain.split import wanted_train
from workbench.engine.rows import BATCH_ROWS, write_rows
from workbench.errors import NotEligible
from workbench.services.figures import eligibility
from workbench.services.importing import slug_of
from workbench.services.rendering import literal
from workbench.store import Database
from workbench.store.parquet_tables import ParquetTables

COLUMNS = ("row_index", "item_ref", "prompt", "response", "response_source", "status")
BARRED = "(prohibited_mask & 2 = 2 or (allowed_mask is not null and allowed_mask & 2 = 0))"
# Prompts that differ in nothing but the space between their words are one prompt.
SAME = r"trim(regexp_replace(prompt, '[\s\x{0b}\x{1c}-\x{1f}\x{85}\p{Z}]+', ' ', 'g'))"
FROZEN = (*COLUMNS, "original_response", "labeled_by", "version", "simulated", f"{BARRED} as barred_from_validation")
SHAPES = {"csv": ("csv", ".csv"), "parquet": ("parquet", ".parquet"), "huggingface": ("dataset", "")}
PAIRS = "pairs.parquet"


@dataclass(frozen=True)
class ExportWish:
    """Say which pairs to write, in which shape."""

    format: str
    split: float | None
    seed: int
    include_unreviewed: bool
    spreadsheet_safe: bool


def freeze(db: Database, made: TrainingSheet, wish: ExportWish, folder: Path) -> int:
    """Write the pairs that match, as they are now, and return their number; refuse when there is none."""
    condition = _condition(wish)
    sql = f"select {', '.join(FROZEN)} from pair_rows where training_sheet_id = ? and {condition} order by row_index"
    with db.stream(sql, [made.id], batch_rows=BATCH_ROWS) as rows:
        total = write_rows(rows, folder / PAIRS)
    if not total:
        found = eligibility(db, made.id)
        wanted = "no eligible pair has an edited response" if wish.format == "preference" else "no pair matches"
        raise NotEligible(f"Nothing to export: {wanted}. {found.summary}", excluded=dict(found.excluded))
    if wish.split is not None:
        _refuse_undivided(folder)
    return total


def _refuse_undivided(folder: Path) -> None:
    """Refuse to divide frozen pairs of which none may go to the validation file, or none would be left to learn from."""
    groups = f"select bool_or(barred_from_validation) as bound from pair_rows group by {SAME}"
    with ParquetTables({"pair_rows": folder / PAIRS}) as tables:
        free, bound = tables.value(f"select [count(*) filter (where not bound), count(*) filter (where bound)] from ({groups})")
    if not free:
        why = "every pair is barred from validation, or shares its prompt with one that is"
        raise NotEligible(f"The pairs cannot be divided: {why}. Allow validation for some, or export without split.")
    if free + bound == 1:
        raise NotEligible("The pairs cannot be divided: all have the same prompt. Approve others too, or export without split.")


def count(db: Database, made: TrainingSheet, wish: ExportWish) -> int:
    """Return the number of pairs that match."""
    return int(db.value(f"select count(*) from pair_rows where training_sheet_id = ? and {_condition(wish)}", [made.id]))


def plan(made: TrainingSheet, wish: ExportWish, total: int) -> dict[str, Any]:
    """Return what to write of frozen pairs, as `export_files.write_files` wants it."""
    shape, ending = SHAPES.get(wish.format, ("lines", ".jsonl"))
    name = slug_of(made.name)
    listed = ", ".join(COLUMNS) if shape != "lines" else f"cast({_line_sql(made, wish.format)} as varchar)"
    first, files = [], {None: "true"}
    if wish.split is not None:
        first = _divided(wish.seed, wanted_train(total, wish.split))
        inside = "row_index in (select row_index from _train)"
        files = {"train": inside, "val": f"not {inside}"}
    order = " order by row_index" if wish.split is not None else ""
    joint = "/" if shape == "dataset" else "-"
    return {
        "first": first,
        "files": [
            {
                "name": f"{name}{joint + part if part else ''}{ending}",
                "shape": shape,
                "select": f"select {listed} from pair_rows where {condition}{order}",
                "safe": wish.spreadsheet_safe,
            }
            for part, condition in files.items()
        ],
        "dicts": {name: list(files)} if shape == "dataset" and wish.split is not None else {},
        "facts": {
            "reviewers": "select list_sort(list(distinct labeled_by)) from pair_rows where labeled_by is not null",
            "simulated": "select count(*) from pair_rows where simulated",
            "versions": "select sha256(string_agg(row_index || ':' || version, ',' order by row_index)) from pair_rows",
        },
    }


def _divided(seed: int, wanted: int) -> list[str]:
    """Return statements that choose the pairs to learn from, about as many as wanted.

    Those barred from validation come first, with all that have their prompt; then whole prompts follow in an order
    that the seed shuffles. One prompt that is free for validation is always left for it.
    """
    groups = f"select {SAME} as same, count(*) as pairs, bool_or(barred_from_validation) as bound from pair_rows group by 1"
    order = f"order by bound desc, md5('{seed}:' || same), same"
    placed = f"select same, bound, sum(pairs) over ({order}) - pairs as ahead, lead(same) over ({order}) is null as last"
    return [
        f"create table _learned as select same from ({placed} from ({groups})) where bound or (ahead < {wanted} and not last)",
        f"create table _train as select row_index from pair_rows where {SAME} in (select same from _learned)",
    ]


def publish(
    made: TrainingSheet, wish: ExportWish, written: dict[str, Any], source: Path, folder: Path, url: str, *, local: bool
) -> Export:
    """Move what was written to where it can be fetched, with its manifest; `local` callers are told the paths."""
    files = [
        ExportedFile(url=f"{url}/{file['name']}", path=str(folder / file["name"]) if local else None, **file)
        for file in written["files"]
    ]
    manifest = _manifest(made, wish, written)
    (source / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True), encoding="utf-8")
    folder.parent.mkdir(parents=True, exist_ok=True)
    source.rename(folder)
    return Export(files=files, manifest=manifest)


def _condition(wish: ExportWish) -> str:
    reviewed = "status in ('labeled', 'unlabeled')" if wish.include_unreviewed else "status = 'labeled'"
    told = "not is_blank(prompt) and not is_blank(response)"
    rights = "not stale and prohibited_mask & 1 = 0 and (allowed_mask is null or allowed_mask & 1 = 1)"
    edited = " and original_response <> response and not is_blank(original_response)" if wish.format == "preference" else ""
    return f"{reviewed} and {told} and {rights}{edited}"


def _object(**fields: str) -> str:
    return "{" + ", ".join(f"'{name}': {sql}" for name, sql in fields.items()) + "}"


def _line_sql(made: TrainingSheet, format: str) -> str:
    """Return SQL for one line in the shape that a format asks for."""
    told = made.template.system_instruction if made.template else None
    return f"to_json({_LINES[format](literal(told) if told else None)})"


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


_LINES: dict[str, Callable[[str | None], str]] = {
    "openai_chat": _chat,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "alpaca": _alpaca,
    "sharegpt": _sharegpt,
    "prompt_completion": _completion,
    "preference": _preference,
    "jsonl": _plain,
}


def _manifest(made: TrainingSheet, wish: ExportWish, written: dict[str, Any]) -> dict[str, Any]:
    plan = made.template
    return {
        "training_sheet_id": made.id,
        "training_sheet_name": made.name,
        "sheet_id": made.sheet_id,
        "template": {"id": made.template_id, "name": plan.name, "version": plan.template_version} if plan else None,
        "format": wish.format,
        "filter": "reviewed and unreviewed" if wish.include_unreviewed else "approved",
        "governance": "training allowed, not prohibited, not stale"
        + ("; none barred from validation in the validation file" if wish.split is not None else ""),
        "split": wish.split,
        "seed": wish.seed,
        "spreadsheet_safe": wish.spreadsheet_safe,
        "rows": written["rows"],
        "reviewers": written["facts"]["reviewers"] or [],
        "pair_versions_sha256": written["facts"]["versions"],
        "files": written["files"],
        "made_up_answers": written["facts"]["simulated"] or 0,
        "sample": made.sample,
    }
