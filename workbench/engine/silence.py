"""External runs that nothing is heard of any more."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.engine.engine import Engine

LOOK_SECONDS = 2.0
RUNNING = """
select id, heartbeat_at, lease_seconds from jobs
where kind = 'external' and status = 'running' and lease_seconds is not null
"""


class Silence:
    """Fail external runs whose lease has run out.

    Silence is measured by the owner's own monotonic clock from the moment a heartbeat was first seen:
    a sleeping laptop, a clock that jumps and a restart of the owner are no silence of the run.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: dict[str, tuple[dt.datetime, float]] = {}
        self._looked: float | None = None

    def look(self) -> None:
        """Look every two seconds at what runs elsewhere and end what has gone silent."""
        now = self._engine.clock.monotonic()
        if self._looked is not None and now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        running = self._engine.db.tuples(RUNNING)
        seen, self._seen = self._seen, {}
        for id, heartbeat, lease in running:
            known = seen.get(id)
            since = known[1] if known and known[0] == heartbeat else now
            self._seen[id] = (heartbeat, since)
            if now - since >= lease:
                self._interrupt(id, lease)

    def _interrupt(self, id: str, lease: float) -> None:
        words = f"The run was interrupted: nothing was heard of it for {lease:g} s. Its points are kept."
        changes = {"error_code": "INTERRUPTED", "error_message": words, "completed_at": self._engine.clock.now()}
        self._engine.ledger.move(id, ("running",), "failed", message=words, **changes)
