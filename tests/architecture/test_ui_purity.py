"""A view places what the service sent: it does not count, compare states or keep time."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.architecture.subjects import PACKAGE, record_types, sources
from workbench.domain.record import Choice

STATE = re.compile(r"(^|_)(status|stage|state|health|severity|gate)$")
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
AGGREGATES = {
    "Counter", "agg", "aggregate", "apply", "corr", "count", "cumsum", "diff", "groupby", "max", "mean", "median", "merge", "min",
    "nunique", "pct_change", "pivot", "pivot_table", "quantile", "query", "resample", "rolling", "round", "std", "sum",
    "value_counts", "var",
}  # fmt: skip
# Turns values into text; the provenance test compares after formatting.
FORMATTER = "format.py"
# Units of layout: an expression that contains one of these is about the screen.
LAYOUT = {"STEP"}
# Expressions that look like a rule and are none.
EXCEPTIONS = {
    "data == 'ready'": "the message of the ready signal, not the state of a record",
}


def state_words() -> set[str]:
    """Return every word that a record uses for where it stands."""
    words: set[str] = set()
    for record in record_types():
        for name in record.own_fields():
            if STATE.search(name) and isinstance(record.param[name], Choice):
                words.update(str(word) for word in record.param[name].objects)
    return words - {"None", ""}


def impurities(folder: Path, words: set[str], exceptions: Iterable[str] = EXCEPTIONS) -> list[str]:
    """Return every line under a folder where a view decides or computes."""
    found = []
    for path, tree in sources(folder):
        if path.name != FORMATTER:
            found += [f"{path.name}:{line} {what}" for line, what, text in faults(tree, words) if text not in exceptions]
    return found


def faults(tree: ast.AST, words: set[str]) -> Iterator[tuple[int, str, str]]:
    """Yield line, complaint and source of each fault in a syntax tree."""
    for node in ast.walk(tree):
        if what := fault(node, words):
            text = ast.unparse(node)
            yield getattr(node, "lineno", 0), f"{what}: {text[:80]}", text


def fault(node: ast.AST, words: set[str]) -> str:
    """Return what is wrong with one node, or an empty text."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ARITHMETIC) and not joins(node) and not names(node) & LAYOUT:
        return "computes"
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ARITHMETIC) and not (text_or_list(node.value) or numbers(node)):
        return "computes"
    if isinstance(node, ast.Compare) and decides(node, words):
        return "decides on a state"
    if isinstance(node, ast.MatchValue) and literals(node.value) & words:
        return "decides on a state"
    if isinstance(node, ast.Dict) and node.keys and all(key and literals(key) & words for key in node.keys):
        return "decides on a state"
    return "aggregates" if isinstance(node, ast.Call) and called(node) in AGGREGATES else ""


def numbers(node: ast.AugAssign) -> bool:
    """Return whether a view numbers its own messages: `self._count += 1`."""
    return isinstance(node.target, ast.Attribute) and node.target.attr.startswith("_") and ast.unparse(node.value) == "1"


def joins(node: ast.BinOp) -> bool:
    """Return whether an operation joins texts, lists or paths, or fills a template."""
    return isinstance(node.op, (ast.Add, ast.Mod, ast.Div)) and (text_or_list(node.left) or text_or_list(node.right))


def text_or_list(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return joins(node)
    return isinstance(node, (ast.JoinedStr, ast.List, ast.Tuple, ast.ListComp)) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} | {
        part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)
    }


def literals(node: ast.AST) -> set[str]:
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def decides(node: ast.Compare, words: set[str]) -> bool:
    """Return whether a comparison looks at a state, or weighs a figure against a threshold."""
    sides = [node.left, *node.comparators]
    texts = set().union(*(literals(side) for side in sides if not isinstance(side, (ast.Subscript, ast.Call))))
    about_state = any(STATE.search(last_name(side)) for side in sides)
    numbers = [side.value for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, (int, float))]
    ordered = any(isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for op in node.ops)
    return (
        bool(texts & words) or (about_state and bool(texts)) or (ordered and any(abs(number) not in (0, 1) for number in numbers))
    )


def last_name(node: ast.expr) -> str:
    """Return `status` for `job.status`, `status`, `row["status"]` and `row.get("status")`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value)
    return ""


def called(node: ast.Call) -> str:
    return last_name(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else ""


def test_views_do_not_compute_or_decide():
    assert [] == impurities(PACKAGE / "ui", state_words())


def test_the_words_of_states_are_collected_from_the_records():
    assert {"succeeded", "flagged", "production", "draft"} <= state_words()


@pytest.mark.parametrize(
    "line",
    [
        "share = done / total * 100",
        "left = page.total - page.size",
        "total += row.count",
        "x = job.status == 'anything'",
        "x = 'failed' in row",
        "x = row['status'] != 'x'",
        "x = row.get('stage') in ('x', 'y')",
        "match thing:\n    case 'succeeded': pass",
        "colors = {'succeeded': 1, 'failed': 2}",
        "good = metrics.accuracy > 0.8",
        "x = frame.groupby('module')",
        "x = sum(sizes)",
        "x = round(value, 2)",
    ],
)
def test_a_view_that_computes_or_decides_is_found(tmp_path, line):
    (tmp_path / "planted.py").write_text(line + "\n")

    assert 1 <= len(impurities(tmp_path, state_words()))


@pytest.mark.parametrize(
    "line",
    [
        "text = 'a' + name",
        "rows = [*rows] + [row]",
        "height = STEP * 4",
        "path = folder / 'elements.js'",
        "self._last += 1",
        "x = event.key == 'a'",
        "if not page.total: pass",
        "x = len(rows) > 0",
        "spec = {'height': 2, 'width': 3}",
        "text = f'{job.name} {job.step}'",
    ],
)
def test_placing_and_joining_is_not(tmp_path, line):
    (tmp_path / "planted.py").write_text(line + "\n")

    assert [] == impurities(tmp_path, state_words())


def test_the_formatter_may_compute(tmp_path):
    (tmp_path / FORMATTER).write_text("x = share * 100\n")

    assert [] == impurities(tmp_path, state_words())
