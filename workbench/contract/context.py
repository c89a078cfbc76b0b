"""Who is calling, from where, under which request."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

ROLES = frozenset({"admin", "data_steward", "trainer", "labeler", "reviewer", "viewer"})


@dataclass(frozen=True)
class Upload:
    """A file received with the call, saved at `path` until the call ends."""

    path: str
    filename: str
    sha256: str = ""


@dataclass(frozen=True)
class Context:
    """Travel beside the arguments of one call; never an argument itself."""

    actor: str = "local"
    roles: frozenset[str] = frozenset({"admin"})
    client: str = ""
    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    idempotency_key: str | None = None
    served: bool = False
    respond_async: bool = False
    upload: Upload | None = None


_DEFAULT = Context(request_id="-")
_current: ContextVar[Context] = ContextVar("workbench_context", default=_DEFAULT)


def current() -> Context:
    """Return the context of the call in progress."""
    return _current.get()


@contextlib.contextmanager
def use(context: Context) -> Iterator[Context]:
    """Make `context` the current one for the duration of the block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
