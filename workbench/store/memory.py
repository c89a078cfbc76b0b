"""What was worked out from the database, kept for as long as nothing of it changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
KEPT = 200


class Memory:
    """Keep the latest answers, each with the mark of the state it was worked out from."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, key: Hashable, mark: Hashable | None, work_out: Callable[[], T]) -> T:
        """Return the answer kept under `key` if it has this mark, else work it out and keep it; without a mark keep nothing."""
        if mark is None:
            return work_out()
        with self._lock:
            known = self._kept.get(key)
        if known is not None and known[0] == mark:
            return known[1]
        answer = work_out()
        self.keep(key, mark, answer)
        return answer

    def under(self, mark: Hashable) -> dict[Hashable, Any]:
        """Return the answers that have a mark, by key."""
        with self._lock:
            return {key: answer for key, (known, answer) in self._kept.items() if known == mark}

    def keep(self, key: Hashable, mark: Hashable, answer: Any) -> None:
        """Keep an answer in place of the one before."""
        with self._lock:
            self._kept[key] = (mark, answer)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
