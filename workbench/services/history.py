"""The log of decisions, made readable."""

from __future__ import annotations

from typing import Any

from workbench.contract import Page
from workbench.domain.label import Decision, uses_of
from workbench.domain.wording import word_diff
from workbench.store import Database

WORDS = {
    "approve": "approved",
    "reject": "rejected",
    "flag": "flagged",
    "reset": "reset to unlabeled",
    "edit": "edited",
    "generate": "had answers written",
    "rights": "changed the usage rights",
    "undo": "took back",
    "redo": "made again",
}
HIDDEN = {"last_batch"}
MASKS = {"allowed_mask": "allowed_uses", "prohibited_mask": "prohibited_uses"}


def page(db: Database, training_sheet_id: str, wanted: dict[str, Any], number: int, size: int) -> Page[Decision]:
    """Return one page of the log, the newest first."""
    parts, params = ["d.training_sheet_id = ?"], [training_sheet_id]
    for column, value in (("d.row_index", wanted["row_index"]), ("b.id", wanted["batch_id"]), ("d.actor", wanted["actor"])):
        if value is not None:
            parts.append(f"{column} = ?")
            params.append(value)
    relation = f"from decisions d join batches b on b.number = d.batch where {' and '.join(parts)}"
    with db.read():
        total = db.value(f"select count(*) {relation}", params)
        rows = db.rows(
            "select d.*, b.id as batch_id, b.undone_at is not null as undone "
            f"{relation} order by d.id desc limit {size} offset {(number - 1) * size}",
            params,
        )
    return Page(Decision, [_presented(row) for row in rows], total=total, page=number, page_size=size)


def _presented(row: dict[str, Any]) -> dict[str, Any]:
    old, new = _readable(row["before"], row["texts_before"]), _readable(row["after"], row["texts_after"])
    changed = [name for name in new if old.get(name) != new[name]]
    edited = "response" in changed or "prompt" in changed
    words = WORDS[row["action"]]
    return {
        "id": row["id"],
        "batch_id": row["batch_id"],
        "training_sheet_id": row["training_sheet_id"],
        "row_index": row["row_index"],
        "action": row["action"],
        "label": f"edited and {words}" if edited and row["action"] in ("approve", "reject", "flag") else words,
        "actor": row["actor"],
        "logged_at": row["logged_at"],
        "before": {name: old[name] for name in changed},
        "after": {name: new[name] for name in changed},
        "response_diff": word_diff(old["response"], new["response"]) if "response" in changed else (),
        "prompt_diff": word_diff(old["prompt"], new["prompt"]) if "prompt" in changed else (),
        "undone": row["undone"],
    }


def _readable(state: dict[str, Any], texts: dict[str, Any] | None) -> dict[str, Any]:
    shown = {MASKS.get(name, name): uses_of(v) if name in MASKS else v for name, v in state.items() if name not in HIDDEN}
    return shown | (texts or {})
