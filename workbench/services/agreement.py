"""How far reviewers agree: counted in SQL by pattern, measured on the few patterns there are."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.domain.agreement import Agreement, AgreementFigure, ReviewerAgreement, ReviewerPair
from workbench.domain.generate import TrainingSheet
from workbench.domain.wording import grouped
from workbench.services import disputes
from workbench.services.decisions import VERDICTS
from workbench.services.figures import PACE_WINDOW, SHORTEST_PACE, percent
from workbench.store import Database

if TYPE_CHECKING:
    import numpy as np

MOST_ANSWERS = 100
LABELS = {
    "percent_agreement": "Agreement",
    "cohen_kappa": "Cohen's kappa",
    "fleiss_kappa": "Fleiss' kappa",
    "krippendorff_alpha": "Krippendorff's alpha",
    "gwet_ac1": "Gwet's AC1",
}
ONE_REVIEWER = "Each pair is reviewed by one person. Let two or more review it."
NO_PAIRS = "No pair has votes of two or more people yet."
NO_APPROVALS = "No pair was approved by two or more people yet."
ONE_ANSWER = "Everybody gave the same answer, so there is no chance agreement to compare with."
# Only pairs whose votes are all in: what is still open stays blind.
_CLOSED = (
    "from votes v join pair_rows p on p.training_sheet_id = v.training_sheet_id and p.row_index = v.row_index "
    "where v.training_sheet_id = $sheet and v.ended_by is null and (p.disputed or (p.status <> 'unlabeled' and not p.stale))"
)
_VALUES = {
    "action": f"select v.row_index, v.voter, v.action as answer {_CLOSED}",
    "response": f"select v.row_index, v.voter, v.response as answer {_CLOSED} and v.action = 'approve'",
}


def agreement(
    db: Database, made: TrainingSheet, over: str, samples: int, seed: int, *, steward: bool, now: dt.datetime
) -> Agreement:
    """Measure the agreement on the pairs whose votes are all in, and say what each reviewer has done."""
    with db.read():
        told = _gold_summary(db, made) if steward else None
        people = _reviewers(db, made, sees_gold=steward, now=now)
        disputed = db.value("select count(*) from pair_rows where training_sheet_id = ? and disputed", [made.id])
        used, cast, figures, by_two = db.recall(
            ("agreement", made.id, over, samples, seed),
            ("pairs", "training_sheets"),
            lambda: _measures(db, made, over, samples, seed),
        )
    return Agreement(
        training_sheet_id=made.id,
        over=over,
        wanted=made.overlap,
        pairs=used,
        votes=cast,
        disputed=disputed,
        figures=figures,
        by_two=by_two,
        by_reviewer=people,
        actions=[disputes.adjudicating(allowed=steward)],
        summary=_summary(used, disputed, figures),
        gold_summary=told,
        **{figure.name: figure.value for figure in figures},
    )


def _compared(db: Database, training_sheet_id: str, over: str) -> tuple[list[Any], list[Any]]:
    """Count the pairs by the answers they got, and every two people's answers to the same pair."""
    known = {"sheet": training_sheet_id}
    patterns = db.tuples(
        f"select answers, count(*) from (select list_sort(list(answer)) as answers from ({_VALUES[over]}) group by row_index "
        "having count(*) > 1) group by 1 order by 1",
        known,
    )
    cells = db.tuples(
        f"with v as materialized ({_VALUES[over]}) select a.voter, b.voter, a.answer, b.answer, count(*) from v a join v b "
        "on b.row_index = a.row_index and b.voter > a.voter group by all order by all",
        known,
    )
    return patterns, cells


def _measures(
    db: Database, made: TrainingSheet, over: str, samples: int, seed: int
) -> tuple[int, int, list[AgreementFigure], list[ReviewerPair]]:
    """Return how many pairs and votes were compared, with the figures over all and for every two people."""
    patterns, cells = _compared(db, made.id, over)
    free = _free_text(made, over, patterns)
    figures = _figures(made, over, [] if free else patterns, [] if free else cells, samples, seed, free)
    used = sum(count for _, count in patterns)
    cast = sum(len(answers) * count for answers, count in patterns)
    return used, cast, figures, [] if free else _by_two(cells, samples, seed)


def _free_text(made: TrainingSheet, over: str, patterns: list[tuple[Any, ...]]) -> str | None:
    """Return why answers cannot be compared as categories, or None."""
    if over == "action" or (made.template and made.template.label_classes):
        return None
    found = {answer for answers, _ in patterns for answer in answers}
    if len(found) <= MOST_ANSWERS:
        return None
    return f"The responses are free text ({grouped(len(found))} different ones); only a closed set of answers can be compared."


