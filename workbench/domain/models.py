"""Model versions, their stages, and the tests they pass or fail."""

from __future__ import annotations

import re
from typing import ClassVar

import param

from workbench.domain.lifecycle import Lifecycle, Move
from workbench.domain.record import Action, Choice, Items, Json, Nested, Record, Time

STAGES = ("development", "staging", "production", "archived")
FIRST_VERSION = "1.0.0"
_PEOPLE = frozenset({"admin", "trainer"})

MODEL_STAGES = Lifecycle(
    "model",
    (
        Move("promote", "Promote to staging", frozenset({"development", "staging"}), "staging", None, _PEOPLE),
        Move("deploy", "Deploy to production", frozenset({"staging"}), "production", None, _PEOPLE),
        Move(
            "rollback",
            "Roll back",
            frozenset({"production"}),
            "staging",
            "Serve the version that was in production before?",
            _PEOPLE,
        ),
        Move("test", "Run the tests", frozenset({"development", "staging", "production"}), None, None, _PEOPLE),
        Move(
            "archive",
            "Archive",
            frozenset({"development", "staging"}),
            "archived",
            "Archive this version? It can be restored to development.",
            _PEOPLE,
        ),
        Move("restore", "Restore", frozenset({"archived"}), "development", None, _PEOPLE),
    ),
)


class Gate(Record):
    """Whether a version may go to production, and why not."""

    kind = "gate"

    open = param.Boolean(False, doc="True when the version may be deployed without force.")
    label = param.String("", doc="Result of the last test run in words, such as `127/128 tests passed`.")
    reason = param.String(None, allow_None=True, doc="Why the gate is shut.")
    tested_at = Time(None, allow_None=True, doc="When the tests last ran.")
    success_rate = param.Number(None, allow_None=True, doc="Share of cases passed, 0-1.")


class ModelVersion(Record):
    """One version of a named model, with its lineage, metrics and stage."""

    kind = "model"
    table = "models"
    derived = frozenset(
        {"latency", "throughput", "uptime", "size", "error_rate", "inference_count", "gate", "endpoints", "actions"}
    )
    wire_names: ClassVar[dict[str, str]] = {
        "ai_confidence": "aiConfidence",
        "error_rate": "errorRate",
        "deployed_at": "deployedAt",
        "last_tested_at": "lastTestedAt",
        "updated_at": "lastUpdated",
        "inference_count": "inferenceCount",
        "previous_version": "previousVersion",
    }

    id = param.String("", doc="Identifier of the version.")
    name = param.String("", doc="Name the versions of one model share.")
    version = param.String(FIRST_VERSION, doc="Semantic version: first 1.0.0, each retraining adds 0.1.0.")
    status = Choice(objects=list(STAGES), doc="Stage: development, staging, production or archived.")
    accuracy = param.Number(None, allow_None=True, doc="Accuracy on held-out pairs, 0-1; null when not measured.")
    ai_confidence = param.Number(None, allow_None=True, doc="Mean top probability on held-out pairs, 0-1.")
    framework = param.String("", doc="Library the model was trained with.")
    trainer = param.String("", doc="Trainer that made the version.")
    base_model = param.String("", doc="Base model the training started from.")
    job_id = param.String(None, allow_None=True, doc="Training job that made the version.")
    training_sheet_id = param.String(None, allow_None=True, doc="Training sheet the job learned from.")
    project_id = param.String(None, allow_None=True, doc="Project the version belongs to.")
    metrics = Json({}, doc="Figures of the training and of the held-out evaluation.")
    signature = Json({}, doc="What goes in and comes out: input, output, labels, template.")
    baseline = Json({}, doc="Bounds the tests hold the version to: accuracy, calibration, latency_ms, size_bytes.")
    input_example = Json(None, allow_None=True, doc="One input the version can answer.")
    environment = Json({}, doc="Python and libraries the version was trained with.")
    tags = Items(item_type=str, doc="Words to find the version by.")
    notes = param.String("", doc="Remarks.")
    uc_catalog = param.String(None, allow_None=True, doc="Catalog named when the training was started.")
    uc_schema = param.String(None, allow_None=True, doc="Schema named when the training was started.")
    content_hash = param.String("", doc="SHA-256 over the hashes of the package's files.")
    artifact_path = param.String("", doc="Package folder, relative to the artifact folder.")
    size_bytes = param.Integer(None, allow_None=True, doc="Bytes of the package.")
    previous_version = param.String(None, allow_None=True, doc="Version that was in production before this one.")
    deployed_at = Time(None, allow_None=True, doc="When the version last went to production.")
    last_tested_at = Time(None, allow_None=True, doc="When the tests last ran.")
    sample = param.Boolean(False, doc="True for a version made by the demo command.")
    created_at = Time(None, allow_None=True, doc="When the version was registered.")
    created_by = param.String("", doc="Who registered it.")
    updated_at = Time(None, allow_None=True, doc="When the version last changed.")
    revision = param.Integer(1, doc="Counts the changes of this row.")
    latency = param.Number(None, allow_None=True, doc="Median ms per request: last 24 h, else the last test run.")
    throughput = param.Number(None, allow_None=True, doc="Requests per second: last 24 h, else the last test run.")
    uptime = param.Number(None, allow_None=True, doc="Percent of minutes with requests that were served, 30 days.")
    error_rate = param.Number(None, allow_None=True, doc="Share of failed requests: last 24 h, else the last test run.")
    inference_count = param.Integer(0, doc="Requests ever.")
    size = param.String(None, allow_None=True, doc="Size of the package in words.")
    gate = Nested(class_=Gate, default=None, allow_None=True, doc="Whether the version may be deployed.")
    endpoints = Items(item_type=str, doc="Names of the endpoints that serve this version.")
    actions = Items(item_type=Action, doc="What may be done now.")


