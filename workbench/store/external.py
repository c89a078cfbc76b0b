"""Files that stay where they are: the locked-down owner reads them under names we give out, and nothing else.

DuckDB opens a path of our own scheme by asking a file system of ours. That one knows only the files it was told
of, opens them for reading alone, and refuses a file that is not as it was when it was told of it.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from workbench.store.scratch import text_literal

SCHEME = "workbench"


@dataclass(frozen=True)
class ExternalFile:
    """Name a file as it was seen."""

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def seen(cls, path: str | os.PathLike[str]) -> ExternalFile:
        """Look at a file as it is now."""
        real = Path(os.path.realpath(path))
        found = real.stat()
        return cls(str(real), found.st_size, found.st_mtime_ns)

    @property
    def fault(self) -> str | None:
        """Return what is wrong with the file, or None while it is as it was seen."""
        try:
            now = ExternalFile.seen(self.path)
        except OSError as error:
            return f"{self.path} cannot be read: {(error.strerror or str(error)).lower()}"
        return None if now == self else f"{self.path} has changed since it became a sheet"


class ExternalFiles:
    """Give out names for files, and let one database read them."""

    def __init__(self) -> None:
        self._files: dict[str, ExternalFile] = {}

    def serve(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Answer a connection that asks for our names; it has to know us before it is locked down."""
        connection.register_filesystem(_file_system()(self._files))

    def add(self, name: str, file: ExternalFile) -> None:
        """Let queries read a file under a name."""
        self._files[name] = file

    def fault(self, name: str) -> str | None:
        """Return what is wrong with the file of a name; nothing is known of names that were not given out."""
        file = self._files.get(name)
        return file.fault if file else None

    def remove(self, name: str) -> None:
        """Forget a file."""
        self._files.pop(name, None)


def reading(name: str) -> str:
    """Return the table function that reads the Parquet file of a name, with its row numbers."""
    return f"read_parquet({text_literal(f'{SCHEME}://{name}')}, file_row_number=true, hive_partitioning=false)"


class _Handle:
    """Read from a file in several threads, each with a place of its own: DuckDB seeks, then reads."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._place = threading.local()
        self.closed = False

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the place of this thread."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: os.fstat(self._file).st_size}[whence]
        self._place.offset = base + offset
        return self._place.offset

    def tell(self) -> int:
        """Return the place of this thread."""
        return getattr(self._place, "offset", 0)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        wanted = os.fstat(self._file).st_size - self.tell() if size < 0 else size
        found = os.pread(self._file, wanted, self.tell())
        self._place.offset = self.tell() + len(found)
        return found

    def close(self) -> None:
        """Close the file once."""
        if not self.closed:
            self.closed = True
            os.close(self._file)


@cache
def _file_system() -> Any:
    """Return the class of file systems; made late, because importing fsspec takes its time."""
    from fsspec import AbstractFileSystem

    class NamedFiles(AbstractFileSystem):
        protocol = SCHEME
        cachable = False

        def __init__(self, files: dict[str, ExternalFile]) -> None:
            super().__init__()
            self._named = files

        def _found(self, path: str) -> ExternalFile:
            file = self._named.get(path.removeprefix(f"{SCHEME}://"))
            if file is None:
                raise FileNotFoundError(f"There is no external file {path}")
            if fault := file.fault:
                raise OSError(fault)
            return file

        def _open(self, path: str, mode: str = "rb", **options: Any) -> _Handle:
            if mode != "rb":
                raise PermissionError(f"{path} can only be read")
            return _Handle(self._found(path).path)

        def info(self, path: str, **options: Any) -> dict[str, Any]:
            return {"name": path, "size": self._found(path).size, "type": "file"}

        def modified(self, path: str) -> dt.datetime:
            return dt.datetime.fromtimestamp(self._found(path).mtime_ns / 1e9, dt.UTC)

        def exists(self, path: str, **options: Any) -> bool:
            return path.removeprefix(f"{SCHEME}://") in self._named

        def isfile(self, path: str) -> bool:
            return self.exists(path)

        def glob(self, path: str, **options: Any) -> list[str]:
            return [path.removeprefix(f"{SCHEME}://")]

    return NamedFiles
