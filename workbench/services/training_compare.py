"""Training jobs and external runs side by side."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.domain.train import (
    SUMMARY_METRICS,
    Comparison,
    ConfigDifference,
    MetricComparison,
    SeedGroup,
    SeedMetric,
    TrainingJob,
    direction,
)
from workbench.errors import NotFound, ValidationError
from workbench.services import curves
from workbench.services.job_pages import page_of
from workbench.store import Database

MOST_JOBS = 100
MOST_NAMES = 1000
# Of runs that log none of the usual figures, so many are set side by side unasked.
MOST_FIGURES = 8
# A plot of many lines needs fewer points of each; together they stay this many.
MOST_POINTS = 20_000
FEWEST_POINTS = 100
SEED = "seed"
LEARNED = tuple(name for name in SUMMARY_METRICS if name != "learning_rate")
_SETTINGS = ("training_sheet_name", "base_model", "trainer", "train_val_split", "total_pairs", "train_pairs", "val_pairs")
_FIGURES = ("accuracy", "macro_f1", "mean_confidence", "calibration_error")
_SKIPPED = ("learning_rate", "epochs_completed", "tokens_processed")
_KINDS = "select id, kind from jobs where list_contains(?, id)"
_NAMES = """
select distinct name from metrics where job_id in (select unnest(?::varchar[])) order by name limit ?
"""
_BEST = """
with wanted as materialized (
    select job_id, name, row_number() over () as curve
    from (select unnest(?::varchar[]) as job_id), (select unnest(?::varchar[]) as name)
),
told as (
    select curve, arg_max(value, step) as last, min(value) as low, max(value) as high, arg_min(step, value) as low_step,
        arg_max(step, value) as high_step
    from metrics join wanted using (job_id, name) where isfinite(value) group by curve
)
select job_id, name, last, low, high, low_step, high_step from told join wanted using (curve)
"""


def wanted_ids(text: str) -> list[str]:
    """Return the ids that a list separated by commas names, or raise ValidationError."""
    ids = list(dict.fromkeys(id.strip() for id in text.split(",") if id.strip()))
    if not ids:
        raise ValidationError.field(
            "ids", "names no job; give the ids of training jobs or external runs, separated by commas", text
        )
    if len(ids) > MOST_JOBS:
        raise ValidationError.field("ids", f"names {len(ids)} jobs; {MOST_JOBS} can be compared at once", len(ids))
    return ids


def require_all(db: Database, wanted: Sequence[str], found: Sequence[str]) -> None:
    """Raise NotFound for ids that no job has, ValidationError for jobs that train nothing."""
    missing = [id for id in wanted if id not in set(found)]
    if not missing:
        return
    kinds = dict(db.tuples(_KINDS, [missing]))
    unknown = [id for id in missing if id not in kinds]
    if unknown:
        words = f"No training job {', '.join(map(repr, unknown))}."
        raise NotFound(words, kind="training job", id=unknown[0], ids=unknown)
    raise ValidationError.of(
        {
            "field": "ids",
            "message": f"{id} is a job of kind {kind}; only training jobs and external runs can be compared",
            "value": id,
        }
        for id, kind in kinds.items()
    )


def compared(
    db: Database,
    jobs: Sequence[TrainingJob],
    max_points: int,
    *,
    metrics: Sequence[str] | None = None,
    all_settings: bool = False,
) -> Comparison:
    """Return the settings that differ, the figures with the better ones, and the curves of some metrics."""
    ids = [job.id for job in jobs]
    names = [name for (name,) in db.tuples(_NAMES, [ids, MOST_NAMES])]
    chosen = list(metrics) if metrics is not None else [name for name in LEARNED if name in names] or names[:2]
    settings = _settings(jobs)
    told = [name for name in LEARNED if name in names] or names[:MOST_FIGURES]
    figures = _figures(jobs, _best(db, ids, list(dict.fromkeys([*told, *chosen]))))
    differing = [one for one in settings if one.differs]
    drawn, totals = _curves(db, ids, chosen, max_points)
    return Comparison(
        jobs=jobs,
        hrefs={job.id: page_of("train" if job.trainer else "external", job.id) for job in jobs},
        labels=_labels(jobs, differing),
        config=settings if all_settings else differing,
        same=len(settings) - len(differing),
        metrics=figures,
        groups=_groups(jobs, figures),
        curves=drawn,
        totals=totals,
        metric_names=names,
    )


def _settings(jobs: Sequence[TrainingJob]) -> list[ConfigDifference]:
    told = {job.id: {**_given(job), **job.training_config} for job in jobs}
    found = []
    for name in dict.fromkeys(name for values in told.values() for name in values):
        values = {id: settings.get(name) for id, settings in told.items()}
        differs = len({json.dumps(value, default=str, sort_keys=True) for value in values.values()}) > 1
        found.append(ConfigDifference(name=name, values=values, differs=differs))
    return found


def _given(job: TrainingJob) -> dict[str, Any]:
    """Return what a training job was made with beside its configuration; of an external run nobody knows."""
    return {name: getattr(job, name) for name in _SETTINGS} if job.trainer else {}


def _labels(jobs: Sequence[TrainingJob], differing: Sequence[ConfigDifference]) -> dict[str, str]:
    """Name each job by its model and by the first settings that tell it from the others."""
    telling = [one for one in differing if one.name not in ("train_pairs", "val_pairs", "total_pairs")][:3]
    told = [(one.name.replace("_", " "), _short(one.values)) for one in telling]
    return {
        job.id: ", ".join([job.model_name, *(f"{name} {values[job.id]}" for name, values in told if values[job.id] is not None)])
        for job in jobs
    }


def _short(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a setting's values as they are said in names: four digits of sixteen, where those tell them apart."""
    short = {id: f"{value:.4g}" if isinstance(value, float) else value for id, value in values.items()}
    return short if len(set(map(str, short.values()))) == len(set(map(str, values.values()))) else values


