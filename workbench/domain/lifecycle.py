"""Which action is allowed in which state: one table per kind of record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from workbench.domain.record import Action, Record
from workbench.errors import InvalidTransition


@dataclass(frozen=True)
class Move:
    """Name one action, the states it may start from and the state it leads to.

    `sources=None` allows any state; `target=None` keeps the state.
    `roles=None` leaves the check to the operation. `words` say what is refused where the label is no verb.
    """

    name: str
    label: str
    sources: frozenset[str] | None = None
    target: str | None = None
    confirm: str | None = None
    roles: frozenset[str] | None = None
    words: str | None = None


class Lifecycle:
    """Answer what may be done to a record, and refuse the rest with the reason."""

    def __init__(self, kind: str, moves: Collection[Move], *, field: str = "status") -> None:
        self.kind = kind
        self.field = field
        self.moves = {move.name: move for move in moves}

    def allowed(self, state: str) -> list[str]:
        """Return the names of the actions allowed in `state`."""
        return [m.name for m in self.moves.values() if m.sources is None or state in m.sources]

    def require(self, name: str, state: str, actions: Callable[[], Iterable[Action]] | None = None) -> str:
        """Return the state that action `name` leads to from `state`, or raise InvalidTransition.

        `actions` tells what the record at hand offers, where that is less than its state allows.
        """
        if name not in self.allowed(state):
            wanted = self.moves[name].words or self.moves[name].label.lower()
            raise InvalidTransition.of(self.kind, wanted, state, offered(actions()) if actions else self.allowed(state))
        return self.moves[name].target or state

    def actions(
        self,
        record: Record | Mapping[str, object],
        *,
        roles: Collection[str] | None = None,
        blocked: Mapping[str, str] | None = None,
    ) -> tuple[Action, ...]:
        """Return every action with enabled or the reason why not; `blocked` adds further reasons."""
        state = record[self.field] if isinstance(record, Mapping) else getattr(record, self.field)
        return tuple(self._action(move, str(state), roles, blocked or {}) for move in self.moves.values())

    def _action(self, move: Move, state: str, roles: Collection[str] | None, blocked: Mapping[str, str]) -> Action:
        reason = blocked.get(move.name)
        if move.sources is not None and state not in move.sources:
            reason = f"Not while the {self.kind} is {state}."
        elif roles is not None and move.roles is not None and not move.roles & set(roles):
            reason = f"Needs the role {' or '.join(sorted(move.roles))}."
        return _action(move, reason)


def offered(actions: Iterable[Action]) -> list[str]:
    """Return the names of the actions that can be taken."""
    return [action.name for action in actions if action.enabled]


@lru_cache(maxsize=4096)
def _action(move: Move, reason: str | None) -> Action:
    """Return what a move comes to; a page of records offers the same few over and over."""
    return Action(name=move.name, label=move.label, enabled=reason is None, reason=reason, confirm=move.confirm)
