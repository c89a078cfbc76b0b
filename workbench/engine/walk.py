"""Look into folders that another process changes at the same moment: what is gone by then is passed over.

`Path.glob` and `Path.rglob` break when a folder they found is removed before they open it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def inside(folder: Path) -> list[Path]:
    """Return what is in a folder now; nothing when there is no such folder."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def below(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder."""
    for top, folders, files in os.walk(folder):
        yield from (Path(top, name) for name in (*folders, *files))
