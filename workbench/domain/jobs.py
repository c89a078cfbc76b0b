"""Jobs: long pieces of work, each in a process of its own, with events and measured curves."""

from __future__ import annotations

import param

from workbench.domain.lifecycle import Lifecycle, Move
from workbench.domain.record import Action, Choice, Items, Json, Record, Time

STATUSES = ("pending", "queued", "running", "succeeded", "failed", "cancelled")
WAITING = frozenset({"pending", "queued"})
ACTIVE = frozenset({"pending", "queued", "running"})
TERMINAL = frozenset({"succeeded", "failed", "cancelled"})
MOST_NAME_CHARS = 200
KINDS = (
    "import",
    "assemble",
    "scan",
    "generate",
    "export",
    "train",
    "evaluate",
    "study",
    "model_test",
    "batch_predict",
    "project",
    "drift",
    "gap_scan",
    "audit_run",
    "report",
    "external",
)
# Done, or not done: there is nothing half of them to keep, so they can be cancelled and not stopped.
WHOLE = frozenset({"import", "assemble", "scan", "export", "evaluate", "model_test"})
# What is kept of a job that is told to stop before it is done.
KEPT = {"train": "the best", "study": "the best", "generate": "the answers so far"}
DELETE = "Delete the job for good, with its events, curves, answers and files? An archived model version it made stays."
EVENT_TYPES = ("status_change", "progress", "log", "metric", "error")


class Job(Record):
    """One long piece of work and where it stands."""

    table = "jobs"
    derived = frozenset({"duration_seconds", "queue_position", "actions"})

    id = param.String("", doc="Identity of the job.")
    kind = param.String("job", doc="What the job does: train, import, export and so on.")
    name = param.String("", doc="Name for people.")
    status = Choice(default="queued", objects=list(STATUSES), doc="Where the job stands.")
    progress_percent = param.Number(0.0, bounds=(0, 100), doc="Share of the work done; never goes back.")
    done = param.Integer(0, doc="Units of work done.")
    total = param.Integer(None, allow_None=True, doc="Units of work in all; null until known.")
    step = param.String("", doc="The step in progress.")
    message = param.String("", doc="Latest word on the work.")
    eta_seconds = param.Number(None, allow_None=True, doc="Seconds left at the pace so far; null until known.")
    parent_id = param.String(None, allow_None=True, doc="The job this one retries or belongs to.")
    spec = Json({}, doc="What was asked for; never changes.")
    result = Json(None, allow_None=True, doc="What came out; null until the job succeeded.")
    error_code = param.String(None, allow_None=True, doc="Kind of failure, such as TIMEOUT or INTERRUPTED.")
    error_message = param.String(None, allow_None=True, doc="Why the job failed.")
    error_details = param.String(None, allow_None=True, doc="Traceback or output that helps to mend it.")
    created_at = Time(None, allow_None=True, doc="Moment of the request.")
    created_by = param.String("local", doc="Who asked for the job.")
    queued_at = Time(None, allow_None=True, doc="Moment the job joined the queue.")
    started_at = Time(None, allow_None=True, doc="Moment the process was started.")
    completed_at = Time(None, allow_None=True, doc="Moment the job ended.")
    updated_at = Time(None, allow_None=True, doc="Moment of the latest change.")
    duration_seconds = param.Number(None, allow_None=True, doc="Seconds from start to end, or until now.")
    worker = param.String(None, allow_None=True, doc="Where the process runs.")
    pid = param.Integer(None, allow_None=True, doc="Process id of the job's own process.")
    heartbeat_at = Time(None, allow_None=True, doc="Moment the process was last known to be alive.")
    attempt = param.Integer(0, doc="Number of the attempt; words of earlier attempts are refused.")
    retries = param.Integer(0, doc="Attempts made by itself after a passing fault, such as a lost connection.")
    not_before = Time(None, allow_None=True, doc="Moment before which the next attempt does not begin; null: at once.")
    resumable = param.Boolean(False, doc="True when a checkpoint of the work is kept from which it can go on.")
    resume = param.Boolean(False, doc="True when the job goes on from the checkpoint of the job it retries.")
    priority = param.Integer(0, doc="Higher starts earlier.")
    timeout_seconds = param.Number(None, allow_None=True, doc="Seconds the job may run; null for no limit.")
    lease_seconds = param.Number(
        None, allow_None=True, doc="Seconds of silence after which an external run fails; null for never."
    )
    cancel_requested = param.Boolean(False, doc="True once a cancel was accepted.")
    cancel_reason = param.String(None, allow_None=True, doc="Why the job was cancelled.")
    stop_requested = param.Boolean(False, doc="True once the job was asked to end early and keep what is done.")
    idempotency_key = param.String(None, allow_None=True, doc="Key that makes a repeated request the same job.")
    labels = Json({}, doc="Names and values for people, such as team or purpose.")
    sample = param.Boolean(False, doc="True when the job belongs to the sample workspace.")
    journal_offset = param.Integer(0, doc="Bytes of the attempt's journal already taken in.")
    journal_seq = param.Integer(0, doc="Number of the last journal line taken in.")
    event_seq = param.Integer(0, doc="Number of the latest event.")
    queue_position = param.Integer(None, allow_None=True, doc="Place in the queue, from 1; null unless queued.")
    version = param.Integer(1, doc="Counts the changes.")
    actions = Items(item_type=Action, doc="What may be done now.")


