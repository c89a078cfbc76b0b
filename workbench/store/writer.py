"""Write rows to a file that is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from workbench.store.scratch import scratch, text_literal

Rows = pa.Table | pa.RecordBatchReader


def write_parquet(rows: Rows, path: str | Path) -> int:
    """Write a Parquet file and return the number of rows."""
    return _write(rows, Path(path), "format parquet, compression zstd")


def write_csv(rows: Rows, path: str | Path, *, delimiter: str = ",") -> int:
    """Write a CSV file with a header and return the number of rows."""
    return _write(rows, Path(path), f"format csv, header true, delimiter {text_literal(delimiter)}")


def write_jsonl(rows: Rows, path: str | Path) -> int:
    """Write one JSON object a line and return the number of rows."""
    return _write(rows, Path(path), "format json, array false")


def _write(rows: Rows, path: Path, options: str) -> int:
    part = path.with_name(f".{path.name}.part")
    try:
        with scratch() as cursor:
            cursor.register("_outgoing", rows)
            copied = cursor.execute(f"copy (select * from _outgoing) to {text_literal(str(part))} ({options})").fetchall()
            cursor.unregister("_outgoing")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return copied[0][0]
