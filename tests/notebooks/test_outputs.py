"""Notebooks carry the outputs of their checked cells and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CHECKED = "# NBVAL_CHECK_OUTPUT"
FEWEST = 5


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def faults(cells: list[Any]) -> list[str]:
    """Return what is wrong with the code cells of a notebook."""
    checked = [cell for cell in cells if cell.source.startswith(CHECKED)]
    found = [f"only {len(checked)} checked cells"] if len(checked) < FEWEST else []
    for number, cell in enumerate(cells):
        found += [f"cell {number}: {fault}" for fault in _faults(cell)]
    return found


def _faults(cell: Any) -> list[str]:
    if not cell.source.startswith(CHECKED):
        return ["is not checked but has outputs"] if cell.outputs else []
    if [output.output_type for output in cell.outputs] != ["execute_result"]:
        return ["is checked but does not end in one value"]
    if list(cell.outputs[0].data) != ["text/plain"]:
        return ["keeps more than the plain value"]
    return ["prints"] if "print(" in cell.source else []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_only_checked_cells_have_outputs(path: Path) -> None:
    assert not faults(code_cells(path))


def test_each_fault_is_found() -> None:
    plain = nbformat.v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=1)
    rich = nbformat.v4.new_output("execute_result", data={"text/plain": "1", "text/html": "<b>1</b>"}, execution_count=1)
    stream = nbformat.v4.new_output("stream", text="1")
    cells = [
        nbformat.v4.new_code_cell("1", outputs=[plain]),
        nbformat.v4.new_code_cell(f"{CHECKED}\n1", outputs=[stream]),
        nbformat.v4.new_code_cell(f"{CHECKED}\n1", outputs=[rich]),
        nbformat.v4.new_code_cell(f"{CHECKED}\nprint(1); 1", outputs=[plain]),
    ]

    assert 5 == len(faults(cells))
