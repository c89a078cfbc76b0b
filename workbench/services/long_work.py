"""Operations that may be long: within the call up to a size, in a job beyond it."""

from __future__ import annotations

from collections.abc import Callable

from workbench.contract import current

ROWS_IN_A_CALL = 100_000


def takes_a_job(holds_more: Callable[[int], bool]) -> bool:
    """Return True when the caller asked for a job, or there is more to do than people wait for in a call.

    `holds_more(rows)` tells cheaply whether there are more rows than that.
    """
    return current().respond_async or holds_more(ROWS_IN_A_CALL)
