"""Which page shows a job, and what it is in words."""

from __future__ import annotations

from workbench.errors import NotFound
from workbench.store import Database

PAGES = {"train": ("/train?job={id}", "Open the training job"), "study": ("/train?study={id}", "Open the study")}
OTHERS = ("/jobs?job={id}", "Open it among the jobs")
WANTED = {"train": "training job", "study": "study"}
WORDS = {
    "import": "an import",
    "assemble": "the making of a training sheet",
    "scan": "a scan for quality",
    "generate": "a generation of answers",
    "export": "an export",
    "train": "a training job",
    "evaluate": "an evaluation",
    "study": "a study",
    "model_test": "a test of a model",
    "external": "an external run",
}


def page_of(kind: str, id: str) -> str:
    """Return the page that shows a job of some kind."""
    return PAGES.get(kind, OTHERS)[0].format(id=id)


def missing(db: Database, kind: str, id: str) -> NotFound:
    """Say that no job of a kind has this id, what the job is that has it, and which page shows that one."""
    job = db.row("select kind, name from jobs where id = ?", [id])
    if job is None or job["kind"] == kind:
        return NotFound.of(WANTED[kind], id)
    what = WORDS.get(job["kind"], f"a job of kind {job['kind']}")
    where = {"href": page_of(job["kind"], id), "label": PAGES.get(job["kind"], OTHERS)[1]}
    return NotFound(f"No {WANTED[kind]} {id!r}: that is {what}, {job['name']!r}.", kind=WANTED[kind], id=id, **where)