class StageChange(Record):
    """One entry of the append-only history of stages and endpoints."""

    kind = "stage_change"
    table = "stage_history"
    wire_names: ClassVar[dict[str, str]] = {"logged_at": "at"}

    id = param.String("", doc="Identifier.")
    seq = param.Integer(0, doc="Order of the changes.")
    model_version_id = param.String("", doc="Version the change is about.")
    model_name = param.String("", doc="Name of its model.")
    model_version = param.String("", doc="Its semantic version.")
    action = param.String("", doc="register, promote, deploy, step_back, rollback, archive, restore, test, serve, stop.")
    from_stage = param.String(None, allow_None=True, doc="Stage before.")
    to_stage = param.String(None, allow_None=True, doc="Stage after.")
    endpoint = param.String(None, allow_None=True, doc="Endpoint concerned.")
    forced = param.Boolean(False, doc="True when the gate was overruled.")
    reason = param.String(None, allow_None=True, doc="Reason given.")
    test_run_id = param.String(None, allow_None=True, doc="Test run the gate relied on.")
    actor = param.String("", doc="Who did it.")
    sample = param.Boolean(False, doc="True for a version made by the demo command.")
    logged_at = Time(None, allow_None=True, doc="When.")


class ProductionSpan(Record):
    """From when to when a version was in production."""

    kind = "production_span"

    model_version_id = param.String("", doc="The version.")
    model_name = param.String("", doc="Name of its model.")
    model_version = param.String("", doc="Its semantic version.")
    action = param.String("", doc="deploy or rollback.")
    actor = param.String("", doc="Who put it there.")
    reason = param.String(None, allow_None=True, doc="Reason given.")
    began_at = Time(None, allow_None=True, doc="When it went to production.")
    ended_at = Time(None, allow_None=True, doc="When it left; null while it is there.")


class TestCase(Record):
    """One named check and what it saw."""

    __test__ = False
    kind = "test_case"

    name = param.String("", doc="Name of the case.")
    group = param.String("", doc="What it looks at, such as accuracy or robustness.")
    outcome = Choice(objects=["passed", "failed", "skipped"], doc="How it ended; a skipped case does not count.")
    critical = param.Boolean(False, doc="True when its failure alone shuts the gate.")
    message = param.String("", doc="What was seen, in words.")
    observed = param.Number(None, allow_None=True, doc="Figure measured.")
    bound = param.Number(None, allow_None=True, doc="Figure it was held to.")