def _figures(
    made: TrainingSheet, over: str, patterns: list[Any], cells: list[Any], samples: int, seed: int, free: str | None
) -> list[AgreementFigure]:
    from workbench.services import kappa

    nothing = free or (ONE_REVIEWER if made.overlap == 1 else NO_PAIRS if over == "action" else NO_APPROVALS)
    if not patterns:
        return [AgreementFigure(name=name, label=label, reason=nothing) for name, label in LABELS.items()]
    sizes: Counter[int] = Counter()
    for answers, count in patterns:
        sizes[len(answers)] += count
    commonest = max(sizes, key=lambda size: (sizes[size], size))
    alike = [(answers, count) for answers, count in patterns if len(answers) == commonest]
    return [
        _figure("percent_agreement", kappa.percent, patterns, samples, seed),
        _cohen(cells, samples, seed),
        _figure("fleiss_kappa", kappa.fleiss, alike, samples, seed),
        _figure("krippendorff_alpha", kappa.krippendorff, patterns, samples, seed),
        _figure("gwet_ac1", kappa.gwet, patterns, samples, seed),
    ]


def _figure(name: str, measure: Callable[..., Any], patterns: list[Any], samples: int, seed: int) -> AgreementFigure:
    counts, shapes = _matrix(patterns)
    return _measured(AgreementFigure(name=name, label=LABELS[name]), measure, counts, shapes, samples, seed)


def _cohen(cells: list[Any], samples: int, seed: int) -> AgreementFigure:
    figure = AgreementFigure(name="cohen_kappa", label=LABELS["cohen_kappa"])
    people = {name for first, second, *_ in cells for name in (first, second)}
    if len(people) != 2:
        return figure.with_(reason=f"It compares two people, and {len(people)} have reviewed; see every two of them.")
    return _two(figure, cells, samples, seed)


def _two(record: Any, cells: list[Any], samples: int, seed: int) -> Any:
    import numpy as np

    from workbench.services import kappa

    places = {answer: place for place, answer in enumerate(sorted({a for *_, one, two, _ in cells for a in (one, two)}))}
    shapes = np.array([[places[one], places[two]] for *_, one, two, _ in cells])
    return _measured(record, kappa.cohen, [count for *_, count in cells], shapes, samples, seed)


def _measured(record: Any, measure: Callable[..., Any], counts: list[int], shapes: np.ndarray, samples: int, seed: int) -> Any:
    """Return a record with the value of a measure and its interval, or with the reason why there is none."""
    import numpy as np

    from workbench.services import kappa

    field = "kappa" if isinstance(record, ReviewerPair) else "value"
    value = float(measure(np.array([counts], dtype=float), shapes)[0])
    if math.isnan(value):
        return record.with_(pairs=sum(counts), reason=ONE_ANSWER)
    low, high = map(float, kappa.interval(measure, counts, shapes, samples, seed)) if samples else (math.nan, math.nan)
    ends = {} if math.isnan(low) else {"low": low, "high": high}
    return record.with_(pairs=sum(counts), **{field: value}, **ends)


def _matrix(patterns: list[Any]) -> tuple[list[int], np.ndarray]:
    import numpy as np

    places = {answer: place for place, answer in enumerate(sorted({a for answers, _ in patterns for a in answers}))}
    shapes = np.zeros((len(patterns), len(places)))
    for row, (answers, _) in enumerate(patterns):
        for answer in answers:
            shapes[row, places[answer]] += 1
    return [count for _, count in patterns], shapes


def _by_two(cells: list[Any], samples: int, seed: int) -> list[ReviewerPair]:
    found: dict[tuple[str, str], list[Any]] = {}
    for cell in cells:
        found.setdefault(cell[:2], []).append(cell)
    shown = []
    for (first, second), mine in found.items():
        pairs = sum(cell[-1] for cell in mine)
        equal = sum(count for *_, one, two, count in mine if one == two)
        record = ReviewerPair(first=first, second=second, percent=percent(equal, pairs))
        shown.append(_two(record, mine, samples, seed))
    return shown


