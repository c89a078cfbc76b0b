"""The answer of a command, kept in the transaction in which the command takes effect."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from workbench.contract import answers
from workbench.contract.operation import Operation


class Answer:
    """Keep the answer of one command once: whoever repeats it with its key gets this one."""

    def __init__(self, operation: Operation, keep: Callable[[Any], None]) -> None:
        self._operation = operation
        self._keep = keep
        self.kept = False

    def keep(self, result: Any) -> None:
        """Keep `result` in the current transaction, unless it answers another operation within this one."""
        if not self.kept and self._answers(result):
            self._keep(result)
            self.kept = True

    def _answers(self, result: Any) -> bool:
        kind = self._operation.record_type
        return answers.is_started(self._operation, result) or (kind is not None and isinstance(result, kind))


_current: ContextVar[Answer | None] = ContextVar("workbench_answer", default=None)


def answered(result: Any) -> Any:
    """Keep `result` as the answer of the command in progress, with the changes of the current transaction, and return it.

    For commands that declare `transaction=False`: called last in the transaction that publishes.
    """
    answer = _current.get()
    if answer is not None:
        answer.keep(result)
    return result


@contextlib.contextmanager
def answering(operation: Operation, keep: Callable[[Any], None]) -> Iterator[Answer]:
    """Let `answered` keep the answer of this command during the block."""
    answer = Answer(operation, keep)
    token = _current.set(answer)
    try:
        yield answer
    finally:
        _current.reset(token)
