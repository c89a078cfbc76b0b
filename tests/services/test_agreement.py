"""Agreement of reviewers, compared with definitions written out, scikit-learn and published examples."""

from __future__ import annotations

import json
import random
from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from tests.services.test_votes import PLAN, ROWS, Person
from workbench.errors import Forbidden, ValidationError
from workbench.services import kappa

# Ten subjects, fourteen raters, five categories: the worked example of Fleiss' kappa in Wikipedia.
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
# Four coders, twelve units, five values: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C.
CODERS = [
    "1 2 3 3 2 1 4 1 2 * * *", "1 2 3 3 2 2 4 1 2 5 * 3", "* 3 3 3 2 3 4 2 2 5 1 *", "1 2 3 3 2 4 4 1 2 5 1 *",
]  # fmt: skip


def measured(measure: Any, patterns: list[list[int]]) -> float:
    """Return a measure of count patterns that occur once each."""
    return float(measure(np.ones((1, len(patterns))), np.array(patterns, dtype=float))[0])


def answers_of(pattern: list[int]) -> list[int]:
    return [category for category, count in enumerate(pattern) for _ in range(count)]


def pairwise(patterns: list[list[int]]) -> Fraction:
    """Return the mean over subjects of the share of equal answers, by looking at every two of them."""
    shares = []
    for pattern in patterns:
        twos = list(permutations(answers_of(pattern), 2))
        shares.append(Fraction(sum(one == two for one, two in twos), len(twos)))
    return sum(shares) / len(shares)


def by_definition(name: str, patterns: list[list[int]]) -> Fraction:
    """Compute a measure from its published definition, one answer after the other."""
    observed, categories = pairwise(patterns), range(len(patterns[0]))
    if name == "percent":
        return observed
    if name == "fleiss":
        everything = [a for pattern in patterns for a in answers_of(pattern)]
        chance = sum(Fraction(everything.count(c), len(everything)) ** 2 for c in categories)
        return (observed - chance) / (1 - chance)
    if name == "gwet":
        shares = [sum(Fraction(p[c], sum(p)) for p in patterns) / len(patterns) for c in categories]
        chance = sum(share * (1 - share) for share in shares) / (len(shares) - 1)
        return (observed - chance) / (1 - chance)
    coincidences: Counter[tuple[int, int]] = Counter()
    for pattern in patterns:
        answers = answers_of(pattern)
        for one, two in permutations(answers, 2):
            coincidences[one, two] += Fraction(1, len(answers) - 1)
    totals = {c: sum(value for (one, _), value in coincidences.items() if one == c) for c in categories}
    whole = sum(totals.values())
    disagreement = sum(value for (one, two), value in coincidences.items() if one != two)
    expected = sum(totals[one] * totals[two] for one, two in permutations(categories, 2)) / (whole - 1)
    return 1 - disagreement / expected


def randomly(seed: int, raters: tuple[int, int]) -> list[list[int]]:
    dice = random.Random(seed)
    found = []
    for _ in range(60):
        answers = [dice.choices(range(4), [5, 2, 1, 1])[0] for _ in range(dice.randint(*raters))]
        found.append([answers.count(c) for c in range(4)])
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["percent", "fleiss", "krippendorff", "gwet"])
def test_measures_follow_their_definitions(name: str, seed: int) -> None:
    patterns = randomly(seed, (3, 3) if name == "fleiss" else (2, 6))

    assert measured(getattr(kappa, name), patterns) == pytest.approx(float(by_definition(name, patterns)), abs=1e-9)


def test_published_examples() -> None:
    assert measured(kappa.fleiss, FLEISS) == pytest.approx(0.20993, abs=5e-6)
    units = list(zip(*(line.split() for line in CODERS), strict=True))
    patterns = [[unit.count(v) for v in "12345"] for unit in units if sum(a != "*" for a in unit) > 1]
    assert measured(kappa.krippendorff, patterns) == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_cohen_equals_scikit_learn(seed: int) -> None:
    dice = np.random.default_rng(seed)
    first, second = dice.integers(0, 4, 500), dice.integers(0, 4, 500)
    second = np.where(dice.random(500) < 0.5, first, second)
    cells, counts = np.unique(np.stack([first, second], 1), axis=0, return_counts=True)

    found = float(kappa.cohen(counts[None].astype(float), cells)[0])
    assert found == pytest.approx(cohen_kappa_score(first, second), abs=1e-9)


def test_the_interval_is_that_of_a_bootstrap_over_pairs() -> None:
    dice = np.random.default_rng(1)
    patterns = randomly(3, (2, 2))
    drawn = [measured(kappa.krippendorff, [patterns[n] for n in dice.integers(0, 60, 60)]) for _ in range(2000)]
    low, high = kappa.interval(kappa.krippendorff, [1] * 60, np.array(patterns, dtype=float), 4000, 7)

    assert (low, high) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])), abs=0.03)
    again = kappa.interval(kappa.krippendorff, [1] * 60, np.array(patterns, dtype=float), 4000, 7)
    assert tuple(again) == (low, high)


