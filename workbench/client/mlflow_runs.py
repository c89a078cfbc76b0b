"""Bring the runs of an MLflow tracking store over: settings, curves, states and times, once each.

Needs the extra [mlflow]. Nothing is changed in the store.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from workbench.client.run import portable
from workbench.errors import NotFound, NotReady, ValidationError

LABEL = "mlflow_run_id"
STATUSES = {"FINISHED": "succeeded", "FAILED": "failed", "KILLED": "cancelled"}
PAGE = 500
POINTS_SENT = 50_000
# A run that is being brought over and is not heard of again fails by itself, and comes again the next time.
LEASE_SECONDS = 120.0
BROKEN_OFF = "Bringing the run over broke off. It comes again with the next import."
_FILE_STORE = "MLFLOW_ALLOW_FILE_STORE"


@dataclass
class Brought:
    """Say what was brought over: ids of the new jobs, and how many runs were there already."""

    job_ids: list[str] = field(default_factory=list)
    known: int = 0


def import_mlflow_runs(
    workspace: Any, tracking_uri: str, *, experiments: Sequence[str] | None = None, progress: bool = True
) -> Brought:
    """Make an external job of each run of an MLflow store; runs brought over before are left alone.

    `tracking_uri` is what MLflow calls so: `http(s)://...`, `sqlite:///mlflow.db` or the path of an `mlruns` folder.
    `experiments` are names; none: all. Raises NotReady without the extra [mlflow], NotFound for an unknown experiment.
    """
    with _store(tracking_uri) as client:
        chosen = {one.experiment_id: one.name for one in _experiments(client, experiments)}
        brought = Brought()
        for run in _told(_runs(client, list(chosen)), progress=progress):
            if _is_known(workspace, run.info.run_id):
                brought.known += 1
            else:
                brought.job_ids.append(_bring(workspace, client, run, chosen[run.info.experiment_id]))
    return brought


@contextmanager
def _store(tracking_uri: str) -> Iterator[Any]:
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        raise NotReady("MLflow is not installed here. Install workbench[mlflow].", status="unavailable") from error
    before = os.environ.get(_FILE_STORE)
    os.environ[_FILE_STORE] = "true"  # MLflow refuses its own older stores unless told so
    try:
        yield MlflowClient(tracking_uri=tracking_uri)
    except MlflowException as error:
        raise ValidationError.field("tracking_uri", f"cannot be read: {error}", tracking_uri) from error
    finally:
        os.environ.pop(_FILE_STORE) if before is None else os.environ.update({_FILE_STORE: before})


def _experiments(client: Any, names: Sequence[str] | None) -> list[Any]:
    found = list(_pages(lambda token: client.search_experiments(page_token=token)))
    if names is None:
        return found
    missing = sorted(set(names) - {one.name for one in found})
    if missing:
        known = ", ".join(one.name for one in found)
        raise NotFound(f"There is no experiment {missing[0]!r}. There are: {known}.", kind="experiment", id=missing[0])
    return [one for one in found if one.name in names]


def _runs(client: Any, experiment_ids: list[str]) -> list[Any]:
    order = ["attributes.start_time ASC"]
    return list(
        _pages(lambda token: client.search_runs(experiment_ids, max_results=PAGE, order_by=order, page_token=token))
        if experiment_ids
        else ()
    )


def _pages(ask: Any) -> Iterator[Any]:
    token = None
    while True:
        page = ask(token)
        yield from page
        token = page.token
        if not token:
            return


def _told(runs: list[Any], *, progress: bool) -> Any:
    from tqdm.auto import tqdm

    return tqdm(runs, unit="run", desc="MLflow", disable=not progress)


def _is_known(workspace: Any, run_id: str) -> bool:
    found = workspace.jobs.list(kind="external", label=f"{LABEL}={run_id}", page_size=100)
    return any(job.error_code != "INTERRUPTED" and job.error_message != BROKEN_OFF for job in found)


def _bring(workspace: Any, client: Any, run: Any, experiment: str) -> str:
    info, labels = run.info, {LABEL: run.info.run_id, "experiment": experiment}
    labels |= {name: value for name, value in run.data.tags.items() if not name.startswith("mlflow.")}
    brought = workspace.jobs.start_external(
        info.run_name or info.run_id,
        config=dict(run.data.params),
        labels=labels,
        started_at=_moment(info.start_time),
        lease_seconds=LEASE_SECONDS,
    )
    try:
        for points in _points(client, run):
            workspace.jobs.log_metrics(brought.id, points)
    except BaseException:
        brought.finish("failed", message=BROKEN_OFF)
        raise
    words = "" if info.status in STATUSES else f"MLflow lists the run as {info.status.lower()}; nobody ended it."
    brought.finish(STATUSES.get(info.status, "failed"), message=words, completed_at=_moment(info.end_time))
    return brought.id


def _points(client: Any, run: Any) -> Iterator[list[dict[str, Any]]]:
    for name in sorted(run.data.metrics):
        found = client.get_metric_history(run.info.run_id, name)
        for start in range(0, len(found), POINTS_SENT):
            yield [
                {"name": name, "step": point.step, "value": portable(point.value), "at": point.timestamp / 1000}
                for point in found[start : start + POINTS_SENT]
            ]


def _moment(milliseconds: int | None) -> dt.datetime | None:
    return None if milliseconds is None else dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
