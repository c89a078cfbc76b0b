"""Many votes at once: cast in bulk, made again, and counted anew when the setting changes."""

from __future__ import annotations

from typing import Any

from workbench.services import canonical, steps, votes
from workbench.services.becoming import LABEL
from workbench.services.decisions import Change, Scope, apply, run
from workbench.store import Database

BALLOTS = "select row_index from _ballots"
AGREED = "select row_index from _agreed"
TARGET = f"training_sheet_id = $training_sheet_id and row_index in ({AGREED})"
LISTED = ", ".join(votes.BALLOT)
# What the votes say beside the action; where several say it, the last one counts.
_LAST = ", ".join(
    f"last({name} order by batch) filter ({name} is not null) as {name}"
    for name in votes.BALLOT
    if name not in ("action", "prompt")
)
_UNANIMOUS = (
    f"select row_index, any_value(action) as action, any_value(prompt) as prompt, {_LAST}, last(voter order by batch) as voter, "
    "max(batch) as batch "
    "from ({cast}) group by row_index having count(*) >= $wanted and count(distinct {{'a': action, 'r': response, 'p': prompt}}) = 1"
)
# Whose votes a batch holds, and the latest batch in which they cast them themselves: others may have made them again.
_GIVEN = (
    "select v.voter, max(o.batch) from votes v join votes o on o.training_sheet_id = v.training_sheet_id "
    "and o.row_index = v.row_index and o.voter = v.voter and o.batch <= v.batch "
    "join batches b on b.number = o.batch and b.actor = o.voter where v.batch = ? group by 1"
)
_TARGETS = "case a.action when 'approve' then 'labeled' when 'reject' then 'rejected' else 'flagged' end"


def cast(db: Database, scope: Scope, overlap: int, voter: str, *, batch_id: str, decided: str = "$batch") -> dict[str, int]:
    """Count the votes in `_ballots`, settle the pairs that now have enough equal ones; return how they stand.

    `decided` is SQL for the batch in which the voter gave these votes.
    """
    total = db.execute("select count(*) from _ballots")[0][0]
    cast = (
        f"select row_index, voter, batch, {LISTED} from votes where training_sheet_id = $training_sheet_id and ended_by is null "
        f"and voter <> $voter and row_index in ({BALLOTS}) "
        f"union all select row_index, $voter, {2**62}, {LISTED} from _ballots"
    )
    known = scope.__dict__ | {"voter": voter, "wanted": overlap}
    run(db, f"create or replace temp table _agreed as {_UNANIMOUS.format(cast=cast)}", known)
    number = _settle(db, scope, "vote", decided, batch_id=batch_id, rows=total)
    votes.log(db, scope, number, "vote", f"{BALLOTS} where row_index not in ({AGREED})")
    votes.end(db, scope, number, BALLOTS, voter=voter)
    run(
        db,
        f"insert into votes select $batch, $training_sheet_id, b.row_index, $voter, {', '.join(f'b.{n}' for n in votes.BALLOT)}, $now, "
        "p.last_batch, null from _ballots b join pair_rows p on p.training_sheet_id = $training_sheet_id and p.row_index = b.row_index",
        known | {"batch": number},
    )
    votes.recount(db, scope.training_sheet_id, overlap, BALLOTS)
    run(
        db,
        f"delete from claims where training_sheet_id = $training_sheet_id and holder = $voter and row_index in ({BALLOTS})",
        known,
    )
    settled, disputed = db.execute(
        "select (select count(*) from _agreed), (select count(*) from pair_rows where training_sheet_id = ? and disputed "
        f"and row_index in ({BALLOTS}))",
        [scope.training_sheet_id],
    )[0]
    return {"settled": settled, "disputed": disputed, "open": total - settled - disputed}


