"""Files of an export: lines, tables and data sets, the same bytes whenever the same rows are written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.store.parquet_tables import ParquetTables

BATCH_ROWS = 20_000
GROUP_ROWS = 50_000
Tell = Callable[[int], None]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_DATA = "data-00000-of-00001.arrow"


def write_files(tables: ParquetTables, plan: dict[str, Any], folder: Path, tell: Tell = lambda done: None) -> dict[str, Any]:
    """Write the files of a plan into `folder` and return them, with the plan's facts about the rows.

    A plan holds `first` (statements), `files` ({name, shape, select, safe}) and `facts` (name -> SELECT of one value).
    """
    for statement in plan["first"]:
        tables.run(statement)
    done, files = 0, []
    for file in plan["files"]:
        with tables.stream(file["select"], batch_rows=BATCH_ROWS) as rows:
            counted = _counted(rows, lambda count, before=done: tell(before + count))
            path = folder / file["name"]
            count = _WRITERS[file["shape"]](counted, path, bool(file["safe"]))
        done += count
        written = sorted(path.rglob("*")) if path.is_dir() else [path]
        files += [_described(one, folder, count) for one in written if one.is_file()]
    files += [_described(_dataset_dict(folder, name, parts), folder, 0) for name, parts in plan["dicts"].items()]
    return {"files": files, "rows": done, "facts": {name: tables.value(sql) for name, sql in plan["facts"].items()}}


def _described(path: Path, folder: Path, rows: int) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    holds = rows if path.suffix != ".json" else 0
    return {"name": path.relative_to(folder).as_posix(), "rows": holds, "size": path.stat().st_size, "sha256": digest}


def _counted(rows: pa.RecordBatchReader, tell: Tell) -> pa.RecordBatchReader:
    def batches() -> Iterator[pa.RecordBatch]:
        count = 0
        for batch in rows:
            yield batch
            count += batch.num_rows
            tell(count)

    return pa.RecordBatchReader.from_batches(rows.schema, batches())


def _write_lines(rows: pa.RecordBatchReader, path: Path, safe: bool) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for batch in rows:
            lines = batch.column(0).to_pylist()
            file.write("\n".join(lines) + "\n" if lines else "")
            count += len(lines)
    return count


def _write_csv(rows: pa.RecordBatchReader, path: Path, safe: bool) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(rows.schema.names)
        for batch in rows:
            cells = [[_safe(v) for v in column.to_pylist()] if safe else column.to_pylist() for column in batch.columns]
            buffer = io.StringIO()
            csv.writer(buffer).writerows(zip(*cells, strict=True))
            file.write(buffer.getvalue())
            count += batch.num_rows
    return count


def _safe(value: Any) -> Any:
    """Keep a spreadsheet from running a cell as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _write_parquet(rows: pa.RecordBatchReader, path: Path, safe: bool) -> int:
    count = 0
    with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
        for group in _groups(rows):
            writer.write_table(group, row_group_size=GROUP_ROWS)
            count += group.num_rows
    return count


def _groups(rows: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Yield tables of one size, however the rows arrive: equal rows make equal bytes."""
    held = pa.Table.from_batches([], rows.schema)
    for batch in rows:
        held = pa.concat_tables([held, pa.Table.from_batches([batch])])
        while held.num_rows >= GROUP_ROWS:
            yield held.slice(0, GROUP_ROWS).combine_chunks()
            held = held.slice(GROUP_ROWS)
    if held.num_rows:
        yield held.combine_chunks()


def _write_dataset(rows: pa.RecordBatchReader, path: Path, safe: bool) -> int:
    """Write a folder as `datasets` saves one to disk."""
    path.mkdir(parents=True)
    features = {field.name: {"dtype": str(field.type), "_type": "Value"} for field in rows.schema}
    schema = rows.schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    count = 0
    with pa.OSFile(str(path / _DATA), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for group in _groups(rows):
            writer.write_table(group.replace_schema_metadata(schema.metadata))
            count += group.num_rows
    with (path / _DATA).open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    state = {"_data_files": [{"filename": _DATA}], "_fingerprint": fingerprint, "_format_columns": None, "_format_kwargs": {}}
    state |= {"_format_type": None, "_output_all_columns": False, "_split": None}
    info = {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}
    for name, told in (("state.json", state), ("dataset_info.json", info)):
        (path / name).write_text(json.dumps(told, indent=2, sort_keys=True), encoding="utf-8")
    return count


def _dataset_dict(folder: Path, name: str, parts: list[str]) -> Path:
    path = folder / name / "dataset_dict.json"
    path.write_text(json.dumps({"splits": parts}), encoding="utf-8")
    return path


_WRITERS: dict[str, Callable[[pa.RecordBatchReader, Path, bool], int]] = {
    "lines": _write_lines,
    "csv": _write_csv,
    "parquet": _write_parquet,
    "dataset": _write_dataset,
}
