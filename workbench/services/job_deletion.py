"""Delete jobs that have ended: what they wrote, measured and kept on the disk is gone, the space is free again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.domain.jobs import ACTIVE, Job
from workbench.errors import InUse, InvalidTransition, NotFound, NotReady, WorkbenchError
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
    "trial_details": "id",
    "study_details": "id",
    "training_details": "id",
    "jobs": "id",
}
# What was made by a job or from it stays, and names it no more.
NAMED_BY = (("models", "job_id"), ("test_runs", "job_id"), ("jobs", "parent_id"))
# A version is tested on the pairs its job held out, and traced to its rows through them.
_MODELS = """
select job_id, id, name || ' ' || version || ' (' || status || ')', status from models
where job_id in (select unnest(?)) order by name, version
"""
_SERVED = """
select model_version_id, string_agg(name, ', ' order by name) from endpoints
where status in ('starting', 'serving') group by all
"""
_LIVE_JOBS = """
select parent_id, kind || ' ' || name || ' (' || status || ')' from jobs
where parent_id is not null and list_contains(?, status) order by created_at, id
"""
_STUDIES = """
select t.id, 'study ' || s.name from trial_details t join jobs s on s.id = t.study_id
where t.id in (select unnest(?)) and t.study_id not in (select unnest(?))
"""
_TRIALS = "select id, study_id from trial_details where study_id in (select unnest(?)) order by study_id, number"


def holders(db: Database, ids: Iterable[str], *, studies: bool = True, trials: bool = True) -> dict[str, list[str]]:
    """Return what still needs each job: versions it made that are not archived, jobs under way that belong to it, its study.

    A study goes with its trials, so what needs one of them needs the study. Who knows that there are no studies,
    or no trials, among the jobs says so.
    """
    wanted = list(ids)
    if not wanted:
        return {}
    study_of = dict(db.tuples(_TRIALS, [wanted])) if studies else {}
    every = [*wanted, *study_of]
    told = [
        *_live_models(db, every),
        *db.tuples(_LIVE_JOBS, [sorted(ACTIVE)]),
        *(db.tuples(_STUDIES, [every, wanted]) if studies or trials else ()),
    ]
    found: dict[str, list[str]] = {}
    for id, words in told:
        found.setdefault(id, []).append(words)
        if id in study_of:
            found.setdefault(study_of[id], []).append(words)
    return found


def _live_models(db: Database, ids: list[str]) -> list[tuple[str, str]]:
    """Return the jobs with a version that is not archived or is served, each with words on it."""
    made = db.tuples(_MODELS, [ids])
    served = dict(db.tuples(_SERVED)) if made else {}
    return [
        (job_id, words + (f" (served by {served[id]})" if id in served else ""))
        for job_id, id, words, status in made
        if status != "archived" or id in served
    ]


def kept_for(held: Mapping[str, list[str]], id: str) -> dict[str, str]:
    """Return why a job may not be deleted, as the reason of the action; nothing when it may."""
    return {"delete": f"In use: {', '.join(held[id])}."} if id in held else {}


def delete(app: Application, id: str) -> None:
    """Delete one job in the current transaction, or raise why it stays."""
    if refused := refusals(app.db, [id]):
        raise refused[id]
    remove(app, [id])


def refusals(db: Database, ids: Iterable[str]) -> dict[str, WorkbenchError]:
    """Return why jobs may not be deleted, for those that may not."""
    wanted, found = list(ids), {}
    states, held = dict(db.tuples("select id, status from jobs where id in (select unnest(?))", [wanted])), holders(db, wanted)
    for id in wanted:
        if (status := states.get(id)) is None:
            found[id] = NotFound.of(Job.kind, id)
        elif status in ACTIVE:
            words = f"Job {id} cannot be deleted while {status}. Cancel it first, or wait for its end."
            found[id] = InvalidTransition(words, current=status, allowed=["cancel"])
        elif id in held:
            words = f"Job {id} cannot be deleted: in use by {', '.join(held[id])}. Archive or stop that first."
            found[id] = InUse(words, used_by=held[id])
    return found


def remove(app: Application, ids: Iterable[str]) -> None:
    """Delete jobs that nothing needs, in the current transaction; their files go once it has committed."""
    db, wanted = app.db, list(ids)
    wanted = list(dict.fromkeys([*wanted, *dict(db.tuples(_TRIALS, [wanted]))]))
    app.engine.doom(wanted)
    for table, column in NAMED_BY:
        db.execute(f"update {table} set {column} = null where {column} in (select unnest(?))", [wanted])
    for table, column in TABLES.items():
        db.execute(f"delete from {table} where {column} in (select unnest(?))", [wanted])
    for id in wanted:
        db.emit("jobs", id, None, "deleted")
    db.on_commit(lambda: _free(app, wanted))


def _free(app: Application, ids: list[str]) -> None:
    app.engine.remove(ids)
    # A bulk load under way keeps the file from being folded; the next checkpoint does it.
    with contextlib.suppress(NotReady):
        app.db.checkpoint()


def of_rows(db: Database, rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what needs those jobs among `rows` that have ended."""
    ended = [row for row in rows if row["completed_at"] is not None]
    studies, trials = any(row["kind"] == "study" for row in ended), any(row["parent_id"] is not None for row in ended)
    return holders(db, [row["id"] for row in ended], studies=studies, trials=trials)
