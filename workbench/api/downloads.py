"""Files that exports wrote, to fetch."""

from __future__ import annotations

import re

from fastapi import FastAPI
from fastapi.responses import FileResponse

from workbench.errors import NotFound
from workbench.services.application import Application

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def add_downloads(api: FastAPI, app: Application, prefix: str) -> None:
    """Serve the files of the export folder, and nothing beside them."""

    @api.get(f"{prefix}/exports/{{export_id}}/{{name:path}}", include_in_schema=False)
    def download(export_id: str, name: str) -> FileResponse:
        path = app.artifacts / "exports" / export_id / name
        if not all(_PLAIN.fullmatch(part) for part in (export_id, *name.split("/"))) or not path.is_file():
            raise NotFound.of("exported file", f"{export_id}/{name}")
        return FileResponse(path, filename=path.name)