class TestRun(Record):
    """One run of the test suite over one version."""

    __test__ = False
    kind = "test_run"
    table = "test_runs"
    derived = frozenset({"passed"})

    id = param.String("", doc="Identifier.")
    model_version_id = param.String("", doc="Version tested.")
    job_id = param.String(None, allow_None=True, doc="Job that ran the suite.")
    status = Choice(objects=["running", "success", "error"], doc="success: the suite ran to its end.")
    passed = param.String(None, allow_None=True, doc="Result in words, such as `127/128 tests passed`.")
    passed_count = param.Integer(0, doc="Cases passed.")
    total_count = param.Integer(0, doc="Cases that ran.")
    success_rate = param.Number(None, allow_None=True, doc="Share of cases passed, three decimals.")
    failed = Items(item_type=str, doc="Names of the cases that failed.")
    cases = Items(item_type=TestCase, doc="Every case with its figures.")
    figures = Json({}, doc="Measured: latency_ms, throughput, error_rate, accuracy.")
    data_hash = param.String(None, allow_None=True, doc="SHA-256 of the held-out rows the suite used.")
    message = param.String(None, allow_None=True, doc="Why the suite did not run to its end.")
    sample = param.Boolean(False, doc="True for a version made by the demo command.")
    created_by = param.String("", doc="Who started it.")
    started_at = Time(None, allow_None=True, doc="When it started.")
    completed_at = Time(None, allow_None=True, doc="When it ended.")


class StageChanged(Record):
    """Answer of promote, deploy, archive and restore."""

    kind = "stage_changed"

    status = param.String("success", doc="Always success; failures are errors.")
    message = param.String("", doc="What happened.")
    model = Nested(class_=ModelVersion, default=None, allow_None=True, doc="The version afterwards.")


class RolledBack(Record):
    """Answer of a rollback: which version is live now."""

    kind = "rolled_back"

    status = param.String("success", doc="Always success; failures are errors.")
    message = param.String("", doc="What happened.")
    previous_version = param.String("", doc="Version now live.")
    rolled_back_to = param.String("", doc="Version now live.")
    model = Nested(class_=ModelVersion, default=None, allow_None=True, doc="The version now live.")


class ModelSummary(Record):
    """Figures over the whole registry."""

    kind = "model_summary"

    total = param.Integer(0, doc="Versions.")
    active = param.Integer(0, doc="Versions that are not archived.")
    deployments = param.Integer(0, doc="Versions in production.")
    mean_accuracy = param.Number(None, allow_None=True, doc="Mean held-out accuracy of versions not archived.")
    mean_latency = param.Number(None, allow_None=True, doc="Mean latency in ms of versions not archived that have one.")
    by_stage = Json({}, doc="Versions by stage.")


def next_version(existing: list[str]) -> str:
    """Return the version a retraining gets: the highest existing one plus 0.1.0, or 1.0.0."""
    if not existing:
        return FIRST_VERSION
    major, minor, _ = max(parse_version(v) for v in existing)
    return f"{major}.{minor + 1}.0"


def parse_version(text: str) -> tuple[int, int, int]:
    """Return a semantic version as three numbers that sort."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", text)
    if found is None:
        raise ValueError(f"{text!r} is not a version such as 1.2.0.")
    return tuple(int(part) for part in found.groups())  # type: ignore[return-value]


def slug(text: str) -> str:
    """Return a name in lower case with dashes, fit for a URL."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "model"


def readable_size(count: int | None) -> str | None:
    """Return bytes as `1.5MB`, or nothing when unknown."""
    if count is None:
        return None
    size, units = float(count), ["B", "KB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.1f}".rstrip("0").rstrip(".") + units[0]
