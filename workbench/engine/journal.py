"""The job's journal: an append-only file of checksummed lines, the truth about one attempt.

A line is `crc32-of-body space body newline`; the body is compact JSON with a running number `n`, a
type `t` and a time `at` (seconds since the epoch). A reader that keeps (offset, seq) takes every
whole line exactly once.
"""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

FILE_NAME = "journal.log"
FLUSH_SECONDS = 0.05
FLUSH_POINTS = 1000
READ_BYTES = 4 << 20
MOST_LINES = 2**63 - 1


class Journal:
    """Append records; measured points are gathered for a moment, all else is written at once."""

    def __init__(self, folder: Path) -> None:
        self._file: BinaryIO = (folder / FILE_NAME).open("ab", buffering=0)
        self._lock = threading.Lock()
        self._seq = 0
        self._torn = False
        self._points: list[tuple[str, int, float, int | None, float]] = []
        self._flushed = time.monotonic()

    @property
    def seq(self) -> int:
        """Return the number of the latest line."""
        return self._seq

    def append(self, type_: str, **body: Any) -> int:
        """Write one record at once, after the points gathered before it, and return its number."""
        with self._lock:
            self._write_points()
            return self._write({"t": type_, **body})

    def point(self, name: str, step: int, value: float, epoch: int | None = None) -> None:
        """Gather one measured point; it reaches the file within about a tenth of a second."""
        now = time.time()
        with self._lock:
            self._points.append((name, step, value, epoch, now))
            if len(self._points) >= FLUSH_POINTS or time.monotonic() - self._flushed >= FLUSH_SECONDS:
                self._write_points()

    def flush(self) -> None:
        """Write the points gathered so far."""
        with self._lock:
            self._write_points()

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        self._file.close()

    def _write_points(self) -> None:
        self._flushed = time.monotonic()
        if self._points:
            # Where the disk is full they stay, for the next try.
            self._write({"t": "metrics", "rows": self._points})
            self._points = []

    def _write(self, body: dict[str, Any]) -> int:
        line = encode({"n": self._seq + 1, "at": time.time(), **body})
        if self._torn:
            line = b"\n" + line
        self._torn = True
        while line:
            line = line[self._file.write(line) :]
        self._torn = False
        self._seq += 1
        return self._seq


def encode(body: dict[str, Any]) -> bytes:
    """Return one line of the journal."""
    text = json.dumps(body, separators=(",", ":"), default=str).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(line: bytes) -> dict[str, Any] | None:
    """Return the record of one whole line, or None where the checksum or the JSON is wrong."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    try:
        if len(checksum) != 8 or int(checksum, 16) != zlib.crc32(text):
            return None
        body = load(text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and isinstance(body.get("n"), int) and body["n"] <= MOST_LINES else None


def load(text: bytes) -> Any:
    """Return JSON that a child wrote; half a character, which no database keeps, becomes a question mark."""
    found = json.loads(text.decode("utf-8", "replace"))
    if b"\\ud" in text.lower():
        found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    return found


@dataclass(frozen=True)
class Batch:
    """Some whole lines and the place to go on from."""

    records: list[dict[str, Any]] = field(default_factory=list)
    offset: int = 0
    seq: int = 0
    damaged: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.records or self.damaged)


def read(folder: Path, offset: int = 0, seq: int = 0, *, limit: int = READ_BYTES) -> Batch:
    """Return the whole lines after `offset` that are newer than `seq`.

    A damaged line is skipped and its offset reported; a torn last line waits to be completed.
    """
    chunk = _bytes_from(folder / FILE_NAME, offset, limit)
    records: list[dict[str, Any]] = []
    damaged: list[int] = []
    for start, line in _whole_lines(chunk, offset):
        record = decode(line)
        offset = start + len(line)
        if record is None:
            damaged.append(start)
        elif record["n"] > seq:
            seq = record["n"]
            records.append(record)
    return Batch(records, offset, seq, damaged)


def size(folder: Path) -> int:
    """Return the bytes of the journal, 0 before the first line."""
    try:
        return (folder / FILE_NAME).stat().st_size
    except FileNotFoundError:
        return 0


def _bytes_from(path: Path, offset: int, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            chunk = file.read(limit)
            while len(chunk) >= limit and b"\n" not in chunk:
                more = file.read(limit)
                if not more:
                    break
                chunk += more
            return chunk
    except FileNotFoundError:
        return b""


def _whole_lines(chunk: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    start = 0
    while (end := chunk.find(b"\n", start)) >= 0:
        yield offset + start, chunk[start : end + 1]
        start = end + 1
