"""Run the test suite of a version in a process of its own, and tell whether its gate is open."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.contract.codec import encode
from workbench.domain.jobs import Job
from workbench.domain.models import Gate, ModelVersion, TestRun
from workbench.services.pairs import source_rows
from workbench.services.training_place import needs
from workbench.store import Records

if TYPE_CHECKING:
    from workbench.services.application import Application
    from workbench.services.stage_log import StageLog

KIND = "model_test"
ANSWERED = "signature.one_answer_per_row"
_ROWS = "held_out.jsonl"
_PAIRS = """
select pairs.id, prompt, response, source_index, split
from job_pairs join pairs on pairs.id = job_pairs.pair_id
where job_pairs.job_id = ?
order by pairs.id
"""


class ModelTests:
    """Start test runs, keep their reports and judge them."""

    def __init__(self, app: Application, log: StageLog) -> None:
        self.app = app
        self.db = app.db
        self.runs = Records(app.db, TestRun, topic="models")
        self._log = log
        self._waiting: dict[str, threading.Event] = {}

    def register(self) -> None:
        """Tell the job engine how a test job runs."""
        self.app.engine.register(
            KIND, entry="workbench.engine.suite:run", prepare=self._prepare, finish=self._finish, ended=self._ended,
            resources=self._resources,
        )  # fmt: skip

    def run(self, version: ModelVersion, *, actor: str, seconds: float) -> TestRun:
        """Test a version and wait up to `seconds` for the report; a run under way is joined."""
        with self.db.write():
            run = self._under_way(version) or self._start(version, actor)
            ended = self._waiting.setdefault(run.id, threading.Event())
        ended.wait(seconds)
        return self.get(run.id)

    def get(self, run_id: str) -> TestRun:
        """Return a run with its result in words."""
        return shown(self.runs.get(run_id))

    def _under_way(self, version: ModelVersion) -> TestRun | None:
        return self.runs.find(model_version_id=version.id, status="running")

    def _start(self, version: ModelVersion, actor: str) -> TestRun:
        now = self.app.clock.now()
        run = self.runs.insert(
            TestRun(
                id=self.app.clock.new_id("testrun"),
                model_version_id=version.id,
                status="running",
                sample=version.sample,
                created_by=actor,
                started_at=now,
            )
        )
        job = self.app.engine.submit(
            KIND,
            name=f"Test {version.name} {version.version}",
            spec={"model_id": version.id, "test_run_id": run.id},
            created_by=actor,
            sample=version.sample,
        )
        return self.runs.update(run.id, job_id=job.id)

    def _prepare(self, job: Job, folder: Path) -> dict[str, Any]:
        models = self.app.models
        version = models.versions.get(job.spec["model_id"])
        pairs = self.db.rows(_PAIRS, [version.job_id])
        learned = Counter(p["response"] for p in pairs if p["split"] == "train")
        held_out = [p for p in pairs if p["split"] != "train"]
        sources = self._sources(version, [p["source_index"] for p in held_out])
        lines = (_line(pair, sources.get(pair["source_index"])) for pair in held_out)
        (folder / _ROWS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        live = models.versions.find(name=version.name, status="production")
        return {
            "rows": _ROWS,
            "package": str(models.package(version)),
            "content_hash": version.content_hash,
            "baseline": version.baseline,
            "labels": version.signature.get("labels"),
            "majority": learned.most_common(1)[0][0] if learned else None,
            "production": str(models.package(live)) if live and live.id != version.id else None,
        }

    def _resources(self, job: Job) -> dict[str, float]:
        return needs(self.app, self.app.models.versions.get(job.spec["model_id"]).trainer)

    def _sources(self, version: ModelVersion, indices: list[int | None]) -> dict[int, dict[str, Any]]:
        """Return the sheet's rows behind held-out pairs, without the column that is the answer."""
        made = self.app.training_sheets.records.find(id=version.training_sheet_id)
        sheet = self.app.sheets.records.find(id=made.sheet_id) if made else None
        answer = made.template.response_column if made and made.template else None
        rows = source_rows(self.db, sheet, indices)
        return {place: {name: value for name, value in row.items() if name != answer} for place, row in rows.items()}

    def _finish(self, job: Job, folder: Path, report: dict[str, Any]) -> dict[str, Any]:
        names = ("passed_count", "total_count", "success_rate", "failed", "cases", "figures", "data_hash")
        found = {name: report[name] for name in names}
        return self._end(job, status="success", **found)

    def _ended(self, job: Job) -> None:
        self._end(job, status="error", message=_why(job))

    def _end(self, job: Job, **facts: Any) -> dict[str, Any]:
        now = self.app.clock.now()
        run = self.runs.update(job.spec["test_run_id"], completed_at=now, **facts)
        version = self.app.models.versions.update(run.model_version_id, last_tested_at=now)
        self._log.add(version, "test", actor=job.created_by, test_run_id=run.id, reason=shown(run).passed or run.message)
        self.db.on_commit(lambda: self._tell(run.id))
        return encode(shown(run))

    def _tell(self, run_id: str) -> None:
        if ended := self._waiting.pop(run_id, None):
            ended.set()

    def latest(self, ids: list[str]) -> dict[str, TestRun]:
        """Return the latest ended run of each version that has one."""
        sql = (
            "select max_by(id, started_at) from test_runs "
            "where list_contains(?, model_version_id) and status <> 'running' group by model_version_id"
        )
        found = [row[0] for row in self.db.tuples(sql, [ids])] if ids else []
        return {run.model_version_id: shown(run) for run in self.runs.list("list_contains(?, id)", [found])} if found else {}

    def gate(self, run: TestRun | None) -> Gate:
        """Tell whether a version with this latest run may go live."""
        if run is None:
            return Gate(open=False, label="not tested", reason="The tests have not run. Run them first.")
        reason = self._shut_because(run)
        return Gate(
            open=reason is None,
            label=run.passed or "tests did not end",
            reason=reason,
            tested_at=run.completed_at,
            success_rate=run.success_rate,
        )

    def _shut_because(self, run: TestRun) -> str | None:
        settings = self.app.settings
        if run.status != "success" or run.success_rate is None:
            return f"The last test run did not end well: {run.message or 'no case could run'}. Run the tests again."
        if run.completed_at and self.app.clock.now() - run.completed_at > dt.timedelta(days=settings.gate_days):
            return f"The last test run is older than {settings.gate_days} days. Run the tests again."
        if any(case.name == ANSWERED and case.outcome == "skipped" for case in run.cases):
            return "There were no held-out rows to test it on, so nothing is known of its answers. Train it again."
        critical = [case.name for case in run.cases if case.critical and case.outcome == "failed"]
        if critical or run.success_rate < settings.gate_rate:
            wanted = f"at least {settings.gate_rate:.0%} must pass" if not critical else f"{', '.join(critical)} must pass"
            return f"{run.passed}; {wanted}. Failed: {', '.join(run.failed)}."
        return None


def _why(job: Job) -> str:
    if job.status == "cancelled":
        return f"Cancelled: {job.cancel_reason}" if job.cancel_reason else "Cancelled."
    return job.error_message or "The test job did not end well."


def _line(pair: dict[str, Any], source: dict[str, Any] | None) -> str:
    told = {name: pair[name] for name in ("id", "prompt", "response")}
    return json.dumps({**told, "source": source}, ensure_ascii=False, default=str)


def shown(run: TestRun) -> TestRun:
    """Return a run with its result in words."""
    words = None if run.status != "success" else f"{run.passed_count}/{run.total_count} tests passed"
    return run.with_(passed=words)
