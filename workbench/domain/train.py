"""Training: what a job learns from, with which settings, and what came of it."""

from __future__ import annotations

import re

import param

from workbench.domain.jobs import DELETE, TERMINAL, Job
from workbench.domain.lifecycle import Lifecycle, Move
from workbench.domain.record import Choice, Items, Json, Nested, Record

MIN_PAIRS = 10
SPLIT_SEED = 42
SUMMARY_METRICS = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "learning_rate")
# What figures are called on screens and in messages, where that is not what their names say.
MEASURES = {
    "train_loss": "Training loss", "val_loss": "Held-out loss",
    "train_accuracy": "Training accuracy", "val_accuracy": "Held-out accuracy",
    "training_duration_seconds": "Took", "macro_f1": "Macro F1",
}  # fmt: skip
# Parts of names, and whole words, of figures that are better when lower.
LOWER_IS_BETTER = ("loss", "latency", "error", "perplexity", "seconds", "duration", "cost", "calibration", "brier")
LOWER_WORDS = frozenset({"mae", "mse", "rmse", "mape", "wer", "cer", "ter", "nll", "ppl", "ece", "fpr", "fnr", "eer", "mcd"})
# Words in names of figures that lie between 0 and 1.
SHARE_WORDS = frozenset({"accuracy", "acc", "precision", "recall", "f1", "auc", "mrr"})


class TrainingJobMetrics(Record):
    """The latest figures of a training job; null where nothing was measured."""

    kind = "training metrics"

    train_loss = param.Number(
        None, allow_None=True, doc="Cross entropy on the pairs just learned from, averaged over about the last hundred."
    )
    val_loss = param.Number(None, allow_None=True, doc="Cross entropy on the held-out pairs.")
    train_accuracy = param.Number(None, allow_None=True, doc="Share of training pairs answered rightly, 0-1.")
    val_accuracy = param.Number(None, allow_None=True, doc="Share of held-out pairs answered rightly, 0-1.")
    learning_rate = param.Number(None, allow_None=True, doc="Step size in use.")
    epochs_completed = param.Integer(None, allow_None=True, doc="Passes over the training pairs that were completed.")
    training_duration_seconds = param.Number(None, allow_None=True, doc="Seconds from start to end, or until now.")
    tokens_processed = param.Integer(None, allow_None=True, doc="Words the training has seen, repeats counted.")
    cost_dbu = param.Number(None, allow_None=True, doc="Price in DBU, where the provider names one.")


class TrainingDetails(Record):
    """What a training job has beside what every job has."""

    kind = "training job"
    table = "training_details"

    id = param.String("", doc="Identity of the job.")
    training_sheet_id = param.String("", doc="Training sheet the pairs come from.")
    training_sheet_name = param.String("", doc="Its name when the job was made.")
    model_name = param.String("", doc="Name the model version is registered under.")
    base_model = param.String("", doc="What the training starts from.")
    trainer = param.String("", doc="Trainer that does the work.")
    training_config = Json({}, doc="Every setting of the trainer, defaults filled in.")
    train_val_split = param.Number(0.8, bounds=(0, 1), inclusive_bounds=(False, False), doc="Share of the pairs to learn from.")
    total_pairs = param.Integer(0, doc="Pairs used in all.")
    train_pairs = param.Integer(0, doc="Pairs to learn from.")
    val_pairs = param.Integer(0, doc="Pairs held out.")
    total_epochs = param.Integer(None, allow_None=True, doc="Passes over the training pairs that were asked for.")
    register_to_uc = param.Boolean(False, doc="True to keep catalog and schema with the registered version.")
    uc_catalog = param.String(None, allow_None=True, doc="Catalog named with the job.")
    uc_schema = param.String(None, allow_None=True, doc="Schema named with the job.")
    mlflow_run_id = param.String(None, allow_None=True, doc="Run that mirrors the job.")
    fmapi_job_id = param.String(None, allow_None=True, doc="The provider's own id of the job.")
    model_version_id = param.String(None, allow_None=True, doc="Model version that came of the job.")
    metrics = Nested(class_=TrainingJobMetrics, default=None, allow_None=True, doc="The latest figures.")


class TrainingJob(Job, TrainingDetails):
    """A job that makes a model version from the labeled pairs of a training sheet."""

    table = "training_jobs"

    kind = param.String("training job", doc="Always train.")
    current_epoch = param.Integer(0, doc="Passes over the training pairs completed so far.")


class JobPair(Record):
    """One pair a job uses, frozen at the version it had."""

    kind = "job pair"
    table = "job_pairs"

    job_id = param.String("", doc="The job.")
    pair_id = param.String("", doc="The pair.")
    pair_version = param.Integer(1, doc="Version of the pair the job uses.")
    split = Choice(default="train", objects=["train", "val"], doc="Side of the split the pair is on.")


