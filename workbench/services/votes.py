"""Votes on pairs that several people review: what stands, what is ended, and how it is logged.

The rule: a pair is settled by as many equal votes as the training sheet asks for, where equal means the
same action and the same texts. Enough votes that differ make it disputed. Settled stays settled whatever
the setting becomes later; only a reset, or an approval that goes stale, ends its votes and opens it again.
"""

from __future__ import annotations

from typing import Any

from workbench.domain.generate import TrainingSheet
from workbench.errors import Forbidden
from workbench.services import decisions, steps
from workbench.services.decisions import LOG, STATE, Scope, run, struct
from workbench.store import Database

CAST = "('approve', 'reject', 'flag')"
BALLOT = ("action", "response", "prompt", "flag_reason", "notes", "allowed_mask", "prohibited_mask")
ADJUDICATORS = frozenset({"admin", "data_steward"})
STEPPED = "select row_index from _steps"
# What people still have to settle, unless it is disputed: nobody has decided, or on another prompt.
WAITING = "(status = 'unlabeled' or stale)"


def shared(made: TrainingSheet, row: dict[str, Any], action: str | None) -> bool:
    """Return whether a decision on a pair is a matter of several people."""
    return made.overlap > 1 or bool(row["disputed"]) or (action in ("reset", "restore") and bool(row["votes"]))


def alone(doing: str, roles: frozenset[str]) -> str | None:
    """Return why somebody may not do alone what is a matter of several people, or None."""
    if roles & ADJUDICATORS:
        return None
    return f"Several people review this pair; {doing} needs the role {' or '.join(sorted(ADJUDICATORS))}."


def refuse_alone(doing: str, roles: frozenset[str]) -> None:
    """Refuse what is a matter of several people to those who have no last word."""
    if reason := alone(doing, roles):
        raise Forbidden(reason, needed=sorted(ADJUDICATORS))


def standing(db: Database, training_sheet_id: str, row_index: int) -> list[dict[str, Any]]:
    """Return the votes that count on one pair, the oldest first."""
    return db.rows(
        f"select batch, voter, {', '.join(BALLOT)} from votes where training_sheet_id = ? and row_index = ? "
        "and ended_by is null order by batch",
        [training_sheet_id, row_index],
    )


def exist(db: Database, training_sheet_id: str) -> bool:
    """Return whether anybody has ever voted on pairs of a training sheet."""
    return bool(db.tuples("select 1 from votes where training_sheet_id = ? limit 1", [training_sheet_id]))


def of_person(db: Database, training_sheet_id: str, row_indices: list[int], voter: str) -> dict[int, str]:
    """Return what one person has voted, by pair."""
    if not row_indices:
        return {}
    listed = ", ".join(map(str, row_indices))
    return dict(
        db.tuples(
            f"select row_index, action from votes where training_sheet_id = ? and row_index in ({listed}) and voter = ? "
            "and ended_by is null",
            [training_sheet_id, voter],
        )
    )


def insert(db: Database, scope: Scope, row_index: int, batch: int, upon: int, ballot: dict[str, Any]) -> None:
    """Add one vote."""
    values = [batch, scope.training_sheet_id, row_index, scope.actor, *(ballot[name] for name in BALLOT), scope.now, upon]
    db.execute(f"insert into votes values ({', '.join('?' * len(values))}, null)", values)


def end(db: Database, scope: Scope, batch: int, rows: str, *, voter: str | None = None) -> None:
    """End the votes that stand on some pairs, of one person or of all."""
    whose = " and voter = $voter" if voter is not None else ""
    sql = (
        "update votes set ended_by = $batch where training_sheet_id = $training_sheet_id and ended_by is null "
        f"and row_index in ({rows}){whose}"
    )
    run(db, sql, scope.__dict__ | {"batch": batch, "voter": voter})


def end_round(db: Database, scope: Scope, overlap: int, batch_id: str, rows: str) -> None:
    """End the votes on pairs that a batch has just changed under the voters' hands, where they wait to be settled."""
    unsettled = f"training_sheet_id = '{scope.training_sheet_id}' and {WAITING}"
    end_all(db, scope, overlap, batch_id, f"{rows} intersect select row_index from pair_rows where {unsettled}")


def end_all(db: Database, scope: Scope, overlap: int, batch_id: str, rows: str) -> None:
    """End the votes on pairs that a batch has just changed, whether they are settled or not."""
    if not exist(db, scope.training_sheet_id):
        return
    number = db.execute("select number from batches where id = ?", [batch_id])[0][0]
    end(db, scope, number, rows)
    recount(db, scope.training_sheet_id, overlap, rows)


def begin(db: Database, scope: Scope, action: str, *, batch_id: str, rows: int) -> int:
    """Open a batch that changes no pair yet and return its number."""
    number = db.execute("select nextval('batch_numbers')")[0][0]
    db.execute(
        "insert into batches (number, id, training_sheet_id, action, actor, row_count, logged_at) values (?, ?, ?, ?, ?, ?, ?)",
        [number, batch_id, scope.training_sheet_id, action, scope.actor, rows, scope.now],
    )
    return number


