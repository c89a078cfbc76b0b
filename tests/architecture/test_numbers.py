"""Thousands are set apart in one way, by thin spaces: only those who do so write numbers with separators."""

from __future__ import annotations

import ast
from pathlib import Path

import workbench

PACKAGE = Path(workbench.__file__).parent
WRITERS = {"ui/format.py", "domain/wording.py"}


def separated(source: str) -> list[int]:
    """Return the lines of a source that write numbers with commas between thousands."""
    specs = (node.format_spec for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FormattedValue) and node.format_spec)
    return [
        spec.lineno
        for spec in specs
        if any(isinstance(part, ast.Constant) and "," in str(part.value) for part in spec.values)  # type: ignore[attr-defined]
    ]


def test_no_number_is_written_with_commas():
    files = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in PACKAGE.rglob("*.py")}

    assert {name: found for name, source in files.items() if (found := separated(source))}.keys() == WRITERS


def test_a_comma_is_found():
    assert separated('count = 1\nwords = f"{count:,} rows of {count:,.0f}, {count}"') == [2, 2]
