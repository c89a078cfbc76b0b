"""Every public name, Parameter and operation says what it is, and `__all__` is complete."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path

import param

from tests.architecture.subjects import PACKAGE, operations, parameterized_types, sources
from workbench.contract.operation import Operation, collect, query

FACES = ["workbench", "workbench.contract", "workbench.store", "workbench.engine"]


def undocumented_names(folder: Path) -> list[str]:
    """Return public classes, functions and methods of a folder that have no docstring."""
    return [
        f"{path.name}:{node.lineno} {name}"
        for path, tree in sources(folder)
        for name, node in public_names(tree)
        if not ast.get_docstring(node)
    ]


def public_names(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef]]:
    """Yield what a module or class defines for others, without accessors that repeat a name."""
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            if not any("setter" in ast.unparse(d) or "overload" in ast.unparse(d) for d in node.decorator_list):
                yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_names(node, f"{prefix}{node.name}.")


def undocumented_parameters(types: Iterable[type[param.Parameterized]]) -> list[str]:
    """Return the Parameters that a class declares without `doc=`."""
    return [
        f"{kind.__module__}.{kind.__qualname__}.{name}"
        for kind in types
        for name, parameter in vars(kind).items()
        if isinstance(parameter, param.Parameter) and not name.startswith("_") and not (parameter.doc or "").strip()
        if not (name == "name" and parameter.default is None)
    ]


def undocumented_operations(found: Iterable[Operation]) -> list[str]:
    """Return operations whose docstring is no imperative sentence, and arguments that only a name explains."""
    faults = []
    for operation in found:
        first = operation.doc.split("\n")[0].strip()
        if len(first.split()) < 3 or not first.endswith(".") or first.split()[0].endswith("s"):
            faults.append(f"{operation.id}: the docstring wants one imperative sentence, not {first!r}")
    return faults


def incomplete_face(name: str) -> list[str]:
    """Return what `__all__` of a package names in vain or leaves out."""
    module = importlib.import_module(name)
    listed = set(module.__all__)
    tree = ast.parse(inspect.getsource(module))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("workbench", "pydantic"))
        for alias in node.names
    } if name != "workbench" else set(vars(module).get("_HOMES", {}))  # fmt: skip
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    public = {one for one in imported | defined if not one.startswith("_")}
    return [f"{name}.{one} is listed and missing" for one in sorted(listed) if not hasattr(module, one)] + [
        f"{name}.{one} is public and not listed" for one in sorted(public - listed)
    ]


def test_every_public_name_has_a_docstring():
    assert [] == undocumented_names(PACKAGE)


def test_a_name_without_docstring_is_found(tmp_path):
    text = 'class A:\n    """Be."""\n    def b(self): ...\n    def _c(self): ...\ndef d():\n    """Do."""\n'
    (tmp_path / "planted.py").write_text(text)

    assert ["planted.py:3 A.b"] == undocumented_names(tmp_path)


def test_every_parameter_has_a_doc():
    found = parameterized_types()

    assert len(found) > 20
    assert [] == undocumented_parameters(found)


def test_a_parameter_without_doc_is_found():
    class Planted(param.Parameterized):
        good = param.Integer(1, doc="A number.")
        bad = param.Integer(1)
        blank = param.Integer(1, doc="  ")

    assert ["bad", "blank"] == [found.rsplit(".", 1)[-1] for found in undocumented_parameters([Planted])]


def test_every_operation_is_documented():
    assert operations()
    assert [] == undocumented_operations(operations())


def test_an_operation_without_a_sentence_is_found():
    class Planted:
        @query("GET", "/good")
        def good(self) -> dict[str, int]:
            """Return the good things."""

        @query("GET", "/bad")
        def bad(self) -> dict[str, int]:
            """Stuff"""

        @query("GET", "/third")
        def third(self) -> dict[str, int]:
            """Returns something in the third person."""

    assert ["planted.bad", "planted.third"] == [
        f.split(":")[0] for f in undocumented_operations(collect(Planted, "planted").values())
    ]


def test_every_face_is_complete():
    assert [] == [fault for name in FACES if hasattr(importlib.import_module(name), "__all__") for fault in incomplete_face(name)]


def test_a_face_with_a_gap_is_found(tmp_path, monkeypatch):
    (tmp_path / "planted_face.py").write_text('from workbench.clock import Clock\n\ndef f(): ...\n\n__all__ = ["f", "gone"]\n')
    monkeypatch.syspath_prepend(tmp_path)

    assert ["planted_face.gone is listed and missing", "planted_face.Clock is public and not listed"] == incomplete_face(
        "planted_face"
    )
