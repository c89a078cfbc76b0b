"""One person's decision on a pair that several review: a vote, its taking back, and the last word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from workbench.domain.generate import TrainingSheet
from workbench.domain.label import PAIR_LIFECYCLE, mask_of, uses_of
from workbench.errors import Conflict, InvalidTransition, ValidationError
from workbench.services import claims, decisions, votes
from workbench.services.becoming import always
from workbench.services.judging import judged, rewrites, state_columns
from workbench.store import Database

if TYPE_CHECKING:
    from workbench.services.label import ReviewService

ALL_USES = mask_of(("training", "validation", "evaluation", "few_shot", "testing"))
Row = dict[str, Any]


def decide(service: ReviewService, made: TrainingSheet, row: Row, action: str, given: dict[str, Any]) -> Row:
    """Count one person's vote, or take it back; return the pair as it became."""
    PAIR_LIFECYCLE.require(action, row["status"])
    if action == "reset":
        return _taken_back(service, made, row)
    if row["status"] != "unlabeled" and PAIR_LIFECYCLE.moves[action].target == row["status"] and not _rewrites(row, given):
        return row
    _refuse_closed(service, row)
    judged(row, action, given)
    others = votes.standing(service.db, made.id, row["row_index"])
    ballot = _ballot(row, action, given)
    mine = next((vote for vote in others if vote["voter"] == service.actor), None)
    if mine is None:
        _refuse_taken(service.db, made, row, service.clock.now())
    elif {name: mine[name] for name in votes.BALLOT} == ballot:
        return row
    else:
        others.remove(mine)
    return _cast(service, made, row, ballot, given, others, replaces=mine is not None)


def adjudicate(service: ReviewService, made: TrainingSheet, row: Row, action: str, given: dict[str, Any]) -> Row:
    """Settle what reviewers disagree on, or correct what they settled."""
    if _open(row) and not row["stale"]:
        wanted = f"{row['votes']} of {made.overlap} people have voted" if made.overlap > 1 else "one person decides on it"
        raise InvalidTransition(
            f"Nothing is disputed on this pair yet: {wanted}. Vote on it instead.",
            current="open",
            allowed=PAIR_LIFECYCLE.allowed(row["status"]),
        )
    change = judged(row, action, given)
    change = replace(change, action="adjudicate", columns={**change.columns, "disputed": always(False)})
    return service.settle_one(made, row, change)


def refuse_mere_edit(service: ReviewService, row: Row) -> NoReturn:
    """Refuse to change a text that others review too: what one person would write is a vote."""
    _refuse_closed(service, row)
    raise ValidationError.field(
        "action", "is missing: several people review this pair, and another text is a vote. Send approve, reject or flag with it"
    )


def _open(row: Row) -> bool:
    return (row["status"] == "unlabeled" or row["stale"]) and not row["disputed"]


def _taken_back(service: ReviewService, made: TrainingSheet, row: Row) -> Row:
    mine = votes.of_person(service.db, made.id, [row["row_index"]], service.actor)
    # A stale approval is open to votes and can be opened wholly as well: without a vote of one's own, that is meant.
    if _open(row) and (mine or not row["stale"]):
        return _withdraw(service, made, row) if mine else row
    return _start_anew(service, made, row)


def _rewrites(row: Row, given: dict[str, Any]) -> bool:
    return rewrites(row, given) or row["stale"]


def _refuse_closed(service: ReviewService, row: Row) -> None:
    """Refuse a vote on a pair whose votes are all in."""
    if _open(row):
        return
    allowed = ["reset", "adjudicate"] if service.roles & votes.ADJUDICATORS else []
    if row["disputed"]:
        raise InvalidTransition(
            f"The {row['votes']} reviewers of this pair disagree. It waits for adjudication.", current="disputed", allowed=allowed
        )
    raise InvalidTransition(
        f"This pair is settled as {row['status']}. Adjudicate it to change that, or reset it to have it voted on anew.",
        current=row["status"],
        allowed=allowed,
    )


def _refuse_taken(db: Database, made: TrainingSheet, row: Row, now: Any) -> None:
    """Refuse a vote that nobody waits for, because others hold all that are missing."""
    held = claims.in_the_way(db, made, row, now)
    if held is None:
        return
    holder, expires_at = held
    raise Conflict(
        f"{holder} is working on this pair until {expires_at:%H:%M:%S} UTC, and no further vote is needed. Take another one, or wait.",
        holder=holder,
        expires_at=expires_at.isoformat() + "Z",
    )