# What everybody has said of pairs that stands: votes, and decisions of one person alone.
WORK = """
with work as (
    select v.row_index, v.voter, v.action, v.response, true as shared,
        case when p.stale then 'unlabeled' else p.status end as status, p.disputed, p.response as outcome
    from votes v join pair_rows p on p.training_sheet_id = v.training_sheet_id and p.row_index = v.row_index
    where v.training_sheet_id = $sheet and v.ended_by is null
    union all
    select
        p.row_index, b.actor, case p.status when 'labeled' then 'approve' when 'rejected' then 'reject' else 'flag' end,
        p.response, false, p.status, p.disputed, p.response
    from pair_rows p join batches b on b.number = p.decided_batch
    where p.training_sheet_id = $sheet and p.votes = 0 and b.action in ('approve', 'reject', 'flag', 'edit')
)
"""
# Whether it is the known answer.
CORRECT = "g.action = w.action and (g.response is null or w.action <> 'approve' or g.response = w.response)"
_BY_PERSON = f"""
{WORK}
select
    w.voter,
    count(*),
    count(*) filter (where w.action = 'approve' and (w.disputed or w.status <> 'unlabeled')),
    count(*) filter (where w.action = 'reject' and (w.disputed or w.status <> 'unlabeled')),
    count(*) filter (where w.action = 'flag' and (w.disputed or w.status <> 'unlabeled')),
    count(*) filter (where w.shared and w.status <> 'unlabeled'),
    count(*) filter (
        where w.shared and (w.action <> 'approve' or w.response = w.outcome)
        and w.status = case w.action when 'approve' then 'labeled' when 'reject' then 'rejected' else 'flagged' end
    ),
    count(g.row_index),
    count(*) filter (where {CORRECT})
from work w left join (select * from gold where training_sheet_id = $sheet) g on g.row_index = w.row_index
group by 1 order by 2 desc, 1
"""
HIDDEN_GOLD = "Only stewards see how reviewers do on pairs with a known answer."
NO_GOLD = "No vote on a pair with a known answer yet."


def _reviewers(db: Database, made: TrainingSheet, *, sees_gold: bool, now: dt.datetime) -> list[ReviewerAgreement]:
    paces = _paces(db, made.id, now)
    shown = []
    for name, votes, approved, rejected, flagged, settled, agreed, gold, correct in _work(db, made):
        shown.append(
            ReviewerAgreement(
                reviewer=name,
                votes=votes,
                percent_done=percent(votes, made.total_rows),
                approved=approved,
                rejected=rejected,
                flagged=flagged,
                settled=settled,
                agreed=agreed,
                percent_agreed=percent(agreed, settled) if settled else None,
                gold=gold if sees_gold else None,
                gold_correct=correct if sees_gold else None,
                percent_gold=percent(correct, gold) if sees_gold and gold else None,
                gold_reason=HIDDEN_GOLD if not sees_gold else None if gold else NO_GOLD,
                pace_per_hour=paces.get(name),
            )
        )
    return shown


def _paces(db: Database, training_sheet_id: str, now: dt.datetime) -> dict[str, float]:
    """Return single decisions per hour over the last hour, by person."""
    found = db.tuples(
        "select actor, count(*), min(logged_at) from batches where training_sheet_id = ? and logged_at > ? and row_count = 1 "
        f"and undone_at is null and action in {VERDICTS} group by 1",
        [training_sheet_id, now - PACE_WINDOW],
    )
    hour = dt.timedelta(hours=1)
    return {name: round(count / (max(now - first, SHORTEST_PACE) / hour), 1) for name, count, first in found}


def _gold_summary(db: Database, made: TrainingSheet) -> str:
    """Return in one sentence how many answers are known, and how people do on them."""
    known = db.value("select count(*) from gold where training_sheet_id = ?", [made.id])
    if not known:
        return "No pair has a known answer yet."
    work = _work(db, made)
    votes, correct = (sum(row[place] for row in work) for place in (-2, -1))
    what = f"{grouped(known)} pair{' has' if known == 1 else 's have'} a known answer"
    if not votes:
        return f"{what}; nobody has decided on {'it' if known == 1 else 'them'} yet."
    right = "is right" if 1 in (correct, votes) else "are right"
    return f"{what}; {grouped(correct)} of {grouped(votes)} vote{'' if votes == 1 else 's'} {right}."


def _work(db: Database, made: TrainingSheet) -> list[Any]:
    """Return what each person has done, with the votes on known answers and those that are right last."""
    return db.recall(("work", made.id), ("pairs", "gold"), lambda: db.tuples(_BY_PERSON, {"sheet": made.id}))


def _summary(used: int, disputed: int, figures: list[AgreementFigure]) -> str:
    if not used:
        return str(figures[0].reason)
    waiting = f"; {grouped(disputed)} wait for adjudication" if disputed else ""
    return f"{grouped(used)} pair{'s' if used != 1 else ''} reviewed by several people{waiting}."
