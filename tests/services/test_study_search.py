"""What is tried next: repeatable, new each time, the same after a restart."""

import subprocess
import sys

import pytest

from workbench.services.study_search import Known, Search

SPACE = {
    "x": {"type": "float", "low": 0.01, "high": 1.0, "log": True},
    "n": {"type": "int", "low": 1, "high": 30, "log": False},
    "c": {"type": "choice", "choices": [2, 4, 8]},
}
SMALL = {"n": {"type": "int", "low": 1, "high": 3, "log": False}, "c": {"type": "choice", "choices": ["a", None]}}


def figure(params):
    return -(4 * (params["x"] - 0.3) ** 2) - abs(params["n"] - 12) / 50


def search(known=(), *, space=SPACE, first=None, seed=1, higher=True, trials=20):
    return Search(space, higher=higher, seed=seed, n_trials=trials, first=first, known=known)


def run(trials, *, restart_before=None, **options):
    """Return the trials of a whole search; `restart_before` builds it anew from what is known then."""
    found, known = search(**options), []
    for number in range(1, trials + 1):
        if number == restart_before:
            found = search(known, **options)
        params = found.suggest(number)
        found.report(number, 1, figure(params) / 2)
        found.tell(number, "succeeded", figure(params))
        known.append(Known(number, params, "succeeded", figure(params), {1: figure(params) / 2}))
    return known


def test_the_same_seed_tries_the_same_settings_also_after_a_restart():
    tried = run(18)
    assert tried == run(18)
    assert tried == run(18, restart_before=9)
    assert tried != run(18, seed=2)
    assert len({str(trial.params) for trial in tried}) == 18


def test_it_finds_better_settings_than_it_began_with():
    first = {"x": 0.9, "n": 30, "c": 2, "seed": 42}
    tried = run(25, first=first)
    assert tried[0].params == {"x": 0.9, "n": 30, "c": 2}
    assert max(figure(t.params) for t in tried) > figure(first) / 4


def test_it_begins_elsewhere_when_the_defaults_lie_outside():
    assert run(1, first={"x": 5.0, "n": 30, "c": 2})[0].params != {"x": 5.0, "n": 30, "c": 2}


def test_a_small_space_is_tried_once_and_then_ends():
    found = search(space=SMALL)
    tried = []
    while (params := found.suggest(len(tried) + 1)) is not None:
        tried.append((params["n"], params["c"]))
        found.tell(len(tried), "succeeded" if len(tried) % 2 else "failed", 1.0)
    assert sorted(tried, key=str) == sorted([(n, c) for n in (1, 2, 3) for c in ("a", None)], key=str)


@pytest.mark.parametrize("higher", [True, False])
def test_who_falls_behind_the_median_is_pruned_in_the_right_direction(higher):
    sign = 1 if higher else -1
    found = search(higher=higher)
    for number in range(1, 6):
        found.suggest(number)
        for step in (1, 2, 3):
            assert not found.report(number, step, sign * (step + number / 10))
        found.tell(number, "succeeded", sign * 3.0)
    found.suggest(6)
    assert not found.report(6, 1, sign * -9.0), "the first steps are spared"
    assert not found.report(6, 2, sign * 2.4)
    found.suggest(7)
    assert found.report(7, 2, sign * 2.2)


def test_numbers_that_are_none_do_not_count():
    found = search()
    found.suggest(1)
    assert not found.report(1, 1, float("nan"))
    assert not found.report(1, 2, float("inf"))
    assert not found.report(9, 1, 1.0)
    found.tell(1, "failed", None)
    found.tell(1, "failed", None)
    assert found.suggest(2) is not None


def test_the_setting_that_decides_is_the_most_important():
    shares = search(run(30)).importances()
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["c"] == min(shares.values())
    assert search([Known(n, {"x": 0.1 * n, "n": n, "c": 2}, "succeeded", 1.0) for n in range(1, 9)]).importances() == {}


def test_optuna_is_loaded_by_the_first_search_alone():
    code = (
        "import sys, workbench, workbench.services, workbench.engine.child, workbench.trainers.run; "
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('optuna', 'sqlalchemy', 'alembic')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
