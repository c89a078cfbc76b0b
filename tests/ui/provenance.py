"""Where what a view shows came from: the answers it was given, or the words written in its code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import workbench.domain
import workbench.ui
from tests.ui.rendered import texts
from workbench.contract import answers
from workbench.domain.record import Record
from workbench.services import operations
from workbench.ui import format as fmt

NUMBER = re.compile(r"\d(?:[\d.]*\d)?")
WORD = re.compile(r"[a-z]{3,}", re.IGNORECASE)
SPACES = re.compile("(?<=\\d)[\u2009\u202f\xa0,](?=\\d)")
FORMATS = (
    fmt.integer, fmt.plain, fmt.percent, fmt.percentage, fmt.duration, fmt.milliseconds, fmt.size,
    *(lambda value, n=n: fmt.number(value, n) for n in range(5)),
)  # fmt: skip


class Recorder:
    """Stand before a transport and keep every answer and every action offered."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.wire: list[Any] = []
        self.actions: set[tuple[str, bool]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def call(self, operation: Any, given: dict[str, Any], **more: Any) -> Any:
        """Run the operation and keep its answer."""
        answer = self._transport.call(operation, given, **more)
        self.wire += [answers.to_wire(operation, answer), given]
        return answer


def offered(wire: Any) -> Iterator[tuple[str, bool]]:
    """Return name and state of every action in some answers."""
    if isinstance(wire, dict):
        for action in wire.get("actions") or ():
            yield action["name"], action["enabled"]
        for part in wire.values():
            yield from offered(part)
    elif isinstance(wire, list):
        for part in wire:
            yield from offered(part)


def leaves(wire: Any) -> Iterator[Any]:
    """Return every key and every value of some answers."""
    if isinstance(wire, dict):
        for key, part in wire.items():
            yield key
            yield from leaves(part)
    elif isinstance(wire, (list, tuple)):
        for part in wire:
            yield from leaves(part)
    else:
        yield wire


def written(package: Path) -> list[str]:
    """Return every text and number written in the code of a package, and what its scripts say."""
    found = []
    for path in package.rglob("*.py"):
        found += [str(n.value) for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)]
    return found + [path.read_text() for path in package.rglob("*.js")]


def documented() -> list[str]:
    """Return what operations, their arguments and records say of themselves: forms and hints are made of it."""
    found = []
    for operation in operations().values():
        found += [operation.doc, operation.label, operation.id, str(operation.model.model_json_schema())]
    queue = list(Record.__subclasses__())
    while queue:
        kind = queue.pop()
        queue += kind.__subclasses__()
        for name in kind.own_fields():
            parameter = kind.param[name]
            found += [name, parameter.doc or "", *map(str, getattr(parameter, "objects", ()))]
    return found


# What Bokeh's own look is made of; it travels beside the words.
LOOK = ["canvas black lightgray lightgrey"]
LENGTH = re.compile(r"^[\d.]+(em|px)$", re.MULTILINE)
STATIC = [*written(Path(workbench.ui.__file__).parent), *written(Path(workbench.domain.__file__).parent), *documented(), *LOOK]


def numbers_of(texts: Iterable[str]) -> set[str]:
    """Return the numbers in some texts, thousands joined."""
    return {number for text in texts for number in NUMBER.findall(SPACES.sub("", text))}


def words_of(texts: Iterable[str]) -> set[str]:
    """Return the words in some texts, in lower case."""
    return {word.lower() for text in texts for word in WORD.findall(text)}


def formatted(value: Any) -> list[str]:
    """Return a value in every way a view may write it."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return [str(value)]
    shown = [str(value)]
    for write in FORMATS:
        try:
            shown.append(str(write(value)))
        except (ValueError, OverflowError, StopIteration):
            continue
    return shown


def unexplained(view: Any, wire: Any, given: Iterable[str] = ()) -> list[str]:
    """Return the numbers and words a view shows that neither an answer nor its code contains."""
    shown = [LENGTH.sub("", texts(view))]
    known = [text for leaf in leaves(wire) for text in formatted(leaf)]
    sources = [*known, *STATIC, *given, *_libraries(view)]
    numbers = numbers_of(shown) - numbers_of(sources) - numbers_of(re.findall(r"\d+", " ".join(known)))
    # Ids are shown by their last eight characters, which may cut through a run of digits or of letters.
    tails = [leaf[-8:] for leaf in leaves(wire) if isinstance(leaf, str)]
    numbers -= numbers_of(tails)
    words = words_of(shown) - words_of(sources) - words_of(fmt.words(text) for text in known) - words_of(tails)
    return sorted(numbers) + sorted(words)


def _libraries(view: Any) -> Iterator[str]:
    """Return the names of components and properties, which travel beside the words."""
    for model in view.__panel__().get_root().references():
        yield type(model).__qualified_model__
        yield from model.properties()


def buttons(view: Any) -> set[tuple[str, bool]]:
    """Return name and state of every action button of a view."""
    found = set()
    for model in view.__panel__().get_root().references():
        data = getattr(model, "data", None)
        for name in getattr(model, "css_classes", None) or ():
            if name.startswith("action-") and data is not None:
                found.add((name.removeprefix("action-"), not getattr(data, "disabled", False)))
    return found