def _ballot(row: Row, action: str, given: dict[str, Any]) -> dict[str, Any]:
    allowed = given.get("allowed_uses", ())
    return {
        "action": action,
        "response": given.get("response", row["response"]),
        "prompt": given["prompt"] if given.get("prompt", row["prompt"]) != row["prompt"] else None,
        "flag_reason": given.get("flag_reason"),
        "notes": given.get("notes"),
        "allowed_mask": None if "allowed_uses" not in given else ALL_USES if allowed is None else mask_of(tuple(allowed)),
        "prohibited_mask": mask_of(tuple(given["prohibited_uses"] or ())) if "prohibited_uses" in given else None,
    }


def _cast(
    service: ReviewService,
    made: TrainingSheet,
    row: Row,
    ballot: Row,
    given: dict[str, Any],
    others: list[Row],
    *,
    replaces: bool,
) -> Row:
    """Store a vote; with enough equal ones the pair becomes what they say."""
    db, scope, index = service.db, service.scope(made), row["row_index"]
    camps = [sum(_same(vote, other) for other in [*others, ballot]) for vote in [*others, ballot]]
    tally = {"votes": len(camps), "dissent": len(camps) - max(camps)}
    complete = tally["votes"] >= made.overlap
    disputed = complete and tally["dissent"] > 0
    if complete and not disputed:
        change = judged(row, ballot["action"], _merged(others) | given)
        columns = {**change.columns, "votes": always(tally["votes"]), "dissent": always(0), "disputed": always(False)}
        after = service.settle_one(made, row, replace(change, action="vote", columns=columns))
        number = after["last_batch"]
    else:
        after = row | tally | {"disputed": disputed}
        number = votes.begin(db, scope, "vote", batch_id=service.clock.new_id("batch"), rows=1)
        votes.log(db, scope, number, "vote", str(index))
        db.execute(
            "update pair_rows set votes = ?, dissent = ?, disputed = ? where training_sheet_id = ? and row_index = ?",
            [tally["votes"], tally["dissent"], disputed, made.id, index],
        )
        service.tell(made, after)
    if replaces:
        votes.end(db, scope, number, str(index), voter=scope.actor)
    votes.insert(db, scope, index, number, after["last_batch"], ballot)
    return after


def _same(one: Row, other: Row) -> bool:
    return all(one[name] == other[name] for name in ("action", "response", "prompt"))


def _merged(cast: list[Row]) -> dict[str, Any]:
    """Return what the votes say beside the action; where several say it, the last one counts."""
    said: dict[str, Any] = {}
    for vote in cast:
        said |= {name: vote[name] for name in ("response", "prompt", "flag_reason", "notes") if vote[name] is not None}
        said |= {
            f"{side}_uses": uses_of(vote[f"{side}_mask"])
            for side in ("allowed", "prohibited")
            if vote[f"{side}_mask"] is not None
        }
    return said


def _withdraw(service: ReviewService, made: TrainingSheet, row: Row) -> Row:
    """Take back one's own vote on a pair that still waits for others."""
    db, scope, index = service.db, service.scope(made), row["row_index"]
    number = votes.begin(db, scope, "reset", batch_id=service.clock.new_id("batch"), rows=1)
    votes.log(db, scope, number, "reset", str(index))
    votes.end(db, scope, number, str(index), voter=scope.actor)
    return _recounted(service, made, row)


def _start_anew(service: ReviewService, made: TrainingSheet, row: Row) -> Row:
    """End all votes on a pair, so that it is voted on again."""
    votes.refuse_alone("beginning anew", service.roles)
    db, scope, index = service.db, service.scope(made), row["row_index"]
    after = row
    if row["disputed"]:
        number = votes.begin(db, scope, "reset", batch_id=service.clock.new_id("batch"), rows=1)
        votes.log(db, scope, number, "reset", str(index))
    else:
        after = service.settle_one(made, row, decisions.Change("reset", *state_columns("reset")))
        number = after["last_batch"]
    votes.end(db, scope, number, str(index))
    return _recounted(service, made, after)


def _recounted(service: ReviewService, made: TrainingSheet, row: Row) -> Row:
    votes.recount(service.db, made.id, made.overlap, f"select {row['row_index']} as row_index")
    found = service.stored(made, row["row_index"])
    service.tell(made, found)
    return found
