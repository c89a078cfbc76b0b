"""Views hear of changes; they do not ask again and again."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.subjects import PACKAGE

PERIODIC = {"add_periodic_callback", "PeriodicCallback", "schedule_task", "call_repeatedly", "autorefresh"}
IN_A_LOOP = {"sleep", "wait", "call_later", "add_timeout_callback"}
# A ticking clock in the browser redraws "2 minutes ago" from the timestamp it already has.
BROWSER_CLOCKS = {"elements.js"}


def timers(paths: list[Path]) -> list[str]:
    """Return every periodic timer in files and folders, in Python and in the browser."""
    found = []
    for file in sorted(file for path in paths for file in ([path] if path.is_file() else path.rglob("*.*"))):
        if file.suffix not in {".py", ".js", ".html"}:
            continue
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".py":
            found += [f"{file.name}:{line} {what}" for line, what in python_timers(ast.parse(text))]
        if file.name not in BROWSER_CLOCKS:
            lines = enumerate(text.splitlines(), start=1)
            found += [f"{file.name}:{number} setInterval" for number, line in lines if re.search(r"\bsetInterval\s*\(", line)]
    return found


def python_timers(tree: ast.Module) -> list[tuple[int, str]]:
    """Return line and name of calls that repeat, and of waits with a timeout inside endless loops."""
    found = {(n.lineno, name_of(n.func)) for n in ast.walk(tree) if isinstance(n, ast.Call) and name_of(n.func) in PERIODIC}
    for loop in (n for n in ast.walk(tree) if isinstance(n, ast.While)):
        for node in ast.walk(loop):
            if isinstance(node, ast.Call) and name_of(node.func) in IN_A_LOOP and (node.args or node.keywords):
                found.add((node.lineno, name_of(node.func)))
    return sorted(found)


def name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def test_no_view_and_no_live_query_polls():
    assert [] == timers([PACKAGE / "ui", PACKAGE / "client" / "live.py"])


@pytest.mark.parametrize(
    "text",
    [
        "pn.state.add_periodic_callback(refresh, 1000)",
        "while True:\n    refresh()\n    time.sleep(1)",
        "while not closed.wait(1.0):\n    refresh()",
        "CODE = '''\nsetInterval(() => refresh(), 1000)\n'''",
    ],
)
def test_a_timer_is_found(tmp_path, text):
    (tmp_path / "planted.py").write_text(text + "\n")

    assert 1 == len(timers([tmp_path]))


def test_waiting_once_for_an_event_is_no_timer(tmp_path):
    (tmp_path / "planted.py").write_text("while True:\n    changed.wait()\n    refresh()\ntime.sleep(0.1)\n")

    assert [] == timers([tmp_path])
