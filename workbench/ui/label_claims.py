"""Work through a queue together: pairs are handed out, so that two people never get the same one."""

from __future__ import annotations

from typing import Any

from workbench.domain.label import PairFilter

LEASE_S = 120
BEAT_S = 40
# The pair on the desk and the one after it.
AT_A_TIME = 2
PARTS_OF_FILTER = frozenset(PairFilter.own_fields())


def asked(queue: dict[str, Any]) -> dict[str, Any]:
    """Return what asks for a queue where the filter is one argument and the order the others."""
    filter = PairFilter(**{name: value for name, value in queue.items() if name in PARTS_OF_FILTER})
    return {"filter": filter, **{name: value for name, value in queue.items() if name not in PARTS_OF_FILTER}}


class Claims:
    """Hold the pairs that were handed to this browser page, in their order."""

    def __init__(self, ws: Any, training_sheet_id: str) -> None:
        self._review = ws.review
        self._id = training_sheet_id
        self._queue: dict[str, Any] = {}
        self._held: list[int] = []
        self._seen: list[int] = []

    def choose(self, queue: dict[str, Any]) -> None:
        """Work through another queue."""
        self._queue = asked(queue)
        self.release()

    def first(self) -> int | None:
        """Return the first pair nobody else holds."""
        self._held = self._claim()
        return self._to(next(iter(self._held), None))

    def following(self, row_index: int) -> int | None:
        """Return the pair to work on after a decision; it ended the claim on the pair decided."""
        self._held = [index for index in self._claim(after=row_index) if index != row_index]
        return self._to(next(iter(self._held), None))

    def upcoming(self, row_index: int) -> int | None:
        """Return the pair that will come next, as far as it is handed out."""
        held = iter(self._held)
        return next(held, None) if row_index in held else None

    def step(self, row_index: int, *, forward: bool) -> int | None:
        """Return the next pair without deciding on this one, or the one looked at before."""
        self._review.release(self._id, row_indices=[row_index])
        if forward:
            self._held = self._claim(after=row_index)
            return self._to(next(iter(self._held), None))
        if row_index in self._seen:
            self._seen.remove(row_index)
        return self.take(self._seen.pop()) if self._seen else None

    def take(self, row_index: int) -> int:
        """Hold one pair if nobody else does and it waits in the queue, and look at it either way.

        What this person held in a page that is gone, or in another one, is held here from now on.
        """
        only = {**self._queue, "filter": self._queue["filter"].with_(where=f"row_index = {row_index}")}
        handed = self._review.claim(self._id, 1, lease_seconds=LEASE_S, take_over=True, **only)
        self._held = [pair.row_index for pair in handed.items]
        self._seen = [*self._seen, row_index]
        return row_index

    def renew(self) -> None:
        """Hold for longer what is held, because the page is still open."""
        if self._held:
            listed = ", ".join(map(str, self._held))
            self._review.claim(self._id, AT_A_TIME, lease_seconds=LEASE_S, filter=PairFilter(where=f"row_index in ({listed})"))

    def release(self) -> None:
        """Give everything back."""
        self._held, self._seen = [], []
        self._review.release(self._id)

    def _claim(self, after: int | None = None) -> list[int]:
        """Hold the next pairs of the queue in its order; where none is behind a pair, begin again at the front."""
        behind = {} if after is None else {"after": after}
        handed = self._review.claim(self._id, AT_A_TIME, lease_seconds=LEASE_S, **self._queue, **behind)
        found = [pair.row_index for pair in handed.items]
        return found if found or after is None else self._claim()

    def _to(self, row_index: int | None) -> int | None:
        if row_index is not None:
            self._seen = [*self._seen, row_index]
        return row_index
