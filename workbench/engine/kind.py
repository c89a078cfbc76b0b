"""What the engine needs to know of one kind of job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.domain.jobs import Job

Prepare = Callable[[Job, Path], Mapping[str, Any] | None]
Receive = Callable[[Job, Path, dict[str, Any]], Mapping[str, Any]]
Finish = Callable[[Job, Path, dict[str, Any]], Mapping[str, Any] | None]
Told = Callable[[Job], object]
Facts = Callable[[Job, Mapping[str, str]], None]
Hear = Callable[[Job, Sequence[Mapping[str, Any]]], None]
Needs = Callable[[Job], Mapping[str, float]]

# Of work whose outcome is received, the process does about this much; the rest of the bar is for what follows.
BEFORE_RECEIVING = 0.75


@dataclass(frozen=True)
class Kind:
    """How jobs of a kind run.

    `prepare` writes inputs into the folder, on a thread of its own, and returns what the child gets as
    `context.inputs`; `entry` is `module:function` and runs in the child; `receive` takes in what is too
    much for one quick transaction, on a thread of its own, to where nobody sees it yet, and returns what
    to add to the child's result (after a restart it may run again); `finish` runs in the transaction that
    sets succeeded and returns the job's result; `ended` runs in the one that sets failed or cancelled,
    `again` in the one that queues the job for another attempt; `facts` keeps what the child tells of the
    job itself, in the transaction that takes its words in; `hear` gets the journal's records once they are
    taken in and must return at once; `resources` names what a worker of a cluster must offer to run it,
    such as `{"GPU": 1}`; on this machine GPUs are handed out, as far as there are any.
    """

    entry: str
    prepare: Prepare | None = None
    receive: Receive | None = None
    finish: Finish | None = None
    ended: Told | None = None
    again: Told | None = None
    facts: Facts | None = None
    hear: Hear | None = None
    resources: Needs | None = None

    @property
    def share(self) -> float:
        """Return which part of the whole work the child does."""
        return BEFORE_RECEIVING if self.receive else 1.0
