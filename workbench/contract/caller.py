"""The caller's name in a header, which holds no letters but ASCII ones."""

from __future__ import annotations

import re
import string
from contextlib import suppress
from urllib.parse import quote, unquote

_PLAIN = string.punctuation.replace("%", "") + " "
_STRANGE = re.compile(r"[^\w.@+' -]")
_LONGEST = 80


def as_header(name: str) -> str:
    """Return a name as it stands in a header: a plain one as it is, other letters percent-encoded."""
    return quote(name, safe=_PLAIN)


def from_header(value: str) -> str:
    """Return the name that a header stands for, without what no name has; one that nobody encoded is UTF-8 or Latin-1."""
    with suppress(UnicodeError):
        value = value.encode("latin-1").decode()
    return _STRANGE.sub("", unquote(value)).strip()[:_LONGEST]
