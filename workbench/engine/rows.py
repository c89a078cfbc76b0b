"""What runs in the process of a job that moves rows: read a source, or ask Parquet files, and write the answer.

The owner gives files and SQL; this process knows neither the workspace nor what the rows mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.contract.codec import known_total
from workbench.engine.child import JobContext
from workbench.engine.handover import made
from workbench.store.reader import read_source

ROWS = "rows.parquet"


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
    source = told.pop("source")
    write_rows(context, read_source(source if told.get("kind") == "url" else given / source, **told), target)
    return {}


def write_rows(context: JobContext, rows: pa.Table | pa.RecordBatchReader, path: Path) -> int:
    """Write rows as Parquet, batch by batch, and tell how many there are so far."""
    total, done = known_total(rows.schema), 0
    with pq.ParquetWriter(path, rows.schema, compression="lz4", use_dictionary=False, write_statistics=False) as writer:
        for batch in rows.to_batches(max_chunksize=50_000) if isinstance(rows, pa.Table) else rows:
            context.check()
            writer.write_batch(batch)
            done += batch.num_rows
            context.progress(done, total, "Reading rows", step="reading")
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
        yield from file.iter_batches(batch_size=50_000)
