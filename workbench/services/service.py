"""What every service shares: the application it belongs to and the caller it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.contract.context import current
from workbench.contract.operation import Operation, collect

if TYPE_CHECKING:
    from workbench.clock import Clock
    from workbench.config import Settings
    from workbench.services.application import Application
    from workbench.store.invariants import Check


class Service:
    """Hold the rules of one area; methods marked @query or @command are its operations.

    `invariants` are what the doctor checks for it beyond those of the tables.
    """

    namespace: ClassVar[str] = ""
    operations: ClassVar[dict[str, Operation]] = {}
    invariants: ClassVar[tuple[Check, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.namespace:
            cls.operations = collect(cls, cls.namespace)

    def __init__(self, app: Application) -> None:
        self.app = app
        self.db = app.db
        self.clock: Clock = app.clock
        self.settings: Settings = app.settings

    def start(self) -> None:
        """Begin work that needs the other services; called once when the workspace opens."""

    def close(self) -> None:
        """Release what `start` took."""

    @property
    def actor(self) -> str:
        """Return who is calling."""
        return current().actor

    @property
    def roles(self) -> frozenset[str]:
        """Return what the caller may be."""
        return current().roles
