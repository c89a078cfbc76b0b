"""Undo and redo of batches, and single pairs brought back to an earlier version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.domain.data import still_barred
from workbench.domain.generate import TrainingSheet
from workbench.domain.label import uses_of
from workbench.domain.review_log import UndoOutcome
from workbench.domain.wording import grouped
from workbench.errors import InvalidTransition, NotFound
from workbench.services import ballots, canonical, history, restoring, steps, votes
from workbench.services.decisions import STEPS_BACK
from workbench.services.pairs import pair_id

if TYPE_CHECKING:
    from workbench.services.past_review import PastReview

NOTHING = {True: "There is nothing to undo.", False: "There is nothing to redo."}

EARLIER = "What you did before that can be taken back in the history of the review."
SHOWN_PEOPLE = 3
# The last that happened to each pair of a batch; votes of others are blind until the pair is settled.
_SINCE = f"""
select d.row_index, case when max_by(d.actor, d.id) = $reader then 'you' else max_by(d.actor, d.id) end, max_by(d.action, d.id)
from decision_log d left join pair_rows p on p.training_sheet_id = d.training_sheet_id and p.row_index = d.row_index
where d.training_sheet_id = $sheet and d.batch > $batch
    and d.row_index in (select row_index from decision_log where batch = $batch)
    and not (d.action = 'vote' and d.actor <> $reader and coalesce({votes.WAITING}, false))
group by 1 order by 1
"""


def undo(service: PastReview, made: TrainingSheet, batch_id: str | None, scope: str) -> UndoOutcome:
    """Take a batch back."""
    return _step(service, made, batch_id, scope, back=True)


def redo(service: PastReview, made: TrainingSheet, batch_id: str | None, scope: str) -> UndoOutcome:
    """Make a batch again."""
    return _step(service, made, batch_id, scope, back=False)


def restore(service: PastReview, made: TrainingSheet, row: dict[str, Any], version: int) -> UndoOutcome:
    """Bring one pair back to what it was at an earlier version, as a step that can be undone itself."""
    db, scope = service.db, service.scope(made)
    if votes.shared(made, row, "restore"):
        votes.refuse_alone(restoring.DOING, service.roles)
    restored = restoring.restore(db, scope, row, version, batch_id=service.clock.new_id("batch"))
    stays = _told_barred(service, made, restored.kept, "It stays")
    if restored.batch_id is None:
        return UndoOutcome(summary=f"The pair is as it was at version {version}.{stays}")
    votes.end_all(db, scope, made.overlap, restored.batch_id, f"select {row['row_index']} as row_index")
    db.emit("pairs", pair_id(made.id, row["row_index"]), restored.pair_version)
    summary = f"Brought pair {row['row_index']} back to version {version}.{stays}"
    return UndoOutcome(undone=1, batch_id=restored.batch_id, action="restore", row_indices=[row["row_index"]], summary=summary)


def _step(service: PastReview, made: TrainingSheet, batch_id: str | None, whose: str, *, back: bool) -> UndoOutcome:
    db, actor = service.db, service.actor if whose == "mine" else None
    if batch_id is None:
        find = votes.latest if back else steps.latest_undone
        number = find(db, made.id, actor)
        last = steps.last_of(db, made.id, actor) if back and actor is not None else None
        if last is not None and last != number:
            return _overtaken(service, made, last)
        if number is None:
            return UndoOutcome(summary=NOTHING[back])
    else:
        number = _named(service, made, batch_id, back=back)
    batch = db.row("select id, action, row_count from batches where number = ?", [number])
    assert batch is not None
    scope = service.scope(made)
    batch_id = service.clock.new_id("batch")
    if not back and batch["action"] == "vote":
        done = _vote_again(service, made, number, batch_id)
    else:
        done = steps.step(db, scope, number, back=back, batch_id=batch_id, stands=votes.stands(number, back=back))
    if not done.count and not done.template:
        return UndoOutcome(skipped={"changed_since": batch["row_count"]}, summary="Every pair of it has changed since.")
    if back or batch["action"] != "vote":
        canonical.settle(db, scope, done)
        (votes.step_back if back else votes.step_again)(db, scope, made.overlap, number)
    db.emit("pairs", made.id, None, "bulk")
    return _outcome(batch, done, _told_barred(service, made, done.kept, _some(done)), back=back)


def _overtaken(service: PastReview, made: TrainingSheet, number: int) -> UndoOutcome:
    """Say who has changed all pairs of somebody's last step since: to take back an older one instead would be a surprise."""
    batch = service.db.row("select id, action, row_count from batches where number = ?", [number])
    assert batch is not None
    since = service.db.tuples(_SINCE, {"sheet": made.id, "batch": number, "reader": service.actor})
    return UndoOutcome(
        batch_id=batch["id"],
        action=batch["action"],
        skipped={"changed_since": batch["row_count"]},
        summary=f"Nothing was taken back: {_since(batch['row_count'], since)} {EARLIER}",
    )