class BaseModel(Record):
    """Something a training may start from."""

    kind = "base model"

    name = param.String("", doc="Name to ask for.")
    trainer = param.String("", doc="Trainer that works with it.")
    label = param.String("", doc="Name for people.")
    description = param.String("", doc="What it is good for.")
    recommended = param.Boolean(False, doc="True for the one to take when in doubt.")
    context_length = param.Integer(None, allow_None=True, doc="Tokens it reads at most; null for no limit.")
    price = param.Number(None, allow_None=True, doc="Price per thousand tokens; null when it costs nothing or is unknown.")
    hardware = param.String("cpu", doc="What it needs to run on.")
    available = param.Boolean(True, doc="True when this installation can use it now.")
    reason = param.String(None, allow_None=True, doc="Why it is not available, and what to do.")
    config = Json([], doc="Settings of its trainer: name, type, default, bounds, choices, doc.")
    search_space = Json({}, doc="Settings its trainer thinks worth searching: type with low, high and log, or choices.")
    measures = Items(item_type=str, doc="Figures a search may go by, the usual one first.")


class Recommendation(Record):
    """One thing to consider before the job is made."""

    kind = "recommendation"

    field = param.String(None, allow_None=True, doc="Field of the request it is about.")
    level = Choice(default="info", objects=["info", "warning", "blocking"], doc="How serious it is.")
    message = param.String("", doc="What to consider.")
    reason = param.String("", doc="Why.")


class Estimate(Record):
    """What a training job would use, told before it is made."""

    kind = "estimate"

    total_pairs = param.Integer(0, doc="Eligible pairs.")
    train_pairs = param.Integer(0, doc="Pairs to learn from.")
    val_pairs = param.Integer(0, doc="Pairs held out.")
    excluded = Json({}, doc="Pairs left out, by reason.")
    classes = param.Integer(0, doc="Different responses.")
    tokens = param.Integer(0, doc="Words the training would read, repeats counted.")
    seconds = param.Number(None, allow_None=True, doc="Seconds it would take on this machine, roughly.")
    cost = param.Number(0.0, allow_None=True, doc="Price in USD; 0 for work on this machine, null when nobody knows.")
    memory_bytes = param.Integer(0, doc="Memory it would need on this machine, roughly.")
    threads = param.Integer(1, doc="Threads it would get.")
    ready = param.Boolean(True, doc="True when the job may be made.")
    recommendations = Items(item_type=Recommendation, doc="What to consider first.")


class ConfigDifference(Record):
    """One setting that differs between compared jobs."""

    kind = "configuration difference"

    name = param.String("", doc="Name of the setting.")
    values = Json({}, doc="Its value per job id; null where a job has none.")
    differs = param.Boolean(True, doc="False for a setting that is the same in every job.")


class MetricComparison(Record):
    """One figure of compared jobs, with the better ones named."""

    kind = "metric comparison"

    name = param.String("", doc="Name of the metric.")
    direction = Choice(default="higher", objects=["higher", "lower"], doc="Which way is better.")
    values = Json({}, doc="Its last value per job id; null where not measured.")
    best = Items(item_type=str, doc="Ids of the jobs with the best last value.")
    best_values = Json({}, doc="The best value over all steps per job id; null where there is no curve.")
    best_steps = Json({}, doc="The step of that value per job id.")
    best_over_steps = Items(item_type=str, doc="Ids of the jobs with the best value over all steps.")


class SeedMetric(Record):
    """One figure over jobs that differ in nothing but the seed."""

    kind = "seed metric"

    name = param.String("", doc="Name of the metric.")
    direction = Choice(default="higher", objects=["higher", "lower"], doc="Which way is better.")
    mean = param.Number(None, allow_None=True, doc="Mean of the last values.")
    std = param.Number(None, allow_None=True, doc="Standard deviation of the sample; null with one value.")
    count = param.Integer(0, doc="Jobs that have the figure.")


class SeedGroup(Record):
    """Compared jobs that differ in nothing but the seed."""

    kind = "seed group"

    label = param.String("", doc="Words on the group.")
    jobs = Items(item_type=str, doc="Ids of the jobs.")
    seeds = Json([], doc="Their seeds, in the same order.")
    metrics = Items(item_type=SeedMetric, doc="Mean and deviation of each figure.")