def _settle(db: Database, scope: Scope, action: str, decided: str, *, batch_id: str, rows: int) -> int:
    """Make the pairs in `_agreed` what their votes say, as a batch of so many rows; return its number."""
    said = db.execute(f"select count(*), {', '.join(f'count({name})' for name in votes.BALLOT)} from _agreed")[0]
    if not said[0]:
        return votes.begin(db, scope, action, batch_id=batch_id, rows=rows)
    given = {name for name, count in zip(votes.BALLOT, said[1:], strict=True) if count}
    other = "p.training_sheet_id = ? and p.response <> a.response limit 1"
    edits = db.execute(
        f"select 1 from _agreed a join pair_rows p on p.row_index = a.row_index and {other}", [scope.training_sheet_id]
    )
    change = Change(action, {"decided_batch": decided} | _columns(given) | (_edits() if edits else {}))
    number = apply(db, scope, change, TARGET, {}, batch_id=batch_id, rows=rows)
    canonical.record(db, scope, number, TARGET)
    return number


def _columns(given: set[str]) -> dict[str, str]:
    """Return what a decision of one would set, each pair by its own votes."""
    approved = f"{_of('a.action')} = 'approve'"
    columns = {
        "status": _of(_TARGETS),
        "flag_reason": f"case when {approved} then null else {_of('a.flag_reason')} end",
        "stale": "false",
        "labeled_by": f"case when {approved} then {_of('a.voter')} end",
        "labeled_at": f"case when {approved} then $now end",
        "canonical_label_id": f"case when {approved} then {LABEL} else canonical_label_id end",
    }
    columns |= {name: f"coalesce({_of(f'a.{name}')}, {name})" for name in sorted(given - {"action", "response", "flag_reason"})}
    if "prohibited_mask" in columns:
        columns["prohibited_mask"] = f"({columns['prohibited_mask']} | $barred::utinyint)"
    return columns


def _edits() -> dict[str, str]:
    other = f"response <> {_of('a.response')}"
    written = "response_source in ('ai_generated', 'human_verified')"
    return {
        "response": _of("a.response"),
        "original_response": f"case when {other} then coalesce(original_response, response) else original_response end",
        "response_source": f"case when not ({other}) then response_source when {written} then 'human_verified' else 'human_labeled' end",
        "simulated": f"case when {other} then false else simulated end",
        "verified_by": f"case when {other} and {written} then {_of('a.voter')} else verified_by end",
        "verified_at": f"case when {other} and {written} then $now else verified_at end",
    }


def _of(column: str) -> str:
    return f"(select {column} from _agreed a where a.row_index = pair_rows.row_index)"


def reset(db: Database, scope: Scope, overlap: int, change: Change, *, batch_id: str) -> int:
    """Take back one's own votes on open pairs, and open settled and disputed ones anew; `_ballots` names them."""
    of_sheet = f"select row_index from pair_rows where training_sheet_id = '{scope.training_sheet_id}'"
    closed = f"{of_sheet} and (disputed or status <> 'unlabeled')"
    db.execute(f"create or replace temp table _anew as {BALLOTS} where row_index in ({closed})")
    db.execute(
        "create or replace temp table _settled as select row_index from pair_rows where training_sheet_id = ? "
        "and status <> 'unlabeled' and row_index in (select row_index from _anew)",
        [scope.training_sheet_id],
    )
    total, settled = db.execute("select (select count(*) from _ballots), (select count(*) from _settled)")[0]
    if settled:
        target = "training_sheet_id = $training_sheet_id and row_index in (select row_index from _settled)"
        number = apply(db, scope, change, target, {}, batch_id=batch_id, rows=total)
        canonical.follow_batch(db, scope, number)
    else:
        number = votes.begin(db, scope, "reset", batch_id=batch_id, rows=total)
    votes.log(db, scope, number, "reset", f"{BALLOTS} where row_index not in (select row_index from _settled)")
    votes.end(db, scope, number, "select row_index from _anew")
    votes.end(db, scope, number, BALLOTS, voter=scope.actor)
    votes.recount(db, scope.training_sheet_id, overlap, BALLOTS)
    return number


