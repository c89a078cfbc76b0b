"""Look at files while a workspace still works on them."""

from __future__ import annotations

from pathlib import Path

from workbench.engine.walk import below


def holding(folder: Path, words: bytes) -> list[Path]:
    """Return the files below a folder that hold these bytes; those that go meanwhile hold nothing."""
    return [path for path in below(folder) if words in _content(path)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return b""