class Comparison(Record):
    """Training jobs and external runs side by side."""

    kind = "comparison"

    jobs = Items(item_type=TrainingJob, doc="The jobs, in the order asked for; an external run has no trainer.")
    hrefs = Json({}, doc="Page that shows each job, by its id.")
    labels = Json({}, doc="What tells each job from the others, by its id.")
    config = Items(item_type=ConfigDifference, doc="Settings that differ, or all of them.")
    same = param.Integer(0, doc="Settings that are the same in every job.")
    metrics = Items(item_type=MetricComparison, doc="Figures and which is better.")
    groups = Items(item_type=SeedGroup, doc="Jobs that differ in nothing but the seed.")
    curves = Json({}, doc="Points per metric name and job id: step, value, epoch, at; word where the value is no number.")
    totals = Json({}, doc="{shown, total, not_finite} per metric name and job id.")
    metric_names = Items(item_type=str, doc="Metrics that at least one of the jobs has logged, the first thousand.")


def scale_of(metric: str) -> tuple[float, float] | None:
    """Return the lowest and the highest value that a metric can have, None where nobody knows."""
    return None if SHARE_WORDS.isdisjoint(re.split(r"[^a-z0-9]+", metric.lower())) else (0.0, 1.0)


TRAINING = Lifecycle(
    "training job",
    (
        Move("cancel", "Cancel", sources=frozenset({"pending", "queued", "running"}), confirm="Cancel and discard the work?"),
        Move("stop", "Stop and keep the best", sources=frozenset({"running"}), words="stop"),
        Move("retry", "Retry", sources=frozenset({"failed", "cancelled"})),
        Move("resume", "Go on from the checkpoint", sources=frozenset({"failed"})),
        Move("evaluate", "Evaluate", sources=frozenset({"succeeded"})),
        Move("delete", "Delete", sources=TERMINAL, confirm=DELETE),
    ),
)


def measure(name: str) -> str:
    """Return what a figure is called within a sentence."""
    words = MEASURES.get(name, name.replace("_", " "))
    return words[:1].lower() + words[1:]


def direction(metric: str) -> str:
    """Return which way a metric is better."""
    name = metric.lower()
    lower = any(part in name for part in LOWER_IS_BETTER) or not LOWER_WORDS.isdisjoint(re.split(r"[^a-z]+", name))
    return "lower" if lower else "higher"


class PairPrediction(Record):
    """What a model answered to one pair."""

    kind = "prediction"
    table = "job_predictions"
    derived = frozenset({"prompt", "response", "training_sheet_id", "row_index", "changed", "href"})

    job_id = param.String("", doc="Job that asked the model.")
    pair_id = param.String("", doc="The pair.")
    prediction = param.String("", doc="The model's answer.")
    confidence = param.Number(None, allow_None=True, doc="Probability the model gave its answer, 0-1.")
    loss = param.Number(None, allow_None=True, doc="Negative log of the probability given to the truth.")
    correct = param.Boolean(False, doc="True when the answer is the pair's response.")
    truth = param.String(None, allow_None=True, doc="Response of the pair when the model was asked; null in older jobs.")
    split = param.String(None, allow_None=True, doc="Side the pair was on, train or val; null in older jobs.")
    prompt = param.String(None, allow_None=True, doc="Prompt of the pair as it is now; null when the pair is gone.")
    response = param.String(None, allow_None=True, doc="Response of the pair as it is now.")
    training_sheet_id = param.String("", doc="Training sheet of the pair.")
    row_index = param.Integer(0, doc="Place of the pair in it.")
    changed = param.Boolean(False, doc="True when the response was changed since, or the pair is gone.")
    href = param.String("", doc="Page that shows the pair.")


class Confusion(Record):
    """One mistake a model makes: which response it gives for which."""

    kind = "confusion"

    truth = param.String("", doc="Response of the pairs.")
    prediction = param.String("", doc="What the model answered.")
    count = param.Integer(0, doc="Pairs answered so.")
    percent = param.Number(0.0, doc="Share of all mistakes, 0-100.")
    of_largest = param.Number(0.0, doc="Count as a share of the commonest mistake's, 0-100, for a plot.")


class Predictions(Record):
    """What a job's answers come to, and where they are wrong."""

    kind = "predictions"

    job_id = param.String("", doc="Job that asked the model.")
    total = param.Integer(0, doc="Pairs the model was asked about.")
    correct = param.Integer(0, doc="Pairs answered rightly.")
    wrong = param.Integer(0, doc="Pairs answered wrongly.")
    mean_loss = param.Number(None, allow_None=True, doc="Mean loss; null where no pair has one.")
    confusions = Items(item_type=Confusion, doc="The commonest mistakes first.")
    review = Json([], doc="[{training_sheet_id, name, pairs, href}]: where to review these pairs, the largest loss first.")
