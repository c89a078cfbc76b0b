"""The registry: versions, their stages, the gate before production, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from workbench.contract import Field, Page, PageNumber, PageSize, command, current, query
from workbench.domain.models import (
    MODEL_STAGES,
    STAGES,
    ModelSummary,
    ModelVersion,
    ProductionSpan,
    RolledBack,
    StageChange,
    StageChanged,
    TestRun,
)
from workbench.errors import GateNotPassed, InUse, InvalidTransition, NotFound, ValidationError
from workbench.services.answering import answered
from workbench.services.model_figures import as_csv, presented
from workbench.services.model_packages import keep_package, registered
from workbench.services.model_tests import ModelTests
from workbench.services.service import Service
from workbench.services.stage_log import StageLog
from workbench.store import Records

if TYPE_CHECKING:
    from workbench.services.application import Application

ROOT = "/api/metrics/models"
PEOPLE = frozenset({"admin", "trainer"})
TEST_SECONDS = 30.0
ModelId = Annotated[str, Field(description="Id of the version.")]
Reason = Annotated[str, Field(max_length=1000, description="Why; kept in the history.")]
Force = Annotated[bool, Field(description="Overrule the gate; needs a reason.")]
Sort = Literal["name", "version", "status", "accuracy", "created", "updated"]
Target = Literal["staging", "production"]
_SORTS = {
    "name": "name, revision",
    "version": "list_transform(string_split(version, '.'), lambda part: part::int)",
    "status": "status",
    "accuracy": "accuracy",
    "created": "created_at",
    "updated": "updated_at",
}


class ModelsService(Service):
    """Keep model versions and move them through their stages."""

    namespace = "models"

    def __init__(self, app: Application) -> None:
        super().__init__(app)
        self.versions = Records(app.db, ModelVersion, topic="models")
        self.log = StageLog(app.db)
        self.tests = ModelTests(app, self.log)

    def start(self) -> None:
        """Register the test job."""
        self.tests.register()

    @query("GET", ROOT, key="models", topics=("models", "requests", "endpoints"))
    def list(
        self,
        *,
        search: Annotated[str, Field(description="Part of the name or the version.")] = "",
        status: Literal["development", "staging", "production", "archived"] | None = None,
        framework: Annotated[str, Field(description="Exact name of the framework.")] = "",
        name: Annotated[str, Field(description="Exact name of the model.")] = "",
        sort: Annotated[Sort, Field(description="What to order by.")] = "updated",
        descending: Annotated[bool, Field(description="Largest or newest first.")] = True,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[ModelVersion]:
        """List versions, each with measured figures, gate and actions."""
        given = [
            ("(contains(lower(name), lower(?)) or contains(version, ?))", (search, search) if search else ()),
            ("status = ?", (status,) if status else ()),
            ("framework = ?", (framework,) if framework else ()),
            ("name = ?", (name,) if name else ()),
        ]
        where = " and ".join(text for text, params in given if params)
        params = [value for _, values in given for value in values]
        order = f"{_SORTS[sort]} {'desc' if descending else 'asc'} nulls last, created_at desc, id"
        found = self.versions.page(where, params, order=order, page=page, page_size=page_size)
        found.rows = presented(self, found.rows)
        return found

    @query("GET", ROOT + "/{model_id}", topics=("models", "requests", "endpoints"))
    def get(self, model_id: ModelId) -> ModelVersion:
        """Return one version with measured figures, gate and actions."""
        return self._shown(self._version(model_id))

    @query("GET", ROOT + "/{model_id}/history", topics=("models",))
    def history(self, model_id: ModelId, *, page: PageNumber = 1, page_size: PageSize = 50) -> Page[StageChange]:
        """List what happened to a version, the newest first."""
        version = self._version(model_id)
        return self.log.page("endpoint is null and model_version_id = ?", [version.id], page=page, page_size=page_size)

    @query("GET", ROOT + "/{model_id}/tests", key="tests", topics=("models",))
    def test_runs(self, model_id: ModelId, *, page: PageNumber = 1, page_size: PageSize = 50) -> Page[TestRun]:
        """List the test runs of a version with every case, the newest first."""
        version = self._version(model_id)
        found = self.tests.runs.page(
            "model_version_id = ?", [version.id], order="started_at desc, id desc", page=page, page_size=page_size
        )
        for row in found.rows:
            words = f"{row['passed_count']}/{row['total_count']} tests passed"
            row["passed"] = words if row["status"] == "success" else None
        return found

    @query("GET", ROOT + "/timeline", topics=("models",))
    def timeline(
        self,
        *,
        name: Annotated[str, Field(description="Exact name of the model; none: all.")] = "",
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[ProductionSpan]:
        """List what was in production from when to when, the latest first."""
        return self.log.spans(name, page=page, page_size=page_size)

    @query("GET", ROOT + "/summary", topics=("models", "requests"))
    def summary(self) -> ModelSummary:
        """Count the versions by stage and average the figures of those not archived."""
        rows = self._all()
        active = [row for row in rows if row["status"] != "archived"]
        stages = {stage: sum(row["status"] == stage for row in rows) for stage in STAGES}
        return ModelSummary(
            total=len(rows),
            active=len(active),
            deployments=stages["production"],
            mean_accuracy=_mean([row["accuracy"] for row in active]),
            mean_latency=_mean([row["latency"] for row in active]),
            by_stage=stages,
        )

    @query("GET", ROOT + "/export.csv", file="modelops-metrics")
    def export(self) -> str:
        """Return every version as CSV: stage, accuracy, latency and uptime, safe to open in a spreadsheet."""
        return as_csv(self._all(order="name, created_at"))

    def _all(self, order: str = "created_at desc, id") -> list[dict[str, Any]]:
        """Return every version as it is shown."""
        return presented(self, self.versions.page(order=order, page_size=max(1, self.versions.count())).rows)

    @command("POST", ROOT + "/test", roles=PEOPLE, transaction=False, long=True, label="Run the tests")
    def test(self, model_id: ModelId) -> TestRun:
        """Run the test suite in a process of its own and wait up to 30 s for the report; the stage does not change.

        A run that takes longer, or is asked for with `wait=False`, answers with its job.
        """
        version = self._version(model_id)
        MODEL_STAGES.require("test", version.status)
        run = self.tests.run(version, actor=self.actor, seconds=0 if current().respond_async else TEST_SECONDS)
        return self.app.engine.ledger.jobs.get(run.job_id) if run.status == "running" else run

    @command("POST", ROOT + "/promote", roles=PEOPLE, transaction=False, label="Promote to staging")
    def promote(
        self,
        model_id: ModelId,
        *,
        target_env: Annotated[Target, Field(description="production is the same as deploy.")] = "staging",
        force: Force = False,
        reason: Reason = "",
    ) -> StageChanged:
        """Move a version to staging; one that is there already stays. Production goes through deploy."""
        if target_env == "production":
            return self.deploy(model_id, force=force, reason=reason)
        with self.db.write():
            version = self._version(model_id)
            MODEL_STAGES.require("promote", version.status)
            if version.status == "staging":
                return self._answer(version, "is in staging already")
            moved = self._move(version, "promote", "staging", reason=reason or None)
            return answered(self._answer(moved, "is in staging"))

    @command("POST", ROOT + "/deploy", roles=PEOPLE, transaction=False, label="Deploy to production")
    def deploy(
        self,
        model_id: ModelId,
        *,
        target_env: Annotated[Target, Field(description="staging is the same as promote.")] = "production",
        force: Force = False,
        reason: Reason = "",
    ) -> StageChanged:
        """Put a version in production and point the endpoint of its model to it.

        Needs a passing test run, or force with a reason. The version before steps back to staging.
        """
        if target_env == "staging":
            return self.promote(model_id, reason=reason)
        version = self._version(model_id)
        if version.status == "production":
            return self._answer(version, "is in production already")
        test_run_id = self._through_gate(version, force=force, reason=reason)
        model = self.app.endpoints.warm(version)
        with self.db.write():
            version = self._version(model_id)
            self._may_deploy(version, force=force)
            before = self.versions.find(name=version.name, status="production")
            if before is not None:
                self._move(before, "step_back", "staging", reason=f"{version.version} went to production.")
            live = self._move(
                version,
                "deploy",
                "production",
                deployed_at=self.clock.now(),
                previous_version=before.version if before else None,
                forced=force,
                reason=reason or None,
                test_run_id=test_run_id,
            )
            self.app.endpoints.follow(live, model, action="serve", reason=reason or None)
            return answered(self._answer(live, "is in production"))

    @command(
        "POST",
        ROOT + "/rollback",
        roles=PEOPLE,
        transaction=False,
        label="Roll back",
        confirm="Serve the version that was in production before?",
    )
    def rollback(self, model_id: ModelId, *, reason: Reason = "") -> RolledBack:
        """Take the production version of this model back and serve the one before; again goes further back."""
        wanted = self._back_to(self._version(model_id).name)
        model = self.app.endpoints.warm(wanted)
        with self.db.write():
            name = wanted.name
            current = self.versions.find(name=name, status="production")
            if current is None or self._back_to(name).id != wanted.id:
                raise InvalidTransition.of("model", "roll back", "changing right now", [])
            self._move(current, "step_back", "staging", reason=reason or f"Rolled back to {wanted.version}.")
            below = self.log.stack(name)[: self.log.stack(name).index(wanted.id)]
            live = self._move(
                wanted,
                "rollback",
                "production",
                deployed_at=self.clock.now(),
                previous_version=self.versions.get(below[-1]).version if below else None,
                reason=reason or None,
            )
            self.app.endpoints.follow(live, model, action="rollback", reason=reason or None)
            message = f"{name} {live.version} is back in production."
            shown = self._shown(live)
            return answered(RolledBack(message=message, previous_version=live.version, rolled_back_to=live.version, model=shown))

    @command(
        "POST",
        ROOT + "/archive",
        roles=PEOPLE,
        label="Archive",
        confirm="Archive this version? It can be restored to development.",
    )
    def archive(self, model_id: ModelId, *, force: Force = False, reason: Reason = "") -> StageChanged:
        """Archive a version; one that is in production or served needs force with a reason, and stops being served."""
        version = self._version(model_id)
        if not (version.status == "production" and force):
            MODEL_STAGES.require("archive", version.status)
        serving = self.app.endpoints.serving_version(version.id)
        if serving and not force:
            raise InUse(f"{version.name} {version.version} is served by {', '.join(serving)}. Stop it first.", used_by=serving)
        if serving or version.status == "production":
            _reason_needed(reason)
        moved = self._move(version, "archive", "archived", forced=force, reason=reason or None)
        self.app.endpoints.stop_version(version.id, f"{version.name} {version.version} was archived.")
        return self._answer(moved, "is archived")

    @command("POST", ROOT + "/restore", roles=PEOPLE, label="Restore")
    def restore(self, model_id: ModelId, *, reason: Reason = "") -> StageChanged:
        """Bring an archived version back to development."""
        version = self._version(model_id)
        MODEL_STAGES.require("restore", version.status)
        return self._answer(self._move(version, "restore", "development", reason=reason or None), "is in development")

    def register_trained(
        self,
        *,
        name: str,
        job_id: str,
        training_sheet_id: str,
        package: Path,
        metrics: dict[str, Any],
        base_model: str,
        sample: bool,
        uc_catalog: str | None = None,
        uc_schema: str | None = None,
    ) -> ModelVersion:
        """Register what a training job made as the next version, in the job's own transaction."""
        template = self.db.row("select template from training_sheets where id = ?", [training_sheet_id])
        taken = [row[0] for row in self.db.tuples("select version from models where name = ?", [name])]
        version = registered(
            keep_package(package, self.app.artifacts),
            artifacts=self.app.artifacts,
            template=template["template"] if template else None,
            taken=taken,
            facts={
                "id": self.clock.new_id("model"),
                "name": name,
                "job_id": job_id,
                "training_sheet_id": training_sheet_id,
                "metrics": metrics,
                "base_model": base_model,
                "sample": sample,
                "created_by": self.actor,
                "uc_catalog": uc_catalog,
                "uc_schema": uc_schema,
            },
        )
        version = self.versions.insert(version)
        self.log.add(version, "register", actor=self.actor, to_stage="development")
        return version

    def package(self, version: ModelVersion) -> Path:
        """Return the package folder of a version."""
        return self.app.artifacts / version.artifact_path

    def _version(self, model_id: str) -> ModelVersion:
        found = self.versions.find(id=model_id)
        if found is None:
            known = [row[0] for row in self.db.tuples("select id from models order by created_at desc limit 200")]
            raise NotFound.of("model", model_id, known)
        return found

    def _may_deploy(self, version: ModelVersion, *, force: bool) -> None:
        if not (version.status == "development" and force):
            MODEL_STAGES.require("deploy", version.status)

    def _through_gate(self, version: ModelVersion, *, force: bool, reason: str) -> str | None:
        """Return the test run the gate relies on; refuse what may not go live."""
        if force:
            _reason_needed(reason)
        self._may_deploy(version, force=force)
        run = self.tests.latest([version.id]).get(version.id)
        gate = self.tests.gate(run)
        if not gate.open and not force:
            raise GateNotPassed(
                f"{version.name} {version.version} may not go to production. {gate.reason}",
                reason=gate.reason,
                failed=list(run.failed) if run else [],
                success_rate=gate.success_rate,
            )
        return run.id if run else None

    def _back_to(self, name: str) -> ModelVersion:
        """Return the version a rollback of this model leads to."""
        current = self.versions.find(name=name, status="production")
        if current is None:
            raise InvalidTransition(
                f"No version of {name!r} is in production, so there is nothing to roll back.", current="none", allowed=[]
            )
        for other in reversed(self.log.stack(name)[:-1]):
            version = self.versions.find(id=other)
            if version is not None and version.id != current.id and version.status != "archived":
                return version
        raise InvalidTransition(
            f"{name} {current.version} is the first version in production; there is none to go back to.",
            current="production",
            allowed=[move for move in MODEL_STAGES.allowed("production") if move != "rollback"],
        )

    def _move(
        self,
        version: ModelVersion,
        action: str,
        target: str,
        *,
        forced: bool = False,
        reason: str | None = None,
        test_run_id: str | None = None,
        **changes: Any,
    ) -> ModelVersion:
        moved = self.versions.update(version.id, status=target, **changes)
        facts = {"from_stage": version.status, "to_stage": target, "forced": forced, "reason": reason, "test_run_id": test_run_id}
        self.log.add(moved, action, actor=self.actor, **facts)
        return moved

    def _shown(self, version: ModelVersion) -> ModelVersion:
        return ModelVersion(**presented(self, [version.values()])[0])

    def _answer(self, version: ModelVersion, words: str) -> StageChanged:
        return StageChanged(message=f"{version.name} {version.version} {words}.", model=self._shown(version))


def _reason_needed(reason: str) -> None:
    if not reason.strip():
        raise ValidationError.field("reason", "Force needs a reason; it is kept in the history", reason)


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None
