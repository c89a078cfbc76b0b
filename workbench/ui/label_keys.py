"""The keys of the review and what they stand for."""

from __future__ import annotations

from markupsafe import Markup

COMMANDS = {
    "a": "approve",
    "r": "reject",
    "f": "flag",
    "e": "edit",
    "p": "prompt",
    "n": "notes",
    "w": "reason",
    "u": "undo",
    "Shift+u": "redo",
    "j": "next",
    "k": "previous",
    "ArrowRight": "next",
    "ArrowLeft": "previous",
    "g": "grid",
    "o": "progress",
    "i": "guidelines",
    "/": "search",
    "?": "help",
}
# Keys that have something stored.
WRITING = tuple(key for key, name in COMMANDS.items() if name in ("approve", "reject", "flag", "undo", "redo"))
HELP = (
    ("A", "Approve, with what was typed"),
    ("R", "Reject"),
    ("F", "Flag"),
    ("E", "Edit the response"),
    ("P", "Edit the prompt"),
    ("N", "Write notes"),
    ("W", "Write why, before R or F"),
    ("Ctrl+Enter", "Save what was typed and approve"),
    ("Esc", "Leave the field; what was typed is kept"),
    ("1 … 9", "Answer with one of the classes and approve; a class may have a key of its own"),
    ("U", "Undo my last decision"),
    ("Shift+U", "Make it again"),
    ("J →", "Next pair"),
    ("K ←", "Previous pair"),
    ("G", "One pair or many"),
    ("O", "Progress by person and by day"),
    ("I", "Guidelines"),
    ("/", "Search"),
    ("?", "These keys"),
)


def help_markup() -> Markup:
    """Return the keys with what they do."""
    rows = Markup("").join(Markup("<dt><kbd>{}</kbd></dt><dd>{}</dd>").format(key, words) for key, words in HELP)
    return Markup('<dl class="facts">{}</dl>').format(rows)
