"""The reviewer's desk: which pair is on it, what was typed, and decisions in their order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Desk:
    """Decide on pairs one after the other; the next pair comes only once the write is acknowledged.

    Every method runs on one lane of the session. `show(card)` is called with each new card, `ended()`
    when the queue holds nothing more.
    """

    def __init__(self, ws: Any, *, show: Callable[[Any], None], ended: Callable[[], None]) -> None:
        self._ws = ws
        self.training_sheet_id = ""
        self._show = show
        self._ended = ended
        self._queue: dict[str, Any] = {}
        self._number = 0
        self._ahead: tuple[int, Future[Any]] | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="workbench-ahead")
        self.card: Any = None
        self.typed: str | None = None

    def close(self) -> None:
        """Stop reading ahead."""
        self._reader.shutdown(wait=True, cancel_futures=True)

    def turn(self, training_sheet_id: str) -> None:
        """Sit down at another training sheet, with an empty desk."""
        self.training_sheet_id = training_sheet_id
        self.card, self.typed, self._ahead = None, None, None

    def choose(self, queue: dict[str, Any], row_index: int | None = None) -> None:
        """Work through another queue, starting at a pair or at its first."""
        self._queue = queue
        self._ahead = None
        if row_index is None:
            self._first()
        else:
            self._open(row_index)

    def refresh(self) -> None:
        """Show the pair on the desk as it is now; an empty desk looks for work again."""
        if self.card is None:
            self._first()
        else:
            self._take(self._read(self.card.pair.row_index))

    def reload(self) -> None:
        """Show the pair again, whatever is known of it."""
        self._ahead = None
        self.refresh()

    def type(self, row_index: int, text: str) -> Any | None:
        """Keep what is typed so that a reload finds it; return the kept draft."""
        if self.card is None or self.card.pair.row_index != row_index:
            return self._ws.review.draft(self.training_sheet_id, row_index, response=text)
        self.typed = text
        return self._ws.review.draft(self.training_sheet_id, row_index, response=text)

    def decide(self, action: str, **more: Any) -> Any | None:
        """Decide on the pair on the desk and go to the next; what was typed goes along with an approval."""
        if self.card is None:
            return None
        pair = self.card.pair
        self._number += 1
        typed = {"response": self.typed} if action == "approve" and self.typed is not None else {}
        given = {"action": action, "version": pair.version, "n": self._number, **typed, **more}
        decided = self._ws.review.decide(self.training_sheet_id, pair.row_index, **given)
        self._advance(self.card.next_index)
        return decided

    def save(self, **changes: Any) -> Any | None:
        """Change the pair on the desk without deciding on it."""
        if self.card is None:
            return None
        pair = self.card.pair
        changed = self._ws.review.decide(self.training_sheet_id, pair.row_index, version=pair.version, **changes)
        self._open(pair.row_index)
        return changed

    def step(self, *, forward: bool) -> None:
        """Go to the next or the previous pair of the queue."""
        if self.card is None:
            self._first()
            return
        index = self.card.next_index if forward else self.card.previous_index
        if index is not None:
            self._open(index)

    def undo(self) -> Any:
        """Take back the last thing of this person and show the pair it was about."""
        outcome = self._ws.review.undo(self.training_sheet_id)
        self._ahead = None
        if outcome.row_indices:
            self._open(outcome.row_indices[0])
        else:
            self.refresh()
        return outcome

    def _advance(self, index: int | None) -> None:
        if index is None:
            self._first()
        else:
            self._open(index)

    def _first(self) -> None:
        found = self._ws.review.queue(self.training_sheet_id, limit=1, **self._queue)
        for pair in found:
            self._open(pair.row_index)
            return
        self.card = None
        self.typed = None
        self._ended()

    def _open(self, row_index: int) -> None:
        ready, self._ahead = self._ahead, None
        card = ready[1].result() if ready is not None and ready[0] == row_index else self._read(row_index)
        self._take(card)

    def _take(self, card: Any) -> None:
        self.card = card
        self.typed = card.draft.response if card.draft is not None else None
        self._show(card)
        if card.next_index is not None:
            self._ahead = (card.next_index, self._reader.submit(self._read, card.next_index))

    def _read(self, row_index: int) -> Any:
        return self._ws.review.card(self.training_sheet_id, row_index, **self._queue)