def _since(count: int, since: list[tuple[int, str, str]]) -> str:
    """Return who did what to the pairs of a step since, as far as the caller may know."""
    if count == 1 and since:
        row_index, who, action = since[0]
        return f"pair {grouped(row_index)} has changed since ({who} {history.WORDS[action]})."
    people = sorted({who for _, who, _ in since})
    by = f", by {', '.join(people[:SHOWN_PEOPLE])}{' and others' if len(people) > SHOWN_PEOPLE else ''}" if people else ""
    subject = "the pair of your last step has" if count == 1 else f"all {grouped(count)} pairs of your last step have"
    return f"{subject} changed since{by}."


def _some(done: steps.Stepped) -> str:
    """Return those pairs of a step that stay barred as the subject of a sentence."""
    if done.barred < done.count:
        return f"{grouped(done.barred)} of them {_stays(done.barred)}"
    return f"{'It' if done.count == 1 else 'They'} {_stays(done.count)}"


def _stays(pairs: int) -> str:
    return "stays" if pairs == 1 else "stay"


def _told_barred(service: PastReview, made: TrainingSheet, kept: int, some: str) -> str:
    """Say what the tags of the sheet keep barred, though it was not always."""
    if not kept:
        return ""
    _, sheet = service.place(made.id)
    return f" {some} {still_barred(sheet.tags, uses_of(kept) or ())}."


def _vote_again(service: PastReview, made: TrainingSheet, batch: int, batch_id: str) -> steps.Stepped:
    """Cast the votes of a batch anew: what they settle is decided by the votes there are now."""
    rows = ballots.again(service.db, service.scope(made), made.overlap, batch, batch_id=batch_id)
    return steps.Stepped(batch, None, False, None, len(rows), rows[: steps.SHOWN_ROWS], False, False)


def _named(service: PastReview, made: TrainingSheet, batch_id: str, *, back: bool) -> int:
    found = service.db.row(
        f"select number, action in {STEPS_BACK} as is_step, undone_at from batches where id = ? and training_sheet_id = ?",
        [batch_id, made.id],
    )
    if found is None:
        raise NotFound.of("batch", batch_id)
    state = "undone" if found["undone_at"] else "done"
    if found["is_step"] or (state == "undone") == back:
        allowed = [] if found["is_step"] else ["redo" if state == "undone" else "undo"]
        raise InvalidTransition.of("batch", "undo" if back else "redo", state, allowed)
    return found["number"]


def _outcome(batch: dict[str, Any], done: steps.Stepped, stays: str, *, back: bool) -> UndoOutcome:
    left = batch["row_count"] - done.count
    verb = "Took back" if back else "Made again"
    as_is = "it is" if left == 1 else "they are"
    rest = f" {grouped(left)} changed since and {_stays(left)} as {as_is}." if left else ""
    what = f"{grouped(done.count)} pair{'s' if done.count != 1 else ''}"
    if done.template:
        what += " and the template"
    return UndoOutcome(
        undone=done.count,
        batch_id=batch["id"],
        action=batch["action"],
        row_indices=done.shown,
        skipped={"changed_since": left} if left else {},
        summary=f"{verb}: {batch['action']} of {what}.{stays}{rest}",
    )
