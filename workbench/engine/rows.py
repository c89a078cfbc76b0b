"""What runs in the process of a job that moves rows: read a source, or ask Parquet files, and write the answer.

The owner gives files and SQL; this process knows neither the workspace nor what the rows mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.contract.codec import known_total
from workbench.engine.child import JobContext
from workbench.engine.handover import made
from workbench.store.export_files import write_files
from workbench.store.parquet_tables import ParquetTables
from workbench.store.reader import read_source

ROWS = "rows.parquet"
BATCH_ROWS = 20_000


def read(context: JobContext) -> dict[str, Any]:
    """Read a source to its end, every row checked, and write its rows."""
    told = dict(context.inputs)
    given, target = Path(told.pop("given")), made(context.folder) / ROWS
    if "copy_of" in told:
        return {}
    if "frame" in told:
        (given / told["frame"]).rename(target)
        return {}
    context.progress(0, None, "Checking every row", step="checking")
    source = (given / told.pop("address")).read_text(encoding="utf-8") if "address" in told else given / told.pop("source")
    rows = read_source(source, **told)
    write_rows(rows, target, _teller(context, known_total(rows.schema), "reading"))
    return {}


def answer(context: JobContext) -> dict[str, Any]:
    """Ask one question of the given tables and write the rows of the answer."""
    told = context.inputs
    with ParquetTables(_given(told), prelude=told["prelude"], threads=context.threads) as tables:
        with tables.stream(told["select"], told["params"], batch_rows=BATCH_ROWS) as rows:
            count = write_rows(rows, made(context.folder) / ROWS, _teller(context, told["total"], told["step"]))
    return {"rows": count}


def export(context: JobContext) -> dict[str, Any]:
    """Write the files of an export."""
    told = context.inputs
    with ParquetTables(_given(told), threads=context.threads) as tables:
        return write_files(tables, told["plan"], made(context.folder), _teller(context, told["total"], "writing"))


def _given(told: dict[str, Any]) -> dict[str, Path]:
    return {name: Path(told["given"]) / file for name, file in told["tables"].items()}


def _teller(context: JobContext, total: int | None, step: str) -> Callable[[int], None]:
    def tell(done: int) -> None:
        context.check()
        context.progress(done, total, f"{step.capitalize()} rows", step=step)

    return tell


def write_rows(rows: pa.Table | pa.RecordBatchReader, path: Path, tell: Callable[[int], None] | None = None) -> int:
    """Write rows as Parquet, batch by batch, and tell how many there are so far."""
    done = 0
    with pq.ParquetWriter(path, rows.schema, compression="lz4", use_dictionary=False, write_statistics=False) as writer:
        for batch in rows.to_batches(max_chunksize=BATCH_ROWS) if isinstance(rows, pa.Table) else rows:
            writer.write_batch(batch)
            done += batch.num_rows
            if tell is not None:
                tell(done)
    return done


def rows_made(attempt: Path) -> pa.RecordBatchReader:
    """Return the rows that an attempt wrote, batch by batch."""
    return rows_of(made(attempt) / ROWS)


def rows_of(path: Path) -> pa.RecordBatchReader:
    """Return the rows of a file that `write_rows` wrote, batch by batch."""
    file = pq.ParquetFile(path, memory_map=True)
    return pa.RecordBatchReader.from_batches(file.schema_arrow, _batches(file))


def _batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    with file:
        yield from file.iter_batches(batch_size=BATCH_ROWS)
