"""Keep jobs, events and curves in the database; every transition compares before it sets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from workbench.clock import Clock
from workbench.domain.jobs import Job, JobEvent
from workbench.engine import words
from workbench.engine.journal import Batch
from workbench.engine.kind import BEFORE_RECEIVING
from workbench.store import Database
from workbench.store.tables import Records

TOPIC = "jobs"
_EVENT_COLUMNS = "job_id, seq, attempt, type, old_status, new_status, message, data, logged_at"
_JSON_COLUMNS = ("result", "labels", "spec")
_INGEST = """
update jobs set
    done = coalesce(?, done), total = coalesce(?, total), step = coalesce(?, step), message = coalesce(?, message),
    progress_percent = greatest(progress_percent, coalesce(?, 0)), eta_seconds = ?, heartbeat_at = ?, updated_at = ?,
    journal_offset = ?, journal_seq = ?, version = version + 1
where id = ? and attempt = ? and status = 'running' and journal_offset = ?
returning version
"""
RECEIVING = "keeping"
_RECEIVING = """
update jobs set
    progress_percent = greatest(progress_percent, ?), step = ?, message = ?, eta_seconds = null, updated_at = ?, version = version + 1
where id = ? and attempt = ? and status = 'running'
returning version
"""
_STARTED = """
update jobs set pid = ?, worker = coalesce(?, worker), message = case when starts_with(message, 'Waits') then '' else message end
where id = ?
"""
_TAKE_ALONG = """
insert into metrics by name
select ? as job_id, name, step, epoch, value, logged_at from metrics where job_id = ? and step <= ?
"""


class Ledger:
    """Write what happens to jobs, always inside one transaction per step."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.db = db
        self.clock = clock
        self.jobs = Records(db, Job, topic=TOPIC)

    def add(self, job: Job) -> Job:
        """Insert a new job with its first event."""
        with self.db.write():
            job = self.jobs.insert(job)
            return self.note(job.id, JobEvent(type="status_change", new_status=job.status, message=f"The job is {job.status}."))

    def move(
        self,
        id: str,
        source: Sequence[str],
        target: str,
        *,
        message: str,
        at_attempt: int | None = None,
        facts: dict[str, Any] | None = None,
        latest: str | None = None,
        **changes: Any,
    ) -> Job | None:
        """Set `target` if the job is in one of `source` (and at that attempt), else return None.

        `message` and `facts` go with the event; `latest` becomes the job's own latest word.
        """
        now = self.clock.now()
        columns = {"status": target, "updated_at": now, **changes, **({"message": latest} if latest is not None else {})}
        setting = ", ".join(f"{name} = ?" for name in columns)
        marks = ", ".join("?" * len(source))
        guard = " and attempt = ?" if at_attempt is not None else ""
        sql = f"update jobs set {setting}, version = version + 1 where id = ? and status in ({marks}){guard} returning version"
        params = [as_column(name, value) for name, value in columns.items()]
        with self.db.write():
            before = self.db.value("select status from jobs where id = ?", [id])
            if not self.db.execute(sql, [*params, id, *source, *([at_attempt] if at_attempt is not None else [])]):
                return None
            kind = "error" if target == "failed" else "status_change"
            data = {k: changes[k] for k in ("error_code",) if changes.get(k)} | ({"context": facts} if facts else {}) or None
            return self.note(id, JobEvent(type=kind, old_status=before, new_status=target, message=message, data=data))

    def note(self, id: str, *events: JobEvent) -> Job:
        """Append events to a job, numbered on, and return the job."""
        with self.db.write():
            job = self.jobs.get(id)
            rows = [
                (id, job.event_seq + i, job.attempt, *words.columns(e), e.logged_at or self.clock.now())
                for i, e in enumerate(events, 1)
            ]
            if rows:
                marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(rows))
                self.db.execute(f"insert into job_events ({_EVENT_COLUMNS}) values {marks}", [v for row in rows for v in row])
                self.db.execute("update jobs set event_seq = ? where id = ?", [job.event_seq + len(rows), id])
            self.db.emit(TOPIC, id, job.version)
            return job.with_(event_seq=job.event_seq + len(rows))

    def take_in(
        self,
        job_id: str,
        attempt: int,
        offset: int,
        batch: Batch,
        *,
        points: pa.Table | None,
        begun: float,
        noted: float,
        share: float = 1.0,
        more: Sequence[JobEvent] = (),
    ) -> float | None:
        """Take in a batch of journal records exactly once, with its `points` and `more` events; the child does a share of the work.

        Returns the time of the latest progress event, or None when the words come too late: the job
        has ended, runs another attempt, or the batch was taken in before.
        """
        progress = next((r for r in reversed(batch.records) if r["t"] == "progress"), None)
        figures = words.figures(progress, begun, share)
        now = self.clock.now()
        place = [now, now, batch.offset, batch.seq, job_id, attempt, offset]
        with self.db.write():
            if not self.db.execute(_INGEST, [*figures, *place]):
                return None
            self._place(job_id, batch)
            if points is not None:
                self.db.insert_arrow("metrics", points)
            events, noted = words.events(batch.records, noted)
            self.note(job_id, *events, *more)
        return noted

    def receiving(self, job: Job, share: float, message: str) -> None:
        """Tell which share of what the child made has been received, and what is done next."""
        percent = 100 * (BEFORE_RECEIVING + (1 - BEFORE_RECEIVING) * share)
        with self.db.write():
            if self.db.execute(_RECEIVING, [percent, RECEIVING, message, self.clock.now(), job.id, job.attempt]):
                self.note(job.id, JobEvent(type="progress", message=message, data={"step": RECEIVING}))

    def _place(self, job_id: str, batch: Batch) -> None:
        """Let the curves go on where the work does: no step is there twice. Note where the child runs."""
        for record in batch.records:
            if record["t"] == "started":
                self.db.execute(_STARTED, [record.get("pid"), record.get("worker"), job_id])
            elif record["t"] == "anew":
                self.db.execute("delete from metrics where job_id = ?", [job_id])
            elif record["t"] == "resumed" and record["job"] == job_id:
                self.db.execute("delete from metrics where job_id = ? and step > ?", [job_id, record["step"]])
            elif record["t"] == "resumed":
                self.db.execute("delete from metrics where job_id = ?", [job_id])
                self.db.execute(_TAKE_ALONG, [job_id, record["job"], record["step"]])
            elif record["t"] == "checkpoint":
                self.db.execute("update jobs set resumable = true where id = ?", [job_id])

    def add_points(self, job_id: str, points: Sequence[Sequence[Any]]) -> None:
        """Append points, each (name, step, value, epoch, seconds since the epoch)."""
        if not points:
            return
        with self.db.write():
            self.db.insert_arrow("metrics", words.points(job_id, points))


def as_column(name: str, value: Any) -> Any:
    """Return a value as its column keeps it; JSON has no infinities."""
    if name in _JSON_COLUMNS and value is not None:
        return json.dumps(words.finite(value), default=str, ensure_ascii=False, allow_nan=False)
    return value
