"""Make the data files of this folder from what the installation already has.

    python datasets/make.py [FOLDER]

The files are reproduced byte for byte on CPython 3.11.7 for Linux with tkinter and the
scikit-learn of requirements.lock. Nothing is fetched.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import inspect
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MADE_WITH = (3, 11, 7)

# The largest modules by documented public members, without those that are compiled differently
# from one system to the next (os, socket, ssl, curses), builtins, and distutils, which other
# packages replace.
MODULES = (
    "asyncio", "bdb", "collections", "datetime", "decimal", "email", "http", "imaplib", "importlib", "inspect", "logging",
    "mailbox", "math", "multiprocessing", "pathlib", "pydoc", "tarfile", "tkinter", "turtle", "unittest", "urllib", "wsgiref",
    "xml", "xmlrpc",
)  # fmt: skip
COLUMNS = ("item_id", "module", "qualname", "kind", "signature", "summary", "doc")
TABLES = ("iris", "wine", "breast_cancer", "diabetes")


def main(folder: Path) -> None:
    """Write every data file and its checksum."""
    write(folder / "stdlib_functions.csv", COLUMNS, functions())
    for name in TABLES:
        write(folder / f"{name}.csv", *table(name))
    names = sorted(path.name for path in folder.glob("*.csv"))
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8", newline="\n")


def write(path: Path, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Write a table as CSV: UTF-8, line feeds, a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def functions() -> list[tuple[str, ...]]:
    """Return a row for each documented public class, function and method, once per module and summary."""
    warnings.simplefilter("ignore")
    rows: dict[str, tuple[str, ...]] = {}
    for module in MODULES:
        seen: set[str] = set()
        for item_id, qualname, kind, member in sorted(members(module), key=lambda found: found[:3]):
            doc = " ".join(inspect.cleandoc(member.__doc__).split())
            summary = mask(first_sentence(inspect.cleandoc(member.__doc__)), module)
            if item_id not in rows and summary not in seen and len(re.findall(r"[A-Za-z]{2,}", summary)) >= 3:
                seen.add(summary)
                rows[item_id] = (item_id, module, qualname, kind, mask(signature(member), module), summary, clip(doc, 400))
    return sorted(rows.values())


def members(module: str) -> Iterator[tuple[str, str, str, Any]]:
    """Yield (id, qualified name, kind, object) of what a module and its submodules define and document."""
    for part in parts(module):
        for name, value in vars(part).items():
            if name.startswith("_") or not belongs(value, module):
                continue
            if inspect.isclass(value):
                yield f"{value.__module__}.{name}", name, "class", value
                yield from methods(value, name)
            elif inspect.isroutine(value) and documented(value):
                yield f"{value.__module__}.{name}", name, "function", value


def methods(owner: type, owner_name: str) -> Iterator[tuple[str, str, str, Any]]:
    """Yield the documented public methods and properties that a class defines itself."""
    for name, value in vars(owner).items():
        kind = "property" if isinstance(value, property) else "method"
        member = getattr(value, "__func__", value)
        if not name.startswith("_") and (kind == "property" or inspect.isroutine(member)) and documented(member):
            yield f"{owner.__module__}.{owner_name}.{name}", f"{owner_name}.{name}", kind, member


def parts(module: str) -> Iterator[Any]:
    """Yield a module and its public submodules that exist on this system."""
    top = importlib.import_module(module)
    yield top
    for found in pkgutil.walk_packages(getattr(top, "__path__", []), f"{module}."):
        if not any(part.startswith("_") or part in {"test", "tests"} for part in found.name.split(".")):
            try:
                yield importlib.import_module(found.name)
            except ImportError:  # for another operating system
                continue


def belongs(value: Any, module: str) -> bool:
    """Return whether a value was defined in the module and has documentation of its own."""
    return str(getattr(value, "__module__", "")).split(".")[0] == module and documented(value)


def documented(value: Any) -> bool:
    """Return whether a value carries a docstring."""
    return isinstance(getattr(value, "__doc__", None), str) and bool(value.__doc__.strip())


def first_sentence(doc: str) -> str:
    """Return the first sentence of the first paragraph, without a leading signature."""
    paragraphs = [" ".join(block.split()) for block in doc.split("\n\n") if block.strip()]
    opening = re.sub(r"^[\w.]+\([^)]*\)( -+>? | -> \w+ ?)?", "", paragraphs[0]).strip()
    text = opening or (paragraphs[1] if len(paragraphs) > 1 else "")
    return clip(re.split(r"(?<=[.!?])\s+(?=[A-Z(])", text)[0], 300)


def signature(member: Any) -> str:
    """Return the parameters of a callable, or an empty text where Python does not know them."""
    try:
        found = str(inspect.signature(member))
    except (TypeError, ValueError):
        return ""
    return clip(re.sub(r" at 0x[0-9a-f]+", "", found), 200)


def mask(text: str, module: str) -> str:
    """Replace the name of the module, so that a text does not give its own answer away."""
    return re.sub(rf"\b{re.escape(module)}\b", "___", text, flags=re.IGNORECASE)


def clip(text: str, limit: int) -> str:
    """Cut a text at a word so that it has at most `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 3].rsplit(' ', 1)[0]}..."


def table(name: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Return columns and rows of a set that scikit-learn carries; the target comes last, named where it has names."""
    from sklearn import datasets

    options = {"scaled": False} if name == "diabetes" else {}
    found = getattr(datasets, f"load_{name}")(**options)
    label = "species" if name == "iris" else "target"
    names = list(getattr(found, "target_names", []))
    columns = tuple(re.sub(r"\W+", "_", column).strip("_") for column in found.feature_names)
    rows = [
        (f"{name}-{number:03d}", *(float(value) for value in values), str(names[int(target)]) if names else float(target))
        for number, (values, target) in enumerate(zip(found.data, found.target, strict=True), start=1)
    ]
    return ("item_id", *columns, label), rows


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