class JobEvent(Record):
    """One entry of a job's append-only history."""

    kind = "job event"
    table = "job_events"
    wire_names = {"logged_at": "at"}

    job_id = param.String("", doc="The job.")
    seq = param.Integer(0, doc="Number within the job, from 1.")
    attempt = param.Integer(0, doc="Attempt the event belongs to.")
    type = Choice(default="log", objects=list(EVENT_TYPES), doc="What sort of event it is.")
    old_status = param.String(None, allow_None=True, doc="Status before, for a status change.")
    new_status = param.String(None, allow_None=True, doc="Status after, for a status change.")
    message = param.String("", doc="Words for people.")
    data = Json(None, allow_None=True, doc="Facts of the event.")
    logged_at = Time(None, allow_None=True, doc="Moment of the event.")


class MetricPoint(Record):
    """One measured value of one metric of a job."""

    kind = "metric point"
    table = "metrics"
    wire_names = {"logged_at": "at"}

    job_id = param.String("", doc="The job.")
    name = param.String("", doc="Name of the metric.")
    step = param.Integer(0, doc="Step of the work, such as the mini-batch.")
    epoch = param.Integer(None, allow_None=True, doc="Pass over the data, from 1; null where there are none.")
    value = param.Number(None, allow_None=True, doc="The measured value; null on the wire where it is not finite.")
    logged_at = Time(None, allow_None=True, doc="Moment of measuring.")


class MetricSeries(Record):
    """One curve, thinned so that its extremes stay."""

    kind = "metric series"

    name = param.String("", doc="Name of the metric.")
    points = Json([], doc="Points in order of step: step, value, epoch, at; word where the value is no number, such as NaN.")
    shown = param.Integer(0, doc="Points sent.")
    total = param.Integer(0, doc="Points logged in all, in the range asked for.")
    not_finite = param.Integer(0, doc="Points whose value is no number.")


class MetricName(Record):
    """One metric of a job, without its points."""

    kind = "metric name"

    name = param.String("", doc="Name of the metric.")
    total = param.Integer(0, doc="Points logged.")
    first_step = param.Integer(0, doc="First step.")
    last_step = param.Integer(0, doc="Latest step.")
    last = param.Number(None, allow_None=True, doc="Value at the latest step; null where it is no number.")
    lowest = param.Number(None, allow_None=True, doc="Lowest value.")
    highest = param.Number(None, allow_None=True, doc="Highest value.")
    not_finite = param.Integer(0, doc="Points whose value is no number.")


class JobMetrics(Record):
    """The curves of a job."""

    kind = "job metrics"

    metrics = Items(item_type=MetricSeries, doc="One series per metric.")
    total = param.Integer(0, doc="Metrics the job has logged in all.")


class JobLog(Record):
    """What the job's process wrote to its output."""

    kind = "job log"

    job_id = param.String("", doc="The job.")
    attempt = param.Integer(0, doc="Attempt the text belongs to.")
    text = param.String("", doc="The text; bytes that are no UTF-8 are shown as replacement characters.")
    size = param.Integer(0, doc="Bytes in the whole log.")
    offset = param.Integer(0, doc="Byte at which the text begins.")
    truncated = param.Boolean(False, doc="True when earlier text was left out.")
    attempts = Items(item_type=int, doc="Numbers of the attempts there were.")
    href = param.String("", doc="Address of the whole text as a file.")


class JobOutcome(Record):
    """What became of one job in an action on several."""

    kind = "job outcome"

    job_id = param.String("", doc="The job acted on.")
    job_name = param.String("", doc="Its name; empty when there is no such job.")
    done = param.Boolean(False, doc="True when the action was taken.")
    status = param.String(None, allow_None=True, doc="Where the job stands now.")
    made_id = param.String(None, allow_None=True, doc="The job made by a retry.")
    error_code = param.String(None, allow_None=True, doc="Kind of refusal.")
    message = param.String("", doc="Why it was refused.")


class BulkJobs(Record):
    """What became of an action on several jobs, job by job."""

    kind = "action on jobs"

    action = param.String("", doc="cancel, retry or delete.")
    done = param.Integer(0, doc="Jobs it was taken on.")
    refused = param.Integer(0, doc="Jobs that refused it.")
    outcomes = Items(item_type=JobOutcome, doc="Job by job, in the order asked for.")


LIFECYCLE = Lifecycle(
    "job",
    (
        Move("cancel", "Cancel", sources=ACTIVE, confirm="Cancel the job and discard its work?"),
        Move("stop", "Stop and keep what is done", sources=frozenset({"running"}), words="stop"),
        Move("retry", "Retry", sources=frozenset({"failed", "cancelled"})),
        Move("resume", "Go on from the checkpoint", sources=frozenset({"failed"})),
        Move("delete", "Delete", sources=TERMINAL, confirm=DELETE),
    ),
)


def kept(kind: str) -> str:
    """Return in words what is kept of a job of a kind that stops before it is done."""
    return KEPT.get(kind, "what is done")
