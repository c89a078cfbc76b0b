"""Work through tasks of one session in their order, away from the event loop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

PATIENCE_S = 5


class Lane:
    """Run tasks one after the other on a thread of its own; a failing task is told and ends nothing."""

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._tasks: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, task: Callable[[], None]) -> None:
        """Run a task after those already waiting."""
        self._tasks.put(task)
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="workbench-lane")
                self._thread.start()

    @property
    def calm(self) -> bool:
        """Return whether no task waits."""
        return self._tasks.empty()

    def close(self) -> None:
        """Stop once the waiting tasks are done, and wait for that unless a task asks for it."""
        self._tasks.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(PATIENCE_S)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except Exception as error:  # the lane outlives a refused decision
                self._failed(error)
