"""Tell those who asked, in the order of the commits, outside every lock."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.store.transaction import Event

log = logging.getLogger(__name__)

Subscriber = Callable[["list[Event]"], None]


class Subscribers:
    """Keep the subscribers of one database and hand them each batch once.

    One thread delivers at a time; a thread that finds another delivering leaves its batch to it,
    so the order of delivery is the order of the commits and nobody waits for a slow subscriber twice.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._subscribers: dict[int, Subscriber] = {}
        self._next = 0
        self._batches: deque[list[Event]] = deque()
        self._delivering = False

    def add(self, subscriber: Subscriber) -> Callable[[], None]:
        """Add a subscriber and return the function that removes it."""
        with self._mutex:
            token = self._next = self._next + 1
            self._subscribers[token] = subscriber
        return lambda: self._remove(token)

    def enqueue(self, events: Sequence[Event]) -> None:
        """Put a committed batch in line; called while the write lock is held."""
        with self._mutex:
            self._batches.append(list(events))

    def deliver(self) -> None:
        """Hand out what is in line; called when no lock is held."""
        with self._mutex:
            if self._delivering:
                return
            self._delivering = True
        while (batch := self._take()) is not None:
            for subscriber in list(self._subscribers.values()):
                _tell(subscriber, batch)

    def clear(self) -> None:
        """Forget every subscriber."""
        with self._mutex:
            self._subscribers.clear()

    def _take(self) -> list[Event] | None:
        with self._mutex:
            if self._batches:
                return self._batches.popleft()
            self._delivering = False
            return None

    def _remove(self, token: int) -> None:
        with self._mutex:
            self._subscribers.pop(token, None)


def _tell(subscriber: Subscriber, batch: list[Event]) -> None:
    try:
        subscriber(list(batch))
    except Exception:
        log.exception("A subscriber failed on events %s-%s.", batch[0].seq, batch[-1].seq)
