"""Studies: search the settings of a trainer, one training per trial, and keep the best."""

from __future__ import annotations

import param

from workbench.domain.jobs import ACTIVE, STATUSES, Job
from workbench.domain.lifecycle import Lifecycle, Move
from workbench.domain.record import Choice, Items, Json, Record, Time

DIRECTIONS = ("higher", "lower")
OUTCOMES = ("succeeded", "pruned", "failed", "cancelled")
TRIAL_STATES = (*STATUSES, "pruned")


class StudyDetails(Record):
    """What a study has beside what every job has."""

    kind = "study"
    table = "study_details"

    id = param.String("", doc="Identity of the study and of its job.")
    training_sheet_id = param.String("", doc="Training sheet the pairs come from.")
    training_sheet_name = param.String("", doc="Its name when the study was made.")
    model_name = param.String("", doc="Name the best settings are trained under.")
    base_model = param.String("", doc="What every trial starts from.")
    trainer = param.String("", doc="Trainer that does the work.")
    metric = param.String("", doc="Figure the study goes by, measured on the held-out pairs.")
    direction = Choice(default="higher", objects=list(DIRECTIONS), doc="Which way the figure is better.")
    n_trials = param.Integer(20, bounds=(1, 1000), doc="Trials to make in all.")
    parallel = param.Integer(1, bounds=(1, None), doc="Trials at the same time.")
    seed = param.Integer(42, doc="Number that makes the choice of settings repeatable, one trial at a time.")
    pruning = param.Boolean(True, doc="True to end trials early that fall behind the others.")
    search_space = Json({}, doc="What is searched: setting -> type with low, high and log, or choices.")
    training_config = Json({}, doc="Settings that stay the same in every trial.")
    train_val_split = param.Number(0.8, bounds=(0, 1), inclusive_bounds=(False, False), doc="Share of the pairs to learn from.")
    total_pairs = param.Integer(0, doc="Pairs used in all; the same for every trial.")
    train_pairs = param.Integer(0, doc="Pairs to learn from.")
    val_pairs = param.Integer(0, doc="Pairs held out.")


class Study(Job, StudyDetails):
    """A job that searches for the best settings: each trial is a training job of its own."""

    table = "studies"

    kind = param.String("study", doc="Always study.")
    trials_made = param.Integer(0, doc="Trials begun so far.")
    trials_living = param.Integer(0, doc="Trials that wait or run.")
    trials_succeeded = param.Integer(0, doc="Trials that came to a figure.")
    trials_pruned = param.Integer(0, doc="Trials ended early because they fell behind.")
    trials_failed = param.Integer(0, doc="Trials that failed.")
    trials_cancelled = param.Integer(0, doc="Trials that somebody cancelled, or the end of the study.")
    best_trial = param.Integer(None, allow_None=True, doc="Number of the best trial; null until one has succeeded.")
    best_value = param.Number(None, allow_None=True, doc="Its figure.")
    best_job_id = param.String(None, allow_None=True, doc="Its training job.")
    best_config = Json(None, allow_None=True, doc="Its settings, complete.")


class TrialDetails(Record):
    """What a trial has beside its training job."""

    kind = "trial"
    table = "trial_details"

    id = param.String("", doc="Identity of the trial and of its training job.")
    study_id = param.String("", doc="The study.")
    number = param.Integer(0, doc="Number within the study, from 1.")
    params = Json({}, doc="The searched settings and their values.")
    outcome = Choice(default=None, objects=list(OUTCOMES), allow_None=True, doc="What came of it; null while it runs.")
    value = param.Number(None, allow_None=True, doc="The figure; of a pruned trial the last one it reached.")
    pruned_step = param.Integer(None, allow_None=True, doc="Epoch, or step, at which it fell behind.")
    reason = param.String(None, allow_None=True, doc="Why it was pruned, failed or was cancelled.")
    settled_at = Time(None, allow_None=True, doc="Moment the study took it into account.")


class Trial(TrialDetails):
    """One training of a study, with the settings it tried."""

    table = "trials"
    derived = frozenset({"best"})

    state = Choice(default="queued", objects=list(TRIAL_STATES), doc="Where the trial stands.")
    progress_percent = param.Number(0.0, bounds=(0, 100), doc="Share of the training done.")
    started_at = Time(None, allow_None=True, doc="Moment its process was started.")
    completed_at = Time(None, allow_None=True, doc="Moment it ended.")
    duration_seconds = param.Number(None, allow_None=True, doc="Seconds it took; null until it ended.")
    best = param.Boolean(False, doc="True for the best trial so far.")


class SettingImportance(Record):
    """How much one setting decides whether a trial is among the best."""

    kind = "importance"

    name = param.String("", doc="Name of the setting.")
    share_percent = param.Number(0.0, doc="Its share of what all settings explain, 0-100.")


class StudyImportance(Record):
    """Which settings mattered in a study."""

    kind = "study importance"

    study_id = param.String("", doc="The study.")
    metric = param.String("", doc="The figure.")
    trials = param.Integer(0, doc="Trials that came to a figure.")
    importances = Items(item_type=SettingImportance, doc="The settings, the most important first.")
    reason = param.String(None, allow_None=True, doc="Why nothing can be said yet.")


class Tick(Record):
    """One mark on an axis."""

    kind = "tick"

    position = param.Number(0.0, doc="Where it is, from 0 at the low end to 1 at the high one.")
    label = param.String("", doc="Words beside it.")


class CoordinateAxis(Record):
    """One axis of the parallel coordinates: a searched setting, or the figure itself."""

    kind = "axis"

    name = param.String("", doc="Name of the setting, or of the figure.")
    ticks = Items(item_type=Tick, doc="Marks on the axis.")


class CoordinateLine(Record):
    """One trial across the axes."""

    kind = "coordinate line"

    trial = param.Integer(0, doc="Number of the trial.")
    job_id = param.String("", doc="Its training job.")
    value = param.Number(0.0, doc="Its figure.")
    positions = Items(item_type=float, doc="Where it crosses each axis, 0-1, in the order of the axes.")
    rank = param.Number(0.0, doc="How good it is among the others: 0 for the worst, 1 for the best.")
    best = param.Boolean(False, doc="True for the best trial so far.")


class StudyCoordinates(Record):
    """The trials of a study over all its axes at once, ready to be drawn."""

    kind = "study coordinates"

    study_id = param.String("", doc="The study.")
    metric = param.String("", doc="The figure; the last axis.")
    axes = Items(item_type=CoordinateAxis, doc="The axes from left to right.")
    lines = Items(item_type=CoordinateLine, doc="The trials that came to a figure, the worst first.")


STUDY = Lifecycle(
    "study",
    (
        Move("cancel", "Cancel", sources=ACTIVE, confirm="Cancel the study and all its trials?"),
        Move("stop", "Stop and keep the best", sources=frozenset({"running"}), words="stop"),
        Move("retry", "Retry", sources=frozenset({"failed", "cancelled"})),
        Move("train_best", "Train the best"),
    ),
)
