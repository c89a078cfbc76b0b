"""Files and functions stay small enough to read."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.subjects import PACKAGE, sources

FILE_LINES = 400
FUNCTION_LINES = 60


def oversized(folder: Path) -> list[str]:
    """Return files and functions beyond the budget."""
    found = []
    for path, tree in sources(folder):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > FILE_LINES:
            found.append(f"{path.name} has {lines} lines, {FILE_LINES} is the budget")
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES:
                    found.append(f"{path.name}:{node.lineno} {node.name} has {length} lines, {FUNCTION_LINES} is the budget")
    return found


def test_files_and_functions_are_within_the_budget():
    assert [] == oversized(PACKAGE)


def test_what_is_too_long_is_found(tmp_path):
    (tmp_path / "planted.py").write_text("def f():\n" + "    x = 1\n" * FUNCTION_LINES + "y = 2\n" * FILE_LINES)

    assert ["planted.py has 461 lines, 400 is the budget", "planted.py:1 f has 61 lines, 60 is the budget"] == oversized(tmp_path)
