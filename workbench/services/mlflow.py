"""The mirror: training jobs that have ended, copied to an MLflow tracking server for those who look there."""

from __future__ import annotations

import datetime as dt
import itertools
import logging
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from workbench.contract import command
from workbench.contract.context import Context, use
from workbench.domain.jobs import JobEvent
from workbench.domain.train import TrainingJob
from workbench.errors import InvalidTransition, NotReady
from workbench.services.jobs import RUNNERS
from workbench.services.service import Service

JOB_TAG = "workbench.job_id"
STATUSES = {"succeeded": "FINISHED", "failed": "FAILED", "cancelled": "KILLED"}
# What one request to a tracking server may hold, and how long the value of a parameter may be.
METRICS_SENT, PARAMS_SENT, PARAM_CHARS = 1000, 100, 6000
RECENT_HOURS = 24
_WAITING = """
select id from training_jobs where completed_at > ? and mlflow_run_id is null order by completed_at
"""

_log = logging.getLogger(__name__)


class MLflowService(Service):
    """Copy training jobs to the tracking server that the settings name."""

    namespace = "mlflow"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self._copier: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Copy what ended while nobody could."""
        if self.settings.mlflow_uri:
            self._copier = ThreadPoolExecutor(1, thread_name_prefix="mlflow")
            since = self.clock.now() - dt.timedelta(hours=RECENT_HOURS)
            for row in self.db.tuples(_WAITING, [since]):
                self.ended(row[0])

    def close(self) -> None:
        """Finish the copy in progress; what waits is copied at the next start."""
        if self._copier is not None:
            self._copier.shutdown(cancel_futures=True)
            self._copier = None

    def ended(self, job_id: str) -> None:
        """Copy a job soon, away from whoever ended it."""
        if self._copier is not None:
            self._copier.submit(self._copy_or_say_why, job_id)

    @command("POST", "/training/jobs/{job_id}/mirror", roles=RUNNERS, transaction=False, label="Copy to MLflow")
    def mirror(self, job_id: str) -> TrainingJob:
        """Copy an ended training job to the MLflow server of the settings: settings, curves, model. Once only."""
        job = self.app.training.get(job_id)
        if not self.settings.mlflow_uri:
            raise NotReady("No MLflow server is named. Set WORKBENCH_MLFLOW_URI.", status="unavailable")
        if job.status not in STATUSES:
            raise InvalidTransition.of("training job", "copy", job.status, [])
        if job.mlflow_run_id is None:
            self._copy(job)
        return self.app.training.get(job_id)

    def _copy_or_say_why(self, job_id: str) -> None:
        with use(Context()):
            try:
                self.mirror(job_id)
            except Exception as error:
                _log.warning("Job %s could not be copied to MLflow: %s", job_id, error)
                words = f"The job could not be copied to MLflow: {error} It is tried again at the next start."
                with self.db.write():
                    self.app.engine.ledger.note(job_id, JobEvent(type="error", message=words))

    def _copy(self, job: TrainingJob) -> None:
        try:
            from mlflow import MlflowClient
        except ImportError as error:
            raise NotReady("MLflow is not installed here. Install workbench[mlflow].", status="unavailable") from error
        client = MlflowClient(tracking_uri=self.settings.mlflow_uri)
        run_id = _run_of(client, self.settings.mlflow_experiment, job)
        _log_in_parts(client, run_id, job, self._points(job.id))
        if job.model_version_id:
            package = self.app.models.package(self.app.models.versions.get(job.model_version_id))
            client.log_artifacts(run_id, str(package), "model")
        client.set_terminated(run_id, STATUSES[job.status], end_time=_milliseconds(job.completed_at))
        with self.db.write():
            self.db.execute("update training_details set mlflow_run_id = ? where id = ?", [run_id, job.id])
            self.app.engine.ledger.note(job.id, JobEvent(type="log", message=f"Copied to MLflow as run {run_id}."))

    def _points(self, job_id: str) -> list[tuple[Any, ...]]:
        return self.db.tuples(
            "select name, value, epoch_ms(logged_at), step from metrics where job_id = ? order by name, step", [job_id]
        )


def _run_of(client: Any, experiment: str, job: TrainingJob) -> str:
    """Return the run of a job: a new one, or the one that a copy which broke off has left."""
    found = client.get_experiment_by_name(experiment)
    experiment_id = client.create_experiment(experiment) if found is None else found.experiment_id
    left = client.search_runs([experiment_id], filter_string=f"tags.`{JOB_TAG}` = '{job.id}'", max_results=1)
    if left:
        return str(left[0].info.run_id)
    tags = {JOB_TAG: job.id, **{name: str(value) for name, value in (job.labels or {}).items()}}
    began = _milliseconds(job.started_at or job.completed_at)
    return str(client.create_run(experiment_id, start_time=began, run_name=job.model_name, tags=tags).info.run_id)


def _log_in_parts(client: Any, run_id: str, job: TrainingJob, points: list[tuple[Any, ...]]) -> None:
    from mlflow.entities import Metric, Param

    told = {
        "base_model": job.base_model, "trainer": job.trainer, "training_sheet": job.training_sheet_name,
        "train_pairs": job.train_pairs, "val_pairs": job.val_pairs, **(job.training_config or {}),
    }  # fmt: skip
    for some in _parts(told.items(), PARAMS_SENT):
        client.log_batch(run_id, params=[Param(name, str(value)[:PARAM_CHARS]) for name, value in some])
    measured = {f"final_{name}": value for name, value in job.metrics.values().items() if isinstance(value, (int, float))}
    final = [(name, value, _milliseconds(job.completed_at), 0) for name, value in measured.items()]
    for some in _parts((one for one in [*points, *final] if math.isfinite(one[1])), METRICS_SENT):
        client.log_batch(run_id, metrics=[Metric(name, value, at, step) for name, value, at, step in some])


def _parts(values: Iterable[Any], size: int) -> Iterator[tuple[Any, ...]]:
    left = iter(values)
    while part := tuple(itertools.islice(left, size)):
        yield part


def _milliseconds(moment: dt.datetime | None) -> int | None:
    return None if moment is None else int(moment.replace(tzinfo=dt.UTC).timestamp() * 1000)
