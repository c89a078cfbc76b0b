"""A workspace of canned answers, for rendering views without a service."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class Operation:
    """Answer a call with what a test put there, through the interface of a facade method."""

    def __init__(self, answer: Any, topics: tuple[str, ...] = (), operation: Any = None) -> None:
        self.answer = answer
        self.operation = operation or SimpleNamespace(topics=frozenset(topics), arguments=())
        self.calls: list[dict[str, Any]] = []
        self.__self__ = SimpleNamespace(_workspace=FakeHub)

    def __call__(self, **arguments: Any) -> Any:
        self.calls.append(arguments)
        found = self.answer(**arguments) if callable(self.answer) else self.answer
        if isinstance(found, Exception):
            raise found
        return found


class FakeHub:
    """Hand changes to whoever listens."""

    listeners: list[Callable[[Any], None]] = []

    @classmethod
    def subscribe(cls, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Listen until the returned function is called."""
        cls.listeners.append(listener)
        return lambda: cls.listeners.remove(listener)


def workspace(**namespaces: dict[str, Any]) -> Any:
    """Return a workspace whose operations answer with given values."""
    made = {
        name: SimpleNamespace(**{op: Operation(answer, topics=(name,)) for op, answer in operations.items()})
        for name, operations in namespaces.items()
    }
    return SimpleNamespace(**made, record_method=lambda record, name: None)
