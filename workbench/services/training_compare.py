"""Training jobs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.domain.train import Comparison, ConfigDifference, MetricComparison, TrainingJob, direction
from workbench.services import curves
from workbench.store import Database

_SETTINGS = ("training_sheet_name", "base_model", "trainer", "train_val_split", "total_pairs", "train_pairs", "val_pairs")
_FIGURES = ("accuracy", "macro_f1", "mean_confidence", "calibration_error")


def compared(db: Database, jobs: Sequence[TrainingJob], max_points: int) -> Comparison:
    """Return the settings that differ, the figures with the better ones, and the curves."""
    return Comparison(jobs=jobs, config=_differences(jobs), metrics=_figures(jobs), curves=_curves(db, jobs, max_points))


def _differences(jobs: Sequence[TrainingJob]) -> list[ConfigDifference]:
    settings = {job.id: {**{name: getattr(job, name) for name in _SETTINGS}, **job.training_config} for job in jobs}
    names = dict.fromkeys(name for values in settings.values() for name in values)
    found = []
    for name in names:
        values = {id: told.get(name) for id, told in settings.items()}
        if len({repr(value) for value in values.values()}) > 1:
            found.append(ConfigDifference(name=name, values=values))
    return found


def _figures(jobs: Sequence[TrainingJob]) -> list[MetricComparison]:
    told = {job.id: {**job.metrics.values(), **_numbers((job.result or {}).get("metrics", {}))} for job in jobs}
    names = dict.fromkeys(name for values in told.values() for name, value in values.items() if value is not None)
    skipped = ("learning_rate", "epochs_completed", "tokens_processed")
    return [_figure(name, {id: values.get(name) for id, values in told.items()}) for name in names if name not in skipped]


def _figure(name: str, values: dict[str, Any]) -> MetricComparison:
    known = [value for value in values.values() if value is not None]
    way = direction(name)
    best = (min if way == "lower" else max)(known) if len(known) > 1 else None
    winners = [id for id, value in values.items() if value is not None and value == best]
    return MetricComparison(name=name, direction=way, values=values, best=winners)


def _numbers(metrics: dict[str, Any]) -> dict[str, Any]:
    return {name: metrics[name] for name in _FIGURES if isinstance(metrics.get(name), (int, float))}


def _curves(db: Database, jobs: Sequence[TrainingJob], max_points: int) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for job in jobs:
        for series in curves.series(db, job.id, None, max_points):
            found.setdefault(series.name, {})[job.id] = series.points
    return found
