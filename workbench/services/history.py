"""The log of decisions, made readable."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from workbench.contract import Page, current
from workbench.domain.generate import TrainingSheet
from workbench.domain.label import uses_of
from workbench.domain.record import Action
from workbench.domain.review_log import Batch, Decision
from workbench.domain.wording import word_diff
from workbench.services import restoring, templating, votes
from workbench.services.pairs import ARCHIVED
from workbench.services.review_arguments import REVIEWERS
from workbench.services.steps import SHAPED_BY
from workbench.store import Database

WORDS = {
    "approve": "approved",
    "reject": "rejected",
    "flag": "flagged",
    "reset": "reset to unlabeled",
    "edit": "edited",
    "generate": "had answers written",
    "import": "brought reviews in",
    "rights": "changed the usage rights",
    "reassemble": "rendered the prompts anew",
    "restore": "brought back an earlier version",
    "undo": "took back",
    "redo": "made again",
    "vote": "voted",
    "adjudicate": "adjudicated",
    "settle": "settled by the votes there were",
}
HIDDEN = {"last_batch"}
BRING_BACK = Action(name="restore", label="Bring back")
_VOTES = (
    "left join votes v on v.batch = coalesce(b.of_batch, d.batch) and v.row_index = d.row_index "
    "left join pair_rows p on p.training_sheet_id = v.training_sheet_id and p.row_index = v.row_index"
)
# Votes are blind: what others voted shows once the pair is settled, and as long as it is.
_SEEN = f"(v.voter is null or v.voter = ? or not {votes.WAITING})"
MASKS = {"allowed_mask": "allowed_uses", "prohibited_mask": "prohibited_uses"}


@dataclass(frozen=True)
class Wanted:
    """Say which part of the log is meant; what is not given does not narrow."""

    row_index: int | None = None
    batch_id: str | None = None
    actor: str | None = None
    action: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def condition(self, training_sheet_id: str, alias: str, *, row: str) -> tuple[str, list[Any]]:
        """Return SQL over the log or its batches, with its values; `row` is the condition on a pair."""
        tests = {
            row: self.row_index,
            "b.id = ?": self.batch_id,
            f"{alias}.actor = ?": self.actor,
            f"{alias}.action = ?": self.action,
            f"{alias}.logged_at >= ?": self.since,
            f"{alias}.logged_at < ?": self.until,
        }
        given = {sql: value for sql, value in tests.items() if value is not None}
        return " and ".join([f"{alias}.training_sheet_id = ?", *given]), [training_sheet_id, *given.values()]


def page(db: Database, made: TrainingSheet, wanted: Wanted, number: int, size: int) -> Page[Decision]:
    """Return one page of the log, the newest first."""
    condition, params = wanted.condition(made.id, "d", row="d.row_index = ?")
    condition, params = f"{condition} and {_SEEN}", [*params, current().actor]
    relation = f"from decision_log d join batches b on b.number = d.batch {_VOTES} where {condition}"
    with db.read():
        total = db.value(f"select count(*) {relation}", params)
        places = db.tuples(f"select d.id {relation} order by d.id desc limit {size} offset {(number - 1) * size}", params)
        rows = _entries(db, [place[0] for place in places])
        may = wanted.row_index is not None and bool(rows) and bool(REVIEWERS & current().roles)
        past, action = _way_back(db, made, wanted.row_index) if may else (range(0), BRING_BACK)
    # What is logged and left the pair as it was, as a vote does, made no version.
    reached = [row["pair_version"] if row["before"]["last_batch"] != row["after"]["last_batch"] else None for row in rows]
    shown = [_presented(row) | {"actions": (action,) if at in past else ()} for row, at in zip(rows, reached, strict=True)]
    first = next(iter(past), None)
    start = first if action.enabled and first not in reached else None
    return Page(Decision, shown, total=total, page=number, page_size=size, extra={"first_version": start})


def _way_back(db: Database, made: TrainingSheet, row_index: int | None) -> tuple[range, Action]:
    """Return the versions that a pair can be brought back to, and the action of doing so or why not."""
    row = db.row("select row_index, votes, disputed from pair_rows where training_sheet_id = ? and row_index = ?", [made.id, row_index])
    if row is None:
        return range(0), BRING_BACK
    shared = votes.shared(made, row, "restore")
    reason = ARCHIVED if made.status == "archived" else votes.alone(restoring.DOING, current().roles) if shared else None
    return restoring.life(db, made.id, row["row_index"])[:-1], BRING_BACK.with_(enabled=reason is None, reason=reason)


def _entries(db: Database, ids: list[int]) -> list[dict[str, Any]]:
    """Return entries of the log by their ids, the newest first; only these few are read in full."""
    if not ids:
        return []
    return db.rows(
        "select d.*, b.id as batch_id, b.undone_at is not null as undone, v.action as vote from decisions d "
        f"join batches b on b.number = d.batch {_VOTES} where d.id in ({', '.join(map(str, ids))}) order by d.id desc"
    )


def batches(db: Database, training_sheet_id: str, wanted: Wanted, number: int, size: int, roles: frozenset[str]) -> Page[Batch]:
    """Return one page of the batches, the newest first, each with what undo or redo would do."""
    touched = "b.number in (select batch from decision_log where training_sheet_id = b.training_sheet_id and row_index = ?)"
    condition, params = wanted.condition(training_sheet_id, "b", row=touched)
    with db.read():
        total = db.value(f"select count(*) from batches b where {condition}", params)
        rows = db.rows(
            "select b.*, o.id as of_batch_id from batches b left join batches o on o.number = b.of_batch "
            f"where {condition} order by b.number desc limit {size} offset {(number - 1) * size}",
            params,
        )
        standing = _standing(db, training_sheet_id, rows)
    shown = [_shown_batch(row, *standing.get(row["number"], (0, False)), allowed=bool(REVIEWERS & roles)) for row in rows]
    return Page(Batch, shown, total=total, page=number, page_size=size)


def _standing(db: Database, training_sheet_id: str, rows: list[dict[str, Any]]) -> dict[int, tuple[int, bool]]:
    """Return, per batch, the pairs that a step would touch and whether the template would go along."""
    done = [row["number"] for row in rows if row["undone_at"] is None and row["of_batch"] is None]
    undone = [row["number"] for row in rows if row["undone_at"] is not None]
    pairs = db.tuples(
        f"select last_batch, count(*) from ({SHAPED_BY}) where list_contains($done, last_batch) "
        "group by 1 union all select d.batch, count(*) from decision_log d left join pair_rows p "
        "on p.training_sheet_id = d.training_sheet_id and p.row_index = d.row_index where d.training_sheet_id = $sheet "
        "and list_contains($undone, d.batch) and case when d.before.status is null then p.row_index is null "
        "else p.last_batch = d.before.last_batch end group by 1 "
        # Votes that settled nothing, on pairs that nothing else has happened to.
        "union all select v.batch, count(*) from votes v join pair_rows p on p.training_sheet_id = v.training_sheet_id "
        "and p.row_index = v.row_index and p.last_batch = v.upon where v.training_sheet_id = $sheet and v.ended_by is null "
        "and v.upon <> v.batch and list_contains($done, v.batch) group by 1",
        {"sheet": training_sheet_id, "done": done, "undone": undone},
    )
    plans = {
        number
        for side, numbers in (("after", done), ("before", undone))
        for (number,) in db.tuples(templating.STANDING[side], {"sheet": training_sheet_id})
        if number in numbers
    }
    counts: Counter[int] = Counter()
    for number, count in pairs:
        counts[number] += count
    found = {number: (count, number in plans) for number, count in counts.items()}
    return dict.fromkeys(plans, (0, True)) | found


def _shown_batch(row: dict[str, Any], standing: int, template: bool, *, allowed: bool) -> dict[str, Any]:
    back, is_step = row["undone_at"] is None, row["of_batch"] is not None
    name, label = ("undo", "Undo") if back else ("redo", "Redo")
    reason = None if standing or template else "Every pair of it has changed since."
    action = Action(name=name, label=label, enabled=reason is None, reason=reason)
    return {
        "id": row["id"],
        "training_sheet_id": row["training_sheet_id"],
        "action": row["action"],
        "label": WORDS[row["action"]],
        "actor": row["actor"],
        "logged_at": row["logged_at"],
        "row_count": row["row_count"],
        "standing": standing,
        "changed_since": 0 if is_step else max(row["row_count"] - standing, 0),
        "of_batch_id": row["of_batch_id"],
        "undone": not back,
        "undone_at": row["undone_at"],
        "undone_by": row["undone_by"],
        "actions": () if is_step or not allowed else (action,),
    }


def _presented(row: dict[str, Any]) -> dict[str, Any]:
    old, new = _readable(row, "before"), _readable(row, "after")
    born, gone = row["before"]["status"] is None, row["after"]["status"] is None
    changed = [] if gone else [name for name in new if old.get(name) != new[name]]
    edited = not born and ("response" in changed or "prompt" in changed)
    words = "added the pair" if born else "removed the pair" if gone else WORDS[row["action"]]
    if row["vote"]:
        words = f"voted to {row['vote']}" if row["action"] == "vote" else f"{words} a vote to {row['vote']}"
    return {
        "id": row["id"],
        "batch_id": row["batch_id"],
        "training_sheet_id": row["training_sheet_id"],
        "row_index": row["row_index"],
        "action": row["action"],
        "label": f"edited and {words}" if edited and row["action"] in ("approve", "reject", "flag") else words,
        "actor": row["actor"],
        "logged_at": row["logged_at"],
        "before": {name: old.get(name) for name in changed},
        "after": {name: new[name] for name in changed},
        "response_diff": word_diff(old["response"], new["response"]) if edited and "response" in changed else (),
        "prompt_diff": word_diff(old["prompt"], new["prompt"]) if edited and "prompt" in changed else (),
        "undone": row["undone"],
        "version": row["pair_version"],
    }


def _readable(row: dict[str, Any], side: str) -> dict[str, Any]:
    told = row[side] | (row[f"facts_{side}"] or {})
    shown = {MASKS.get(name, name): uses_of(v) if name in MASKS else v for name, v in told.items() if name not in HIDDEN}
    return shown | (row[f"texts_{side}"] or {})
