"""The choice of the next settings to try, by Optuna's ask and tell; it knows spaces and figures, no jobs.

Optuna is loaded when the first search is made, never by an import of this module.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.services import study_space
from workbench.services.study_space import Space

STARTUP_TRIALS = 10
STARTUP_SHARE = 3
SPARED_TRIALS = 5
SPARED_STEPS = 2
DRAWS = 50
TOP_TRIALS = 5
FEWEST_TRIALS = 10


@dataclass(frozen=True)
class Known:
    """One trial as our table has it; `values` are what it measured on its way, by step."""

    number: int
    params: Mapping[str, Any]
    outcome: str | None = None
    value: float | None = None
    values: Mapping[int, float] = field(default_factory=dict)


class Search:
    """Suggest settings, hear figures, say which trials fall behind.

    What it suggests for a trial follows from the seed, the number of the trial and the trials known
    then: a search built anew from our table after a restart goes on as the old one would have.
    """

    def __init__(
        self,
        space: Space,
        *,
        higher: bool,
        seed: int,
        n_trials: int,
        first: Mapping[str, Any] | None = None,
        known: Iterable[Known] = (),
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna
        self._space = space
        self._seed = seed
        self._startup = min(STARTUP_TRIALS, max(1, n_trials // STARTUP_SHARE))
        self._first = {name: first[name] for name in space} if first and study_space.holds(space, first) else None
        self._distributions = {name: self._distribution(entry) for name, entry in space.items()}
        self._storage = optuna.storages.InMemoryStorage()
        self._pruner = optuna.pruners.MedianPruner(n_startup_trials=SPARED_TRIALS, n_warmup_steps=SPARED_STEPS)
        self.study = optuna.create_study(storage=self._storage, direction="maximize" if higher else "minimize")
        self._ids: dict[int, int] = {}
        self._tried: set[str] = set()
        for trial in sorted(known, key=lambda t: t.number):
            self._adopt(trial)

    def suggest(self, number: int) -> dict[str, Any] | None:
        """Return the settings of the next trial, none tried before; None when every combination was tried."""
        if not self._tried and self._first is not None:
            return self._adopt(Known(number, self._first))
        if len(self._tried) >= (study_space.size(self._space) or math.inf):
            return None
        for draw in range(DRAWS):
            self.study.sampler = self._sampler(number, draw)
            trial = self.study.ask(self._distributions)
            if self._remember(trial.params):
                self._ids[number] = trial._trial_id
                return dict(trial.params)
            self.study.tell(trial, state=self._state("failed"))
        return None

    def report(self, number: int, step: int, value: float) -> bool:
        """Take in what a running trial measures and return whether it falls behind the others."""
        if number not in self._ids or step < 0 or not math.isfinite(value):
            return False
        id = self._ids[number]
        self._storage.set_trial_intermediate_value(id, step, value)
        return self._pruner.prune(self.study, self._storage.get_trial(id))

    def tell(self, number: int, outcome: str, value: float | None) -> None:
        """Take in how a trial ended."""
        if number in self._ids:
            values = [value] if outcome == "succeeded" and value is not None else None
            self._storage.set_trial_state_values(self._ids.pop(number), state=self._state(outcome), values=values)

    def importances(self) -> dict[str, float]:
        """Return the share of each setting in what makes a trial one of the best, the largest first."""
        trials = self.study.get_trials(deepcopy=False, states=(self._state("succeeded"),))
        if len({trial.value for trial in trials}) < 2:
            return {}
        # Optuna advises five trials at least above the quantile.
        quantile = min(0.5, max(0.1, TOP_TRIALS / len(trials)))
        evaluator = self._optuna.importance.PedAnovaImportanceEvaluator(target_quantile=quantile)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._optuna.importance.get_param_importances(self.study, evaluator=evaluator)

    def _adopt(self, trial: Known) -> dict[str, Any]:
        """Take over a trial that was not asked for here."""
        values = {step: value for step, value in trial.values.items() if step >= 0 and math.isfinite(value)}
        frozen = self._optuna.trial.create_trial(
            state=self._state(trial.outcome),
            value=trial.value if trial.outcome == "succeeded" else None,
            params=dict(trial.params),
            distributions=self._distributions,
            intermediate_values=values,
        )
        self.study.add_trial(frozen)
        if trial.outcome is None:
            self._ids[trial.number] = self.study.get_trials(deepcopy=False)[-1]._trial_id
        self._remember(trial.params)
        return dict(trial.params)

    def _remember(self, params: Mapping[str, Any]) -> bool:
        """Return whether settings are new, and keep that they are not any more."""
        key = json.dumps(dict(params), sort_keys=True)
        new = key not in self._tried
        self._tried.add(key)
        return new

    def _sampler(self, number: int, draw: int) -> Any:
        import numpy as np

        seed = int(np.random.SeedSequence([self._seed, number, draw]).generate_state(1)[0])
        if draw > DRAWS // 2:
            return self._optuna.samplers.RandomSampler(seed=seed)
        return self._optuna.samplers.TPESampler(seed=seed, n_startup_trials=self._startup)

    def _distribution(self, entry: Mapping[str, Any]) -> Any:
        kinds = self._optuna.distributions
        if entry["type"] == "choice":
            return kinds.CategoricalDistribution(tuple(entry["choices"]))
        kind = kinds.IntDistribution if entry["type"] == "int" else kinds.FloatDistribution
        return kind(entry["low"], entry["high"], log=entry["log"])

    def _state(self, outcome: str | None) -> Any:
        states = self._optuna.trial.TrialState
        return {None: states.RUNNING, "succeeded": states.COMPLETE, "pruned": states.PRUNED}.get(outcome, states.FAIL)
