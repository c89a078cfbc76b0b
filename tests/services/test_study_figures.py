"""What a study has found, ready to be drawn."""

import pytest

from workbench.domain.studies import Study, Trial
from workbench.services import study_figures

SPACE = {
    "x": {"type": "float", "low": 0.01, "high": 1.0, "log": True},
    "n": {"type": "int", "low": 1, "high": 9, "log": False},
    "c": {"type": "choice", "choices": ["a", "b", "c"]},
}


def study(best=None, direction="higher"):
    return Study(id="job_1", metric="val_accuracy", direction=direction, search_space=SPACE, seed=1, n_trials=20, best_trial=best)


def trials(count):
    return [
        Trial(
            id=f"job_{n}", study_id="job_1", number=n, outcome="succeeded", value=n / 10,
            params={"x": 0.01 * 10 ** (n % 3), "n": 1 + n % 9, "c": "abc"[n % 3]},
        )
        for n in range(1, count + 1)
    ]  # fmt: skip


def test_lines_cross_the_axes_where_their_settings_are():
    drawn = study_figures.coordinates(study(best=3), trials(3))
    assert [axis.name for axis in drawn.axes] == ["x", "n", "c", "val_accuracy"]
    assert [tick.label for tick in drawn.axes[0].ticks] == ["0.01", "0.0316", "0.1", "0.316", "1"]
    assert [tick.label for tick in drawn.axes[1].ticks] == ["1", "3", "5", "7", "9"]
    assert [(tick.label, tick.position) for tick in drawn.axes[2].ticks] == [("a", 0.0), ("b", 0.5), ("c", 1.0)]
    assert [line.trial for line in drawn.lines] == [1, 2, 3]
    assert [line.rank for line in drawn.lines] == [0, 0.5, 1]
    assert drawn.lines[0].positions == pytest.approx((0.5, 1 / 8, 0.5, 0.0))
    assert drawn.lines[2].positions == pytest.approx((0.0, 3 / 8, 0.0, 1.0))
    assert [line.best for line in drawn.lines] == [False, False, True]


def test_where_lower_is_better_the_lowest_comes_last():
    assert [line.trial for line in study_figures.coordinates(study(direction="lower"), trials(3)).lines] == [3, 2, 1]


def test_without_trials_there_are_axes_alone():
    drawn = study_figures.coordinates(study(), [])
    assert (len(drawn.axes), drawn.lines) == (4, ())


def test_importance_is_told_when_enough_is_known():
    found = study_figures.importance(study(), trials(12))
    assert sum(i.share_percent for i in found.importances) == pytest.approx(100)
    assert {i.name for i in found.importances} == set(SPACE)
    assert "takes 10 trials" in study_figures.importance(study(), trials(9)).reason
    alike = [t.with_(value=0.5) for t in trials(12)]
    assert study_figures.importance(study(), alike).reason == "All trials came to the same figure."
