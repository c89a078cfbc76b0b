"""Actions on several jobs at once; each job takes or refuses it by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from workbench.contract import Field, command
from workbench.domain.jobs import DELETE, BulkJobs, Job, JobOutcome
from workbench.errors import WorkbenchError
from workbench.services import job_deletion
from workbench.services.service import Service

RUNNERS = frozenset({"admin", "data_steward", "trainer"})
Ids = Annotated[list[str], Field(min_length=1, max_length=1000, description="Ids of the jobs.")]


class JobBulk(Service):
    """Hold the actions on several jobs."""

    records: Any

    def ask_cancel(self, job_id: str, reason: str) -> Job:
        """Refuse what has ended, else ask the engine to cancel."""
        raise NotImplementedError

    def retry(self, job_id: str) -> Job:
        """Make a new job like one that has failed."""
        raise NotImplementedError

    @command("POST", "/jobs/bulk-cancel", roles=RUNNERS, transaction=False, label="Cancel the jobs")
    def bulk_cancel(self, ids: Ids, *, reason: Annotated[str, Field(max_length=1000, description="Why.")] = "") -> BulkJobs:
        """Cancel several jobs; those that have ended already refuse, the others are not held up by them."""

        def cancel(id: str) -> Job:
            with self.db.write():
                return self.ask_cancel(id, reason)

        return self._each("cancel", ids, cancel)

    @command("POST", "/jobs/bulk-retry", roles=RUNNERS, transaction=False, label="Retry the jobs")
    def bulk_retry(self, ids: Ids) -> BulkJobs:
        """Make a new job like each of several that failed or were cancelled."""
        return self._each("retry", ids, self.retry)

    @command("POST", "/jobs/bulk-delete", roles=RUNNERS, label="Delete the jobs", confirm=DELETE)
    def bulk_delete(self, ids: Ids) -> BulkJobs:
        """Delete several jobs that have ended; those that are still needed refuse, the others go together."""
        wanted = list(dict.fromkeys(ids))
        found = dict(self.db.tuples("select id, name || chr(0) || status from jobs where id in (select unnest(?))", [wanted]))
        refused = job_deletion.refusals(self.db, wanted)
        job_deletion.remove(self.app, [id for id in wanted if id not in refused])
        outcomes = []
        for id in wanted:
            name, _, status = found.get(id, "").partition(chr(0))
            facts = {"job_id": id, "job_name": name}
            if error := refused.get(id):
                facts |= {"status": status or None, "error_code": error.code, "message": str(error)}
            outcomes.append(JobOutcome(**facts, done=error is None))
        return BulkJobs(action="delete", done=len(wanted) - len(refused), refused=len(refused), outcomes=outcomes)

    def _each(self, action: str, ids: list[str], act: Callable[[str], Job]) -> BulkJobs:
        wanted = list(dict.fromkeys(ids))
        names = dict(self.db.tuples("select id, name from jobs where list_contains(?, id)", [wanted]))
        outcomes = [self._one(id, names.get(id, ""), act) for id in wanted]
        done = sum(outcome.done for outcome in outcomes)
        return BulkJobs(action=action, done=done, refused=len(outcomes) - done, outcomes=outcomes)

    def _one(self, id: str, name: str, act: Callable[[str], Job]) -> JobOutcome:
        try:
            job = act(id)
        except WorkbenchError as error:
            status = self.db.value("select status from jobs where id = ?", [id])
            return JobOutcome(job_id=id, job_name=name, status=status, error_code=error.code, message=str(error))
        made = None if job.id == id else job.id
        status = job.status if made is None else self.db.value("select status from jobs where id = ?", [id])
        return JobOutcome(job_id=id, job_name=name, done=True, status=status, made_id=made)
