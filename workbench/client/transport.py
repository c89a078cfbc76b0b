"""The seam between the facade and wherever the operations run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from workbench.contract.operation import Operation
from workbench.domain.system import Change

Listener = Callable[[Sequence[Change]], None]


class Transport(Protocol):
    """Call operations and hear about changes, in this process or over HTTP."""

    label: str
    url: str | None
    user: str

    def call(self, operation: Operation, given: dict[str, Any], *, key: str | None = None, respond_async: bool = False) -> Any:
        """Run one operation with the given arguments; `key` makes a command idempotent.

        `respond_async` asks a long operation for the Job instead of its end.
        """
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after each commit; returns the way to stop it."""
        ...

    @property
    def connected(self) -> bool:
        """Return True while changes arrive as they are committed."""
        ...

    def close(self) -> None:
        """Release everything held."""
        ...
