"""Settings, read once from the environment (`WORKBENCH_*`), and the sample data that ships with the package."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import param

from workbench.errors import ValidationError


class Counts(param.Dict):
    """Whole numbers from 1 by name."""

    def _validate(self, val: object) -> None:
        super()._validate(val)
        if not all(isinstance(n, str) and isinstance(c, int) and not isinstance(c, bool) and c > 0 for n, c in val.items()):
            raise ValueError(f"{self.name} takes whole numbers from 1 by name, not {val!r}.")


class Settings(param.Parameterized):
    """Hold what may differ from one installation to the next."""

    api_prefix = param.String("/api/v1", doc="Prefix of the REST API. WORKBENCH_API_PREFIX or API_V1_PREFIX.")
    cors_origins = param.List(
        [], item_type=str, doc="Origins that may call the API, a JSON list. WORKBENCH_CORS_ORIGINS or BACKEND_CORS_ORIGINS."
    )
    allowed_roots = param.List(
        [], item_type=str, doc="Folders a served workspace may read files from, os.pathsep-separated. WORKBENCH_ALLOWED_ROOTS."
    )
    internal_urls = param.Boolean(
        False, doc="True lets a served workspace fetch from its own machine and network. WORKBENCH_INTERNAL_URLS."
    )
    max_upload_mb = param.Integer(1024, bounds=(1, None), doc="Largest upload in MiB. WORKBENCH_MAX_UPLOAD_MB.")
    max_jobs = param.Integer(2, bounds=(1, None), doc="Jobs that run at the same time. WORKBENCH_MAX_JOBS.")
    jobs_per_kind = Counts(
        {}, doc='Of these, jobs of a kind that run at the same time, such as {"train": 1}. WORKBENCH_JOBS_PER_KIND.'
    )
    jobs_per_user = param.Integer(
        0, bounds=(0, None), doc="Jobs of one person that run at the same time; 0 for any. WORKBENCH_JOBS_PER_USER."
    )
    gpus = param.Integer(
        None,
        bounds=(0, None),
        allow_None=True,
        doc="GPUs that jobs may use, each for one job at a time; 0: none, not given: all there are. WORKBENCH_GPUS.",
    )
    cancel_grace_s = param.Number(10.0, bounds=(0, None), doc="Seconds a job has to end itself. WORKBENCH_CANCEL_GRACE_S.")
    cancel_term_s = param.Number(5.0, bounds=(0, None), doc="Seconds between SIGTERM and SIGKILL. WORKBENCH_CANCEL_TERM_S.")
    scheduler = param.String(
        "", doc="Dask scheduler whose workers run the jobs, as tcp://host:8786; empty: this machine. WORKBENCH_SCHEDULER."
    )
    job_memory_mb = param.Integer(
        0, bounds=(0, None), doc="MiB of memory a job may use, all its processes together; 0 for any. WORKBENCH_JOB_MEMORY_MB."
    )
    job_disk_mb = param.Integer(
        0, bounds=(0, None), doc="MiB a job may write into its folder; 0 for any. WORKBENCH_JOB_DISK_MB."
    )
    job_timeout_s = param.Number(
        0.0, bounds=(0, None), doc="Seconds a job may run that was given no limit of its own; 0 for any. WORKBENCH_JOB_TIMEOUT_S."
    )
    min_free_mb = param.Integer(
        200, bounds=(0, None), doc="MiB of the disk that must be free for a job to start. WORKBENCH_MIN_FREE_MB."
    )
    retry_wait_s = param.Number(
        10.0, bounds=(0, None), doc="Seconds before a job is tried again by itself; doubles each time. WORKBENCH_RETRY_WAIT_S."
    )
    mlflow_uri = param.String("", doc="MLflow tracking URI that ended training jobs are copied to. WORKBENCH_MLFLOW_URI.")
    mlflow_experiment = param.String("workbench", doc="Experiment they are copied into. WORKBENCH_MLFLOW_EXPERIMENT.")
    ws_heartbeat_interval = param.Number(30.0, bounds=(1, None), doc="Seconds between beats. WORKBENCH_WS_HEARTBEAT_INTERVAL.")
    gate_rate = param.Number(0.95, bounds=(0, 1), doc="Share of tests a model must pass to go live. WORKBENCH_GATE_RATE.")
    gate_days = param.Integer(30, bounds=(1, None), doc="Days a test run counts for the gate. WORKBENCH_GATE_DAYS.")
    sql_seconds = param.Number(30.0, bounds=(0.1, None), doc="Time limit of a user query. WORKBENCH_SQL_SECONDS.")
    filter_seconds = param.Number(
        5.0, bounds=(0.1, None), doc="Time limit of a condition that somebody waits for. WORKBENCH_FILTER_SECONDS."
    )
    models = param.List(
        [], item_type=str, doc="Folders with language models to train from, os.pathsep-separated. WORKBENCH_MODELS."
    )
    trainers = param.List(
        [], item_type=str, doc="Trainers beside the installed ones, each module:Class, comma-separated. WORKBENCH_TRAINERS."
    )
    sql_rows = param.Integer(100_000, bounds=(1, None), doc="Row limit of a remote user query. WORKBENCH_SQL_ROWS.")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read every setting; the short historical names are accepted too."""
        values = {}
        faults = []
        for name in (one for one in cls.param if one != "name"):
            spelled = (f"WORKBENCH_{name.upper()}", _OLD_NAMES.get(name, ""))
            given = next((variable for variable in spelled if environ.get(variable)), None)
            if given is None:
                continue
            try:
                values[name] = getattr(cls(**{name: _parse(cls.param[name], environ[given])}), name)
            except (ValueError, TypeError, KeyError):
                wanted = cls.param[name].doc.split(". WORKBENCH")[0]
                faults.append({"field": given, "message": f"Cannot be used. It is: {wanted}", "value": environ[given]})
        if faults:
            raise ValidationError.of(faults)
        return cls(**values)


_OLD_NAMES = {
    "api_prefix": "API_V1_PREFIX",
    "cors_origins": "BACKEND_CORS_ORIGINS",
    "ws_heartbeat_interval": "WS_HEARTBEAT_INTERVAL",
}


def _parse(parameter: param.Parameter, raw: str) -> object:
    if isinstance(parameter, param.List):
        # A colon is a part of what names a trainer.
        return json.loads(raw) if raw.startswith("[") else raw.split("," if parameter.name == "trainers" else os.pathsep)
    if isinstance(parameter, param.Dict):
        return json.loads(raw)
    if isinstance(parameter, param.Boolean):
        return {"1": True, "true": True, "0": False, "false": False}[raw.lower()]
    if isinstance(parameter, param.Integer):
        return int(raw)
    if isinstance(parameter, param.Number):
        return float(raw)
    return raw


def dataset_path(name: str) -> Path:
    """Return the path of a bundled data file, say `stdlib_functions.csv`.

    A wheel carries the files inside the package, a checkout beside it.
    """
    here = Path(__file__).parent
    folders = (here / "_datasets", here.parent / "datasets")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    known = sorted(found.name for folder in folders for found in folder.glob("*.csv"))
    raise FileNotFoundError(f"There is no bundled data file {name!r}. There are: {', '.join(known)}.")
