"""What the guards look at. They find their subjects themselves, so that nothing new escapes them."""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import param

import workbench
from workbench.contract.operation import Operation
from workbench.domain.record import Record
from workbench.services import operations as declared

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workbench"


def modules(*rooms: str) -> list[ModuleType]:
    """Return every module of some rooms of the package, or of all, imported."""
    packages = [importlib.import_module(f"workbench.{room}") for room in rooms] or [workbench]
    names = [n.name for package in packages for n in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [*packages, *(importlib.import_module(name) for name in names)]


def sources(folder: Path = PACKAGE) -> Iterator[tuple[Path, ast.Module]]:
    """Yield every Python file of a folder with its syntax tree."""
    for path in sorted(folder.rglob("*.py")):
        yield path, _tree(path.read_text(encoding="utf-8"), str(path))


@functools.cache
def _tree(text: str, name: str) -> ast.Module:
    return ast.parse(text, filename=name)


def subclasses(kind: type, *rooms: str) -> list[type]:
    """Return the classes below `kind` that the package defines, in order of their names."""
    modules(*rooms)
    found: set[type] = set()
    waiting = [kind]
    while waiting:
        below = waiting.pop().__subclasses__()
        found.update(below)
        waiting.extend(below)
    return sorted((c for c in found if c.__module__.startswith("workbench.")), key=lambda c: (c.__module__, c.__qualname__))


def record_types() -> list[type[Record]]:
    """Return every record class."""
    return subclasses(Record, "domain", "contract", "services")


def parameterized_types() -> list[type[param.Parameterized]]:
    """Return every class with Parameters."""
    return subclasses(param.Parameterized)


def view_types() -> list[type]:
    """Return every view that can be shown: subclasses of View that say what they consist of."""
    try:
        from workbench.ui.view import View
    except ModuleNotFoundError:
        return []
    return [view for view in subclasses(View, "ui") if view.build is not View.build and not view.__name__.startswith("_")]


def operations() -> list[Operation]:
    """Return every declared operation."""
    return list(declared().values())
