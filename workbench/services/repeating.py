"""Whether a job that failed or was cancelled may be made again from itself: told with its actions, refused when asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.domain.jobs import LIFECYCLE
from workbench.services import generation_turn

if TYPE_CHECKING:
    from workbench.services.application import Application

# Their services make them again, with checks of their own.
ANEW = frozenset({"train", "study"})


def never(app: Application, kind: str, spec: Mapping[str, Any]) -> str | None:
    """Return why such a job cannot be repeated by itself at all, or None."""
    if kind in ANEW or (kind in app.engine.kinds and not spec.get("once")):
        return None
    return f"A job of kind {kind} cannot be repeated by itself. Start it again where it was started."


def hindered(app: Application, rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return why jobs may not be repeated now: by job id the reasons by action."""
    ended = [row for row in rows if row["status"] in (LIFECYCLE.moves["retry"].sources or ())]
    turns = generation_turn.taken(app.db) if any(row["kind"] == "generate" for row in ended) else {}
    found = {}
    for row in ended:
        reason = never(app, row["kind"], row["spec"])
        if row["kind"] == "generate":
            reason = reason or turns.get(row["spec"].get("training_sheet_id"))
        if reason:
            found[row["id"]] = {"retry": reason, "resume": reason}
    return found