def log(db: Database, scope: Scope, batch: int, action: str, rows: str) -> None:
    """Log, for some pairs, something that leaves them as they are."""
    sql = (
        f"{LOG} $batch, training_sheet_id, row_index, $action, $actor, $now, version, {struct(STATE)}, {struct(STATE)}, "
        "decided_batch, decided_batch from pair_rows where training_sheet_id = $training_sheet_id "
        f"and row_index in ({rows}) order by row_index"
    )
    run(db, sql, scope.__dict__ | {"batch": batch, "action": action})


def recount(db: Database, training_sheet_id: str, overlap: int, rows: str) -> None:
    """Count the votes on some pairs anew and say which of them are disputed."""
    db.execute(
        "update pair_rows set votes = t.votes, dissent = t.dissent, "
        f"disputed = {WAITING} and t.dissent > 0 and t.votes >= $overlap from "
        "(select r.row_index, coalesce(v.votes, 0) as votes, coalesce(v.dissent, 0) as dissent from "
        f"(select distinct row_index from ({rows})) r left join (select * from vote_tally where training_sheet_id = $sheet "
        f"and row_index in ({rows})) v on v.row_index = r.row_index) t "
        "where pair_rows.training_sheet_id = $sheet and pair_rows.row_index = t.row_index",
        {"sheet": training_sheet_id, "overlap": overlap},
    )


def latest(db: Database, training_sheet_id: str, actor: str | None) -> int | None:
    """Return the latest batch that still shapes some pair or vote, of one person or of anybody."""
    shaping = steps.latest(db, training_sheet_id, actor)
    if not exist(db, training_sheet_id):
        return shaping
    place = "p.training_sheet_id = v.training_sheet_id and p.row_index = v.row_index and p.last_batch = v.upon"
    newer = (
        "n.training_sheet_id = v.training_sheet_id and n.row_index = v.row_index and n.ended_by is null and n.batch > v.ended_by"
    )
    who = "and actor = $actor" if actor else ""
    sql = (
        f"select max(number) from batches where undone_at is null {who} and action in ('vote', 'reset') and number in ("
        f"select v.batch from votes v join pair_rows p on {place} where v.training_sheet_id = $sheet and v.ended_by is null "
        f"union all select v.ended_by from votes v join pair_rows p on {place} anti join votes n on {newer} "
        "where v.training_sheet_id = $sheet and v.ended_by is not null)"
    )
    voted = db.value(sql, decisions.named(sql, {"sheet": training_sheet_id, "actor": actor}))
    return max((number for number in (shaping, voted) if number is not None), default=None)


def stands(batch: int, *, back: bool) -> str:
    """Return SQL that is true for a logged decision `d` on a pair `p` that nothing came after, or before."""
    if not back:
        return "p.last_batch = d.before.last_batch"
    return (
        "p.last_batch = d.after.last_batch and case d.action "
        f"when 'vote' then d.row_index in (select row_index from votes where batch = {batch} and ended_by is null) "
        f"else d.row_index not in ({steps.VOTED_SINCE.format(batch=batch)}) end"
    )


def step_back(db: Database, scope: Scope, overlap: int, batch: int) -> None:
    """Take back the votes of a batch, and give back those that it ended, on the pairs in `_steps`."""
    if not exist(db, scope.training_sheet_id):
        return
    number = db.execute("select undone_number from batches where number = ?", [batch])[0][0]
    known = {"batch": batch, "number": number}
    db.execute(
        f"update votes set ended_by = $number where batch = $batch and ended_by is null and row_index in ({STEPPED})", known
    )
    db.execute(f"update votes set ended_by = null where ended_by = $batch and row_index in ({STEPPED})", {"batch": batch})
    recount(db, scope.training_sheet_id, overlap, STEPPED)


def step_again(db: Database, scope: Scope, overlap: int, batch: int) -> None:
    """End again the votes that a batch had ended, on the pairs in `_steps`."""
    if not exist(db, scope.training_sheet_id):
        return
    # On a pair that waits for votes a reset takes back one's own, on the others it begins a new round.
    db.execute(
        "update votes set ended_by = $batch where training_sheet_id = $sheet and ended_by is null "
        f"and row_index in ({STEPPED}) and case (select action from batches where number = $batch) "
        "when 'reset' then voter = (select actor from batches where number = $batch) or row_index in "
        "(select p.row_index from pair_rows p join _steps s on s.row_index = p.row_index "
        "where p.training_sheet_id = $sheet and (p.disputed or s.before.status <> 'unlabeled')) "
        # What changes the texts ends the votes on pairs that wait to be settled, whoever cast them; a version of then has none.
        "when 'generate' then true when 'restore' then true "
        "when 'reassemble' then row_index in ({waiting} and row_index in (select row_index from _steps "
        "where texts_after is not null or before.status <> after.status)) else false end".format(
            waiting=f"select row_index from pair_rows where training_sheet_id = $sheet and {WAITING}"
        ),
        {"batch": batch, "sheet": scope.training_sheet_id},
    )
    recount(db, scope.training_sheet_id, overlap, STEPPED)
