"""Imports go down only, and each heavy library has one home."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.subjects import PACKAGE, ROOT, sources

# Who may import what; everything else may be imported anywhere above the ground.
HOMES = {
    "duckdb": {"store"},
    "panel": {"ui", "server"},
    "panel_material_ui": {"ui", "server"},
    "bokeh": {"ui", "server"},
    "bokeh_fastapi": {"server"},
    "holoviews": {"ui", "server"},
    "hvplot": {"ui", "server"},
    "fastapi": {"api", "server"},
    "starlette": {"api", "server"},
    "fastapi_offline": {"api", "server"},
    "uvicorn": {"api", "server"},
    "sklearn": {"trainers", "services"},
    "skops": {"trainers", "services"},
    "cyclopts": {"cli"},
}
# Distributions that come only as a part of another.
PARTS = {"pydantic-core": "pydantic"}
DOMAIN_MAY_IMPORT = {"param", "workbench"} | sys.stdlib_module_names


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every import, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""


def room_of(path: Path, package: Path) -> str:
    """Return the layer a file belongs to."""
    return path.relative_to(package).parts[0].removesuffix(".py")


def strangers(package: Path) -> list[str]:
    """Return imports of libraries outside their home, and what domain may not know."""
    found = []
    for path, tree in sources(package):
        room = room_of(path, package)
        for line, name in imports(tree):
            top = name.split(".")[0]
            if room not in HOMES.get(top, {room}):
                found.append(f"{path.name}:{line} imports {top}, which belongs to {sorted(HOMES[top])}")
            if room == "domain" and top not in DOMAIN_MAY_IMPORT:
                found.append(f"{path.name}:{line} imports {top}: domain knows param and the standard library")
    return found


def undeclared(package: Path, pyproject: Path) -> list[str]:
    """Return third-party imports that pyproject.toml does not name."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {normalized(re.split(r"[^\w.-]", requirement)[0]) for requirement in wanted}
    carriers = importlib.metadata.packages_distributions()
    found = []
    for path, tree in sources(package):
        for line, name in imports(tree):
            top = name.split(".")[0]
            known = {normalized(carrier) for carrier in carriers.get(top, [top])}
            known |= {PARTS[part] for part in known & PARTS.keys()}
            if top not in sys.stdlib_module_names and top != "workbench" and not known & names:
                found.append(f"{path.name}:{line} imports {top}, which pyproject.toml does not name")
    return found


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def broken_contracts(root: Path) -> list[str]:
    """Return the import contracts that a tree breaks."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )
    return re.findall(r"^(.+) BROKEN$", done.stdout, re.MULTILINE) + ([done.stdout + done.stderr] if done.returncode > 1 else [])


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the package to plant faults in."""
    shutil.copytree(PACKAGE, tmp_path / "workbench", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(root: Path, file: str, text: str) -> None:
    path = root / "workbench" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{text}\n" + (path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")


def test_the_tree_keeps_every_contract():
    assert [] == broken_contracts(ROOT)


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("domain/planted.py", "import workbench.store", "Imports go down only"),
        ("ui/planted.py", "import workbench.api", "Imports go down only"),
        ("ui/planted.py", "import workbench.services", "A view knows neither services nor store"),
        ("trainers/planted.py", "import workbench.store", "A trainer or provider sees no store"),
        ("providers/planted.py", "import workbench.store", "A trainer or provider sees no store"),
        ("services/planted.py", "import duckdb", "DuckDB is opened by the store alone"),
        ("client/planted.py", "import panel", "Panel is drawn in ui and served in server"),
        ("services/planted.py", "import fastapi", "FastAPI lives in api and server"),
        ("newroom/__init__.py", "", "Imports go down only"),
    ],
)
def test_a_planted_import_breaks_its_contract(copy, file, line, contract):
    plant(copy, file, line)

    assert any(contract in broken for broken in broken_contracts(copy))


def test_every_library_stays_at_home():
    assert [] == strangers(PACKAGE)


@pytest.mark.parametrize(
    ("file", "line", "complaint"),
    [
        ("client/planted.py", "def f():\n    import duckdb", "imports duckdb, which belongs to ['store']"),
        ("api/planted.py", "from panel.io import server", "imports panel"),
        ("errors.py", "import starlette", "imports starlette"),
        ("domain/planted.py", "import pandas", "domain knows param and the standard library"),
    ],
)
def test_a_library_away_from_home_is_found(copy, file, line, complaint):
    plant(copy, file, line)

    assert any(complaint in found for found in strangers(copy / "workbench"))


def test_every_imported_library_is_declared(copy):
    assert [] == undeclared(PACKAGE, ROOT / "pyproject.toml")

    plant(copy, "services/planted.py", "import jinja2")
    assert any("imports jinja2" in found for found in undeclared(copy / "workbench", ROOT / "pyproject.toml"))
