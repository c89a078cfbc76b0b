"""Jobs of every kind: look at them, end them, repeat them, log into them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices

from workbench.contract import Deleted, Field, Page, PageNumber, PageSize, command, query
from workbench.domain.jobs import DELETE, KINDS, LIFECYCLE, TERMINAL, WAITING, WHOLE, Job, JobEvent, kept
from workbench.domain.lifecycle import offered
from workbench.domain.plain import plain
from workbench.domain.record import Action, utc
from workbench.errors import InvalidTransition, NotFound, ValidationError, did_you_mean
from workbench.services import generation_turn, job_deletion, repeating
from workbench.services.answering import answered
from workbench.services.job_bulk import RUNNERS, JobBulk
from workbench.services.job_curves import JobCurves
from workbench.services.job_lists import By, Descending, Label, Since, Sort, Trials, Until, narrowed
from workbench.services.job_log import JobLogs
from workbench.services.metric_points import point_rows
from workbench.store.tables import Records

EXTERNAL = "external"
ELSEWHERE = "The run goes on elsewhere."
QUEUE_PLACES = """
select id, row_number() over (order by priority desc, queued_at, id) as place from jobs
where status = 'queued' and not_before is null
"""

Status = Literal["pending", "queued", "running", "succeeded", "failed", "cancelled"]
EventType = Annotated[
    Literal["status_change", "progress", "log", "metric", "error"] | None, Field(description="Only events of this sort.")
]
Reason = Annotated[str, Field(max_length=1000, description="Why.")]
Resume = Annotated[bool, Field(description="Go on from the checkpoint that was kept, in place of beginning anew.")]
TimeLimit = Annotated[
    float | None, Field(gt=0, le=31_536_000, description="Seconds an attempt may run; none: the limit of this server, if it has one.")
]
NewLimit = Annotated[float | None, Field(gt=0, le=31_536_000, description="Seconds an attempt may run; none: as before.")]
After = Annotated[int, Field(ge=0, description="Number of the last event you have.")]


class JobService(JobBulk, JobCurves, JobLogs):
    """Follow jobs and decide about them."""

    namespace = "jobs"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.records = Records(self.db, Job)
        self.event_records = Records(self.db, JobEvent, topic="jobs")

    @query("GET", "/jobs", key="jobs")
    def list(
        self,
        *,
        kind: Annotated[str | None, Field(description="Only jobs of this kind.")] = None,
        status: Status | None = None,
        search: Annotated[str, Field(max_length=200, description="Part of the name.")] = "",
        created_by: By = None,
        since: Since = None,
        until: Until = None,
        label: Label = None,
        parent_id: Annotated[str | None, Field(description="Only jobs that belong to this one or repeat it.")] = None,
        trials: Trials = False,
        sort: Sort = "created_at",
        descending: Descending = True,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[Job]:
        """List the jobs, the newest first; a study stands for its trials, unless they are asked for."""
        self._refuse_unknown(kind)
        wanted = narrowed(
            {"kind": kind, "status": status, "created_by": created_by, "parent_id": parent_id},
            search=("name", search), since=since, until=until, label=label, sort=sort, descending=descending,
            trials=trials or parent_id is not None,
        )  # fmt: skip
        with self.db.read():
            found = self.records.page(wanted.where, wanted.params, order=wanted.order, page=page, page_size=page_size)
            found.rows = self.presented(found.rows)
        return found

    @query("GET", "/jobs/{job_id}")
    def get(self, job_id: str) -> Job:
        """Return one job."""
        return self.shown(self.records.get(job_id))

    @command("POST", "/jobs/{job_id}/cancel", roles=RUNNERS, label="Cancel", confirm="Cancel the job and discard its work?")
    def cancel(self, job_id: str, *, reason: Reason = "") -> Job:
        """Cancel a job: a waiting one ends at once, a running one as soon as its process is gone."""
        return self.shown(self.ask_cancel(job_id, reason))

    @command("POST", "/jobs/{job_id}/stop", roles=RUNNERS, label="Stop and keep what is done")
    def stop(self, job_id: str) -> Job:
        """End a running job early: it keeps what is done, a training the best so far, and succeeds."""
        return self.shown(self.ask_stop(job_id))

    @command("POST", "/jobs/{job_id}/retry", roles=RUNNERS, status=201, transaction=False, label="Retry")
    def retry(
        self,
        job_id: str,
        *,
        training_config: Annotated[dict[str, Any], Field(description="Settings of a training that are to change.")] = {},  # noqa: B006
        resume: Resume = False,
        timeout_seconds: NewLimit = None,
    ) -> Job:
        """Make a new job like one that failed or was cancelled, linked to it; a training may change settings."""
        job = self.records.get(job_id)
        LIFECYCLE.require("retry", job.status, lambda: self.shown(job).actions)
        if job.kind == "train":
            changed = {"training_config": training_config, "resume": resume, "timeout_seconds": timeout_seconds}
            return self.records.get(self.app.training.retry(job_id, **changed).id)
        if training_config:
            words = f"is for trainings; {job_id} is a job of kind {job.kind}"
            raise ValidationError.field("training_config", words, training_config)
        refuse_to_resume(job, resume)
        if job.kind == "study":
            return self.records.get(self.app.studies.retry(job_id).id)
        if why := repeating.never(self.app, job.kind, job.spec):
            raise InvalidTransition(why, current=job.status, allowed=offered(self.shown(job).actions))
        more = {"labels": job.labels, "sample": job.sample, "priority": job.priority, "parent_id": job.id, "resume": resume}
        more |= {"timeout_seconds": timeout_seconds or job.timeout_seconds}
        with self.db.write():
            if job.kind == "generate":
                generation_turn.refuse_second(self.db, job.spec["training_sheet_id"])
            made = self.app.engine.submit(job.kind, name=job.name, spec=job.spec, created_by=self.actor, **more)
            return answered(self.shown(made))

    @command("POST", "/jobs/{job_id}/resume", roles=RUNNERS, status=201, transaction=False, label="Go on from the checkpoint")
    def resume(self, job_id: str) -> Job:
        """Make a new job that goes on where the checkpoint of a failed one ends: a retry with `resume`."""
        return self.retry(job_id, resume=True)

    @command("POST", "/jobs/{job_id}/prioritize", roles=RUNNERS, label="Change the priority")
    def prioritize(
        self, job_id: str, priority: Annotated[int, Field(ge=-100, le=100, description="Higher starts earlier; 0 is usual.")]
    ) -> Job:
        """Move a waiting job forward or back in the queue."""
        job = self.records.get(job_id)
        if job.status not in WAITING:
            raise InvalidTransition.of("job", "change its priority", job.status, offered(self.shown(job).actions))
        self.records.update(job_id, priority=priority)
        told = JobEvent(type="log", message=f"Priority {priority}, it was {job.priority}.")
        self.db.on_commit(self.app.engine.notice)
        return self.shown(self.app.engine.ledger.note(job_id, told))

    @command("DELETE", "/jobs/{job_id}", roles=RUNNERS, label="Delete", confirm=DELETE)
    def delete(self, job_id: str) -> Deleted:
        """Delete a job that has ended, with all it wrote; refused while a version it made is in use."""
        job_deletion.delete(self.app, job_id)
        return Deleted(id=job_id)

    @query("GET", "/jobs/{job_id}/events", key="events")
    def events(
        self,
        job_id: str,
        *,
        after: After = 0,
        type: EventType = None,
        progress: Annotated[bool, Field(description="Also how far it was from time to time.")] = True,
        latest_first: Annotated[bool, Field(description="The newest first.")] = False,
        page: PageNumber = 1,
        page_size: PageSize = 200,
    ) -> Page[JobEvent]:
        """List what happened to a job, the oldest first unless told otherwise."""
        self.records.get(job_id)
        kinds = (" and type = ?" if type else "") + ("" if progress else " and type <> 'progress'")
        params = [job_id, after, *([type] if type else [])]
        where = f"job_id = ? and seq > ?{kinds}"
        return self.event_records.page(where, params, order="seq desc" if latest_first else "seq", page=page, page_size=page_size)

    @command("POST", "/jobs/external", roles=RUNNERS, status=201, label="Start an external run")
    def start_external(
        self,
        name: Annotated[str, Field(min_length=1, max_length=200, description="Name."), AfterValidator(plain)],
        *,
        config: Annotated[dict[str, Any], Field(description="Settings of the run.")] = {},  # noqa: B006 - never changed
        labels: Annotated[dict[str, str], Field(description="Names and values for people.")] = {},  # noqa: B006
        lease_seconds: Annotated[
            float | None, Field(ge=1, le=86_400, description="The run fails when nothing is heard of it this long; none: never.")
        ] = None,
        started_at: Annotated[
            dt.datetime | None, Field(description="When the work began (UTC), for work done before; none: now.")
        ] = None,
    ) -> Job:
        """Open a run for work done elsewhere: it has curves and events, but no process of ours.

        In Python the answer is a Run to log into, with or without `with`; it keeps its lease by itself.
        """
        now = self.clock.now()
        begun = past("started_at", started_at, now)
        job = Job(
            id=self.clock.new_id("job"), kind=EXTERNAL, name=name, status="running", spec=config, labels=labels,
            created_by=self.actor, queued_at=begun, started_at=begun, heartbeat_at=now, worker=EXTERNAL, attempt=1,
            lease_seconds=lease_seconds,
        )  # fmt: skip
        return self.shown(self.app.engine.ledger.add(job))

    @command("POST", "/jobs/{job_id}/metrics", roles=RUNNERS, label="Log metrics", audited=False)
    def log_metrics(
        self,
        job_id: str,
        metrics: Annotated[
            list[dict[str, Any]],
            Field(
                max_length=100_000,
                validation_alias=AliasChoices("metrics", "points"),
                description="Points, each {name, step, value, epoch?, at?}; at in epoch seconds.",
            ),
        ],
    ) -> Job:
        """Add points to the curves of an external run; without points, only tell that it lives."""
        job = self._external(job_id)
        self.app.engine.ledger.add_points(job_id, point_rows(metrics, self.clock.now()))
        self.db.execute("update jobs set heartbeat_at = ? where id = ?", [self.clock.now(), job_id])
        self.db.emit("jobs", job_id, job.version)
        return self.shown(self.records.get(job_id))

    @command("POST", "/jobs/{job_id}/finish", roles=RUNNERS, label="Finish")
    def finish(
        self,
        job_id: str,
        *,
        status: Literal["succeeded", "failed", "cancelled"] = "succeeded",
        message: Annotated[str, Field(max_length=10_000, description="Words on the outcome.")] = "",
        result: Annotated[dict[str, Any], Field(description="What came out.")] = {},  # noqa: B006
        completed_at: Annotated[
            dt.datetime | None, Field(description="When the work ended (UTC), for work done before; none: now.")
        ] = None,
    ) -> Job:
        """End an external run."""
        run = self._external(job_id)
        changes: dict[str, Any] = {"completed_at": past("completed_at", completed_at, self.clock.now(), since=run.started_at)}
        if status == "succeeded":
            changes |= {"result": result, "progress_percent": 100.0}
        elif status == "failed":
            changes |= {"error_code": "JOB_FAILED", "error_message": message or "The run failed."}
        words = message or f"The run has {status}." if status != "cancelled" else "Cancelled."
        self.app.engine.ledger.move(job_id, ("running",), status, message=words, **changes)
        return self.shown(self.records.get(job_id))

    def ask_cancel(self, job_id: str, reason: str) -> Job:
        """Refuse what has ended, else ask the engine to cancel."""
        job = self.records.get(job_id)
        LIFECYCLE.require("cancel", job.status, lambda: self.shown(job).actions)
        if job.kind == EXTERNAL:
            changes = {"cancel_reason": reason or None, "completed_at": self.clock.now()}
            self.app.engine.ledger.move(job_id, ("running",), "cancelled", message="Cancelled.", **changes)
            return self.records.get(job_id)
        return self.app.engine.request_cancel(job, reason)

    def ask_stop(self, job_id: str) -> Job:
        """Refuse what does not run, else ask the engine to stop."""
        job = self.records.get(job_id)
        LIFECYCLE.require("stop", job.status, lambda: self.shown(job).actions)
        if job.kind == EXTERNAL:
            words = f"Cannot stop {job_id}: {ELSEWHERE} End it there, or cancel it."
            raise InvalidTransition(words, current=job.status, allowed=["cancel"])
        if job.kind in WHOLE:
            words = f"Cannot stop {job_id}: it is done, or nothing of it can be kept. Wait for its end, or cancel it."
            raise InvalidTransition(words, current=job.status, allowed=["cancel"])
        return self.app.engine.request_stop(job)

    def shown(self, job: Job) -> Job:
        """Return a job with its derived values."""
        return Job(**self.presented([job.values()])[0])

    def runs(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return those of the jobs that are external runs, with their derived values."""
        return self.presented(job.values() for job in self.records.list("kind = ? and list_contains(?, id)", [EXTERNAL, list(ids)]))

    def presented(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return jobs as they are kept, each with its derived values."""
        found = [dict(row) for row in rows]
        places = dict(self.db.tuples(QUEUE_PLACES)) if any(row["status"] == "queued" for row in found) else {}
        held, now, hindered = job_deletion.of_rows(self.db, found), self.clock.now(), repeating.hindered(self.app, found)
        return [row | derived(row, now, places, held, roles=self.roles, blocked=hindered.get(row["id"])) for row in found]

    def _refuse_unknown(self, kind: str | None) -> None:
        """Refuse a kind that nobody has declared and no job has: nothing would be found, and nobody told why."""
        known = {*KINDS, *self.app.engine.kinds}
        if kind is None or kind in known or self.records.exists(kind=kind):
            return
        words = f"No kind of job is called {kind!r}.{did_you_mean(kind, known)} Known are {', '.join(sorted(known))}"
        raise ValidationError.field("kind", words, kind)

    def _external(self, job_id: str) -> Job:
        job = self.records.get(job_id)
        if job.kind != EXTERNAL:
            raise NotFound(f"Job {job_id} is no external run: its own process logs for it.", kind="external run", id=job_id)
        if job.status in TERMINAL:
            raise InvalidTransition.of("run", "add to it", job.status, offered(self.shown(job).actions))
        return job


def past(name: str, moment: dt.datetime | None, now: dt.datetime, *, since: dt.datetime | None = None) -> dt.datetime:
    """Return a moment given for the past as naive UTC, or now; refuse one to come, or one before `since`."""
    if moment is None:
        return now
    if utc(moment) > now or (since is not None and utc(moment) < since):
        early = "" if since is None else f" and not before the run began ({since.isoformat(timespec='seconds')})"
        raise ValidationError.field(name, f"must not be in the future{early}", moment.isoformat())
    return utc(moment)


def derived(
    row: dict[str, Any],
    now: dt.datetime,
    places: dict[str, int],
    held: dict[str, list[str]],
    *,
    roles: Any,
    lifecycle: Any = LIFECYCLE,
    blocked: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what is computed of a job: duration, place in the queue, actions; `blocked` says why some are not allowed."""
    blocked = {**(blocked or {}), **job_deletion.kept_for(held, row["id"])}
    if row["cancel_requested"]:
        blocked |= {"cancel": "A cancel was requested already.", "stop": "A cancel was requested already."}
    elif row["stop_requested"]:
        blocked |= {"stop": "A stop was requested already."}
    if row["kind"] == EXTERNAL:
        blocked |= {"stop": ELSEWHERE, "retry": "The run was made elsewhere."}
    offered = lifecycle.actions(row, roles=roles, blocked=blocked)
    begun, ended = row["started_at"], row["completed_at"]
    return {
        "duration_seconds": None if begun is None else max(0.0, ((ended or now) - begun).total_seconds()),
        "queue_position": places.get(row["id"]),
        "actions": tuple(_worded(action, row["kind"]) for action in offered if _has(row, action.name)),
    }


def _has(row: dict[str, Any], action: str) -> bool:
    """Return whether a job has anything that an action is about."""
    return {"resume": row["resumable"], "stop": row["kind"] not in WHOLE}.get(action, True)


def _worded(action: Action, kind: str) -> Action:
    """Let stopping say what is kept of a job of its kind."""
    return _stopping(kind, action.enabled, action.reason) if action.name == "stop" else action


@lru_cache(maxsize=256)
def _stopping(kind: str, enabled: bool, reason: str | None) -> Action:
    """Return the action of stopping; a page of jobs offers the same few over and over."""
    return Action(name="stop", label=f"Stop and keep {kept(kind)}", enabled=enabled, reason=reason)


def refuse_to_resume(job: Job, resume: bool) -> None:
    """Raise ValidationError when there is nothing to go on from."""
    if resume and not job.resumable:
        words = f"Job {job.id} kept no checkpoint to go on from. Retry it without resume"
        raise ValidationError.field("resume", words, resume)
