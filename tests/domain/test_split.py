"""The split is exact, repeatable and leaks nothing."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.domain.split import CannotSplit, split, wanted_train


def counts(train):
    return sum(train), len(train) - sum(train)


@pytest.mark.parametrize(
    ("total", "ratio", "train"),
    [(90, 0.7, 63), (10, 0.8, 8), (100, 0.29, 29), (1000, 0.57, 570), (10, 0.99, 9), (10, 0.01, 1), (2, 0.5, 1), (3, 0.999, 2)],
)
def test_counts_are_exact(total, ratio, train):
    assert wanted_train(total, ratio) == train
    assert counts(split([f"p{i}" for i in range(total)], [False] * total, ratio)) == (train, total - train)


def test_the_same_seed_gives_the_same_split():
    prompts = [f"p{i}" for i in range(50)]
    assert split(prompts, [False] * 50, 0.8) == split(prompts, [False] * 50, 0.8)
    assert split(prompts, [False] * 50, 0.8) != split(prompts, [False] * 50, 0.8, seed=43)


def test_barred_pairs_fill_the_training_side_first():
    barred = [i < 5 for i in range(10)]
    train = split([f"p{i}" for i in range(10)], barred, 0.7)
    assert all(train[:5])
    assert counts(train) == (7, 3)
    assert counts(split([f"p{i}" for i in range(10)], [i < 9 for i in range(10)], 0.5)) == (9, 1)


def test_duplicates_stay_together_even_when_spaces_differ():
    prompts = ["same", " same\n", "same "] + [f"p{i}" for i in range(7)]
    for seed in range(20):
        train = split(prompts, [False] * 10, 0.7, seed=seed)
        assert len(set(train[:3])) == 1
        assert counts(train) == (7, 3)


@pytest.mark.parametrize(("prompts", "barred"), [(["a", "a"], [False, False]), (["a", "b"], [True, True]), ([], [])])
def test_what_cannot_be_split_is_said(prompts, barred):
    with pytest.raises(CannotSplit):
        split(prompts, barred, 0.5)


@settings(max_examples=300, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=2, max_size=60),
    ratio=st.integers(1, 99).map(lambda n: Decimal(n) / 100),
    seed=st.integers(0, 5),
)
def test_whatever_comes_nothing_leaks(pairs, ratio, seed):
    prompts = [f"p{n}" for n, _ in pairs]
    barred = [b for _, b in pairs]
    try:
        train = split(prompts, barred, ratio, seed=seed)
    except CannotSplit:
        tainted = {p for p, b in zip(prompts, barred, strict=True) if b}
        assert len(set(prompts)) == 1 or set(prompts) == tainted
        return
    assert any(train)
    assert not all(train)
    assert all(side for side, b in zip(train, barred, strict=True) if b)
    for prompt in set(prompts):
        assert len({side for side, p in zip(train, prompts, strict=True) if p == prompt}) == 1
    if len(set(prompts)) == len(prompts):
        assert sum(train) == max(wanted_train(len(prompts), ratio), sum(barred))
