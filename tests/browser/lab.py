"""A real JupyterLab on a folder of notebooks, with nothing of the user's own configuration."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from playwright.sync_api import Locator
from playwright.sync_api import Page as Tab
from playwright.sync_api import TimeoutError as Late

from tests.e2e.processes import Served, free_port, start, stop

IDLE = '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook-ExecutionIndicator[data-status="idle"]'
ASKED = ".jp-Dialog button.jp-mod-accept:not(.jp-mod-warn)"
FIRST = "document.querySelector('.jp-InputPrompt').innerText"
STARTUP_MS = 180_000


@contextlib.contextmanager
def laboratory(folder: Path) -> Iterator[Served]:
    """Run JupyterLab on a folder; kernels import this checkout."""
    private = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    environment = {name: str(folder / ".jupyter" / part) for name, part in private.items()}
    port = free_port()
    options = ["--no-browser", f"--port={port}", "--ServerApp.token=", "--ServerApp.password=", "--allow-root"]
    options += [
        f"--notebook-dir={folder}",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    command = [sys.executable, "-m", "jupyterlab", *options]
    served = start(command, f"http://127.0.0.1:{port}/lab", folder / "lab.log", **environment)
    served.url = f"http://127.0.0.1:{port}"
    try:
        yield served
    finally:
        stop(served.process)


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells for the Python that runs this."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def open_notebook(tab: Tab, lab: Served, name: str) -> None:
    """Open a notebook by itself and wait for its kernel; what JupyterLab asks first is agreed to, whenever it asks."""
    tab.add_locator_handler(tab.locator(ASKED).first, lambda asked: asked.click())
    tab.goto(f"{lab.url}/lab/tree/{name}?reset", timeout=STARTUP_MS)
    tab.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=STARTUP_MS)
    with contextlib.suppress(Late):
        tab.click(ASKED, timeout=3000)
    tab.wait_for_selector(IDLE, timeout=STARTUP_MS)


def run_all(tab: Tab) -> None:
    """Run every cell from the menu; what was sent before the kernel heard is forgotten by JupyterLab, and sent again."""
    for _ in range(5):
        tab.click(".lm-MenuBar-item:has-text('Run')")
        tab.click(".lm-Menu-item[data-command='runmenu:run-all']")
        with contextlib.suppress(Late):
            tab.wait_for_function(f"() => !/\\[\\s\\]/.test({FIRST})", timeout=10_000)
        tab.wait_for_function(f"() => !/\\[\\*\\]/.test({FIRST})", timeout=STARTUP_MS)
        if tab.evaluate(f"() => /\\d/.test({FIRST})"):
            return
    raise AssertionError("No cell was run.")


def restart(tab: Tab) -> None:
    """Restart the kernel and leave what the cells show as it is."""
    tab.click(".lm-MenuBar-item:has-text('Kernel')")
    tab.click(".lm-Menu-item[data-command='kernelmenu:restart']")
    tab.click(".jp-Dialog button.jp-mod-warn")
    tab.wait_for_selector(IDLE, timeout=STARTUP_MS)


def run_next(tab: Tab) -> None:
    """Run the selected cell and select the one after it."""
    tab.click(".lm-MenuBar-item:has-text('Run')")
    tab.click(".lm-Menu-item[data-command='runmenu:run']")


def output(tab: Tab, cell: int) -> Locator:
    """Return the output of a cell."""
    return tab.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-OutputArea")
