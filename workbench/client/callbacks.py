"""Callbacks that log the loops of other libraries into a run; a library is imported when its callback is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.client.run import Run

# What a Trainer says of its own speed is no measure of the model.
_BESIDES = ("epoch", "step", "_runtime", "_per_second", "total_flos")


def lightgbm(run: Run) -> Callable[[Any], None]:
    """Return a callback for `lightgbm.train(callbacks=[...])`: one point a round of each measure.

    Once the run was cancelled, the next round raises InvalidTransition and the training ends.
    """

    def log(env: Any) -> None:
        results = env.evaluation_result_list or ()
        named = _named({side for side, *_ in results})
        run.log({f"{named[side]}_{name}": value for side, name, value, *_ in results}, step=env.iteration + 1)

    log.order = 10  # type: ignore[attr-defined]
    return log


def _named(sides: set[str]) -> dict[str, str]:
    """Return how curves call each data set, so that train_loss and val_loss are drawn as a pair."""
    held_out = sorted(sides - {"training"})
    return {side: "train" if side == "training" else "val" if len(held_out) == 1 else side for side in sides}


def transformers(run: Run) -> Any:
    """Return a callback for a Hugging Face `Trainer(callbacks=[...])`: what the trainer logs, by its global step.

    Once the run was cancelled, the trainer is told to stop at the end of the step.
    """
    from transformers import TrainerCallback

    class RunCallback(TrainerCallback):  # type: ignore[misc]
        """Log into the run and hand its end on to the trainer."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **more: Any) -> None:
            """Log the numbers of this step."""
            if run.status == "running":
                epoch = None if state.epoch is None else math.ceil(state.epoch)
                run.log(_measures(logs or {}), step=state.global_step, epoch=epoch)

        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            """Stop when the run has ended."""
            control.should_training_stop = control.should_training_stop or run.status != "running"

    return RunCallback()


def _measures(logs: Mapping[str, Any]) -> dict[str, float]:
    found = {}
    for name, value in logs.items():
        if isinstance(value, (int, float)) and not any(name.endswith(one) for one in _BESIDES):
            side, _, rest = name.partition("_")
            found["train_loss" if name == "loss" else f"val_{rest}" if side == "eval" else name] = float(value)
    return found


def sklearn(run: Run, X: Any = None, y: Any = None, *, name: str = "val_score") -> Any:
    """Return a callback for `estimator.set_callbacks(...)` of scikit-learn >= 1.9: the score after each iteration.

    The score is the estimator's own, on `X` and `y`, or on what it learns from (then named `train_score`).
    Once the run was cancelled, the next iteration raises InvalidTransition and the fit ends.
    """
    return _Scores(run, X, y, name if X is not None else "train_score")


class _Scores:
    """Score an estimator while it is fitted; the hooks are those of `sklearn.callback`."""

    def __init__(self, run: Run, X: Any, y: Any, name: str) -> None:
        self._run, self._X, self._y, self._name = run, X, y, name

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin a fit."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """End a fit."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Begin a part of a fit."""

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any = None, y: Any = None, fitted_estimator: Any = None
    ) -> None:
        """Log the score of one iteration."""
        inside = context.parent is not None and context.parent.sequential_subtasks and not context.max_subtasks
        if inside and fitted_estimator is not None:
            data, truth = (X, y) if self._X is None else (self._X, self._y)
            self._run.log({self._name: fitted_estimator.score(data, truth)}, step=context.task_id + 1)
