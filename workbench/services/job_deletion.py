"""Delete jobs that have ended: what they wrote, measured and kept on the disk is gone, the space is free again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.domain.jobs import ACTIVE, LIFECYCLE, Job
from workbench.errors import InUse, InvalidTransition, NotFound, NotReady
from workbench.store import Database

if TYPE_CHECKING:
    from workbench.services.application import Application

# What belongs to a job and goes with it, by the column that names the job.
TABLES = {
    "job_events": "job_id",
    "metrics": "job_id",
    "job_pairs": "job_id",
    "job_predictions": "job_id",
    "generated_answers": "job_id",
    "training_details": "id",
    "jobs": "id",
}
# What was made by a job or from it stays, and names it no more.
NAMED_BY = (("models", "job_id"), ("test_runs", "job_id"), ("jobs", "parent_id"))
_LIVE_MODELS = """
select job_id, name || ' ' || version || case when status in ('staging', 'production') then ' (' || status || ')' else '' end
    || coalesce(' (served by ' || (select string_agg(e.name, ', ' order by e.name) from endpoints e
        where e.model_version_id = models.id and e.status in ('starting', 'serving')) || ')', '') as words
from models where job_id in (select unnest(?)) and (status in ('staging', 'production') or exists (
    select 1 from endpoints e where e.model_version_id = models.id and e.status in ('starting', 'serving')))
order by name, version
"""
_LIVE_JOBS = """
select parent_id, kind || ' ' || name || ' (' || status || ')' from jobs
where parent_id in (select unnest(?)) and list_contains(?, status) order by created_at, id
"""


def holders(db: Database, ids: Iterable[str]) -> dict[str, list[str]]:
    """Return what still needs each job: versions in use that it made, and jobs under way that belong to it."""
    wanted, found = list(ids), {}
    if wanted:
        for id, words in [*db.tuples(_LIVE_MODELS, [wanted]), *db.tuples(_LIVE_JOBS, [wanted, sorted(ACTIVE)])]:
            found.setdefault(id, []).append(words)
    return found


def kept_for(held: Mapping[str, list[str]], id: str) -> dict[str, str]:
    """Return why a job may not be deleted, as the reason of the action; nothing when it may."""
    return {"delete": f"In use: {', '.join(held[id])}."} if id in held else {}


def delete(app: Application, ids: Iterable[str]) -> None:
    """Delete jobs, all or none, in the current transaction; their files go once it has committed."""
    db, wanted = app.db, sorted(set(ids))
    _refuse(app, wanted)
    for table, column in NAMED_BY:
        db.execute(f"update {table} set {column} = null where {column} in (select unnest(?))", [wanted])
    for table, column in TABLES.items():
        db.execute(f"delete from {table} where {column} in (select unnest(?))", [wanted])
    for id in wanted:
        db.emit("jobs", id, None, "deleted")
    db.on_commit(lambda: _free(app, wanted))


def _refuse(app: Application, wanted: list[str]) -> None:
    states = dict(app.db.tuples("select id, status from jobs where id in (select unnest(?))", [wanted]))
    if missing := [id for id in wanted if id not in states]:
        raise NotFound.of(Job.kind, missing[0])
    if active := [id for id in wanted if states[id] in ACTIVE]:
        status = states[active[0]]
        words = f"{_named(active)} cannot be deleted while {status}. Cancel first, or wait for the end."
        raise InvalidTransition(words, current=status, allowed=LIFECYCLE.allowed(status), jobs=active)
    if held := holders(app.db, wanted):
        used = sorted({words for found in held.values() for words in found})
        words = f"{_named(list(held))} cannot be deleted: in use by {', '.join(used)}. Archive or stop that first."
        raise InUse(words, used_by=used, jobs=sorted(held))


def _named(ids: list[str]) -> str:
    rest = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
    return f"Job {ids[0]}{rest}"


def _free(app: Application, ids: list[str]) -> None:
    app.engine.remove(ids)
    # A bulk load under way keeps the file from being folded; the next checkpoint does it.
    with contextlib.suppress(NotReady):
        app.db.checkpoint()


def of_rows(db: Database, rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what needs those jobs among `rows` that have ended."""
    return holders(db, [row["id"] for row in rows if row["completed_at"] is not None])
