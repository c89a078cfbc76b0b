"""Figures of a review, each computed from the pairs as they are."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from workbench.contract import current
from workbench.domain.data import prohibited_uses
from workbench.domain.label import (
    EXCLUSIONS,
    DayProgress,
    Eligibility,
    ExclusionCount,
    Facet,
    Facets,
    FacetValue,
    Progress,
    ReviewerProgress,
)
from workbench.domain.quality import PII_WORDS
from workbench.domain.wording import grouped
from workbench.services.decisions import VERDICTS
from workbench.services.followed_counts import BY_EXCLUSION, BY_SIGNALS, BY_SOURCE, BY_STATE, BY_VOTER
from workbench.services.queues import VOTED_BY_READER
from workbench.store import Database

PACE_WINDOW = dt.timedelta(hours=1)
SHORTEST_PACE = dt.timedelta(minutes=1)
SHOWN_VALUES = 50
EXCLUSION_WORDS = {
    "unlabeled": "not reviewed yet",
    "rejected": "rejected",
    "flagged": "flagged",
    "stale": "approved before the prompt changed",
    "not_allowed": "not allowed for training",
    "prohibited": "barred from training",
    "blank": "with a blank prompt or response",
}
STATUS_WORDS = {"unlabeled": "Unlabeled", "labeled": "Labeled", "rejected": "Rejected", "flagged": "Flagged"}
QUEUE_WORDS = STATUS_WORDS | {"disputed": "Disputed", "to_review": "To review", "stale": "Stale"}
SOURCE_WORDS = {
    "empty": "No response",
    "imported": "Imported",
    "ai_generated": "Generated",
    "human_labeled": "Written by a person",
    "human_verified": "Corrected by a person",
    "canonical": "Known label",
}

# Most pairs have no marks and no verdict: to count them by little takes a fraction of counting all by everything.
_COUNTED = "count(*) as pairs from pair_rows where training_sheet_id = $sheet and"
_PLAIN = f"select status, false as stale, false as disputed, 0::utinyint as votes, decided_batch, {_COUNTED} "
_ODD = f"select status, stale, disputed, votes, decided_batch, {_COUNTED} "
_BY_BATCH = (
    f"{_PLAIN} decided_batch is not null and not stale and not disputed and votes = 0 group by all "
    f"union all {_PLAIN} decided_batch is null and status <> 'unlabeled' and not stale and not disputed and votes = 0 group by all "
    f"union all {_ODD} stale group by all "
    f"union all {_ODD} not stale and disputed group by all "
    f"union all {_ODD} not stale and not disputed and votes > 0 group by all"
)

_MARKED = f"select status, stale, prohibited_mask, allowed_mask, {_COUNTED} "
_BY_RIGHTS = (
    f"select status, false as stale, 0::utinyint as prohibited_mask, null::utinyint as allowed_mask, {_COUNTED} "
    "not stale and allowed_mask is null and prohibited_mask = 0 group by all "
    f"union all {_MARKED} stale group by all "
    f"union all {_MARKED} not stale and allowed_mask is not null group by all "
    f"union all {_MARKED} not stale and allowed_mask is null and prohibited_mask <> 0 group by all"
)

SOME = "1.."
YES = {SOME: "Yes", "true": "Yes"}
FACETS = (
    ("status", "State", QUEUE_WORDS),
    ("response_source", "Source", SOURCE_WORDS),
    ("reviewer", "Reviewer", {}),
    ("duplicates", "Has a duplicate", YES),
    ("near_duplicates", "Has a near duplicate", YES),
    ("pii_kinds", "Personal data", PII_WORDS),
    ("language", "Language", {}),
    ("refusal", "Declines to answer", YES),
)


def percent(part: float, whole: float) -> float:
    """Return a share in percent, for whoever shows it to round; of nothing it is 0."""
    return 100 * part / whole if whole else 0.0


def progress(db: Database, training_sheet_id: str, now: dt.datetime) -> Progress:
    """Count the pairs by state, by who decided and by day."""
    wanted = _wanted(db, training_sheet_id)
    states: Counter[str] = Counter()
    people: dict[str, Counter[str]] = defaultdict(Counter)
    days: Counter[str] = Counter()
    for status, stale, disputed, voted, actor, day, count in _groups(db, training_sheet_id):
        states[status] += count
        states["to_review"] += count if _waits(status, stale, disputed) else 0
        states["stale"] += count if stale else 0
        states["disputed"] += count if disputed else 0
        states[f"{status} disputed"] += count if disputed else 0
        states["votes"] += count * voted
        # What is still to be decided on: one vote more for each that is missing.
        states["missing"] += count * max(wanted - voted, 0) if _waits(status, stale, disputed) else 0
        if actor and not voted:
            people[actor][status] += count
            days[day.isoformat()] += count
    if states["votes"]:
        _count_votes(db, training_sheet_id, people, days)
    total = sum(states[name] for name in STATUS_WORDS)
    pace = _pace(db, training_sheet_id, now)
    figures: dict[str, Any] = {name: states[name] for name in (*STATUS_WORDS, "to_review", "stale", "disputed", "votes")}
    return Progress(
        training_sheet_id=training_sheet_id,
        total=total,
        percent_complete=percent(states["labeled"], total),
        percent_reviewed=percent(states["labeled"] + states["rejected"], total),
        pace_per_hour=pace,
        eta_seconds=round(states["missing"] / pace * 3600) if pace else None,
        summary=_summary(total, states),
        by_reviewer=[_person(name, counts) for name, counts in sorted(people.items(), key=lambda item: (-item[1].total(), item[0]))],
        by_day=[DayProgress(day=day, decisions=count) for day, count in sorted(days.items())],
        **figures,
    )


def _wanted(db: Database, training_sheet_id: str) -> int:
    """Return how many people are to review each pair."""
    return db.value("select overlap from training_sheets where id = ?", [training_sheet_id]) or 1


def _waits(status: str, stale: bool, disputed: bool) -> bool:
    """Return whether pairs are to be reviewed, as the queue of that name has it."""
    return (stale or status == "unlabeled") and not disputed


def _groups(db: Database, training_sheet_id: str) -> list[tuple[Any, ...]]:
    """Count the pairs by all that the figures of a review tell apart; what is kept follows single decisions."""
    return db.recall((BY_STATE, training_sheet_id), ("pairs",), lambda: _states(db, {"sheet": training_sheet_id}))


def _states(db: Database, known: dict[str, str]) -> list[tuple[Any, ...]]:
    # Pairs are counted by batch first: the batches are few, and only those that still count are looked up.
    sql = (
        "select p.status, p.stale, p.disputed, p.votes, b.actor, b.logged_at::date, sum(p.pairs)::bigint "
        f"from ({_BY_BATCH}) p left join batches b on b.number = p.decided_batch group by all"
    )
    with db.read():
        found, total = db.tuples(sql, known), db.value("select count(*) from pair_rows where training_sheet_id = $sheet", known)
    untouched = total - sum(count for *_, count in found)
    return [*found, ("unlabeled", False, False, 0, None, None, untouched)] if untouched else found


def _count_votes(db: Database, training_sheet_id: str, people: dict[str, Counter[str]], days: Counter[str]) -> None:
    """Add the votes that stand; what they say counts only on pairs whose votes are all in."""
    found = db.tuples(
        "select v.voter, strftime(v.logged_at, '%Y-%m-%d'), case when p.disputed or (p.status <> 'unlabeled' and not p.stale) then "
        "case v.action when 'approve' then 'labeled' when 'reject' then 'rejected' else 'flagged' end else 'open' end, count(*) "
        "from votes v join pair_rows p on p.training_sheet_id = v.training_sheet_id and p.row_index = v.row_index "
        "where v.training_sheet_id = ? and v.ended_by is null group by all",
        [training_sheet_id],
    )
    for voter, day, state, count in found:
        people[voter][state] += count
        days[day] += count


def _person(name: str, counts: Counter[str]) -> ReviewerProgress:
    return ReviewerProgress(
        reviewer=name,
        approved=counts["labeled"],
        rejected=counts["rejected"],
        flagged=counts["flagged"],
        decisions=counts.total(),
    )


def _pace(db: Database, training_sheet_id: str, now: dt.datetime) -> float | None:
    """Return single decisions per hour over the last hour, or None without any."""
    count, first = db.tuples(
        "select count(*), min(logged_at) from batches where training_sheet_id = ? and logged_at > ? and row_count = 1 "
        f"and undone_at is null and action in {VERDICTS}",
        [training_sheet_id, now - PACE_WINDOW],
    )[0]
    if not count:
        return None
    return round(count / (max(now - first, SHORTEST_PACE) / dt.timedelta(hours=1)), 1)


def _summary(total: int, states: Counter[str]) -> str:
    if not total:
        return "There are no pairs."
    parts = (_part(name, states) for name in STATUS_WORDS if states[name])
    return f"{' · '.join(parts)} of {grouped(total)}."


def _part(name: str, states: Counter[str]) -> str:
    """Return the pairs of a state, with those among them that are to be looked at again."""
    again = {"stale": states["stale"] if name == "labeled" else 0, "disputed": states[f"{name} disputed"]}
    told = ", ".join(f"{grouped(count)} {word}" for word, count in again.items() if count)
    return f"{grouped(states[name])} {name}" + (f" ({told})" if told else "")


def eligibility(db: Database, training_sheet_id: str) -> Eligibility:
    """Count the pairs that may be trained on, and the others by the first reason that keeps them out."""
    found = dict(db.recall((BY_EXCLUSION, training_sheet_id), ("pairs",), lambda: _exclusions(db, training_sheet_id)))
    total, eligible = sum(found.values()), found.pop(None, 0)
    excluded = {reason: found.get(reason, 0) for reason in EXCLUSIONS}
    words = EXCLUSION_WORDS | ({"prohibited": _barred_by_tags(db, training_sheet_id)} if excluded["prohibited"] else {})
    reasons = [
        ExclusionCount(reason=reason, label=words[reason], count=count)
        for reason, count in sorted(excluded.items(), key=lambda item: -item[1])
        if count
    ]
    labeled = total - sum(excluded[name] for name in ("unlabeled", "rejected", "flagged"))
    why = "; ".join(f"{grouped(one.count)} {one.label}" for one in reasons)
    return Eligibility(
        training_sheet_id=training_sheet_id,
        total=total,
        labeled=labeled,
        eligible=eligible,
        percent_eligible=percent(eligible, total),
        excluded=excluded,
        reasons=reasons,
        summary=f"{grouped(eligible)} of {grouped(total)} pairs may be trained on{'; ' + why if why else ''}.",
    )


def _exclusions(db: Database, training_sheet_id: str) -> dict[str | None, int]:
    """Count the pairs as the view `pair_eligibility` names them, without reading texts that cannot be blank."""
    states = f"select kept_out_by(status, stale, prohibited_mask, allowed_mask), sum(pairs)::bigint from ({_BY_RIGHTS}) group by 1"
    # One text at a time: where the order of its column says that none begins like a blank one, none is read.
    left = (
        "select row_index from pair_rows where training_sheet_id = $sheet and status = 'labeled' and not stale "
        "and kept_out_by(status, stale, prohibited_mask, allowed_mask) is null and is_blank({})"
    )
    blank = f"select count(*) from ({left.format('prompt')} union {left.format('response')})"
    known = {"sheet": training_sheet_id}
    with db.read():
        found, blanks = dict(db.tuples(states, known)), db.value(blank, known)
    if blanks:
        found |= {"blank": blanks, None: found[None] - blanks}
    return found


def _barred_by_tags(db: Database, training_sheet_id: str) -> str:
    """Return why pairs are barred from training, with the tags of the sheet that bar all of them."""
    sql = "select s.tags from sheets s join training_sheets t on t.sheet_id = s.id where t.id = ?"
    tags = [tag for tag in db.value(sql, [training_sheet_id]) or () if "training" in prohibited_uses((tag,))]
    named = f" by the sheet's tag{'s' if len(tags) > 1 else ''} {', '.join(tags)}" if tags else ""
    return EXCLUSION_WORDS["prohibited"] + named


def facets(db: Database, training_sheet_id: str) -> Facets:
    """Count the values one can filter by."""
    with db.read():
        counted = _review_facets(db, training_sheet_id) | _signal_facets(db, training_sheet_id)
    found = [
        Facet(
            name=name,
            label=label,
            values=[FacetValue(value=v, label=words.get(v, v), count=n) for v, n in _most_common(counted[name])],
        )
        for name, label, words in FACETS
    ]
    return Facets(training_sheet_id=training_sheet_id, facets=found)


def _most_common(counted: Counter[str]) -> list[tuple[str, int]]:
    """Return the values that count most; those that count the same by the alphabet, so that none jumps."""
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_VALUES]


def _review_facets(db: Database, training_sheet_id: str) -> dict[str, Counter[str]]:
    found = _groups(db, training_sheet_id)
    groups = [
        ("disputed" if disputed and not stale else status, actor, count)
        for status, stale, disputed, _, actor, _, count in found
    ]
    more = [("to_review", count) for status, stale, disputed, *_, count in found if _waits(status, stale, disputed)]
    more += [("stale", count) for _, stale, *_, count in found if stale]
    more += [("disputed", count) for _, stale, disputed, *_, count in found if stale and disputed]
    counted = _counted(("status", "reviewer"), groups)
    waits = counted["status"] + _counted(("status",), more)["status"]
    return counted | {"status": waits - _voted_by_reader(db, training_sheet_id), **_sources(db, training_sheet_id)}


def _sources(db: Database, training_sheet_id: str) -> dict[str, Counter[str]]:
    sql = "select response_source, count(*) from pair_rows where training_sheet_id = ? group by 1"
    groups = db.recall((BY_SOURCE, training_sheet_id), ("pairs",), lambda: db.tuples(sql, [training_sheet_id]))
    return _counted(("response_source",), groups)


def _voted_by_reader(db: Database, training_sheet_id: str) -> Counter[str]:
    """Count by queue what waits for others but not for the reader, who voted on it already."""
    reader = current().actor
    sql = (
        f"select status, stale, count(*) from pair_rows where training_sheet_id = $training_sheet_id and not disputed "
        f"and row_index in ({VOTED_BY_READER}) group by all"
    )
    known = {"training_sheet_id": training_sheet_id, "reader": reader}
    groups = db.recall((BY_VOTER, training_sheet_id, reader), ("pairs",), lambda: db.tuples(sql, known))
    waiting = [("to_review", count) for status, stale, count in groups if _waits(status, stale, False)]
    fresh = [("unlabeled", count) for status, _, count in groups if status == "unlabeled"]
    return _counted(("status",), [*waiting, *fresh])["status"]


def _signal_facets(db: Database, training_sheet_id: str) -> dict[str, Counter[str]]:
    """Count what the signals say; the values are what a condition on the signal takes."""
    sql = (
        "select signals.language, signals.duplicates > 0, signals.near_duplicates > 0, signals.refusal, signals.pii_kinds, count(*) "
        "from pair_rows where training_sheet_id = ? and signals is not null group by all"
    )
    groups = db.recall((BY_SIGNALS, training_sheet_id), ("pairs",), lambda: db.tuples(sql, [training_sheet_id]))
    rows = [
        (language, SOME if same else None, SOME if near else None, "true" if refusal else None, count)
        for language, same, near, refusal, _, count in groups
    ]
    kinds = [(kind, count) for *_, listed, count in groups for kind in (listed or "").split(",") if kind]
    return _counted(("language", "duplicates", "near_duplicates", "refusal"), rows) | _counted(("pii_kinds",), kinds)


def _counted(names: tuple[str, ...], groups: Iterable[tuple[Any, ...]]) -> dict[str, Counter[str]]:
    """Add up, for each name, the last figure of every group by the value in the name's place."""
    counters = {name: Counter[str]() for name in names}
    for *values, count in groups:
        for counter, value in zip(counters.values(), values, strict=True):
            if value is not None:
                counter[value] += count
    return counters
