"""Bulk actions: counted first, done to a frozen set, undone as one step."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.contract import UNSET, current
from workbench.domain.data import Sheet
from workbench.domain.generate import TrainingSheet
from workbench.domain.label import PAIR_LIFECYCLE, BulkOutcome, Pair, PairFilter, Skipped
from workbench.domain.wording import grouped
from workbench.errors import NotFound, ValidationError
from workbench.services import ballots, canonical, decisions, queues, votes
from workbench.services.judging import rights_columns, state_columns
from workbench.services.pairs import LISTED, present
from workbench.store.conditions import typed_condition

if TYPE_CHECKING:
    from workbench.services.bulk_review import BulkReview

PREVIEW_MINUTES = 15
KEPT_PREVIEWS = 50
SAMPLE = 5
SHOWN_SKIPPED = 100
TARGET = "training_sheet_id = $training_sheet_id and row_index in (select row_index from _targets)"
WORDS = {"approve": "approved", "reject": "rejected", "flag": "flagged", "reset": "reset", "rights": "given other rights"}


@dataclass(frozen=True)
class Wish:
    """Say what to do to which pairs."""

    action: str
    row_indices: list[int] | None
    filter: PairFilter | None
    preview: bool
    preview_id: str | None
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Frozen:
    """Keep the set that a preview counted, with the versions it saw."""

    training_sheet_id: str
    wish: Wish
    rows: pa.Table
    expires_at: dt.datetime


class Previews:
    """Remember the sets of recent previews."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Frozen] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, preview_id: str, frozen: Frozen) -> None:
        """Remember one more set, forgetting the oldest beyond fifty."""
        with self._lock:
            self._kept[preview_id] = frozen
            while len(self._kept) > KEPT_PREVIEWS:
                self._kept.popitem(last=False)

    def find(self, preview_id: str, training_sheet_id: str, action: str, now: dt.datetime) -> Frozen:
        """Return a set that is not forgotten yet, or raise NotFound."""
        with self._lock:
            found = self._kept.get(preview_id)
        if found is None or found.training_sheet_id != training_sheet_id or found.expires_at <= now:
            raise NotFound(f"The preview {preview_id!r} has expired. Make a new one.", kind="preview", id=preview_id)
        if found.wish.action != action:
            raise ValidationError.field("preview_id", f"was made for bulk {found.wish.action}, not {action}", preview_id)
        return found


def run(service: BulkReview, made: TrainingSheet, sheet: Sheet, wish: Wish) -> BulkOutcome:
    """Carry out or preview a bulk action, inside one write transaction."""
    db, now = service.db, service.clock.now()
    _refuse(wish)
    looking = wish.preview
    if wish.preview_id:
        frozen = service.previews.find(wish.preview_id, made.id, wish.action, now)
        # The set is frozen, the reason is not: it may be written once the sample has been seen.
        said = {name: value for name, value in wish.given.items() if value is not UNSET}
        wish = replace(frozen.wish, given={**frozen.wish.given, **(said if "flag_reason" in said else {})})
        _frozen_set(db, frozen)
    else:
        _chosen_set(db, made, sheet, wish, service.settings.filter_seconds)
    change = _change(wish)
    scope = service.scope(made)
    if made.overlap > 1 and change.action != "rights":
        may_reset = bool(service.roles & votes.ADJUDICATORS)
        target = PAIR_LIFECYCLE.moves[change.action].target
        known = {"target": target, "reason": _reason(wish), "now": now}
        ballots.sorted_out(db, scope, made.overlap, change.action, may_reset=may_reset, **known)
    else:
        _sorted_out(db, scope, change, now)
    outcome = _counted(db)
    if looking:
        return _previewed(service, made, sheet, wish, outcome)
    return _done(service, made, scope, change, wish, outcome)


