"""Make a text file readable: unpacked, UTF-8, checked to the last byte."""

from __future__ import annotations

import codecs
import gzip
import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from workbench.errors import FileTooLarge, InvalidFileType, ValidationError

_CHUNK = 1 << 20
_LARGEST_UNPACKED = 16 << 30
_SMALL_ENOUGH = 64 << 20
_WORST_RATIO = 200
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
PACKED = (".gz", ".zst")
_GLOB = re.compile(r"[*?\[\]{}]")


class Workplace:
    """Keep temporary files until nobody needs them any more."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0

    def new(self, suffix: str) -> Path:
        """Return the path of a temporary file that does not exist yet."""
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="workbench-")
        self._count += 1
        return Path(self._folder.name) / f"{self._count}{suffix}"


def literal_path(path: Path, work: Workplace) -> Path:
    """Return a path without characters that DuckDB would read as a pattern."""
    if not _GLOB.search(str(path)):
        return path
    link = work.new(path.suffix)
    link.symlink_to(path.absolute())
    return link


def unpacked(path: Path, work: Workplace, *, name: str) -> Path:
    """Return the path of the unpacked content of a .gz or .zst file; other files stay as they are."""
    ending = Path(name).suffix.lower()
    if ending not in PACKED:
        return path
    target = work.new(Path(Path(name).stem).suffix)
    packed, count = path.stat().st_size, 0
    try:
        with unpacking(path, ending) as reader, target.open("wb") as writer:
            while chunk := reader.read(_CHUNK):
                count += len(chunk)
                if count > _LARGEST_UNPACKED or (count > _SMALL_ENOUGH and count > packed * _WORST_RATIO):
                    raise FileTooLarge(
                        f"{name} unpacks to more than {_WORST_RATIO} times its size and was not read. "
                        "Unpack it yourself if you trust it, and import the content."
                    )
                writer.write(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error, pa.ArrowException, OSError) as error:
        reason = str(error) or "it ends too early"
        raise InvalidFileType(f"{name} is not a whole {ending} file: {reason}. Pack it again, or import it unpacked.") from error
    return target


def unpacking(path: Path, ending: str) -> Any:
    """Open a packed file to read what is in it."""
    return gzip.open(path, "rb") if ending == ".gz" else pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


def as_utf8(path: Path, work: Workplace, *, name: str, encoding: str | None = None) -> Path:
    """Return the path of the same text in UTF-8, or name the place of the first byte that is not text."""
    with path.open("rb") as file:
        head = file.read(4096)
    used = encoding or _encoding(head)
    if _canonical(used, name) == "utf-8":
        with path.open("rb") as file:
            _check(file, "utf-8", name, given=encoding is not None)
        return path
    target = work.new(path.suffix)
    with path.open("rb") as file, target.open("w", encoding="utf-8", newline="") as writer:
        for text in _decoded(file, used, name, given=encoding is not None):
            writer.write(text)
    return target


def _encoding(head: bytes) -> str:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if len(head) >= 4 and head[1::2].count(0) > 0.7 * len(head[1::2]):
        return "utf-16-le"
    if len(head) >= 4 and head[::2].count(0) > 0.7 * len(head[::2]):
        return "utf-16-be"
    return "utf-8"


def _canonical(encoding: str, name: str) -> str:
    try:
        return codecs.lookup(encoding).name.replace("utf-8-sig", "utf-8")
    except LookupError:
        raise ValidationError.field("encoding", f"{encoding!r} is not an encoding. Try utf-8, cp1252 or utf-16", name) from None


def _check(file: BinaryIO, encoding: str, name: str, *, given: bool) -> None:
    for text in _decoded(file, encoding, name, given=given):
        if "\0" in text:
            raise InvalidFileType(f"{name} holds zero bytes and is no text file. Import it under its true file type.")


def _decoded(file: BinaryIO, encoding: str, name: str, *, given: bool) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    read, line, line_start, rest = 0, 1, 0, 0
    while True:
        chunk = file.read(_CHUNK)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            start = read - rest
            raise _not_text(error, name, encoding, line, start - line_start, given=given) from None
        yield text
        if not chunk:
            return
        read += len(chunk)
        rest = len(decoder.getstate()[0])
        if b"\n" in chunk:
            line += chunk.count(b"\n")
            line_start = read - len(chunk) + chunk.rfind(b"\n") + 1


def _not_text(error: UnicodeDecodeError, name: str, encoding: str, line: int, offset: int, *, given: bool) -> ValidationError:
    before = error.object[: error.start]
    breaks = before.count(b"\n")
    column = error.start - before.rfind(b"\n") if breaks else offset + error.start + 1
    byte = error.object[error.start]
    what = f"{name} is not {encoding.upper()}: line {line + breaks}, column {column} holds the byte 0x{byte:02x}"
    then = "Name the right encoding" if given else "Save it as UTF-8, or name its encoding, such as cp1252"
    return ValidationError.field("encoding", f"{what}. {then}", name)