def again(db: Database, scope: Scope, overlap: int, batch: int, *, batch_id: str) -> list[int]:
    """Cast again the votes of a batch that went when it was taken back, where they are still waited for; return the pairs."""
    db.execute(
        f"create or replace temp table _ballots as select v.row_index, {', '.join(f'v.{n}' for n in votes.BALLOT)} "
        f"from ({steps.TAKEN_BACK}) v join pair_rows p on p.training_sheet_id = v.training_sheet_id and p.row_index = v.row_index "
        "where v.batch = $batch and (p.status = 'unlabeled' or p.stale) and not p.disputed and p.votes < $overlap",
        {"sheet": scope.training_sheet_id, "batch": batch, "overlap": overlap},
    )
    touched = [row[0] for row in db.execute(f"{BALLOTS} order by row_index")]
    if touched:
        voter, given = db.execute(_GIVEN, [batch])[0]
        cast(db, scope, overlap, voter, batch_id=batch_id, decided=str(given))
    return touched


def reconsider(db: Database, scope: Scope, overlap: int, *, batch_id: str) -> int:
    """Count the votes on every pair that is not settled by another number of reviewers; return the pairs settled by it."""
    of_sheet = f"select row_index from pair_rows where training_sheet_id = '{scope.training_sheet_id}'"
    waiting = f"{of_sheet} and votes > 0 and {votes.WAITING}"
    cast = (
        f"select row_index, voter, batch, {LISTED} from votes where training_sheet_id = $training_sheet_id and ended_by is null "
        f"and row_index in ({waiting})"
    )
    known = scope.__dict__ | {"wanted": overlap}
    run(db, f"create or replace temp table _agreed as {_UNANIMOUS.format(cast=cast)}", known)
    settled = db.execute("select count(*) from _agreed")[0][0]
    if settled:
        # The last vote had settled each of them; who asks for fewer has judged none.
        _settle(db, scope, "settle", _of("a.batch"), batch_id=batch_id, rows=settled)
    votes.recount(db, scope.training_sheet_id, overlap, waiting)
    db.emit("pairs", scope.training_sheet_id, None, "bulk")
    return settled


def sorted_out(db: Database, scope: Scope, overlap: int, action: str, *, may_reset: bool, **values: Any) -> None:
    """Split the pairs in `_set` into those a vote would count on and those to leave, with the reason."""
    closed = "null" if may_reset else "case when p.disputed then 'disputed' else 'settled' end"
    reasons = (
        f"when p.disputed or p.status <> 'unlabeled' then {closed} when m.row_index is null then 'already_so'"
        if action == "reset"
        else "when p.disputed then 'disputed' when p.status = $target and not p.stale then 'already_so' "
        "when p.status <> 'unlabeled' and not p.stale then 'settled' "
        "when m.action = $action and m.response = p.response and m.prompt is null and (m.flag_reason is not distinct from $reason "
        "or $reason is null) then 'already_so' when m.row_index is null and h.others >= $overlap - p.votes and not h.own then 'claimed' "
        "when $action = 'approve' and is_blank(p.response) then 'no_response'"
    )
    sql = (
        "create or replace temp table _sorted as select s.row_index, s.times, case when p.row_index is null then 'unknown_index' "
        f"when s.version is not null and s.version <> p.version then 'changed_since' {reasons} end as reason, p.version from _set s "
        "left join (select row_index, version, response, status, stale, disputed, votes from pair_rows "
        "where training_sheet_id = $training_sheet_id) p on p.row_index = s.row_index "
        "left join (select row_index, action, response, prompt, flag_reason from votes where training_sheet_id = $training_sheet_id "
        "and voter = $actor and ended_by is null) m on m.row_index = s.row_index "
        "left join (select row_index, count(distinct holder) filter (where holder <> $actor) as others, bool_or(holder = $actor) as own "
        "from claims where training_sheet_id = $training_sheet_id and expires_at > $now group by 1) h on h.row_index = s.row_index"
    )
    run(db, sql, scope.__dict__ | values | {"action": action, "overlap": overlap})