def _refuse(wish: Wish) -> None:
    ways = [wish.row_indices is not None, wish.filter is not None, wish.preview_id is not None]
    if sum(ways) != 1:
        raise ValidationError.field("row_indices", "say which pairs: row_indices, or filter, or preview_id, one of them")
    if wish.row_indices is not None and not wish.row_indices:
        raise ValidationError.field("row_indices", "is empty; name at least one row", [])
    if wish.preview_id and wish.preview:
        raise ValidationError.field("preview", "does not go with preview_id; leave it out to commit that set", True)
    if wish.action == "rights" and not wish.preview_id and all(value is UNSET for value in wish.given.values()):
        raise ValidationError.field("allowed_uses", "say which rights to change: allowed_uses, prohibited_uses or both")


def _change(wish: Wish) -> decisions.Change:
    if wish.action == "rights":
        return decisions.Change("rights", *rights_columns(wish.given["allowed_uses"], wish.given["prohibited_uses"]))
    return decisions.Change(wish.action, *state_columns(wish.action, wish.given.get("flag_reason", UNSET)))


def _chosen_set(db: Any, made: TrainingSheet, sheet: Sheet, wish: Wish, seconds: float) -> None:
    if wish.row_indices is not None:
        db.execute(
            "create or replace temp table _set as select row_index, null::bigint as version, count(*) as times "
            "from (select unnest(?::bigint[]) as row_index) group by 1",
            [wish.row_indices],
        )
        return
    assert wish.filter is not None
    found = queues.condition(wish.filter, made, sheet, reader=current().actor)
    text, field = wish.filter.where or wish.filter.regex, "where" if wish.filter.where else "regex"
    with typed_condition(db, text, seconds=seconds, field=field):
        db.execute(
            "create or replace temp table _set as select row_index, version, 1::bigint as times from pair_rows "
            f"where {found.sql}",
            found.values,
        )


def _frozen_set(db: Any, frozen: Frozen) -> None:
    db.execute("create or replace temp table _set (row_index bigint, version bigint, times bigint)")
    db.insert_arrow("_set", frozen.rows)


def _reason(wish: Wish) -> str | None:
    reason = wish.given.get("flag_reason", UNSET)
    return None if reason is UNSET else reason or None


def _sorted_out(db: Any, scope: decisions.Scope, change: decisions.Change, now: dt.datetime) -> None:
    """Split the set into rows to change and rows to leave, with the reason."""
    approve = "when $action = 'approve' and is_blank(p.response) then 'no_response' " if change.approves else ""
    sql = (
        "create or replace temp table _sorted as select s.row_index, s.times, case "
        "when p.row_index is null then 'unknown_index' "
        "when s.version is not null and s.version <> p.version then 'changed_since' "
        "when p.disputed and $action <> 'rights' then 'disputed' "
        "when c.row_index is not null then 'claimed' when not p.differs then 'already_so' "
        f"{approve}end as reason, p.version from _set s left join "
        f"(select row_index, version, response, disputed, {change.differs} as differs "
        "from pair_rows where training_sheet_id = $training_sheet_id) p on p.row_index = s.row_index "
        "left join (select distinct row_index from claims where training_sheet_id = $training_sheet_id and expires_at > $now "
        "and not (holder = $actor and client = $client)) c on c.row_index = s.row_index"
    )
    decisions.run(db, sql, scope.__dict__ | change.values | {"action": change.action, "client": current().client, "now": now})


def _counted(db: Any) -> dict[str, Any]:
    """Count the sorted rows by what becomes of them."""
    matched, done, doubles = db.execute(
        "select coalesce(sum(times), 0), count(*) filter (where reason is null), coalesce(sum(times - 1), 0) from _sorted"
    )[0]
    counts = dict(db.execute("select reason, count(*) from _sorted where reason is not null group by 1 order by 2 desc, 1"))
    if doubles:
        counts["duplicate_index"] = int(doubles)
    listed = db.execute(
        f"select row_index, reason from _sorted where reason is not null order by row_index limit {SHOWN_SKIPPED}"
    )
    return {
        "matched": int(matched),
        "done": done,
        "skipped": counts,
        "results": [Skipped(row_index=index, reason=reason) for index, reason in listed],
    }