@pytest.fixture
def made(local: Any) -> Any:
    sheet = local.sheets.create("rows", rows=ROWS, item_id_column="id")
    return local.training_sheets.assemble(sheet.id, template=PLAN, overlap=2)


def test_there_is_not_enough_at_first(local: Any, made: Any) -> None:
    alone = local.training_sheets.assemble(made.sheet_id, template=PLAN)
    found = [local.review.agreement(alone.id), local.review.agreement(made.id), local.review.agreement(made.id, over="response")]

    for one, words in zip(found, ["by one person", "two or more", "approved by two"], strict=True):
        assert {figure.value for figure in one.figures} == {None}
        assert all(words in figure.reason for figure in one.figures)
        assert (one.fleiss_kappa, one.pairs, one.by_two) == (None, 0, ())
    ann, bob = Person(local, made.id, "ann"), Person(local, made.id, "bob")
    ann.bulk_approve(row_indices=[0, 1])
    assert local.review.agreement(made.id).pairs == 0
    bob.bulk_approve(row_indices=[0, 1])
    figures = {figure.name: figure for figure in local.review.agreement(made.id).figures}
    assert figures["percent_agreement"].value == 1
    assert (figures["fleiss_kappa"].value, "same answer" in figures["fleiss_kappa"].reason) == (None, True)


def test_agreement_of_two_reviewers(local: Any, made: Any) -> None:
    dice = random.Random(4)
    first = [dice.choice(["approve", "approve", "reject", "flag"]) for _ in range(20)]
    second = [action if dice.random() < 0.6 else dice.choice(["approve", "reject"]) for action in first]
    for person, cast in ((Person(local, made.id, "ann"), first), (Person(local, made.id, "bob"), second)):
        for action in ("approve", "reject", "flag"):
            rows = [row for row, one in enumerate(cast) if one == action]
            getattr(person, f"bulk_{action}")(row_indices=rows)
    rated = [row for row in range(20) if row % 10 != 9 or "approve" not in (first[row], second[row])]
    expected = cohen_kappa_score([first[row] for row in rated], [second[row] for row in rated])
    found = local.review.agreement(made.id)

    assert (found.pairs, found.votes) == (len(rated), 2 * len(rated))
    assert found.cohen_kappa == pytest.approx(expected, abs=1e-9)
    assert (found.by_two[0].first, found.by_two[0].second, found.by_two[0].pairs) == ("ann", "bob", len(rated))
    assert found.by_two[0].kappa == pytest.approx(expected, abs=1e-9)
    equal = sum(first[row] == second[row] for row in rated)
    assert found.percent_agreement == pytest.approx(equal / len(rated))
    assert found.disputed == len(rated) - equal
    for figure in found.figures:
        assert figure.low < figure.value < figure.high
    ann = next(one for one in found.by_reviewer if one.reviewer == "ann")
    assert (ann.settled, ann.agreed, ann.percent_agreed) == (equal, equal, 100.0)
    assert ann.approved == sum(first[row] == "approve" for row in rated)
    assert local.review.agreement(made.id).values()["figures"][0].low == found.figures[0].low


def test_agreement_over_responses(local: Any, made: Any) -> None:
    texts = {"ann": ["x", "x", "y", "y", "x"], "bob": ["x", "y", "y", "y", "y"]}
    for name, said in texts.items():
        for row, text in enumerate(said):
            Person(local, made.id, name).vote(row, response=text)
    found = local.review.agreement(made.id, over="response")

    assert found.pairs == 5
    assert found.cohen_kappa == pytest.approx(cohen_kappa_score(texts["ann"], texts["bob"]), abs=1e-9)


def test_three_reviewers_are_compared_two_by_two(local: Any, made: Any) -> None:
    people = [Person(local, made.id, name) for name in ("ann", "bob", "cy")]
    for n, (one, two) in enumerate(list(combinations(people, 2)) * 3):
        one.vote(n)
        two.vote(n, "approve" if n < 6 else "reject")
    found = local.review.agreement(made.id)

    assert (found.cohen_kappa, found.figures[1].reason[:20]) == (None, "It compares two peop")
    assert [(one.first, one.second, one.pairs) for one in found.by_two] == [("ann", "bob", 3), ("ann", "cy", 3), ("bob", "cy", 3)]
    assert found.krippendorff_alpha is not None


