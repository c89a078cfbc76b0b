"""Which texts say nothing: one rule for a response, a prompt and a cell.

The macro `is_blank` of the database file answers the same for many texts at once.
"""

from __future__ import annotations

# White space of Unicode, and what takes no place on the line: joiners and byte order marks.
WHITE = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


def is_blank(text: str | None) -> bool:
    """Return True for a text without a character that is to be seen."""
    return not (text or "").strip(WHITE)


def told(text: str) -> str:
    """Return a text that says something, or refuse it."""
    if is_blank(text):
        raise ValueError("is blank; write at least one letter")
    return text
