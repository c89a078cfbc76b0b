"""What a study has found, ready to be drawn: which settings matter, and every trial over all axes at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.domain.studies import (
    CoordinateAxis,
    CoordinateLine,
    SettingImportance,
    Study,
    StudyCoordinates,
    StudyImportance,
    Tick,
    Trial,
)
from workbench.services.study_search import FEWEST_TRIALS, Known, Search

TICKS = 5


def importance(study: Study, trials: Sequence[Trial]) -> StudyImportance:
    """Return the share of each setting in what makes a trial one of the best (PED-ANOVA)."""
    told = {"study_id": study.id, "metric": study.metric, "trials": len(trials)}
    if len(trials) < FEWEST_TRIALS:
        return StudyImportance(
            **told, reason=f"It takes {FEWEST_TRIALS} trials that came to a figure; so far there are {len(trials)}."
        )
    known = [Known(t.number, t.params, t.outcome, t.value) for t in trials]
    search = Search(study.search_space, higher=study.direction == "higher", seed=study.seed, n_trials=study.n_trials, known=known)
    shares = search.importances()
    if not shares:
        return StudyImportance(**told, reason="All trials came to the same figure.")
    found = [SettingImportance(name=name, share_percent=100 * share) for name, share in shares.items()]
    return StudyImportance(**told, importances=found)


def coordinates(study: Study, trials: Sequence[Trial]) -> StudyCoordinates:
    """Return axes with their marks and, per trial, where it crosses them."""
    entries = [(name, entry) for name, entry in study.search_space.items()]
    entries.append((study.metric, _span([t.value for t in trials if t.value is not None])))
    axes = [CoordinateAxis(name=name, ticks=_ticks(entry)) for name, entry in entries]
    told = {"study_id": study.id, "metric": study.metric, "axes": axes}
    ranked = sorted(trials, key=lambda t: t.value or 0.0, reverse=study.direction == "lower")
    lines = [_line(study, entries, trial, place / max(1, len(ranked) - 1)) for place, trial in enumerate(ranked)]
    return StudyCoordinates(**told, lines=lines)


def _line(study: Study, entries: Sequence[tuple[str, Mapping[str, Any]]], trial: Trial, rank: float) -> CoordinateLine:
    values = {**trial.params, study.metric: trial.value}
    return CoordinateLine(
        trial=trial.number,
        job_id=trial.id,
        value=trial.value,
        positions=[_position(entry, values.get(name)) for name, entry in entries],
        rank=rank,
        best=trial.number == study.best_trial,
    )


def _position(entry: Mapping[str, Any], value: Any) -> float:
    if entry["type"] == "choice":
        return entry["choices"].index(value) / max(1, len(entry["choices"]) - 1) if value in entry["choices"] else 0.0
    low, high, at = entry["low"], entry["high"], value
    if entry["log"]:
        low, high, at = math.log(low), math.log(high), math.log(value)
    return min(1.0, max(0.0, (at - low) / (high - low))) if high > low else 0.5


def _ticks(entry: Mapping[str, Any]) -> list[Tick]:
    if entry["type"] == "choice":
        return [Tick(position=_position(entry, choice), label=_label(choice)) for choice in entry["choices"]]
    values = dict.fromkeys(_between(entry, step / (TICKS - 1)) for step in range(TICKS))
    return [Tick(position=_position(entry, value), label=_label(value)) for value in values]


def _between(entry: Mapping[str, Any], share: float) -> float:
    low, high = entry["low"], entry["high"]
    value = low * (high / low) ** share if entry["log"] else low + (high - low) * share
    return round(value) if entry["type"] == "int" else min(high, max(low, value))


def _label(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _span(values: Sequence[float]) -> dict[str, Any]:
    return {"type": "float", "low": min(values, default=0.0), "high": max(values, default=1.0), "log": False}