def test_known_answers_stay_hidden(local: Any, made: Any) -> None:
    ann, bob = Person(local, made.id, "ann"), Person(local, made.id, "bob", "labeler")
    dot = Person(local, made.id, "dot", "data_steward")
    marked = dot.mark_gold([{"row_index": 0, "action": "reject"}, {"row_index": 1, "action": "approve", "response": "right"}])
    assert (marked.done, marked.total) == (2, 2)
    ann.vote(0, "reject")
    ann.vote(1, response="wrong")
    bob.vote(0)
    bob.vote(1, response="right")
    bob.vote(2)

    known = {one.reviewer: (one.gold, one.gold_correct, one.percent_gold) for one in dot.agreement().by_reviewer}
    assert known == {"ann": (2, 1, 50.0), "bob": (2, 1, 50.0)}
    assert [one["row_index"] for one in dot.gold().rows] == [0, 1]
    for person in (ann, bob):
        with pytest.raises(Forbidden):
            person.gold()
        with pytest.raises(Forbidden):
            person.mark_gold([{"row_index": 3, "action": "reject"}])
        assert {(one.gold, one.percent_gold) for one in person.agreement().by_reviewer} == {(None, None)}
        plain, hidden = person.get(2).values(), person.get(0).values()
        assert plain.keys() == hidden.keys()
        assert "gold" not in json.dumps([person.queue().rows, person.claim(3).values()], default=repr)
    assert [(one["label"], one["prompt"], one["votes"], one["correct"], one["percent_correct"]) for one in dot.gold().rows] == [
        ("Reject", "Q: what 0?", 2, 1, 50.0),
        ("Approve", "Q: what 1?", 2, 1, 50.0),
    ]
    assert dot.agreement().gold_summary == "2 pairs have a known answer; 2 of 4 votes are right."
    assert ann.agreement().gold_summary is None
    forgotten = dot.unmark_gold([0, 7])
    assert (forgotten.total, forgotten.summary) == (1, "1 pair has a known answer now.")
    with pytest.raises(ValidationError) as caught:
        dot.mark_gold(
            [{"row_index": 99, "action": "reject"}, {"row_index": 2, "action": "flag"}, {"row_index": 2, "action": "flag"}]
        )
    assert [fault["field"] for fault in caught.value.context["fields"]] == ["items.0.row_index", "items.2.row_index"]


def test_the_card_offers_known_answers_to_stewards_alone(local: Any, made: Any) -> None:
    ann, dot = Person(local, made.id, "ann"), Person(local, made.id, "dot", "data_steward")

    def offered(person: Person, row: int) -> tuple[Any, list[str]]:
        card = person.card(row)
        return card.known_answer, [action.name for action in card.pair.actions if "gold" in action.name]

    known, actions = offered(dot, 0)
    assert (known.action, known.response, known.marked_at, actions) == ("approve", "answer 0", None, ["mark_gold"])
    assert (offered(dot, 9)[0].action, offered(dot, 9)[0].response) == ("approve", None)
    dot.mark_gold([{"row_index": 0, "action": "flag"}])
    known, actions = offered(dot, 0)
    assert (known.action, known.marked_by, actions) == ("flag", "dot", ["unmark_gold"])
    assert [offered(ann, row) for row in (0, 1)] == [(None, []), (None, [])]
    hidden, plain = (json.dumps(ann.card(row).values(), default=repr) for row in (0, 1))
    assert "dot" not in hidden and hidden.count("gold") == plain.count("gold")

    local.training_sheets.archive(made.id)
    archived = [action for one in (0, 1) for action in dot.card(one).pair.actions if "gold" in action.name]
    assert [(action.enabled, action.reason) for action in archived] == [(False, "The training sheet is archived. Restore it first.")] * 2


def test_disputes_show_the_votes_side_by_side(local: Any, made: Any) -> None:
    ann, bob, dot = Person(local, made.id, "ann"), Person(local, made.id, "bob"), Person(local, made.id, "dot", "admin")
    ann.vote(0, response="answer one")
    bob.vote(0, "reject", flag_reason="odd")
    with pytest.raises(Forbidden):
        ann.disputes()
    found = dot.disputes()

    assert (found.total, found[0].row_index, found[0].pair.response) == (1, 0, "answer 0")
    assert [(vote.voter, vote.action, vote.flag_reason) for vote in found[0].votes] == [
        ("ann", "approve", None),
        ("bob", "reject", "odd"),
    ]
    assert [(piece.op, piece.text) for piece in found[0].votes[0].response_diff][-1] == ("added", "one")
    dot.adjudicate(0, "approve", response=found[0].votes[0].response)
    assert dot.disputes().total == 0
    assert {one.reviewer: one.percent_agreed for one in dot.agreement().by_reviewer} == {"ann": 100.0, "bob": 0.0}


def test_indices_beyond_all_numbers_are_refused(local: Any, made: Any) -> None:
    for call in (
        lambda: local.review.mark_gold(made.id, items=[{"row_index": 2**70, "action": "reject"}]),
        lambda: local.review.unmark_gold(made.id, row_indices=[2**70]),
        lambda: local.review.adjudicate(made.id, 2**70, "reject"),
        lambda: local.review.bulk_flag(made.id, row_indices=[2**70]),
    ):
        with pytest.raises(ValidationError):
            call()
