"""Which texts may be names: those on one line, without characters that only machines read."""

from __future__ import annotations

from unicodedata import category

# Control characters, and what breaks a line or a paragraph.
UNSEEN = frozenset({"Cc", "Zl", "Zp"})
# What turns the direction of the letters after it: a name with one of these looks like another.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def unseen(character: str) -> bool:
    """Return True for a character that is not shown, yet changes how a line is."""
    return category(character) in UNSEEN or character in TURNING


def plain(text: str | None) -> str | None:
    """Return a name as it is, or refuse one that lists, logs and files could not show on one line."""
    for character in text or "":
        if unseen(character):
            raise ValueError(
                f"holds a line break or control character (U+{ord(character):04X}); write it on one line without any"
            )
    return text


def made_plain(text: str) -> str:
    """Return a name that nobody typed, such as that of a file, on one line: what is not seen becomes a space."""
    parts = "".join("\n" if unseen(character) else character for character in text).split("\n")
    return " ".join(part for part in parts if part).strip()