def _previewed(service: BulkReview, made: TrainingSheet, sheet: Sheet, wish: Wish, outcome: dict[str, Any]) -> BulkOutcome:
    db = service.db
    preview_id = service.clock.new_id("preview")
    expires_at = service.clock.now() + dt.timedelta(minutes=PREVIEW_MINUTES)
    rows = db.arrow("select row_index, version, times from _sorted order by row_index")
    service.previews.keep(preview_id, Frozen(made.id, wish, rows, expires_at))
    picked = db.rows(
        f"select {LISTED} from pair_rows where training_sheet_id = ? and row_index in "
        f"(select row_index from _sorted where reason is null order by md5(? || row_index) limit {SAMPLE}) order by row_index",
        [made.id, preview_id],
    )
    sample = [Pair(**row) for row in present(db, picked, sheet, made)]
    summary = f"{grouped(outcome['done'])} of {grouped(outcome['matched'])} pairs would be {WORDS[wish.action]}."
    return BulkOutcome(**outcome, preview_id=preview_id, expires_at=expires_at, sample=sample, summary=summary)


def _done(
    service: BulkReview,
    made: TrainingSheet,
    scope: decisions.Scope,
    change: decisions.Change,
    wish: Wish,
    outcome: dict[str, Any],
) -> BulkOutcome:
    summary = f"{grouped(outcome['done'])} of {grouped(outcome['matched'])} pairs {WORDS[change.action]}."
    if not outcome["done"]:
        return BulkOutcome(**outcome, summary=summary)
    db = service.db
    batch_id = service.clock.new_id("batch")
    db.execute("create or replace temp table _targets as select row_index from _sorted where reason is null")
    if made.overlap > 1 and change.action != "rights":
        return _voted(service, made, scope, change, wish, outcome, batch_id)
    number = decisions.apply(db, scope, change, TARGET, {}, batch_id=batch_id, rows=outcome["done"])
    if change.approves:
        canonical.record(db, scope, number, TARGET)
    else:
        canonical.follow_batch(db, scope, number)
    if change.action == "reset" and votes.exist(db, made.id):
        votes.end(db, scope, number, "select row_index from _targets")
        votes.recount(db, made.id, made.overlap, "select row_index from _targets")
    db.execute("delete from claims where training_sheet_id = ? and row_index in (select row_index from _targets)", [made.id])
    db.emit("pairs", made.id, None, "bulk")
    return BulkOutcome(**outcome, batch_id=batch_id, summary=summary)


def _voted(
    service: BulkReview,
    made: TrainingSheet,
    scope: decisions.Scope,
    change: decisions.Change,
    wish: Wish,
    outcome: dict[str, Any],
    batch_id: str,
) -> BulkOutcome:
    """Count one person's vote on each of the chosen pairs."""
    db = service.db
    reason = _reason(wish) if change.action != "approve" else None
    decisions.run(
        db,
        "create or replace temp table _ballots as select p.row_index, $action as action, p.response, null::varchar as prompt, "
        "$reason::varchar as flag_reason, null::varchar as notes, null::utinyint as allowed_mask, null::utinyint as prohibited_mask "
        "from pair_rows p where p.training_sheet_id = $training_sheet_id and p.row_index in (select row_index from _targets)",
        scope.__dict__ | {"action": change.action, "reason": reason},
    )
    stand: dict[str, int] = {}
    if change.action == "reset":
        ballots.reset(db, scope, made.overlap, change, batch_id=batch_id)
    else:
        stand = ballots.cast(db, scope, made.overlap, scope.actor, batch_id=batch_id)
    db.emit("pairs", made.id, None, "bulk")
    return BulkOutcome(**outcome, outcomes=stand, batch_id=batch_id, summary=_vote_summary(change.action, outcome["done"], stand))


def _vote_summary(action: str, done: int, stand: dict[str, int]) -> str:
    pairs = f"{grouped(done)} pair{'s' if done != 1 else ''}"
    if action == "reset":
        return f"Votes taken back on {pairs}."
    counts = ", ".join(f"{grouped(count)} {word}" for word, count in stand.items() if count)
    return f"Voted to {action} {pairs}: {counts}."
