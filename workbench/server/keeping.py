"""Backup and doctor: keeping a workspace file sound."""

from __future__ import annotations

import json
from pathlib import Path

from workbench.server import bootstrap


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
