"""Batches taken back and made again: exactly, where nothing came after them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from workbench.services import templating
from workbench.services.decisions import (
    DETAILS,
    FACTS,
    LOG,
    LOG_BATCH,
    LOG_DETAILS,
    MEASURED,
    REWORDED,
    STATE,
    STEPS_BACK,
    Scope,
    held,
    named,
    run,
    struct,
)
from workbench.store import Database

SHOWN_ROWS = 100
_SIDES = ", ".join(f"d.{kind}_{side}" for kind in ("decided", *DETAILS) for side in ("before", "after"))
# Where a step has the state of a pair, on either side.
_STATE = {name: f"{{}}.{name}" for name in STATE} | {"decided_batch": "decided_{}"}
# Votes that went with their batch when it was taken back, but for those whose voter has voted anew since.
TAKEN_BACK = (
    "select v.* from votes v join batches t on t.number = v.batch and t.undone_number = v.ended_by "
    "anti join votes o on o.training_sheet_id = v.training_sheet_id and o.row_index = v.row_index and o.voter = v.voter "
    "and o.ended_by is null and o.batch > v.batch where v.training_sheet_id = $sheet"
)
# A vote is made again only on a pair that still waits for it.
VOTABLE = (
    "(u.action <> 'vote' or ((p.status = 'unlabeled' or p.stale) and not p.disputed "
    f"and (d.batch, d.row_index) in (select (batch, row_index) from ({TAKEN_BACK}))))"
)
# Pairs that people have voted on since a batch: to take that back would change them under their hands.
VOTED_SINCE = (
    "select v.row_index from votes v where v.training_sheet_id = (select training_sheet_id from batches where number = {batch}) "
    "and v.ended_by is null and v.batch > {batch}"
)
# The batch that shaped each pair last, where nobody has voted since.
SHAPED_BY = (
    "select p.row_index, p.last_batch from pair_rows p left join (select row_index, max(batch) as batch from votes "
    "where training_sheet_id = $sheet and ended_by is null group by 1) v on v.row_index = p.row_index "
    "where p.training_sheet_id = $sheet and p.last_batch > 0 and coalesce(v.batch, 0) <= p.last_batch"
)


@dataclass(frozen=True)
class Stepped:
    """Say what a step did: to which batch, in which direction, to how many pairs, and to the template.

    `barred` of them would have been freed of the uses `kept`, had the tags of the sheet not prohibited that.
    """

    batch: int
    number: int | None
    back: bool
    undone_number: int | None
    count: int
    shown: list[int]
    is_labeled: bool
    template: bool
    barred: int = 0
    kept: int = 0


def latest(db: Database, training_sheet_id: str, actor: str | None) -> int | None:
    """Return the latest batch that still shapes some pair or the template, of one person or of anybody."""
    # What was brought in from another tool bears the names of people who did not do it here.
    who = "and actor = $actor and action <> 'import'" if actor else ""
    sql = (
        f"select max(number) from batches where training_sheet_id = $sheet and undone_at is null {who} "
        f"and action not in {STEPS_BACK} "
        f"and (number in (select last_batch from ({SHAPED_BY})) "
        f"or number in ({templating.STANDING['after']}))"
    )
    return db.value(sql, named(sql, {"sheet": training_sheet_id, "actor": actor}))


def last_of(db: Database, training_sheet_id: str, actor: str) -> int | None:
    """Return the latest batch of one person that is not taken back, whatever others have done to its pairs since."""
    return db.value(
        "select max(number) from batches where training_sheet_id = ? and actor = ? and undone_at is null "
        f"and action <> 'import' and action not in {STEPS_BACK}",
        [training_sheet_id, actor],
    )


def latest_undone(db: Database, training_sheet_id: str, actor: str | None) -> int | None:
    """Return the batch taken back last that can be made again on some pair or on the template."""
    who = "and b.actor = $actor" if actor else ""
    # A pair that a batch added is gone while the batch is taken back; it can return to the end only.
    sql = (
        "with undone as (select b.number, b.undone_number, b.action, b.actor from batches b where b.training_sheet_id = $sheet "
        f"and b.undone_at is not null {who}) "
        "select number from undone where number in (select d.batch from decision_log d join undone u on u.number = d.batch "
        "left join pair_rows p on p.training_sheet_id = d.training_sheet_id and p.row_index = d.row_index "
        "where case when d.before.status is null then p.row_index is null "
        "and d.row_index = (select count(*) from pair_rows where training_sheet_id = $sheet) "
        f"else p.last_batch = d.before.last_batch and {VOTABLE} end) "
        f"or number in ({templating.STANDING['before']}) order by undone_number desc limit 1"
    )
    return db.value(sql, named(sql, {"sheet": training_sheet_id, "actor": actor}))


def step(db: Database, scope: Scope, batch: int, *, back: bool, batch_id: str, stands: str) -> Stepped:
    """Take a batch back, or make it again, where nothing came after it.

    `stands` is SQL that is true for a logged decision `d` on a pair `p` that nothing came after.
    """
    db.execute(
        f"create or replace temp table _steps as select d.row_index, d.before, d.after, {_SIDES}, "
        "d.logged_at, d.before.status is null as added, p.version "
        "from decisions d join pair_rows p on p.training_sheet_id = d.training_sheet_id and p.row_index = d.row_index "
        f"and {stands} where d.batch = ? and d.before.status is not null",
        [batch],
    )
    _find_added(db, scope, batch, back=back)
    barred, kept = _keep_barred(db, scope, back=back)
    side = "before" if back else "after"
    kinds = ", ".join(f"count({kind}_before) + count({kind}_after) > 0" for kind in DETAILS)
    count, added, labeled, *about = db.execute(
        "select count(*), coalesce(bool_or(added), false), "
        f"coalesce(bool_or({side}.status = 'labeled'), false), {kinds} from _steps"
    )[0]
    details = [kind for kind, found in zip(DETAILS, about, strict=True) if found]
    if "texts" in details:
        _find_measured(db, scope, batch, back=back)
    plan = templating.step(db, scope, batch, back=back)
    undone = db.execute("select undone_number from batches where number = ?", [batch])[0][0]
    number = None
    if count or plan:
        number = _log_step(db, scope, batch, count, back=back, batch_id=batch_id)
        if details:
            _log_details(db, number, details, back=back)
        _change(db, scope, details, back=back)
        _mark(db, scope, batch, number, back=back)
    if added:
        _change_added(db, scope, back=back)
    shown = [row[0] for row in db.execute(f"select row_index from _steps order by row_index limit {SHOWN_ROWS}")]
    return Stepped(batch, number, back, undone, count, shown, labeled, plan, barred, kept)


def _keep_barred(db: Database, scope: Scope, *, back: bool) -> tuple[int, int]:
    """Let no step allow what the tags of the sheet prohibit; return how many pairs it would have freed, and of what."""
    if not scope.barred:
        return 0, 0
    old, new = ("facts_after", "facts_before") if back else ("facts_before", "facts_after")
    freed = f"({old}.prohibited_mask & ~{new}.prohibited_mask & {scope.barred}::utinyint)"
    pairs, kept = db.execute(f"select count(*), coalesce(bit_or({freed}), 0) from _steps where {freed} <> 0")[0]
    for side in (old, new):
        mask = {"prohibited_mask": f"({side}.prohibited_mask | {scope.barred}::utinyint)"}
        facts = struct(FACTS, {name: f"{side}.{name}" for name in FACTS} | mask)
        db.execute(f"update _steps set {side} = {facts} where {side} is not null")
    return pairs, kept


def _find_added(db: Database, scope: Scope, batch: int, *, back: bool) -> None:
    """Add the pairs that a batch had added: they leave from the end only, and return to the end only."""
    if back:
        # What a job has learned from stays, so that its origin can be told.
        sql = (
            "insert into _steps by name with mine as (select d.*, p.version as held from decisions d join pair_rows p on "
            "p.training_sheet_id = d.training_sheet_id and p.row_index = d.row_index and p.last_batch = d.batch "
            "where d.batch = $batch and d.before.status is null and d.training_sheet_id || '.' || d.row_index "
            f"not in (select pair_id from job_pairs) and d.row_index not in ({VOTED_SINCE.format(batch='$batch')})) "
            f"select d.row_index, d.before, d.after, {_SIDES}, d.logged_at, "
            "true as added, held as version from mine d where d.row_index > (select coalesce(max(p.row_index), -1) from pair_rows p "
            "where p.training_sheet_id = $sheet and p.row_index not in (select row_index from mine))"
        )
    else:
        sql = (
            "insert into _steps by name with gone as (select * from decisions where batch = $batch and before.status is null "
            "and row_index not in (select row_index from pair_rows where training_sheet_id = $sheet)) "
            f"select d.row_index, d.before, d.after, {_SIDES}, d.logged_at, true as added, "
            "(select max(o.pair_version) from decision_log o where o.training_sheet_id = $sheet and o.row_index = d.row_index) "
            "as version from gone d where (select min(row_index) from gone) = "
            "(select count(*) from pair_rows where training_sheet_id = $sheet)"
        )
    if templating.is_reassembly(db, batch):
        db.execute(sql, {"batch": batch, "sheet": scope.training_sheet_id})


def _find_measured(db: Database, scope: Scope, batch: int, *, back: bool) -> None:
    """Fill `_measured` with what goes with the texts of a step, and with what went with those that it brings back.

    Those went last when the batch was made, or in the latest step on it that went the other way.
    """
    other_way = "b.number = $batch or b.of_batch = $batch and b.action = 'redo'" if back else "b.of_batch = $batch and b.action = 'undo'"
    db.execute(
        f"create or replace temp table _measured as select s.row_index, {held('p.')} as here, m.went.kept as there from _steps s "
        "left join pair_rows p on p.training_sheet_id = $sheet and p.row_index = s.row_index "
        "left join (select row_index, max_by({'kept': measured_before}, batch) as went from decision_details "
        f"where batch in (select b.number from batches b where {other_way}) group by 1) m on m.row_index = s.row_index "
        f"where {REWORDED}",
        {"batch": batch, "sheet": scope.training_sheet_id},
    )


def _change(db: Database, scope: Scope, details: list[str], *, back: bool) -> None:
    side = "before" if back else "after"
    settings = [f"{name} = s.{_STATE[name].format(side)}" for name in _differing(db, _STATE)]
    for kind in details:
        value = f"s.{kind}_{side}"
        differing = _differing(db, {name: f"{kind}_{{}}.{name}" for name in DETAILS[kind]})
        settings += [f"{name} = case when {value} is null then pair_rows.{name} else {value}.{name} end" for name in differing]
    if not settings:
        return  # it had only added pairs
    if "texts" in details:
        settings += [f"{name} = case when {REWORDED} then s.there.{name} else pair_rows.{name} end" for name in MEASURED]
    db.execute(
        f"update pair_rows set {', '.join(settings)}, version = pair_rows.version + 1, updated_at = ? from ({_with_measured(details)}) s "
        "where pair_rows.training_sheet_id = ? and pair_rows.row_index = s.row_index and not s.added "
        # A vote that settled nothing has left the pair as it was.
        "and s.before.last_batch is distinct from s.after.last_batch",
        [scope.now, scope.training_sheet_id],
    )


def _differing(db: Database, places: Mapping[str, str]) -> list[str]:
    """Return the columns that differ in some pair, of those that are found on either side of a step; the rest needs no write."""
    sides = [(place.format("before"), place.format("after")) for place in places.values()]
    tests = ", ".join(f"coalesce(bool_or({before} is distinct from {after}), false)" for before, after in sides)
    found = db.execute(f"select {tests} from _steps where not added")[0]
    return [name for name, differs in zip(places, found, strict=True) if differs]


def _change_added(db: Database, scope: Scope, *, back: bool) -> None:
    """Remove the pairs a batch had added, or put them back as they were."""
    if back:
        db.execute(
            "delete from pair_rows where training_sheet_id = ? and row_index in (select row_index from _steps where added)",
            [scope.training_sheet_id],
        )
    else:
        listed = [f"{place.format('after')} as {name}" for name, place in _STATE.items()]
        listed += [f"{kind}_after.{name} as {name}" for kind, names in DETAILS.items() for name in names]
        listed += [f"there.{name} as {name}" for name in MEASURED]
        db.execute(
            f"insert into pair_rows by name select $sheet as training_sheet_id, row_index, {', '.join(listed)}, "
            "(select sample from training_sheets where id = $sheet) as sample, logged_at as created_at, $now as updated_at, "
            f"version + 1 as version from ({_with_measured(DETAILS)}) where added order by row_index",
            {"sheet": scope.training_sheet_id, "now": scope.now},
        )
    db.execute(
        "update canonical_labels set reuse_count = greatest(reuse_count + ?, 0) where id in "
        "(select after.canonical_label_id from _steps where added)",
        [-1 if back else 1],
    )
    templating.count_rows(db, scope)


def _log_step(db: Database, scope: Scope, batch: int, rows: int, *, back: bool, batch_id: str) -> int:
    number = db.execute("select nextval('batch_numbers')")[0][0]
    known = scope.__dict__ | {"batch": number, "batch_id": batch_id, "action": "undo" if back else "redo", "rows": rows}
    first, second = ("after", "before") if back else ("before", "after")
    run(db, LOG_BATCH, known | {"of_batch": batch})
    run(
        db,
        f"{LOG} $batch, $training_sheet_id, row_index, $action, $actor, $now, "
        "version + (before.last_batch is distinct from after.last_batch)::integer, "
        f"{first}, {second}, decided_{first}, decided_{second} from _steps",
        known,
    )
    return number


def _with_measured(details: Collection[str]) -> str:
    """Return SQL for the pairs of a step with what is measured on them `here` and `there`."""
    if "texts" in details:
        return "select s.*, m.here, m.there from _steps s left join _measured m on m.row_index = s.row_index"
    return "select *, null as here, null as there from _steps"


def _log_details(db: Database, number: int, details: list[str], *, back: bool) -> None:
    first, second = ("after", "before") if back else ("before", "after")
    sides = [f"{kind}_{side}" for kind in DETAILS for side in (first, second)]
    some = " or ".join(f"{side} is not null" for side in sides)
    sql = f"{LOG_DETAILS} select ?, row_index, {', '.join(sides)}, here, there from ({_with_measured(details)}) where {some}"
    db.execute(sql, [number])


def _mark(db: Database, scope: Scope, batch: int, number: int, *, back: bool) -> None:
    marks = [scope.now, scope.actor, number] if back else [None, None, None]
    db.execute("update batches set undone_at = ?, undone_by = ?, undone_number = ? where number = ?", [*marks, batch])
