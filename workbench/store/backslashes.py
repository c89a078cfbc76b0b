"""Delimited text whose quotes are escaped by backslashes, told anew with quotes that are doubled."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.store.plain_text import Workplace

_CHUNK = 1 << 20


def without_backslashes(path: Path, work: Workplace, *, quote: str) -> Path | None:
    """Return the path of the same text without escapes, every other backslash kept; None: a quote is never escaped."""
    if not _escapes(path, quote):
        return None
    target, doubling = work.new(path.suffix), _Doubling(quote.encode())
    with path.open("rb") as reader, target.open("wb") as writer:
        while lines := reader.readlines(_CHUNK):
            writer.write(doubling.told(b"".join(lines)))
    return target


def _escapes(path: Path, quote: str) -> bool:
    escaped = f"\\{quote}".encode()
    with path.open("rb") as reader:
        while lines := reader.readlines(_CHUNK):
            if any(escaped in line for line in lines):
                return True
    return False


class _Doubling:
    """Rewrite text piece by piece; whether a quote is open goes on from one piece to the next."""

    def __init__(self, quote: bytes) -> None:
        self._quote, self._quoted = quote, False
        self._marks = re.compile(rb"\\[\\" + quote + rb"]|" + quote)

    def told(self, text: bytes) -> bytes:
        """Return the next piece, which ends with a line."""
        return self._marks.sub(self._mark, text)

    def _mark(self, found: re.Match[bytes]) -> bytes:
        mark = found[0]
        if mark == self._quote:
            self._quoted = not self._quoted
            return mark
        if mark == b"\\\\":
            return b"\\"
        return mark[1:] * 2 if self._quoted else mark[1:]