def _figures(jobs: Sequence[TrainingJob], best: Mapping[str, dict[str, dict[str, Any]]]) -> list[MetricComparison]:
    told = {job.id: {**job.metrics.values(), **_numbers((job.result or {}).get("metrics", {}))} for job in jobs}
    names = dict.fromkeys(name for values in told.values() for name, value in values.items() if value is not None)
    names |= dict.fromkeys(best)
    return [_figure(name, told, best.get(name, {})) for name in names if name not in _SKIPPED]


def _figure(name: str, told: Mapping[str, dict[str, Any]], curve: Mapping[str, dict[str, Any]]) -> MetricComparison:
    way = direction(name)
    last = {id: values.get(name, curve.get(id, {}).get("last")) for id, values in told.items()}
    end = "low" if way == "lower" else "high"
    over = {id: curve.get(id, {}).get(end) for id in told}
    return MetricComparison(
        name=name,
        direction=way,
        values=last,
        best=_winners(way, last),
        best_values=over,
        best_steps={id: curve.get(id, {}).get(f"{end}_step") for id in told},
        best_over_steps=_winners(way, over),
    )


def _winners(way: str, values: Mapping[str, Any]) -> list[str]:
    known = [value for value in values.values() if value is not None]
    if len(known) < 2:
        return []
    best = (min if way == "lower" else max)(known)
    return [id for id, value in values.items() if value is not None and value == best]


def _numbers(metrics: dict[str, Any]) -> dict[str, Any]:
    return {name: metrics[name] for name in _FIGURES if isinstance(metrics.get(name), (int, float))}


def _best(db: Database, ids: list[str], names: list[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return last, lowest and highest value with its step, by metric and job."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in db.rows(_BEST, [ids, names]) if names else ():
        found.setdefault(row["name"], {})[row["job_id"]] = row
    return {name: found[name] for name in names if name in found}


def _groups(jobs: Sequence[TrainingJob], figures: Sequence[MetricComparison]) -> list[SeedGroup]:
    alike: dict[str, list[TrainingJob]] = {}
    for job in jobs:
        config = {name: value for name, value in job.training_config.items() if name != SEED}
        same = (job.training_sheet_id, job.base_model, job.trainer, job.train_val_split, job.total_pairs, config)
        alike.setdefault(json.dumps(same, default=str, sort_keys=True), []).append(job)
    groups = [group for group in alike.values() if len({job.training_config.get(SEED) for job in group}) > 1]
    return [
        SeedGroup(
            label=f"{group[0].model_name} over {len({job.training_config.get(SEED) for job in group})} seeds",
            jobs=[job.id for job in group],
            seeds=[job.training_config.get(SEED) for job in group],
            metrics=[_spread(figure, [job.id for job in group]) for figure in figures],
        )
        for group in groups
    ]


def _spread(figure: MetricComparison, ids: Sequence[str]) -> SeedMetric:
    values = [float(figure.values[id]) for id in ids if figure.values.get(id) is not None]
    return SeedMetric(
        name=figure.name,
        direction=figure.direction,
        mean=statistics.fmean(values) if values else None,
        std=statistics.stdev(values) if len(values) > 1 else None,
        count=len(values),
    )


def _curves(
    db: Database, ids: Sequence[str], names: Sequence[str], max_points: int
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    if not names:
        return {}, {}
    fair = max(FEWEST_POINTS, MOST_POINTS // (len(ids) * len(names)))
    drawn: dict[str, dict[str, Any]] = {}
    totals: dict[str, dict[str, Any]] = {}
    for row in curves.points(db, ids, names, min(max_points, fair)).to_pylist():
        told = totals.setdefault(row["name"], {}).setdefault(
            row["job_id"], {"shown": 0, "total": row["n"], "not_finite": row["odd"]}
        )
        told["shown"] += 1
        drawn.setdefault(row["name"], {}).setdefault(row["job_id"], []).append(curves.point(row))
    kept = [name for name in names if name in drawn]
    return {name: drawn[name] for name in kept}, {name: totals[name] for name in kept}
