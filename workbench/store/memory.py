"""What was worked out from the database, kept for as long as nothing of it changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
KEPT = 200


class Memory:
    """Keep the latest answers, each with the mark of the state it was worked out from."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._turns = 0

    def recall(self, key: Hashable, mark: Hashable | None, work_out: Callable[[], T]) -> T:
        """Return the answer kept under `key` if it has this mark, else work it out and keep it; without a mark keep nothing."""
        if mark is None:
            return work_out()
        with self._lock:
            known, turns = self._kept.get(key), self._turns
        if known is not None and known.mark == mark:
            return known.answer
        answer = work_out()
        with self._lock:
            # What a commit came across may hold that commit already, though its mark does not tell.
            self._kept[key] = _Kept(mark, answer, exact=turns == self._turns and turns % 2 == 0)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return answer

    def turn(self) -> None:
        """Take note that a commit begins, or has ended; what is worked out meanwhile belongs to neither state for sure."""
        with self._lock:
            self._turns += 1

    def follow(self, key: Hashable, before: Hashable, after: Hashable, changes: Sequence[Callable[[Any], Any]]) -> None:
        """Let the answer that was true at one mark become that of the next; a change that returns None gives it up."""
        with self._lock:
            known = self._kept.get(key)
            if known is None or not known.exact or known.mark != before:
                return
            answer = known.answer
            for change in changes:
                answer = None if answer is None else change(answer)
            if answer is None:
                del self._kept[key]
            else:
                self._kept[key] = _Kept(after, answer, exact=True)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Hold an answer, the mark of its state, and whether it is of that state and none later."""

    mark: Hashable
    answer: Any
    exact: bool
