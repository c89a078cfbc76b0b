"""What the processes of jobs wrote to their output, attempt by attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from workbench.contract import Field, query
from workbench.domain.jobs import Job, JobLog
from workbench.engine import child
from workbench.errors import ValidationError
from workbench.services.service import Service

Attempt = Annotated[int | None, Field(ge=1, description="Attempt to read; none: the latest.")]
WHOLE = 10_000_000


class JobLogs(Service):
    """Hold the reads of what jobs wrote."""

    records: Any

    @query("GET", "/jobs/{job_id}/log")
    def log(
        self,
        job_id: str,
        *,
        max_bytes: Annotated[int, Field(ge=1, le=WHOLE, description="Most bytes to return, from the end.")] = 100_000,
        attempt: Attempt = None,
    ) -> JobLog:
        """Return the end of what the job's process wrote to its output, in the latest or an earlier attempt."""
        job = self.records.get(job_id)
        wanted = _attempt(job, attempt)
        url = f"{self.settings.api_prefix}/jobs/{job.id}/log.txt?attempt={wanted}"
        known = {"job_id": job.id, "attempt": wanted, "attempts": tuple(range(1, job.attempt + 1)), "href": url}
        path = self._path(job, wanted)
        if not path.exists():
            return JobLog(**known)
        size = path.stat().st_size
        offset = max(0, size - max_bytes)
        with path.open("rb") as file:
            file.seek(offset)
            text = file.read(max_bytes).decode("utf-8", "replace")
        return JobLog(**known, text=text, size=size, offset=offset, truncated=offset > 0)

    @query("GET", "/jobs/{job_id}/log.txt", file="job-log")
    def log_text(self, job_id: str, *, attempt: Attempt = None) -> str:
        """Return what the job's process wrote as a text file, its last 10 MB where it is longer."""
        return self.log(job_id, max_bytes=WHOLE, attempt=attempt).text

    def _path(self, job: Job, attempt: int) -> Path:
        found: Path = self.app.engine.folder(job.id, attempt) / child.LOG
        return found


def _attempt(job: Job, wanted: int | None) -> int:
    if wanted is not None and wanted > max(1, job.attempt):
        raise ValidationError.field("attempt", f"is {wanted}, but the job has had {job.attempt} attempts", wanted)
    return job.attempt if wanted is None else wanted
