"""The workbench: from raw rows to a model in production and back, in one DuckDB file.

    import workbench as wb

    ws = wb.open("team.duckdb")

`open` returns a `Workspace`; its namespaces (`ws.sheets`, `ws.review`, `ws.training`, ...) hold the
operations. Errors live in `workbench.errors`, records in `workbench.domain`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from workbench import errors
    from workbench.client.mlflow_runs import import_mlflow_runs
    from workbench.client.workspace import Workspace
    from workbench.errors import WorkbenchError
    from workbench.server.bootstrap import open

__all__ = ["WorkbenchError", "Workspace", "__version__", "errors", "import_mlflow_runs", "load_ipython_extension", "open"]

_HOMES = {
    "Workspace": "workbench.client.workspace",
    "WorkbenchError": "workbench.errors",
    "import_mlflow_runs": "workbench.client.mlflow_runs",
    "open": "workbench.server.bootstrap",
}


def __getattr__(name: str) -> Any:
    """Load the face on first use, so that a job's process starts without it."""
    import importlib

    if name == "errors":
        return importlib.import_module("workbench.errors")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: Any) -> None:
    """Show live views of workspaces and records in notebook cells: `%load_ext workbench`."""
    import importlib

    importlib.import_module("workbench.ui.display").register(ipython)
