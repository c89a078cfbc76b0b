"""Backup, doctor, and files of an export: what the command line keeps safe."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from workbench.errors import Conflict
from workbench.server import bootstrap

MANIFEST = "manifest.json"


def examine(database: str, *, as_json: bool = False) -> int:
    """Print what the doctor finds; return 0 when all is well, 1 otherwise."""
    with bootstrap.open(database, share=False) as ws:
        found = list(ws.system.doctor())
    if as_json:
        print(json.dumps([{"check": f.check, "finding": f.finding, "remedy": f.remedy} for f in found]))
    elif not found:
        print(f"{database} is sound.")
    else:
        for finding in found:
            print(f"{finding.check}: {finding.finding}\n    {finding.remedy}")
    return 1 if found else 0


def copy(database: str, target: Path) -> str:
    """Copy a workspace file while it is in use and return what was written."""
    with bootstrap.open(database, share=False) as ws:
        written = ws.system.backup(target=str(target.resolve()))
    return f"{written.path} ({written.bytes} bytes)"


def bring(ws: Any, export: Any, folder: Path) -> list[Path]:
    """Put the files of an export and its manifest into a folder; refuse to write over anything."""
    wanted = {file.name: folder / file.name for file in export.files} | {MANIFEST: folder / MANIFEST}
    there = [str(path) for path in wanted.values() if path.exists()]
    if there:
        raise Conflict(f"{', '.join(there)} exist already. Choose another folder with --to.", paths=there)
    folder.mkdir(parents=True, exist_ok=True)
    for file in export.files:
        _brought(ws, file, wanted[file.name])
    wanted[MANIFEST].write_text(json.dumps(export.manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return list(wanted.values())


def _brought(ws: Any, file: Any, target: Path) -> None:
    """Write one file beside its place first, so that none is there by half."""
    half = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(file.path, half) if file.path else ws.transport.fetch(file.url, half)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
