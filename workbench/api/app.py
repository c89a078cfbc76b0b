"""The FastAPI application: REST, OpenAPI, docs and the event socket over one Application."""

from __future__ import annotations

import importlib.resources
from collections.abc import Collection
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

import workbench
from workbench.api import faults
from workbench.api.downloads import add_downloads
from workbench.api.events import add_event_socket
from workbench.api.routes import add_routes
from workbench.services import operations
from workbench.services.application import Application

DESCRIPTION = "Everything the workbench does, over HTTP. Errors share one shape; lists carry a true total."


def build_api(app: Application) -> FastAPI:
    """Return the API of one application; the caller wraps it in `access.Access`."""
    prefix = app.settings.api_prefix
    api = FastAPI(title="Workbench", version=workbench.__version__, description=DESCRIPTION, docs_url=None, redoc_url=None)
    faults.install(api)
    add_routes(api, app, list(operations().values()), prefix)
    add_event_socket(api, app, prefix)
    add_downloads(api, app, prefix)
    _add_docs(api)
    _add_health(api, prefix)
    api.add_middleware(GZipMiddleware, minimum_size=20_000)
    _allow_origins(api, app.settings.cors_origins)
    return api


def _allow_origins(api: FastAPI, origins: Collection[str]) -> None:
    if origins:
        api.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            allow_headers=["*"],
            expose_headers=["Content-Length", "X-Request-ID", "X-Total-Count"],
            max_age=3600,
        )


def _add_docs(api: FastAPI) -> None:
    """Serve Swagger UI from an installed package, never from a CDN."""
    assets = importlib.resources.files("fastapi_offline") / "static"
    api.mount("/docs/assets", StaticFiles(directory=str(assets)), name="docs-assets")

    @api.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Workbench API",
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url="/favicon.ico",
        )


def _add_health(api: FastAPI, prefix: str) -> None:
    @api.get("/api/health", include_in_schema=False)
    def health() -> dict[str, Any]:
        return {"status": "ok", "version": workbench.__version__, "api_prefix": prefix}
