"""What runs in the process of a generation job: read prompts, ask the provider, keep the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.providers import Answer, Provider, Request, provider

PROMPTS = "prompts.parquet"
ANSWERS = "answers.parquet"
CHUNK = 64
SHOWN_ERRORS = 100
SCHEMA = pa.schema(
    [
        ("row_index", pa.int64()),
        ("version", pa.int64()),
        ("response", pa.string()),
        ("confidence", pa.float64()),
        ("error", pa.string()),
    ]
)


def generate(context: Any) -> dict[str, Any]:
    """Answer every prompt of the folder; a stop keeps what was answered so far."""
    asked = pq.read_table(context.folder / PROMPTS).to_pylist()
    writer = provider(context.inputs["provider"])
    rows: list[dict[str, Any]] = []
    spent = {"tokens_in": 0, "tokens_out": 0, "cost": 0.0}
    for start in range(0, len(asked), CHUNK):
        context.check()
        if context.should_stop():
            break
        rows += _answered(writer, asked[start : start + CHUNK], context.inputs, spent)
        context.progress(len(rows), len(asked), step="generating")
    failed = [row for row in rows if row["error"] is not None]
    with context.checkpoint(ANSWERS) as path:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), Path(path))
    return {
        "generated_count": len(rows) - len(failed),
        "failed_count": len(failed),
        "errors": [{"row_index": row["row_index"], "error": row["error"]} for row in failed[:SHOWN_ERRORS]],
        "simulated": bool(writer.simulated),
        **spent,
    }


def _answered(
    writer: Provider, asked: list[dict[str, Any]], inputs: dict[str, Any], spent: dict[str, Any]
) -> list[dict[str, Any]]:
    requests = [
        Request(
            prompt=row["prompt"],
            system=inputs["system"],
            model=inputs["model"],
            temperature=inputs["temperature"],
            max_tokens=inputs["max_tokens"],
            choices=tuple(inputs["choices"]),
            examples=tuple((one["prompt"], one["response"]) for one in inputs["examples"]),
        )
        for row in asked
    ]
    return [_row(row, answer, spent) for row, answer in zip(asked, writer.answer(requests), strict=True)]


def _row(row: dict[str, Any], answer: Answer | Exception, spent: dict[str, Any]) -> dict[str, Any]:
    place = {"row_index": row["row_index"], "version": row["version"]}
    if isinstance(answer, Exception):
        return {**place, "response": None, "confidence": None, "error": f"{type(answer).__name__}: {answer}"}
    for name in spent:
        spent[name] += getattr(answer, name)
    return {**place, "response": answer.text, "confidence": answer.confidence, "error": None}
